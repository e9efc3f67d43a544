//! What is known of the directories and packages that a plan names, beside the plan.
//!
//! Some things decide how a copy is lowered and stand on the client's disk, not in the plan:
//! whether a path is a link, which a plan's copies keep and a Dockerfile's follow; whether it is
//! a directory; whether any file has setuid, setgid or sticky; whether two files that wildcards
//! match have one name. [`questions`] and [`gatherings`] say where it matters, and whoever has the
//! disk answers in [`crate::Llb::known`]. Without an answer a daemon is made to look for itself,
//! which costs vertices and shares less with a Dockerfile; names that only may be one are refused,
//! since no daemon can be made to compare them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_ir::plan::{
    ContextKind, Copy, CopyForm, Input, InputName, MountKind, Op, Spanned, Template, for_each_op,
};
use cogpack_ir::resolve::Resolved;

use crate::lower::{paths, wildcards};

/// Paths by context, from the context's root and without a `/` before them.
pub type Paths = BTreeMap<InputName, BTreeSet<String>>;

/// What stands at a path that is no link, and that no link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// What is known of directories and packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// What stands at paths, those of links and below links left out.
    pub kinds: BTreeMap<InputName, BTreeMap<String, Kind>>,
    /// The contexts in which nothing has setuid, setgid or sticky.
    pub plain: BTreeSet<InputName>,
    /// Whether the sources of a copy land apart, or what says that they do not.
    pub landings: BTreeMap<Sources, Result<(), String>>,
}

/// What a copy brings `into` a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sources {
    /// The context that it is from.
    pub context: InputName,
    /// Paths and patterns there.
    pub paths: Vec<String>,
    /// Whether links are followed.
    pub follow: bool,
}

impl Sources {
    /// Those of a copy from a context.
    pub(crate) fn of(copy: &Copy) -> Option<Self> {
        let Input::Context(context) = &copy.from.value else { return None };
        let paths = copy.form.sources().iter().map(|source| source.as_literal().map(Cow::into_owned));
        Some(Self { context: context.clone(), paths: paths.collect::<Option<_>>()?, follow: copy.follow })
    }
}

impl Known {
    /// Whether the sources of a copy land apart, where that is known.
    pub(crate) fn landing(&self, copy: &Copy) -> Option<&Result<(), String>> {
        self.landings.get(&Sources::of(copy)?)
    }

    /// What stands at a path of a context, where that is known.
    pub(crate) fn kind(&self, context: &InputName, path: &str) -> Option<Kind> {
        self.kinds.get(context)?.get(path.trim_start_matches('/')).copied()
    }
}

/// The paths of directories and packages of which it matters what they are.
pub fn questions(plan: &Resolved) -> Paths {
    let mut questions = Paths::new();
    for &id in plan.order() {
        for_each_op(&plan.stage(id).ops, &mut |op| {
            for (name, select) in mounted(op).filter(|(name, _)| is_looked_at(plan, name)) {
                let path = select.and_then(|select| paths::path(select).ok());
                questions.entry(name.clone()).or_default().extend(path.map(Cow::into_owned));
            }
            let Some(copy) = op.copy() else { return };
            let Input::Context(name) = &copy.from.value else { return };
            if !is_looked_at(plan, name) {
                return;
            }
            let may_be_patterns = matches!(copy.form, CopyForm::Into { .. });
            let questions = questions.entry(name.clone()).or_default();
            for path in copy.form.sources().iter().filter_map(|source| paths::path(source).ok()) {
                if may_be_patterns && has_wildcard(&path) {
                    questions.extend(Glob::new(&path).ok().map(|glob| wildcards::pattern(&glob).fixed));
                    continue;
                }
                if copy.optional
                    && let Some((above, _)) = paths::split(&path)
                {
                    questions.insert(above.to_owned());
                }
                questions.insert(path.into_owned());
            }
        });
    }
    for paths in questions.values_mut() {
        let relative = std::mem::take(paths).into_iter().map(|path| path.trim_start_matches('/').to_owned());
        paths.extend(relative.filter(|path| !path.is_empty()));
    }
    questions
}

/// What an op mounts of contexts.
fn mounted(op: &Op) -> impl Iterator<Item = (&InputName, Option<&Spanned<Template>>)> {
    let mounts = op.execution().map_or(&[][..], |execution| execution.mounts.as_slice());
    mounts.iter().filter_map(|mount| match &mount.kind {
        MountKind::Bind { source, select, .. } => match &source.value {
            Input::Context(name) => Some((name, select.as_ref())),
            Input::Scratch | Input::Image(_) | Input::Stage(_) | Input::Phase(_) => None,
        },
        MountKind::Cache { .. }
        | MountKind::Tmpfs { .. }
        | MountKind::Secret { .. }
        | MountKind::Ssh { .. } => None,
    })
}

/// Whether a context is one that somebody can look at before the daemon does.
fn is_looked_at(plan: &Resolved, name: &InputName) -> bool {
    match plan.plan().contexts.get(name).map(|context| &context.kind) {
        Some(ContextKind::Directory(_) | ContextKind::Wheels(_) | ContextKind::Debs(_)) => true,
        Some(ContextKind::Http(_) | ContextKind::Git(_) | ContextKind::Oci(_) | ContextKind::Files(_))
        | None => false,
    }
}

/// The copies from directories and packages of which two sources may carry one name, as far as the plan tells.
pub fn gatherings(plan: &Resolved) -> BTreeMap<Sources, &Copy> {
    let mut gatherings = BTreeMap::new();
    for &id in plan.order() {
        for_each_op(&plan.stage(id).ops, &mut |op| {
            if let Some(copy) = op.copy()
                && let CopyForm::Into { sources: named, .. } = &copy.form
                && let Some(sources) = Sources::of(copy)
                && is_looked_at(plan, &sources.context)
                && wildcards::refuse_collisions(named).is_err()
            {
                gatherings.insert(sources, copy);
            }
        });
    }
    gatherings
}

/// Whether any copy sets a mode, which older daemons do not do to setuid, setgid and sticky: then
/// it matters whether a directory has these.
pub fn modes_matter(plan: &Resolved) -> bool {
    let mut matter = false;
    for &id in plan.order() {
        for_each_op(&plan.stage(id).ops, &mut |op| {
            matter |= op.copy().is_some_and(|copy| copy.mode.is_some());
        });
    }
    matter
}
