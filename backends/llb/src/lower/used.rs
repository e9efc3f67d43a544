//! What a plan uses of each directory: only that is walked, hashed and sent.
//!
//! The paths go to the client as paths to follow: it sends each with all below it, and with what
//! a link on the way or at the end of one leads to. `*` and `?` mean to it what they mean to a plan.
//! A copy or mount of the whole directory uses all of it. So does a path that holds other characters
//! to which followed paths give a meaning; of a wildcard it is the directories before it then.
//!
//! Followed paths would add to what a context includes. So of a context with `include` it is the
//! includes that are narrowed: one that begins elsewhere than all that is used is left out. As what
//! is used may lie behind a link, that is done where it is known that none is on the way.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_ir::plan::{CopyForm, Input, InputName, Mount, MountKind, Op, OpKind, Spanned, Template};
use cogpack_ir::resolve::Resolved;

use super::paths;
use super::wildcards::{self, Pattern};
use crate::known::Known;

/// Most paths of one request, which stand in its headers.
const MOST_PATHS: usize = 100;

/// Most bytes of them.
const LONGEST_PATHS: usize = 4000;

/// Uses by context. One that is not in it is not used by ops.
#[derive(Debug, Default)]
pub(super) struct Used<'a>(BTreeMap<&'a InputName, Part<'a>>);

/// What is used of one context.
#[derive(Debug)]
enum Part<'a> {
    All,
    Paths(Paths<'a>),
}

/// Paths that are used of a context.
#[derive(Debug, Default)]
struct Paths<'a> {
    /// Clean ones below the root, without the slash before them.
    all: BTreeSet<Cow<'a, str>>,
    /// The names that they begin with: at least one path is left for each, however much lies
    /// below others.
    tops: BTreeSet<String>,
    /// Whether links that a wildcard matches are followed to wherever they lead.
    lead_away: bool,
}

impl<'a> Used<'a> {
    /// What the stages use that the export needs.
    pub(super) fn by(plan: &'a Resolved) -> Self {
        let mut used = Self::default();
        for &id in plan.order() {
            let stage = plan.stage(id);
            if let Some(Input::Context(name)) = stage.from.as_ref().map(|from| &from.value) {
                used.0.insert(name, Part::All);
            }
            used.of_ops(&stage.ops);
        }
        used
    }

    /// The paths used of a context, none of them below another; `None` where all of it is, or
    /// where they are more than a request should carry.
    pub(super) fn paths(&self, name: &InputName) -> Option<Vec<&str>> {
        let Part::Paths(paths) = self.0.get(name)? else { return None };
        let is_below_another =
            |path: &str| path.match_indices('/').any(|(end, _)| paths.all.contains(&path[..end]));
        let kept: Vec<&str> =
            paths.all.iter().map(|path| &**path).filter(|path| !is_below_another(path)).collect();
        let length: usize = kept.iter().map(|path| path.len()).sum();
        (kept.len() <= MOST_PATHS && length <= LONGEST_PATHS).then_some(kept)
    }

    /// Of patterns by which a context includes, those that may take any of what is used of it.
    pub(super) fn narrowed(&self, name: &InputName, includes: Vec<String>, known: &Known) -> Vec<String> {
        let Some(Part::Paths(paths)) = self.0.get(name) else { return includes };
        let is_certain = |path: &str| match fixed(path) {
            "" => true,
            fixed => known.kind(name, fixed).is_some(),
        };
        if paths.lead_away || !paths.all.iter().all(|path| is_certain(path)) {
            return includes;
        }
        let meets = |include: &str| {
            let include = fixed(include);
            paths.all.iter().map(|path| fixed(path)).any(|path| is_on_one_way(path, include))
        };
        let narrowed: Vec<String> = includes.iter().filter(|include| meets(include)).cloned().collect();
        // No include at all would take everything.
        if narrowed.is_empty() { includes } else { narrowed }
    }

    fn of_ops(&mut self, ops: &'a [Op]) {
        for op in ops {
            match &op.kind {
                OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                    execution.mounts.iter().for_each(|mount| self.of_mount(mount));
                }
                OpKind::Copy(copy) => {
                    if let Input::Context(name) = &copy.from.value {
                        let has_patterns = matches!(copy.form, CopyForm::Into { .. });
                        for source in copy.form.sources() {
                            self.add(name, || match has_patterns {
                                true => matched(source, copy.follow),
                                false => plain(paths::path(source).ok()?),
                            });
                        }
                        if let Some(Part::Paths(paths)) = self.0.get_mut(name) {
                            paths.lead_away |= has_patterns && copy.follow;
                        }
                    }
                }
                OpKind::Layer(layer) => self.of_ops(&layer.ops),
                OpKind::File(_)
                | OpKind::Mkdir(_)
                | OpKind::Symlink(_)
                | OpKind::Remove(_)
                | OpKind::Env(_)
                | OpKind::Workdir(_)
                | OpKind::User(_)
                | OpKind::Shell(_)
                | OpKind::By(_) => {}
            }
        }
    }

    fn of_mount(&mut self, mount: &'a Mount) {
        if let MountKind::Bind { source, select, .. } = &mount.kind
            && let Input::Context(name) = &source.value
        {
            self.add(name, || select.as_ref().and_then(|select| plain(paths::path(select).ok()?)));
        }
    }

    /// Notes the use of a path, or of all.
    fn add(&mut self, name: &'a InputName, path: impl FnOnce() -> Option<Cow<'a, str>>) {
        let part = self.0.entry(name).or_insert_with(|| Part::Paths(Paths::default()));
        let Part::Paths(paths) = part else { return };
        if !path().is_some_and(|path| paths.take(path)) {
            *part = Part::All;
        }
    }
}

impl<'a> Paths<'a> {
    /// Notes a path; `false` where there are so many that no request can carry them any more.
    fn take(&mut self, path: Cow<'a, str>) -> bool {
        let top = path.split('/').next().unwrap_or_default();
        if !self.tops.contains(top) {
            self.tops.insert(top.to_owned());
        }
        self.all.insert(path);
        self.tops.len() <= MOST_PATHS
    }
}

/// What a source with or without wildcards names; `None` for all.
fn matched(source: &Spanned<Template>, follow: bool) -> Option<Cow<'_, str>> {
    let path = paths::path(source).ok()?;
    if !has_wildcard(&path) {
        return plain(path);
    }
    let Pattern { path, fixed } = wildcards::pattern(&Glob::new(&path).ok()?);
    // A client looks for links that the last part of a path matches, and not for others.
    let may_lead_away = follow && path[fixed.len() + 1..].contains('/');
    let followed = if may_lead_away || path.contains(OTHER_WILDCARDS) { fixed } else { path };
    (followed.len() > 1 && !followed.contains(OTHER_WILDCARDS)).then(|| below_root(followed.into()))
}

/// A path that holds no wildcard; `None` for all.
fn plain(path: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let is_plain = path.len() > 1 && !path.contains(OTHER_WILDCARDS) && !path.contains(WILDCARDS);
    is_plain.then(|| below_root(path))
}

/// What stands in followed paths for more than one name.
const WILDCARDS: [char; 2] = ['*', '?'];

/// The same, where a plan may mean something else.
const OTHER_WILDCARDS: [char; 4] = ['[', ']', '\\', '!'];

fn below_root(path: Cow<'_, str>) -> Cow<'_, str> {
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path[1..]),
        Cow::Owned(path) => Cow::Owned(path[1..].to_owned()),
    }
}

/// The directories of a pattern before its first wildcard; all of a path without any.
fn fixed(pattern: &str) -> &str {
    let Some(wildcard) = pattern.find(WILDCARDS).into_iter().chain(pattern.find(OTHER_WILDCARDS)).min()
    else {
        return pattern;
    };
    pattern[..wildcard].rfind('/').map_or("", |end| &pattern[..end])
}

/// Whether one path is the other, or above it.
fn is_on_one_way(one: &str, other: &str) -> bool {
    let (above, below) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    above.is_empty() || below.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_begin_with_the_directories_before_their_first_wildcard() {
        for (pattern, begins) in
            [("a/b", "a/b"), ("a/b*", "a"), ("*.py", ""), ("**/x", ""), ("a/[b]/c?", "a"), ("a/b/\\*", "a/b")]
        {
            assert_eq!(fixed(pattern), begins, "{pattern}");
        }
        for (one, other, expected) in [
            ("a", "a/b", true),
            ("a/b", "a", true),
            ("a", "ab", false),
            ("", "a", true),
            ("a/b", "a/c", false),
        ] {
            assert_eq!(is_on_one_way(one, other), expected, "{one} {other}");
        }
    }
}
