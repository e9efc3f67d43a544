//! What a plan reads of each context: which parts, and whether by rules of its own.
//!
//! Asked before anything is lowered, for two decisions: whether the rules of a copy can stand in
//! the Dockerfile's ignore file (they can where nothing else reads what they leave out), and
//! which `optional` sources somebody with a disk should look for.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_ir::plan::{Copy, CopyForm, Input, InputName, MountKind, OpKind, for_each_op};
use cogpack_ir::resolve::Resolved;

use crate::copy;
use crate::section::relative;

/// Every place where a plan reads a context: the paths it names, relative to its root and empty
/// for all of it. A wildcard reads the directory above it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    /// How often each path of a context is read.
    paths: BTreeMap<InputName, BTreeMap<String, usize>>,
}

impl Reads {
    /// Looks through the stages that the export needs.
    pub(crate) fn of(plan: &Resolved) -> Self {
        let mut reads = Self::default();
        for &id in plan.order() {
            for_each_op(&plan.stage(id).ops, &mut |op| match &op.kind {
                OpKind::Copy(copy) => {
                    if let Input::Context(name) = &copy.from.value {
                        let is_into = matches!(copy.form, CopyForm::Into { .. });
                        for source in copy.form.sources() {
                            let path = source.as_literal().map(|path| relative(&path)).unwrap_or_default();
                            let path = if is_into { before_wildcards(&path) } else { path };
                            reads.add(name, path);
                        }
                    }
                }
                OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                    for mount in &execution.mounts {
                        if let MountKind::Bind { source, select, .. } = &mount.kind
                            && let Input::Context(name) = &source.value
                        {
                            let path = select.as_ref().and_then(|select| select.as_literal());
                            let path = path.map(|path| relative(&path)).unwrap_or_default();
                            reads.add(name, path);
                        }
                    }
                }
                OpKind::File(_)
                | OpKind::Mkdir(_)
                | OpKind::Symlink(_)
                | OpKind::Remove(_)
                | OpKind::Env(_)
                | OpKind::Workdir(_)
                | OpKind::User(_)
                | OpKind::Shell(_)
                | OpKind::Layer(_)
                | OpKind::By(_) => {}
            });
        }
        reads
    }

    /// Whether `path` is read once, and nothing above or below it is read elsewhere.
    pub(crate) fn is_read_once(&self, context: &InputName, path: &str) -> bool {
        let Some(paths) = self.paths.get(context) else { return false };
        let count = |path: &str| paths.get(path).copied().unwrap_or_default();
        // Above it stand the root, and each part of the path up to a slash.
        let ends = path.match_indices('/').map(|(slash, _)| &path[..slash]);
        let above: usize = std::iter::once("").chain(ends).filter(|it| *it != path).map(count).sum();
        // What is below it follows it in order, behind other names that start as its own does.
        let start = if path.is_empty() { String::new() } else { format!("{path}/") };
        let below = paths.range(start.clone()..).take_while(|(other, _)| other.starts_with(&start));
        let below: usize = below.filter(|(other, _)| *other != path).take(2).map(|(_, count)| count).sum();
        above + count(path) + below == 1
    }

    fn add(&mut self, context: &InputName, path: String) {
        *self.paths.entry(context.clone()).or_default().entry(path).or_default() += 1;
    }
}

/// The contexts that a plan reads, in order.
pub fn contexts(plan: &Resolved) -> BTreeSet<InputName> {
    Reads::of(plan).paths.into_keys().collect()
}

/// The sources of `optional` copies from directories, each without wildcards.
pub fn optional_sources(plan: &Resolved) -> BTreeSet<(InputName, String)> {
    sources_of(plan, |copy| copy.optional)
}

/// The patterns, from the root of a context, that copies from directories may say.
pub fn patterns_of_copies(plan: &Resolved) -> BTreeSet<(InputName, String)> {
    let mut patterns = BTreeSet::new();
    for_each_copy(plan, |name, copy| {
        patterns.extend(copy::patterns(copy).into_iter().map(|pattern| (name.clone(), pattern)));
    });
    patterns
}

/// The same of copies that set a mode.
pub fn sources_with_mode(plan: &Resolved) -> BTreeSet<(InputName, String)> {
    sources_of(plan, |copy| copy.mode.is_some())
}

/// The same of copies that follow links.
pub fn followed_sources(plan: &Resolved) -> BTreeSet<(InputName, String)> {
    sources_of(plan, |copy| copy.follow)
}

fn sources_of(plan: &Resolved, is_asked: impl Fn(&Copy) -> bool) -> BTreeSet<(InputName, String)> {
    let mut sources = BTreeSet::new();
    for_each_copy(plan, |name, copy| {
        if !is_asked(copy) {
            return;
        }
        let is_into = matches!(copy.form, CopyForm::Into { .. });
        let literal = copy.form.sources().iter().filter_map(|source| source.as_literal());
        let named = literal.filter(|path| !(is_into && has_wildcard(path)));
        sources.extend(named.map(|path| (name.clone(), relative(&path))));
    });
    sources
}

/// Visits the copies from contexts.
fn for_each_copy<'p>(plan: &'p Resolved, mut visit: impl FnMut(&'p InputName, &'p Copy)) {
    for &id in plan.order() {
        for_each_op(&plan.stage(id).ops, &mut |op| {
            if let Some(copy) = op.copy()
                && let Input::Context(name) = &copy.from.value
            {
                visit(name, copy);
            }
        });
    }
}

/// The directories that a pattern names before its first wildcard.
fn before_wildcards(pattern: &str) -> String {
    if !has_wildcard(pattern) {
        return pattern.to_owned();
    }
    let parts: Vec<&str> = pattern.split('/').take_while(|part| !has_wildcard(part)).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_twice_is_noticed() {
        let name = InputName::new("src").expect("is a name");
        let mut reads = Reads::default();
        for path in ["lib", "lib/a", "docs", "lib-2", "lib2", "twice", "twice", "a/b/c"] {
            reads.add(&name, path.to_owned());
        }
        let once = [("lib", false), ("lib/a", false), ("docs", true), ("lib-2", true), ("lib2", true)];
        let others = [("twice", false), ("a/b/c", true), ("", false), ("new", false)];
        for (path, expected) in once.into_iter().chain(others) {
            assert_eq!(reads.is_read_once(&name, path), expected, "{path}");
        }
        reads.add(&name, String::new());
        assert!(!reads.is_read_once(&name, "docs") && !reads.is_read_once(&name, ""));
        assert_eq!(before_wildcards("a/b*/c"), "a");
        assert_eq!(before_wildcards("*.py"), "");
    }
}
