//! Copies from stages and images.

use cogpack_ir::plan::{CopyForm, Mode, Spanned, Template};

use super::{Flags, Lowered, is_pattern};
use crate::checks::{self, Never};
use crate::dialect::Dialect;
use crate::features::Feature;
use crate::programs::{CHMOD, Made, made};
use crate::section::{Section, split, with_slash};
use crate::words::{flag_value, json_list, operands, source_word, word};

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
                let never = Never { link: false, set_ids: copy.mode.is_none(), missing: !copy.optional };
                let checked = checks::checked(section, &copy.from.value, &path, never, self.span);
                let Some(from) = checked else { return };
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
        let never = Never {
            link: !self.copy.follow && path != "/",
            set_ids: self.copy.mode.is_none(),
            missing: !self.copy.optional,
        };
        let Some(from) = checks::checked(section, from, &path, never, self.span) else { return };
        self.guard_link(section, landing);
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
            Some(mode) => match made(section.lowering, &self.copy.from.value) {
                Made::Plainly => {
                    let what = "the `mode` of a copy from a stage without programs";
                    let help = "say the mode where the file comes from, or use another dialect";
                    if !section.lowering.must(Feature::Mode, what, self.span, help) {
                        return;
                    }
                    // Older daemons would leave these to it.
                    section.lowering.no_set_ids = true;
                    let (_, name) = split(path);
                    let item = format!("/{}", if name.is_empty() { "item" } else { name });
                    let excludes = excludes.to_vec();
                    let flags = Flags { from: Some(from.to_owned()), excludes, mode: None };
                    let made =
                        self.with_mode(section, &flags, mode.value, &slashed(&source), &slashed(&item));
                    let Some(source) = self.maybe_missing(section, &item) else { return };
                    (made, source, Vec::new())
                }
                Made::ByPrograms if path != "/" && !self.copy.optional => {
                    let changed = if contents { format!("{path}/.") } else { path.to_owned() };
                    (self.after_chmod(section, from, mode.value, &changed), source, excludes.to_vec())
                }
                Made::ByPrograms | Made::WithCopies => {
                    let what = "the `mode` of a copy from a stage or image, some files of which may have \
                                setuid or setgid: older daemons leave them that";
                    return self.refuse(
                        section,
                        what,
                        "say the `mode` where it is copied from an image, without `optional`",
                    );
                }
            },
        };
        let flags = Flags { from: Some(from), excludes, mode: None };
        self.write(section, &flags, &[slashed(&source)], &slashed(landing));
    }

    /// A stage in which a program has set the mode of what is copied, setuid and setgid included,
    /// which not every `COPY --chmod` takes off.
    fn after_chmod(&self, section: &mut Section<'_, '_>, from: &str, mode: Mode, changed: &str) -> String {
        let wanted = format!("{}-mode", section.name);
        let name = section.lowering.names.fresh(&wanted);
        let packages = section.lowering.packages_of(&self.copy.from.value);
        section.lowering.needs(packages.as_ref(), &[CHMOD], self.span);
        // With five digits, the bits of directories that are not named go as well.
        let chmod = json_list(&[CHMOD, "-R", &format!("{:05o}", mode.bits()), changed]);
        let lines = [
            format!("# what a copy of stage {} takes, in its new mode", section.name),
            format!("FROM {from} AS {name}"),
            "USER 0".to_owned(),
            format!("RUN {chmod}"),
        ];
        section.lowering.sections.push(lines.join("\n"));
        name
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
            format!("# what a copy of stage {} takes, in its new mode", section.name),
            format!("FROM scratch AS {name}"),
            format!("COPY {words}--chmod={mode} {paths}"),
        ];
        lowering.sections.push(lines.join("\n"));
        name
    }

    /// The word for a source that may be missing if the copy is `optional`: a wildcard that
    /// matches nothing but it.
    fn maybe_missing(&self, section: &mut Section<'_, '_>, path: &str) -> Option<String> {
        let (above, name) = split(path);
        if checks::is_wildcard(path) && !section.lowering.knows(Feature::SourcePatterns) {
            let what = format!(
                "a copy of `{path}` from a stage or image, which the dialect `{}` takes for a wildcard",
                section.lowering.dialect.name()
            );
            self.refuse(section, &what, "copy the directory that it is in, or give it another name");
            return None;
        }
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
