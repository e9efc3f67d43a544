//! Copies from stages and images.

use cogpack_ir::plan::{CopyForm, Mode, Spanned, Template};

use super::{Flags, Lowered, from_name, is_pattern};
use crate::dialect::Dialect;
use crate::features::Feature;
use crate::links;
use crate::section::{Section, split, with_slash};
use crate::words::{flag_value, operands, source_word, word};

impl Lowered<'_> {
    pub(super) fn out_of_stage(&self, section: &mut Section<'_, '_>, destination: &str) {
        let copy = self.copy;
        if copy.form.sources().iter().any(|source| is_pattern(&copy.form, source)) {
            let what = "wildcards in a copy from a stage or image";
            return self.refuse(section, what, "name what is copied, or emit LLB with `-o llb`");
        }
        if copy.mode.as_ref().is_some_and(|mode| mode.value.bits() > 0o777) {
            let what = "setuid, setgid or sticky in the `mode` of a copy from a stage or image";
            return self.refuse(section, what, "set it with `chmod` in a `run`");
        }
        let Some(excludes) = self.excludes_of_stage(section) else { return };
        match &copy.form {
            CopyForm::To { source, .. } => self.one_from_stage(section, source, destination, &excludes),
            CopyForm::Contents { directory, .. } => {
                let Some(path) = section.path(directory, self.span) else { return };
                let Some(from) = from_name(section.lowering, &copy.from.value, self.span) else { return };
                self.take(section, &from, &path, true, destination, &excludes);
            }
            CopyForm::Into { .. } if copy.optional => {
                let what = "an `optional` copy into a directory from a stage or image";
                self.refuse(section, what, "say for each source where it lands with `copy … to … optional`");
            }
            CopyForm::Into { sources, .. } => {
                self.each(section, destination, sources, |section, source, landing| {
                    self.one_from_stage(section, source, landing, &excludes);
                });
            }
        }
    }

    fn excludes_of_stage(&self, section: &mut Section<'_, '_>) -> Option<Vec<String>> {
        if self.copy.rules.is_empty() {
            return Some(Vec::new());
        }
        let Some(excludes) = self.excludes() else {
            let what = "`include` in a copy from a stage or image";
            self.refuse(section, what, "copy all of it, or emit LLB with `-o llb`");
            return None;
        };
        let what = "`exclude` in a copy from a stage or image";
        let help = "copy all of it, choose `--dialect buildkit`, or emit LLB with `-o llb`";
        section.lowering.must_be_chosen(Feature::Exclude, what, self.span, help).then_some(excludes)
    }

    fn one_from_stage(
        &self,
        section: &mut Section<'_, '_>,
        source: &Spanned<Template>,
        landing: &str,
        excludes: &[String],
    ) {
        let from = &self.copy.from.value;
        let Some(path) = section.path(source, self.span) else { return };
        let from = match self.copy.follow || path == "/" {
            true => from_name(section.lowering, from, self.span),
            false => links::checked(section, from, &path, self.span),
        };
        let Some(from) = from else { return };
        self.take(section, &from, &path, false, landing, excludes);
    }

    fn take(
        &self,
        section: &mut Section<'_, '_>,
        from: &str,
        path: &str,
        contents: bool,
        landing: &str,
        excludes: &[String],
    ) {
        let slashed = |path: &str| if contents { with_slash(path) } else { path.to_owned() };
        let Some(source) = self.maybe_missing(section, path) else { return };
        let (from, source, excludes) = match &self.copy.mode {
            None => (from.to_owned(), source, excludes.to_vec()),
            Some(mode) => {
                let what = "the `mode` of a copy from a stage or image";
                let help = "set it with `chmod` in a `run`, or use another dialect";
                if !section.lowering.must(Feature::Mode, what, self.span, help) {
                    return;
                }
                let (_, name) = split(path);
                let item = format!("/{}", if name.is_empty() { "item" } else { name });
                let flags = Flags { from: Some(from.to_owned()), excludes: excludes.to_vec() };
                let made = self.with_mode(section, &flags, mode.value, &slashed(&source), &slashed(&item));
                let Some(source) = self.maybe_missing(section, &item) else { return };
                (made, source, Vec::new())
            }
        };
        let flags = Flags { from: Some(from), excludes };
        self.write(section, &flags, &slashed(&source), &slashed(landing));
    }

    /// A stage with what is copied in its new mode, alone: newer builders would give the mode to
    /// a missing destination and to the directories above it too.
    fn with_mode(
        &self,
        section: &mut Section<'_, '_>,
        flags: &Flags,
        mode: Mode,
        source: &str,
        item: &str,
    ) -> String {
        let wanted = format!("{}-mode", section.name);
        let lowering = &mut *section.lowering;
        let name = lowering.names.fresh(&wanted);
        let mut words = String::new();
        if let Some(from) = &flags.from {
            words.push_str(&format!("--from={from} "));
        }
        for pattern in &flags.excludes {
            words.push_str(&format!("--exclude={} ", flag_value(pattern)));
        }
        let paths = operands(&[source.to_owned(), word(item)]);
        let lines = [
            format!("FROM scratch AS {name}"),
            format!("# what a copy of stage {} takes, in its new mode", section.name),
            format!("COPY {words}--chmod={mode} {paths}"),
        ];
        lowering.sections.push(lines.join("\n"));
        name
    }

    /// The word for a source that may be missing if the copy is `optional`: a wildcard that
    /// matches nothing but it.
    fn maybe_missing(&self, section: &mut Section<'_, '_>, path: &str) -> Option<String> {
        let (above, name) = split(path);
        if !self.copy.optional || path == "/" {
            return Some(source_word(path));
        }
        let forgives = match section.lowering.dialect {
            Dialect::BuildKit { .. } => true,
            Dialect::Buildah | Dialect::Legacy => false,
        };
        let first = name.chars().next().filter(char::is_ascii_alphanumeric);
        match first {
            // `COPY` walks the directory above, which must be there.
            Some(first) if above == "/" && forgives => Some(format!("/[{first}]{}", source_word(&name[1..]))),
            Some(_) | None => {
                let what = format!("an `optional` copy of `{path}` from a stage or image");
                self.refuse(section, &what, "make sure that it is there, and take `optional` away");
                None
            }
        }
    }
}
