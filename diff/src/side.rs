//! One of the two plans that are compared, with what is asked of it again and again.

use cogpack_content::Digest;
use cogpack_ir::plan::{Input, Op, OpKind, Plan, Stage};
use cogpack_ir::resolve::{Resolved, StageId, Step};

use crate::keys::{Contents, Keys, Taken, read_by, said};

/// A plan, as it was written and resolved. Both have the same stages at the same places.
pub(crate) struct Side<'p> {
    pub(crate) written: &'p Plan,
    pub(crate) resolved: &'p Resolved,
    pub(crate) keys: Keys,
    /// What is known of the files of its contexts.
    pub(crate) contents: &'p dyn Contents,
    /// By stage and step: what it says.
    pub(crate) said: Vec<Vec<Digest>>,
    /// By place of a stage.
    pub(crate) ids: Vec<StageId>,
    /// By stage: its steps.
    pub(crate) steps: Vec<Vec<Step<'p>>>,
    /// By stage: its steps as they were written.
    pub(crate) ops: Vec<Vec<&'p Op>>,
}

impl<'p> Side<'p> {
    pub(crate) fn new(written: &'p Plan, resolved: &'p Resolved, contents: &'p dyn Contents) -> Self {
        let stages = &resolved.plan().stages;
        let ids: Vec<StageId> = stages.iter().map(|stage| resolved.id(&stage.name.value)).collect();
        let ops = written.stages.iter().map(|stage| {
            let mut steps = Vec::with_capacity(stage.ops.len());
            flatten(&stage.ops, &mut steps);
            steps
        });
        Self {
            written,
            resolved,
            keys: Keys::of(resolved, contents),
            contents,
            said: ids.iter().map(|id| said(resolved, *id)).collect(),
            steps: ids.iter().map(|id| resolved.steps(*id)).collect(),
            ops: ops.collect(),
            ids,
        }
    }

    pub(crate) fn stage(&self, place: usize) -> &'p Stage {
        &self.resolved.plan().stages[place]
    }

    pub(crate) fn count(&self) -> usize {
        self.ids.len()
    }

    /// The op at a step, as it was written.
    pub(crate) fn op(&self, (stage, step): (usize, usize)) -> &'p Op {
        self.ops[stage][step]
    }

    /// What an op reads, and what it takes of each.
    pub(crate) fn reads(&self, (stage, step): (usize, usize)) -> Vec<(&'p Input, Taken<'p>)> {
        read_by(self.steps[stage][step].op)
    }

    /// What an op reads.
    pub(crate) fn inputs(&self, place: (usize, usize)) -> Vec<&'p Input> {
        self.reads(place).into_iter().map(|(input, _)| input).collect()
    }
}

/// The steps of a block, as [`Resolved::steps`] counts them.
fn flatten<'p>(ops: &'p [Op], steps: &mut Vec<&'p Op>) {
    for op in ops {
        match &op.kind {
            OpKind::By(_) => {}
            OpKind::Layer(layer) => flatten(&layer.ops, steps),
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
            | OpKind::Shell(_) => steps.push(op),
        }
    }
}
