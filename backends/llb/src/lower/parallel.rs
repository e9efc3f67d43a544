//! Parallel phases: what several stages do to one base, side by side.
//!
//! Their output is the base with the changes of each stage on top, the stages in text order: a
//! merge of the base and of one diff for each stage. That two stages write one path is seen by no
//! BuildKit op: the verifier sees what the plan shows, and where it may be that they do and [nobody
//! can tell](crate::side_by_side) it is noted what each of them changes.
//!
//! A daemon without merges gets a chain with the same result: each stage's file ops, done again on
//! what the stages before it left. As the stages write different paths, and what they copy comes
//! from elsewhere, an op leaves the same there as on the base alone. What a program does may
//! depend on all that it sees, and what it changes (deletions above all) cannot be told without
//! a diff, so a `run` on a base is refused. On the empty filesystem all that a stage leaves is a
//! change, and is copied.

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::again::why_not_done_again;
use cogpack_backends_contract::titles::describe;
use cogpack_ir::plan::{PhaseName, Span};
use cogpack_ir::resolve::{Merge, StageId};

use super::files::Given;
use super::{Input, Lowering, Root, gap, label, titles};
use crate::side_by_side::{Changed, may_meet};
use crate::wire::op::VertexId;
use crate::wire::{File, Op};

/// A phase whose stages may write one path.
pub(super) struct Beside<'a> {
    pub(super) phase: &'a PhaseName,
    pub(super) span: Span,
    /// What they start from.
    pub(super) before: Root,
    /// What each stage changes; none where there is no vertex for that.
    pub(super) stages: Vec<Changed<VertexId>>,
}

impl<'a> Lowering<'a> {
    /// The output of a parallel phase.
    pub(super) fn merged(&mut self, phase: &'a PhaseName, span: Span) -> Result<Root, Unsupported> {
        let merge = self.plan.merge(phase);
        // What starts from the phase need not say so; the phase itself is always declared.
        let declared = self.plan.plan().declared_phases.get(phase).map_or(span, |phase| phase.span);
        let base = self.base_of(merge, span)?;
        let is_beside = may_meet(self.plan, merge);
        if is_beside && !self.settings.limits.allow_merges() {
            // What they leave on nothing is what they change.
            let (is_hidden, ends) = (base.root.is_some(), self.ends(merge));
            let stages = if is_hidden { Vec::new() } else { ends };
            if is_hidden || stages.len() > 1 {
                self.side_by_side.push(Beside { phase, span: declared, before: base.root, stages });
            }
        }
        if !self.settings.limits.allow_merges() {
            return self.chained(merge, base);
        }
        let base = base.root;
        let mut inputs: Vec<VertexId> = base.into_iter().collect();
        let mut stages = Vec::new();
        for &branch in &merge.branches {
            let Some(end) = self.stages[branch.index()].root else { continue };
            let changes = match base {
                None => end,
                Some(base) if base == end => continue,
                Some(base) => self.changes(branch, base, end)?,
            };
            if !inputs.contains(&changes) {
                inputs.push(changes);
                let stage = self.plan.stage(branch).name.clone();
                stages.push(Changed { stage, changes, after: end });
            }
        }
        if is_beside && stages.len() > 1 {
            self.side_by_side.push(Beside { phase, span: declared, before: base, stages });
        }
        self.merge(inputs, format!("merge phase {phase}"), declared)
    }

    /// Whether the base of a parallel phase is an image, or starts from one.
    pub(super) fn phase_is_a_system(&mut self, phase: &PhaseName) -> bool {
        let merge = self.plan.merge(phase);
        // Reported where the phase is lowered.
        self.base_of(merge, Span::NOWHERE).is_ok_and(|base| base.is_a_system)
    }

    /// What the stages of a phase leave.
    fn ends(&self, merge: &Merge) -> Vec<Changed<VertexId>> {
        let end = |&branch: &StageId| {
            let after = self.stages[branch.index()].root?;
            Some(Changed { stage: self.plan.stage(branch).name.clone(), changes: after, after })
        };
        merge.branches.iter().filter_map(end).collect()
    }

    fn base_of(&mut self, merge: &'a Merge, span: Span) -> Result<Input, Unsupported> {
        self.source(&merge.base, span)
    }

    fn changes(&mut self, stage: StageId, base: VertexId, end: VertexId) -> Result<VertexId, Unsupported> {
        let stage = self.plan.stage(stage);
        let label = label(format!("{}changes", titles::prefix(stage)), stage.name.span);
        self.add(&Op::Diff { lower: base, upper: end }, label, stage.name.span)
    }

    /// The same without merges: each stage's ops on what the stages before it left.
    fn chained(&mut self, merge: &'a Merge, base: Input) -> Result<Root, Unsupported> {
        let mut root = base.root;
        for (place, &branch) in merge.branches.iter().enumerate() {
            let end = self.stages[branch.index()].root;
            root = match (root, end) {
                // The first stage is on the base already.
                (_, end) if place == 0 => end,
                (Some(below), Some(end)) if base.root.is_none() => Some(self.laid_over(branch, below, end)?),
                (below, end) if base.root.is_none() => below.or(end),
                (below, _) => {
                    self.can_be_done_again(branch)?;
                    let start = Input { root: below, ..base };
                    self.layers_on(branch, start)?
                }
            };
        }
        Ok(root)
    }

    /// All that is in `end`, copied over `below`.
    fn laid_over(&mut self, stage: StageId, below: VertexId, end: VertexId) -> Result<VertexId, Unsupported> {
        let stage = self.plan.stage(stage);
        let mut over = File::on(Some(below));
        self.tell_owners_apart(&mut over, end);
        over.lay_in(end, "/", Given::default());
        let label = label(format!("{}lay over", titles::prefix(stage)), stage.name.span);
        self.add(&Op::File(over), label, stage.name.span)
    }

    /// Refuses ops that may leave something else on another filesystem.
    fn can_be_done_again(&self, stage: StageId) -> Result<(), Unsupported> {
        for step in self.plan.steps(stage) {
            let Some(why) = why_not_done_again(&step) else { continue };
            let stage = self.plan.stage(stage);
            let mut what = titles::prefix(stage);
            describe(&mut what, &step.op.kind);
            return Err(gap(
                "cpk::unsupported::parallel",
                format!(
                    "`{what}` in a parallel phase needs `mergeop` and `diffop`, which this daemon lacks: {why}"
                ),
                step.op.span,
                "use BuildKit 0.10 or newer (in Docker: the containerd image store), or leave out `parallel`",
            ));
        }
        Ok(())
    }
}
