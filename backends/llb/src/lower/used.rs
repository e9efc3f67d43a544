//! What a plan uses of each directory: only that is walked, hashed and sent.
//!
//! The paths go to the client as paths to follow: it sends each with all below it, and with what
//! a link on the way or at the end of one leads to. A copy or mount of the whole directory, or a
//! wildcard at its top, uses all of it. So does a path that holds characters to which followed
//! paths give a meaning.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_ir::plan::{CopyForm, Input, InputName, Mount, MountKind, Op, OpKind, Spanned, Template};
use cogpack_ir::resolve::Resolved;

use super::{paths, wildcards};

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
                            self.add(name, || part(source, has_patterns));
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
            self.add(name, || select.as_ref().and_then(|select| part(select, false)));
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

/// The path that a source names, of a wildcard the directories before it; `None` for all.
fn part(source: &Spanned<Template>, has_patterns: bool) -> Option<Cow<'_, str>> {
    let path = paths::path(source).ok()?;
    let path = match has_patterns && has_wildcard(&path) {
        true => Cow::Owned(wildcards::pattern(&Glob::new(&path).ok()?).fixed),
        false => path,
    };
    let is_plain = path.len() > 1 && !path.contains(['*', '?', '[', ']', '\\', '!']);
    is_plain.then(|| match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path[1..]),
        Cow::Owned(path) => Cow::Owned(path[1..].to_owned()),
    })
}
