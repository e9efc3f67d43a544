//! Walks every stage after what it needs, expanding templates and noting what holds before each op.
//!
//! Works on plans with breaches as well: what cannot be told starts from an unknown base, so
//! that the verifier can use the same walk to find the breaches of every op.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expand::{Expansion, Scope, too_long};
use super::merged::merged_state;
use super::resolved::{Merge, StageId};
use super::state::{EnvValue, State};
use super::variables::VariableFinding;
use super::{KnownConfigs, as_written};
use crate::finding::Finding;
use crate::graph::{Outlet, StageGraph};
use crate::plan::{
    ContextKind, CopyForm, EnvChange, EnvEdit, Execution, Export, Input, MountKind, Op, OpKind, PhaseName,
    Plan, SecretTarget, Spanned, Stage, Template,
};

/// What the walk finds.
#[derive(Debug, Clone)]
pub(crate) struct Evaluation {
    /// All stages by place, each after those it needs.
    pub(crate) order: Vec<usize>,
    /// The stages with inputs made concrete and templates expanded, where that can be done;
    /// `None` for those that are like that as they were written, as most of a large plan are.
    pub(crate) rewritten: Vec<Option<Box<Stage>>>,
    /// By stage: the stage that it starts from, where it is one.
    pub(crate) starts: Vec<Option<StageId>>,
    /// By stage: one state before each flattened op, then the one at the end.
    pub(crate) states: Vec<Vec<Arc<State>>>,
    pub(crate) merges: BTreeMap<PhaseName, Merge>,
    pub(crate) scratch: Arc<State>,
    pub(crate) bases: BTreeMap<Input, Arc<State>>,
    pub(crate) merged: BTreeMap<PhaseName, Arc<State>>,
    /// `workdir` and `user` statements whose value a recorded base config would settle.
    pub(crate) unsettled: Vec<VariableFinding>,
}

impl Evaluation {
    /// The stages of the plan that was walked, as the walk left them.
    pub(crate) fn stages<'e>(&'e self, plan: &'e Plan) -> impl Iterator<Item = &'e Stage> {
        (0..plan.stages.len()).map(|place| self.stage(plan, place))
    }

    /// The stage at a place of that plan.
    pub(crate) fn stage<'e>(&'e self, plan: &'e Plan, place: usize) -> &'e Stage {
        self.rewritten[place].as_deref().unwrap_or(&plan.stages[place])
    }
}

/// The separator of `env prepend` and `env append`.
const SEPARATOR: char = ':';

/// Walks all stages of a plan.
pub(crate) fn evaluate(
    graph: &StageGraph<'_>,
    known: &KnownConfigs,
    findings: &mut Vec<Finding>,
) -> Evaluation {
    let starts = (0..graph.plan().stages.len()).map(|place| graph.start_place(place).map(StageId::of_place));
    let mut walk = Walk {
        graph,
        known,
        findings,
        unknown: Arc::new(State::of_base(None)),
        evaluation: Evaluation {
            order: graph.order(),
            rewritten: vec![None; graph.plan().stages.len()],
            starts: starts.collect(),
            states: vec![Vec::new(); graph.plan().stages.len()],
            merges: BTreeMap::new(),
            scratch: Arc::new(State::scratch()),
            bases: BTreeMap::new(),
            merged: BTreeMap::new(),
            unsettled: Vec::new(),
        },
    };
    for step in 0..walk.evaluation.order.len() {
        walk.stage(walk.evaluation.order[step]);
    }
    if let Some(export) = &graph.plan().export
        && let Outlet::One(from) = graph.concrete(&export.from)
    {
        walk.start(&from);
    }
    walk.evaluation
}

/// The export with its input made concrete.
pub(crate) fn export(graph: &StageGraph<'_>, export: &Export) -> Export {
    let mut export = export.clone();
    make_concrete(graph, &mut export.from);
    export
}

fn make_concrete(graph: &StageGraph<'_>, input: &mut Spanned<Input>) {
    if let Input::Phase(_) = &input.value
        && let Outlet::One(concrete) = graph.concrete(input)
    {
        input.value = concrete;
    }
}

struct Walk<'w, 'p> {
    graph: &'w StageGraph<'p>,
    known: &'w KnownConfigs,
    findings: &'w mut Vec<Finding>,
    unknown: Arc<State>,
    evaluation: Evaluation,
}

impl Walk<'_, '_> {
    fn stage(&mut self, place: usize) {
        let written = self.graph.stage(place);
        if let Outlet::One(start) = self.graph.start(place)
            && as_written::stands(written, start)
        {
            let before =
                self.graph.start_place(place).and_then(|before| self.evaluation.states[before].last());
            let start = match before {
                Some(state) => state.clone(),
                None => self.start(start),
            };
            self.evaluation.states[place] = as_written::states(written, start);
            return;
        }
        let mut stage = written.clone();
        let state = match self.graph.start(place) {
            Outlet::One(start) => {
                let from = match &written.from {
                    Some(from) => Spanned::new(start.clone(), from.span),
                    None => Spanned::nowhere(start.clone()),
                };
                stage.from = Some(from);
                self.start(start)
            }
            Outlet::Nothing | Outlet::Several(_) | Outlet::Broken => self.unknown.clone(),
        };
        let mut states = vec![state];
        self.block(&mut stage.ops, &mut states);
        self.evaluation.states[place] = states;
        if stage != *written {
            self.evaluation.rewritten[place] = Some(Box::new(stage));
        }
    }

    /// What holds where something starts from `input`.
    fn start(&mut self, input: &Input) -> Arc<State> {
        match input {
            Input::Scratch => self.evaluation.scratch.clone(),
            Input::Image(_) | Input::Context(_) => {
                if let Some(state) = self.evaluation.bases.get(input) {
                    return state.clone();
                }
                let state = self.base(input);
                self.evaluation.bases.insert(input.clone(), state.clone());
                state
            }
            Input::Stage(name) => {
                let end = self.graph.place(name).and_then(|place| self.evaluation.states[place].last());
                // A member of a circle has no state yet.
                end.unwrap_or(&self.unknown).clone()
            }
            Input::Phase(name) => self.merge(name),
        }
    }

    /// Makes the input of a copy or mount concrete. A merge that is only read, and that nothing
    /// starts from, is a merge all the same.
    fn read(&mut self, input: &mut Spanned<Input>) {
        make_concrete(self.graph, input);
        if let Input::Phase(phase) = &input.value {
            self.merge(phase);
        }
    }

    fn base(&self, input: &Input) -> Arc<State> {
        let plan = self.graph.plan();
        match input {
            Input::Image(name) => {
                let image = plan.images.get(name);
                let config = image.and_then(|image| image.config.as_ref()).or_else(|| self.known.get(name));
                Arc::new(State::of_base(config))
            }
            Input::Context(name) => match plan.contexts.get(name).map(|context| &context.kind) {
                Some(ContextKind::Oci(_)) | None => Arc::new(State::of_base(self.known.get(name))),
                Some(
                    ContextKind::Directory(_)
                    | ContextKind::Http(_)
                    | ContextKind::Git(_)
                    | ContextKind::Files(_)
                    | ContextKind::Wheels(_)
                    | ContextKind::Debs(_),
                ) => self.evaluation.scratch.clone(),
            },
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => self.unknown.clone(),
        }
    }

    fn merge(&mut self, phase: &PhaseName) -> Arc<State> {
        if let Some(state) = self.evaluation.merged.get(phase) {
            return state.clone();
        }
        let members = self.graph.phases().members(phase);
        let Some(Outlet::One(base)) = members.first().map(|place| self.graph.start(*place)) else {
            return self.unknown.clone();
        };
        // Of a phase whose members start from what comes out of it, by way of others or not, nothing is
        // known; that it is a circle is told elsewhere.
        self.evaluation.merged.insert(phase.clone(), self.unknown.clone());
        let start = self.start(base);
        let ends: Vec<&Arc<State>> =
            members.iter().filter_map(|place| self.evaluation.states[*place].last()).collect();
        let state = merged_state(&start, &ends);
        let branches = members.iter().map(|place| StageId::of_place(*place)).collect();
        self.evaluation.merges.insert(phase.clone(), Merge { base: base.clone(), branches });
        self.evaluation.merged.insert(phase.clone(), state.clone());
        state
    }

    /// Walks the ops of one block. `states` ends with what holds before the next op; ops that
    /// change nothing of it share it.
    fn block(&mut self, ops: &mut [Op], states: &mut Vec<Arc<State>>) {
        for op in ops {
            let before = states.last().unwrap_or(&self.unknown).clone();
            let after = match &mut op.kind {
                OpKind::By(_) => continue,
                OpKind::Layer(layer) => {
                    self.block(&mut layer.ops, states);
                    continue;
                }
                OpKind::Env(change) => self.env(change, &before),
                OpKind::Workdir(workdir) => self.workdir(workdir, &before),
                OpKind::User(user) => self.user(user, &before),
                OpKind::Shell(shell) => before.with_shell(shell),
                OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                    self.execution(execution, &before);
                    None
                }
                OpKind::Copy(copy) => {
                    self.read(&mut copy.from);
                    match &mut copy.form {
                        CopyForm::To { source: first, destination: second }
                        | CopyForm::Contents { directory: first, destination: second } => {
                            self.paths([first, second], &before);
                        }
                        CopyForm::Into { sources, directory } => {
                            self.paths(sources.iter_mut().chain([directory]), &before);
                        }
                    }
                    None
                }
                OpKind::File(file) => self.paths([&mut file.path], &before),
                OpKind::Mkdir(directory) => self.paths([&mut directory.path], &before),
                OpKind::Symlink(link) => self.paths([&mut link.target, &mut link.path], &before),
                OpKind::Remove(remove) => self.paths([&mut remove.path], &before),
            };
            states.push(after.map_or(before, Arc::new));
        }
    }

    fn paths<'t>(
        &mut self,
        paths: impl IntoIterator<Item = &'t mut Spanned<Template>>,
        state: &State,
    ) -> Option<State> {
        let scope = Scope::of(state);
        for path in paths {
            scope.rewrite(path, self.findings);
        }
        None
    }

    fn execution(&mut self, execution: &mut Execution, state: &State) {
        let mut scope = Scope::of(state);
        for mount in &execution.mounts {
            if let MountKind::Secret { target: SecretTarget::Env(name), .. } = &mount.kind {
                scope.hide(name.value.clone());
            }
        }
        for path in execution.workdir.iter_mut().chain(&mut execution.user) {
            scope.rewrite(path, self.findings);
        }
        for mount in &mut execution.mounts {
            match &mut mount.kind {
                MountKind::Bind { source, select, target, .. } => {
                    self.read(source);
                    for path in select.iter_mut().chain([target]) {
                        scope.rewrite(path, self.findings);
                    }
                }
                MountKind::Cache { target, .. }
                | MountKind::Tmpfs { target, .. }
                | MountKind::Ssh { target: Some(target), .. }
                | MountKind::Secret { target: SecretTarget::File(target), .. } => {
                    scope.rewrite(target, self.findings);
                }
                MountKind::Ssh { target: None, .. }
                | MountKind::Secret { target: SecretTarget::Env(_), .. } => {}
            }
        }
        for setting in &mut execution.env {
            let value = match scope.expand_in_place(&mut setting.value, self.findings) {
                Expansion::Known(text) => EnvValue::Known(text),
                Expansion::Open(_) | Expansion::Undefined => EnvValue::Open,
            };
            scope.set(setting.name.value.clone(), value);
        }
    }

    fn workdir(&mut self, workdir: &mut Spanned<Template>, state: &State) -> Option<State> {
        state.in_directory(self.settled("workdir", workdir, state)?)
    }

    fn user(&mut self, user: &mut Spanned<Template>, state: &State) -> Option<State> {
        state.as_user(self.settled("user", user, state)?)
    }

    fn settled(
        &mut self,
        statement: &'static str,
        template: &mut Spanned<Template>,
        state: &State,
    ) -> Option<Arc<str>> {
        match Scope::of(state).expand_in_place(template, self.findings) {
            Expansion::Known(text) => Some(text),
            Expansion::Undefined => None,
            Expansion::Open(name) => {
                let place = template.span.place();
                self.evaluation.unsettled.push(VariableFinding::Open { statement, name, place });
                None
            }
        }
    }

    /// Applies a change of a variable, and rewrites it to the value that it gives, where known;
    /// `None` where the variable stays what it was.
    fn env(&mut self, change: &mut EnvChange, state: &State) -> Option<State> {
        let scope = Scope::of(state);
        let name = &change.name.value;
        let (mut template, place_of_old) = match &change.edit {
            EnvEdit::Unset => return state.without_variable(name),
            EnvEdit::Set(value) => (value.clone(), None),
            EnvEdit::Prepend(value) => (value.clone(), Some(Side::After)),
            EnvEdit::Append(value) => (value.clone(), Some(Side::Before)),
        };
        let expansion = scope.expand_in_place(&mut template, self.findings);
        let value = match (expansion, place_of_old) {
            (Expansion::Open(_) | Expansion::Undefined, _) => EnvValue::Open,
            (Expansion::Known(text), None) => EnvValue::Known(text),
            (Expansion::Known(text), Some(side)) => match state.variable(name.as_str()) {
                Some(EnvValue::Known(old)) if !old.is_empty() => {
                    match too_long(old.len() + text.len() + 1, &template) {
                        Some(finding) => {
                            self.findings.push(finding.into());
                            EnvValue::Open
                        }
                        None => EnvValue::Known(side.join(old, &text)),
                    }
                }
                Some(EnvValue::Known(_)) => EnvValue::Known(text),
                None if state.base_known => EnvValue::Known(text),
                Some(EnvValue::Open) | None => EnvValue::Open,
            },
        };
        change.edit = match (&value, &change.edit) {
            (EnvValue::Known(text), EnvEdit::Prepend(_) | EnvEdit::Append(_)) => {
                EnvEdit::Set(Spanned::new(Template::literal(text), template.span))
            }
            (EnvValue::Known(_) | EnvValue::Open, EnvEdit::Set(_)) => EnvEdit::Set(template),
            (EnvValue::Open, EnvEdit::Prepend(_)) => EnvEdit::Prepend(template),
            (EnvValue::Open, EnvEdit::Append(_)) => EnvEdit::Append(template),
            (EnvValue::Known(_) | EnvValue::Open, EnvEdit::Unset) => EnvEdit::Unset,
        };
        state.with_variable(&change.name, value)
    }
}

/// Where the old value of a variable stands beside what is added.
#[derive(Debug, Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Side {
    fn join(self, old: &str, added: &str) -> Arc<str> {
        match self {
            Self::Before => format!("{old}{SEPARATOR}{added}").into(),
            Self::After => format!("{added}{SEPARATOR}{old}").into(),
        }
    }
}
