//! Copies of what a pattern matches that `COPY` says with the same pattern: `copy "*.py" into "/src"`
//! as `COPY *.py /src/`, and `copy "conf.d" to "/d" { include "*.conf" }` as `COPY conf.d/*.conf /d/`.
//!
//! `COPY` takes the content of a directory that it matches, follows a link, and writes where a link at
//! the destination points to; the plan does none of these. So all that is matched must be files, which
//! whoever has a disk [looks at](crate::Surroundings::matches), each with a name of its own, and where
//! they land there must be no links. What is matched otherwise is gathered.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_ir::plan::{Copy, CopyForm, Input, InputName, Mode, PathRule, RuleKind, Spanned, Template};

use super::context::is_plain;
use super::{Flags, Lowered};
use crate::features::Feature;
use crate::links::{Shown, shown_before};
use crate::lowering::Lowering;
use crate::places;
use crate::section::{Section, absolute, relative, split, with_slash};

impl Lowered<'_> {
    /// Writes the copy of all that the patterns match, if `COPY` makes the same of it; whether it does.
    /// `others` are copied into the same directory under their own names.
    pub(super) fn matched_in_place(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        patterns: &[String],
        others: &[Spanned<Template>],
        destination: &str,
    ) -> bool {
        let Some(matched) = self.files_matched(section, name, patterns, others) else { return false };
        if !(self.matched_mode_is_said(section) && self.lands_on_no_link(section, &matched, destination)) {
            return false;
        }
        let Some(place) = places::of_context(section.lowering, name, self.span) else { return true };
        for path in &matched {
            place.read(section.lowering, name, path);
        }
        let mode = self.copy.mode.as_ref().map(|mode| mode.value);
        if mode.is_some_and(|mode| mode != Mode::DIRECTORY) {
            // Missing directories would get the files' mode.
            section.have_directory(destination, self.span);
        }
        let flags = Flags { from: place.from.clone(), excludes: Vec::new(), mode };
        let sources: Vec<String> = patterns.iter().map(|pattern| place.way(pattern)).collect();
        self.write(section, &flags, &sources, &with_slash(destination));
        true
    }

    /// What the patterns match, if that is known to be files of a context that is read where it lies,
    /// each with a name of its own.
    fn files_matched(
        &self,
        section: &Section<'_, '_>,
        name: &InputName,
        patterns: &[String],
        others: &[Spanned<Template>],
    ) -> Option<BTreeSet<String>> {
        let lowering = &section.lowering;
        if patterns.is_empty() || !lowering.is_a_root(name) {
            return None;
        }
        let mut by_name = BTreeMap::new();
        for other in others {
            by_name.insert(split(&absolute(&other.as_literal()?)).1.to_owned(), None);
        }
        let mut matched = BTreeSet::new();
        for pattern in patterns {
            for path in lowering.surroundings.matches.get(&(name.clone(), pattern.clone()))? {
                let last = split(&absolute(path)).1.to_owned();
                let first = by_name.entry(last).or_insert_with(|| Some(path.clone()));
                if first.as_ref() != Some(path) {
                    return None;
                }
                matched.insert(path.clone());
            }
        }
        Some(matched)
    }

    /// Whether `COPY` gives what is matched its mode: the files are known to have no setuid and setgid.
    fn matched_mode_is_said(&self, section: &Section<'_, '_>) -> bool {
        let Some(mode) = self.copy.mode.as_ref().map(|mode| mode.value) else { return true };
        mode.bits() <= 0o777
            && section.lowering.knows(Feature::Mode)
            && ((!self.link && self.copy.owner.is_none()) || mode == Mode::DIRECTORY)
    }

    fn lands_on_no_link(
        &self,
        section: &Section<'_, '_>,
        matched: &BTreeSet<String>,
        destination: &str,
    ) -> bool {
        // On nothing, all that can be there is what was copied before.
        let is_on_nothing = self.link || (section.of == Input::Scratch && section.reached.is_empty());
        let replaces = !section.lowering.knows(Feature::LinkAtDestination);
        is_on_nothing
            || replaces
            || matched.iter().all(|path| {
                let landing = absolute(&format!("{destination}/{}", split(&absolute(path)).1));
                shown_before(section, self.op, &landing) == Shown::NoLink
            })
    }
}

/// The named sources of a copy into a directory that one `COPY` takes together: files of a context that is
/// read where it lies, each of a name of its own, with nothing to be said of their owner and mode.
pub(super) fn together(lowering: &Lowering<'_>, copy: &Copy) -> Option<Vec<String>> {
    let (Input::Context(name), CopyForm::Into { sources, .. }) = (&copy.from.value, &copy.form) else {
        return None;
    };
    let is_only_copy = copy.rules.is_empty() && copy.owner.is_none() && copy.mode.is_none();
    if sources.len() < 2 || !is_only_copy || !lowering.is_a_root(name) {
        return None;
    }
    let mut names = BTreeSet::new();
    let mut paths = Vec::with_capacity(sources.len());
    for source in sources {
        let path = relative(&source.as_literal()?);
        let matched = lowering.surroundings.matches.get(&(name.clone(), path.clone()))?;
        let is_itself = matched.len() == 1 && matched.contains(&path);
        if !is_itself || !is_plain(&path) || !names.insert(split(&absolute(&path)).1.to_owned()) {
            return None;
        }
        paths.push(path);
    }
    Some(paths)
}

/// The patterns that say what `include` takes of a directory, from the context's root; none where
/// there are no rules, or some that no pattern says.
pub(super) fn included(copy: &Copy, directory: &str) -> Vec<String> {
    let directory = relative(directory);
    let pattern = |rule: &PathRule| {
        let pattern = relative(&rule.pattern.value);
        let is_said = rule.kind == RuleKind::Include && !pattern.contains('/');
        let pattern = if directory.is_empty() { pattern } else { format!("{directory}/{pattern}") };
        (is_said && is_one_for_all(&pattern)).then_some(pattern)
    };
    copy.rules.iter().map(pattern).collect::<Option<_>>().unwrap_or_default()
}

/// The patterns of all sources of a copy that may be said so.
pub(crate) fn patterns(copy: &Copy) -> Vec<String> {
    match &copy.form {
        CopyForm::To { source, .. } | CopyForm::Contents { directory: source, .. } => {
            source.as_literal().map(|source| included(copy, &source)).unwrap_or_default()
        }
        CopyForm::Into { sources, .. } if copy.rules.is_empty() => {
            let literal = sources.iter().filter_map(|source| source.as_literal());
            literal
                .map(|source| relative(&source))
                // Of one named source there is nothing to be known.
                .filter(|it| (sources.len() > 1 || has_wildcard(it)) && is_one_for_all(it))
                .collect()
        }
        CopyForm::Into { .. } => Vec::new(),
    }
}

/// Whether all builders read a pattern alike: plain letters, and no other wildcards than `*` and `?`
/// in its last name.
fn is_one_for_all(pattern: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "._+@-/".contains(it);
    let (above, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    !pattern.starts_with('-')
        && !name.is_empty()
        && !name.contains("**")
        && !matches!(name, "." | "..")
        && above.chars().all(is_plain)
        && name.chars().all(|it| is_plain(it) || matches!(it, '*' | '?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_builders_read_alike_are_known() {
        for pattern in ["*.py", "a/b-1/?.conf", "a/*", "x"] {
            assert!(is_one_for_all(pattern), "{pattern}");
        }
        for pattern in ["", "a/", "**", "a/**", "*/a", "[ab].py", "a b*", "é*", "-*", "a\\*"] {
            assert!(!is_one_for_all(pattern), "{pattern}");
        }
    }
}
