//! What the lints look at: the stages that the image needs, each with its steps and what these run.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::{Execution, Input, MountKind, Op, OpKind, Span, Spanned, Stage, Template};
use cogpack_ir::resolve::{EnvValue, Resolved, StageId, Step};

use crate::text::Text;
use cogpack_ir::shell::{self, Command, Extent};

/// A plan, taken apart once for all lints.
pub(crate) struct Look<'a> {
    pub(crate) resolved: &'a Resolved,
    pub(crate) text: Text<'a>,
    /// The stages that the export needs, each after what it reads.
    pub(crate) stages: Vec<StageLook<'a>>,
    /// The place of each of them in that list.
    places: BTreeMap<StageId, usize>,
    /// By cache: where steps mount it.
    caches: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// One stage.
pub(crate) struct StageLook<'a> {
    pub(crate) id: StageId,
    /// Whether what it leaves in its filesystem is in the image.
    pub(crate) is_in_image: bool,
    pub(crate) steps: Vec<StepLook<'a>>,
}

/// One step of a stage.
pub(crate) struct StepLook<'a> {
    pub(crate) step: Step<'a>,
    /// What it runs.
    pub(crate) commands: Vec<Command>,
    /// Where a finding about it may be allowed: at its statement, its layer, its stage.
    pub(crate) scopes: Vec<Span>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(resolved: &'a Resolved, text: &'a str) -> Self {
        let mut in_image = BTreeSet::new();
        mark(resolved, &resolved.export().from.value, &mut in_image);
        let stages = resolved.order().iter().map(|id| {
            let stage = resolved.stage(*id);
            let steps = resolved.steps(*id).into_iter().map(|step| StepLook::new(step, stage)).collect();
            StageLook { id: *id, is_in_image: in_image.contains(id), steps }
        });
        let places = resolved.order().iter().enumerate().map(|(place, id)| (*id, place)).collect();
        let stages: Vec<StageLook<'a>> = stages.collect();
        let mut caches: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, target) in stages.iter().flat_map(|stage| &stage.steps).flat_map(StepLook::caches) {
            caches.entry(name).or_default().insert(target);
        }
        Self { resolved, text: Text(text), stages, places, caches }
    }

    /// Whether a cache is mounted at another path than this one.
    pub(crate) fn is_cache_elsewhere(&self, name: &str, path: &str) -> bool {
        self.caches.get(name).is_some_and(|targets| targets.iter().any(|target| *target != path))
    }

    /// The stage that one starts from.
    pub(crate) fn start_of(&self, stage: &StageLook<'a>) -> Option<&StageLook<'a>> {
        self.resolved.start_of(stage.id).and_then(|id| self.places.get(&id)).map(|place| &self.stages[*place])
    }

    /// For each stage, what is first found in the stages that stand on it.
    pub(crate) fn above<T: Clone>(&self, found_in: impl Fn(&StageLook<'a>) -> Option<T>) -> Vec<Option<T>> {
        let mut above: Vec<Option<T>> = vec![None; self.stages.len()];
        // Each stands after what it starts from.
        for (place, stage) in self.stages.iter().enumerate().rev() {
            let found = found_in(stage).or_else(|| above[place].clone());
            let start = self.resolved.start_of(stage.id).and_then(|id| self.places.get(&id));
            if let (Some(found), Some(start)) = (found, start) {
                above[*start] = Some(found);
            }
        }
        above
    }
}

/// Marks the stages whose layers an input has.
fn mark(resolved: &Resolved, input: &Input, in_image: &mut BTreeSet<StageId>) {
    match input {
        Input::Stage(name) => {
            let mut next = Some(resolved.id(name));
            while let Some(id) = next.filter(|id| in_image.insert(*id)) {
                next = resolved.start_of(id);
                if let (None, Some(from)) = (next, &resolved.stage(id).from) {
                    mark(resolved, &from.value, in_image);
                }
            }
        }
        Input::Phase(name) => {
            let merge = resolved.merge(name);
            for branch in &merge.branches {
                if in_image.insert(*branch) {
                    mark(resolved, &merge.base, in_image);
                }
            }
        }
        Input::Scratch | Input::Image(_) | Input::Context(_) => {}
    }
}

/// What an op runs, as it says it.
enum Program<'a> {
    Script(&'a Spanned<String>),
    Arguments(&'a Spanned<Vec<String>>),
}

impl<'a> Program<'a> {
    fn of(op: &'a Op) -> Option<Self> {
        match &op.kind {
            OpKind::Run { script, .. } => Some(Self::Script(script)),
            OpKind::Exec { argv, .. } => Some(Self::Arguments(argv)),
            OpKind::Copy(_)
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => None,
        }
    }
}

impl<'a> StepLook<'a> {
    fn new(step: Step<'a>, stage: &Stage) -> Self {
        let commands = shell::commands_run_by(step.op, &step.state.shell);
        let mut scopes = vec![step.op.span];
        scopes.extend(step.layer.map(|layer| layer.span));
        scopes.push(stage.name.span);
        Self { step, commands, scopes }
    }

    /// What it executes with.
    pub(crate) fn execution(&self) -> Option<&'a Execution> {
        self.step.op.execution()
    }

    /// The string or the list that says what is run.
    pub(crate) fn script_span(&self) -> Span {
        match Program::of(self.step.op) {
            Some(Program::Script(script)) => script.span,
            Some(Program::Arguments(argv)) => argv.span,
            None => self.step.op.span,
        }
    }

    /// The place of a part of its script.
    pub(crate) fn place(&self, text: Text<'_>, extent: &Extent) -> cogpack_ir::finding::Place {
        match Program::of(self.step.op) {
            Some(Program::Script(script)) => text.part(script.span, script, extent),
            Some(Program::Arguments(_)) | None => self.script_span().place(),
        }
    }

    /// A variable that its programs see, where the plan says its value.
    pub(crate) fn variable(&self, name: &str) -> Option<&'a str> {
        let set = self.execution().and_then(|it| it.env.iter().rev().find(|set| set.name.as_str() == name));
        match (set, self.step.state.variable(name)) {
            (Some(set), _) => Some(set.value.as_written()),
            (None, Some(EnvValue::Known(value))) => Some(value),
            (None, Some(EnvValue::Open) | None) => None,
        }
    }

    /// Whether its programs run as root; not so where that is not known.
    pub(crate) fn is_root(&self) -> bool {
        let own = self.execution().and_then(|execution| execution.user.as_ref());
        match (own.map(|user| user.value.as_written()), &self.step.state.user) {
            (Some(user), _) => is_root(user),
            (None, Some(user)) => is_root(user),
            (None, None) => self.step.state.base_known,
        }
    }

    /// What it mounts somewhere, each with where. What a bind shows is no cache, but neither goes into the
    /// image.
    pub(crate) fn mounts(&self) -> impl Iterator<Item = &'a str> {
        let mounts = self.execution().into_iter().flat_map(|execution| &execution.mounts);
        mounts.filter_map(|mount| match &mount.kind {
            MountKind::Bind { target, .. }
            | MountKind::Cache { target, .. }
            | MountKind::Tmpfs { target, .. } => Some(target.value.as_written()),
            MountKind::Secret { .. } | MountKind::Ssh { .. } => None,
        })
    }

    /// The caches that it mounts, each with where.
    pub(crate) fn caches(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mounts = self.execution().into_iter().flat_map(|execution| &execution.mounts);
        mounts.filter_map(|mount| match &mount.kind {
            MountKind::Cache { name, target, .. } => Some((name.value.as_str(), target.value.as_written())),
            MountKind::Bind { .. }
            | MountKind::Tmpfs { .. }
            | MountKind::Secret { .. }
            | MountKind::Ssh { .. } => None,
        })
    }

    /// Whether something is mounted at a path or above it.
    pub(crate) fn is_mounted(&self, path: &str) -> bool {
        self.mounts().any(|target| is_within(path, target))
    }
}

/// Whether a user, with or without a group, is root.
pub(crate) fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("" | "root" | "0"))
}

/// Whether a path is another one, or below it.
pub(crate) fn is_within(path: &str, above: &str) -> bool {
    let above = above.trim_end_matches('/');
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path as it is written, without what means nothing at its end.
pub(crate) fn path_of(template: &Template) -> &str {
    let written = template.as_written();
    let trimmed = written.trim_end_matches('/').trim_end_matches("/.");
    if trimmed.is_empty() { written } else { trimmed }
}
