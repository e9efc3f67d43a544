//! What a plan reads: the images and contexts that must be had before it can be built.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::{Context, Input, InputName, Mount, MountKind, OpKind};
use cogpack_ir::resolve::{Resolved, StageId, Step};

/// All that the stages of the export start from, copy from and mount, and what the export is of;
/// what is read twice stands there twice.
pub fn inputs(plan: &Resolved) -> Vec<&Input> {
    let mut inputs: Vec<&Input> = vec![&plan.export().from.value];
    inputs.extend(plan.order().iter().flat_map(|id| inputs_of_stage(plan, *id)));
    inputs
}

/// All that a stage starts from, copies from or mounts.
pub fn inputs_of_stage(plan: &Resolved, id: StageId) -> Vec<&Input> {
    let mut inputs: Vec<&Input> = plan.stage(id).from.iter().map(|from| &from.value).collect();
    for step in plan.steps(id) {
        inputs.extend(inputs_of_step(&step));
    }
    inputs
}

/// The contexts among them.
pub fn contexts(plan: &Resolved) -> BTreeMap<&InputName, &Context> {
    let used: BTreeSet<&InputName> = inputs(plan)
        .into_iter()
        .filter_map(|input| match input {
            Input::Context(name) => Some(name),
            Input::Scratch | Input::Image(_) | Input::Stage(_) | Input::Phase(_) => None,
        })
        .collect();
    plan.plan().contexts.iter().filter(|(name, _)| used.contains(name)).collect()
}

fn inputs_of_step<'p>(step: &Step<'p>) -> Vec<&'p Input> {
    if let OpKind::Copy(copy) = &step.op.kind {
        return vec![&copy.from.value];
    }
    let mounts = step.op.execution().into_iter().flat_map(|execution| &execution.mounts);
    let source = |mount: &'p Mount| match &mount.kind {
        MountKind::Bind { source, .. } => Some(&source.value),
        MountKind::Cache { .. }
        | MountKind::Secret { .. }
        | MountKind::Ssh { .. }
        | MountKind::Tmpfs { .. } => None,
    };
    mounts.filter_map(source).collect()
}
