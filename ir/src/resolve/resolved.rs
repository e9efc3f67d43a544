//! A plan that backends take.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use cogpack_content::Lookup;

use super::state::State;
use super::triggers::KnownTriggers;
use crate::finding::Finding;
use crate::plan::{
    Export, Input, InputName, LayerName, Op, OpKind, PhaseName, Plan, Provenance, Spanned, Stage, StageName,
};

/// The place of a stage in [`Resolved::plan`]'s list of stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId(u32);

impl StageId {
    /// The stage at a place. A text of at most 4 GiB has fewer stages than 32 bits count.
    pub(crate) fn of_place(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// The place, to index a list that has one entry a stage.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A verified plan at the resolved level. Only [`resolve`](super) makes one, and backends take
/// nothing else.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub(crate) plan: Plan,
    pub(crate) export: Export,
    pub(crate) warnings: Vec<Finding>,
    /// The stages that the export needs, each after what it reads.
    pub(crate) order: Vec<StageId>,
    /// The place of each stage by name, once somebody has asked for one.
    pub(crate) ids: OnceLock<Lookup<StageName, StageId>>,
    /// By stage: the stage that it starts from, where it is one.
    pub(crate) starts: Vec<Option<StageId>>,
    /// By stage: one state before each flattened op, then the one at the end.
    pub(crate) states: Vec<Vec<Arc<State>>>,
    pub(crate) merges: BTreeMap<PhaseName, Merge>,
    pub(crate) scratch: Arc<State>,
    /// By image or context, where stages start from it.
    pub(crate) bases: BTreeMap<Input, Arc<State>>,
    /// By parallel phase: what holds after its merge.
    pub(crate) merged: BTreeMap<PhaseName, Arc<State>>,
    /// By image or context: its build triggers, as far as they are known.
    pub(crate) triggers: KnownTriggers,
}

/// The output of a `parallel` phase: its base, with the changes of each branch on top, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// What every branch starts from.
    pub base: Input,
    /// The stages of the phase, in text order.
    pub branches: Vec<StageId>,
}

/// One op of a stage with what surrounds it; layers and `by` are dissolved into these.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The op; never a layer or a `by`.
    pub op: &'a Op,
    /// The layer it belongs to.
    pub layer: Option<&'a Spanned<LayerName>>,
    /// Who asked for it.
    pub by: Option<&'a Provenance>,
    /// What holds before it.
    pub state: &'a Arc<State>,
}

impl Resolved {
    /// The plan at the resolved level: every `from` is present and concrete, every template is
    /// literal unless it leans on a base whose config is not known. `Input::Phase` is left only
    /// for `parallel` phases; see [`Resolved::merge`].
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What becomes the image.
    pub fn export(&self) -> &Export {
        &self.export
    }

    /// What the author should know, but may leave.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The build triggers of an image or context, as far as they are known. A plan leaves them
    /// alone: what cannot, must refuse.
    pub fn triggers(&self, base: &InputName) -> &[String] {
        self.triggers.get(base).map_or(&[], Vec::as_slice)
    }

    /// The stages that the export needs, each after what it reads; deterministic.
    pub fn order(&self) -> &[StageId] {
        &self.order
    }

    /// The stage at a place.
    pub fn stage(&self, id: StageId) -> &Stage {
        &self.plan.stages[id.index()]
    }

    /// The place of a stage. The verifier has seen that every name used has one.
    pub fn id(&self, name: &StageName) -> StageId {
        // What is exported is mostly what comes last.
        if let Some(last) = self.order.last()
            && self.stage(*last).name.value == *name
        {
            return *last;
        }
        let ids = self.ids.get_or_init(|| ids(&self.plan.stages));
        *ids.get(name).expect("every stage of the plan has a place")
    }

    /// The stage that one starts from; `None` where it starts from something else.
    pub fn start_of(&self, id: StageId) -> Option<StageId> {
        self.starts[id.index()]
    }

    /// The ops of a stage in order, with what surrounds each.
    pub fn steps(&self, id: StageId) -> Vec<Step<'_>> {
        let mut steps = Vec::with_capacity(self.stage(id).ops.len());
        flatten(&self.stage(id).ops, None, &mut None, &self.states[id.index()], &mut steps);
        steps
    }

    /// What holds at the end of a stage.
    pub fn end_state(&self, id: StageId) -> &Arc<State> {
        self.states[id.index()].last().unwrap_or(&self.scratch)
    }

    /// What holds where something starts from `input`.
    pub fn state_of(&self, input: &Input) -> &Arc<State> {
        match input {
            Input::Scratch => &self.scratch,
            Input::Image(_) | Input::Context(_) => self.bases.get(input).unwrap_or(&self.scratch),
            Input::Stage(name) => self.end_state(self.id(name)),
            Input::Phase(name) => self.merged.get(name).unwrap_or(&self.scratch),
        }
    }

    /// The output of a `parallel` phase.
    pub fn merge(&self, phase: &PhaseName) -> &Merge {
        &self.merges[phase]
    }
}

/// The place of each stage by name.
fn ids(stages: &[Stage]) -> Lookup<StageName, StageId> {
    let places = stages.iter().enumerate();
    places.map(|(place, stage)| (stage.name.value.clone(), StageId::of_place(place))).collect()
}

/// Appends the ops of one block. `by` holds until the end of its block.
fn flatten<'a>(
    ops: &'a [Op],
    layer: Option<&'a Spanned<LayerName>>,
    by: &mut Option<&'a Provenance>,
    states: &'a [Arc<State>],
    steps: &mut Vec<Step<'a>>,
) {
    for op in ops {
        match &op.kind {
            OpKind::By(provenance) => *by = Some(provenance),
            OpKind::Layer(group) => {
                flatten(&group.ops, Some(&group.name), &mut by.clone(), states, steps);
            }
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::Copy(_)
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_) => {
                // One state precedes each flattened op, so the count so far is its place.
                let state = &states[steps.len()];
                steps.push(Step { op, layer, by: *by, state });
            }
        }
    }
}
