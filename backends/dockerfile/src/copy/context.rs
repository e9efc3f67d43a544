//! Copies from contexts.

use cogpack_backends_contract::glob::{Glob, has_wildcard, literal_pattern};
use cogpack_ir::plan::{Copy, CopyForm, InputName, Mode, Spanned, Template};

use super::matched::{included, together};
use super::{Flags, Lowered, template};
use crate::artifact::{Beside, Never};
use crate::features::Feature;
use crate::places;
use crate::section::{Section, absolute, relative, split, with_slash};
use crate::words::source_word;

/// The name of what a gathered copy makes, where its source has none.
const ITEM: &str = "item";

impl Lowered<'_> {
    pub(super) fn out_of_context(&self, section: &mut Section<'_, '_>, name: &InputName, destination: &str) {
        match &self.copy.form {
            CopyForm::To { source, .. } => self.one_from_context(section, name, source, destination),
            CopyForm::Contents { directory, .. } => {
                self.contents_of_context(section, name, directory, destination);
            }
            CopyForm::Into { sources, .. } => {
                if let Some(paths) = together(section.lowering, self.copy) {
                    return self.files_together(section, name, &paths, destination);
                }
                let (patterns, names): (Vec<_>, Vec<_>) =
                    sources.iter().cloned().partition(|source| has_wildcard(source.as_written()));
                self.each(section, destination, &names, |section, source, landing| {
                    self.one_from_context(section, name, source, landing);
                });
                if !patterns.is_empty() {
                    self.matches_of_context(section, name, patterns, &names, destination);
                }
            }
        }
    }

    /// Copies named files into a directory at once.
    fn files_together(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        paths: &[String],
        destination: &str,
    ) {
        for path in paths {
            self.guard_link(section, &absolute(&format!("{destination}/{}", split(&absolute(path)).1)));
        }
        let Some(place) = places::of_context(section.lowering, name, self.span) else { return };
        let mut sources = Vec::with_capacity(paths.len());
        for path in paths {
            place.never_a_link(section.lowering, name, path);
            sources.push(source_word(&place.read(section.lowering, name, path)));
        }
        let flags = Flags { from: place.from.clone(), ..Flags::default() };
        self.write(section, &flags, &sources, &with_slash(destination));
    }

    /// What `copy SOURCE to LANDING` does.
    fn one_from_context(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        source: &Spanned<Template>,
        landing: &str,
    ) {
        let Some(path) = section.literal(source, self.span).map(|path| relative(&path)) else { return };
        if self.is_missing(section, name, &path, landing) {
            return;
        }
        if !path.is_empty() {
            self.guard_link(section, landing);
        }
        if let Some(excludes) = self.said_in_place(section, name, &path) {
            let Some(place) = places::of_context(section.lowering, name, self.span) else { return };
            if !self.copy.follow && !path.is_empty() {
                place.never_a_link(section.lowering, name, &path);
            }
            let mode = self.copy.mode.as_ref().map(|mode| mode.value);
            if mode.is_some_and(|mode| mode != Mode::DIRECTORY) {
                // Missing directories on the way would get the file's mode.
                section.have_directory(split(landing).0, self.span);
            }
            let flags = Flags { from: place.from.clone(), excludes, mode };
            let source = source_word(&place.read(section.lowering, name, &path));
            self.write(section, &flags, &[source], landing);
            return;
        }
        if self.matched_in_place(section, name, &included(self.copy, &path), &[], landing) {
            return;
        }
        let item = item_of(&path);
        let form = CopyForm::To { source: source.clone(), destination: template(&format!("/{item}")) };
        let never = if self.copy.follow { Never::Nothing } else { Never::LinkAtTop };
        let Some(gathered) = self.gather(section, name, form, landing, never) else { return };
        self.write(section, &Flags::default(), &[source_word(&format!("{gathered}/{item}"))], landing);
    }

    fn contents_of_context(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        directory: &Spanned<Template>,
        destination: &str,
    ) {
        let Some(path) = section.literal(directory, self.span).map(|path| relative(&path)) else { return };
        if self.is_missing(section, name, &path, destination) {
            return;
        }
        let destination = with_slash(destination);
        if let Some(excludes) = self.said_in_place(section, name, &path) {
            let Some(place) = places::of_context(section.lowering, name, self.span) else { return };
            let flags = Flags { from: place.from.clone(), excludes, mode: None };
            let source = match place.read(section.lowering, name, &path) {
                whole if whole == "." => whole,
                part => with_slash(&part),
            };
            self.write(section, &flags, &[source_word(&source)], &destination);
            return;
        }
        if self.matched_in_place(section, name, &included(self.copy, &path), &[], &destination) {
            return;
        }
        let item = item_of(&path);
        let landing = template(&format!("/{item}"));
        let form = CopyForm::Contents { directory: directory.clone(), destination: landing };
        let Some(gathered) = self.gather(section, name, form, &destination, Never::Nothing) else { return };
        self.write(section, &Flags::default(), &[source_word(&format!("{gathered}/{item}/"))], &destination);
    }

    /// What wildcards match.
    fn matches_of_context(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        patterns: Vec<Spanned<Template>>,
        names: &[Spanned<Template>],
        destination: &str,
    ) {
        let said: Vec<String> =
            patterns.iter().filter_map(|it| it.as_literal()).map(|it| relative(&it)).collect();
        if said.len() == patterns.len() && self.matched_in_place(section, name, &said, names, destination) {
            return;
        }
        let form = CopyForm::Into { sources: patterns, directory: template("/") };
        let Some(gathered) = self.gather(section, name, form, destination, Never::DirectoryAtTop) else {
            return;
        };
        if !names.is_empty()
            && let CopyForm::Into { sources, .. } = &self.copy.form
        {
            let form = CopyForm::Into { sources: sources.clone(), directory: template("/") };
            section.lowering.check_whole(&gathered, self.on_nothing(form));
        }
        self.write(section, &Flags::default(), &[format!("{gathered}/")], &with_slash(destination));
    }

    /// Whether an `optional` source is not there. Then nothing is copied; `into` still makes its
    /// directory.
    fn is_missing(&self, section: &mut Section<'_, '_>, name: &InputName, path: &str, landing: &str) -> bool {
        let key = (name.clone(), path.to_owned());
        if !self.copy.optional || !section.lowering.surroundings.missing.contains(&key) {
            return false;
        }
        section.comment(&format!("{path} of {} is optional, and was not there", name.as_str()));
        if let CopyForm::Into { .. } = &self.copy.form {
            let (above, _) = split(landing);
            section.make_directory(above, self.span);
        }
        true
    }

    /// What `--exclude` is to say where the copy can read the context as it lies; `None` where it
    /// must be gathered: `COPY` cannot set every mode, and knows no rules that take something
    /// back.
    fn said_in_place(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        path: &str,
    ) -> Option<Vec<String>> {
        // Builders disagree on how sources with such letters are named; what is gathered has a plain name.
        if !is_plain(path) || !self.mode_is_said(section, name, path) {
            return None;
        }
        // A link may lead to the context's root, or out of it, which is not what it is for the builder.
        if self.copy.follow && !section.lowering.is_a_root(name) {
            return None;
        }
        let key = (name.clone(), path.to_owned());
        let is_link = self.copy.follow && section.lowering.surroundings.links.contains(&key);
        if is_link && !section.lowering.knows(Feature::FollowedLink) {
            return None;
        }
        if self.copy.rules.is_empty() {
            return Some(Vec::new());
        }
        let excludes = self.excludes()?;
        if section.lowering.ignores(name, path) {
            let below = |pattern: &String| match Glob::new(&format!("{}/{pattern}", literal_pattern(path))) {
                Ok(glob) => glob.to_string(),
                // A pattern that was read before reads below a name as well.
                Err(_) => pattern.clone(),
            };
            section.lowering.ignored.extend(excludes.iter().map(below));
            return Some(Vec::new());
        }
        section.lowering.knows(Feature::Exclude).then_some(excludes)
    }

    /// Whether `COPY` gives what is copied its mode: of a file it does, if that has no setuid and
    /// setgid, which older daemons leave it. A directory would get the mode as well, with all below.
    fn mode_is_said(&self, section: &Section<'_, '_>, name: &InputName, path: &str) -> bool {
        let Some(mode) = self.copy.mode.as_ref().map(|mode| mode.value) else { return true };
        let is_contents = matches!(self.copy.form, CopyForm::Contents { .. });
        let lowering = &section.lowering;
        mode.bits() <= 0o777
            && !is_contents
            && self.copy.rules.is_empty()
            && lowering.knows(Feature::Mode)
            && lowering.surroundings.files.contains(&(name.clone(), path.to_owned()))
            // Missing directories on the way are made before it, which nothing can stand before if it
            // is made on nothing, and which has no owner but root.
            && ((!self.link && self.copy.owner.is_none()) || mode == Mode::DIRECTORY)
    }

    /// Lays what a copy makes of a context beside the Dockerfile.
    fn gather(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        form: CopyForm,
        place: &str,
        never: Never,
    ) -> Option<String> {
        places::check(section.lowering, name, self.span)?;
        let copy = self.on_nothing(form);
        let what = Beside::Copied { context: name.clone(), copy, whole: None, never };
        Some(section.lowering.put_beside("copies", &section.part_of, place, what))
    }

    fn on_nothing(&self, form: CopyForm) -> Box<Copy> {
        Box::new(Copy { form, owner: None, replace: false, ..self.copy.clone() })
    }
}

/// The last name of a path. Builders see nothing else of where a source lies, so what they have
/// made of it is found again wherever it was gathered.
fn item_of(path: &str) -> String {
    let absolute = absolute(path);
    match split(&absolute) {
        (_, name) if !name.is_empty() && is_plain(name) => name.to_owned(),
        (_, _) => ITEM.to_owned(),
    }
}

/// Whether every builder finds a source of that name: old clients send no other letters than
/// ASCII's, and those of wildcards are read in several ways.
pub(super) fn is_plain(path: &str) -> bool {
    path.is_ascii() && !has_wildcard(path)
}
