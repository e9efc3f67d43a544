//! What has become of stages, and of the ops in them.

use std::collections::BTreeMap;

use cogpack_ir::plan::{PhaseName, Span, StageName};

use crate::ops::{Before, How, Names, Ops};
use crate::side::Side;
use crate::words;

/// A stage that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageChange {
    /// Its name in the old plan; `None` where it is new.
    pub before: Option<StageName>,
    /// Its name in the new plan; `None` where it is gone.
    pub after: Option<StageName>,
    /// The phases in which it was and is, where they differ.
    pub phase: Option<(Option<PhaseName>, Option<PhaseName>)>,
    /// What it started and starts from, where they differ.
    pub from: Option<(String, String)>,
    /// Of a new stage: the old one that most of its ops were in.
    pub split_from: Option<StageName>,
    /// Of a stage that is gone: the new one that most of its ops are in.
    pub merged_into: Option<StageName>,
    /// Its ops that are not what they were, in order.
    pub ops: Vec<OpChange>,
    /// Where it is written, in the new plan if it is there.
    pub span: Span,
}

/// An op that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpChange {
    /// What has become of it.
    pub kind: OpChangeKind,
    /// Its lines in the old plan; none where it is new.
    pub before: Vec<String>,
    /// Its lines in the new plan; none where it is gone.
    pub after: Vec<String>,
    /// Where it is written in the old plan.
    pub old_span: Span,
    /// Where it is written in the new plan.
    pub new_span: Span,
}

/// What has become of an op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpChangeKind {
    /// It has come.
    Added,
    /// It is gone.
    Removed,
    /// It says or reads something else.
    Changed,
    /// It stands elsewhere: it was in this stage of the old plan.
    Moved(StageName),
}

/// The stages that have changed: as they stand in the new plan, then those that are gone.
pub(crate) fn stages(names: &Names<'_, '_>, ops: &Ops) -> Vec<StageChange> {
    let (old, new) = (names.old, names.new);
    let mut changes = Vec::new();
    for place in 0..new.count() {
        let before = names.pairs.new[place];
        let change = of_stage(names, ops, before, place);
        let is_told = before.is_none()
            || change.before != change.after
            || change.phase.is_some()
            || change.from.is_some()
            || !change.ops.is_empty();
        if is_told {
            changes.push(change);
        }
    }
    for place in (0..old.count()).filter(|place| names.pairs.old[*place].is_none()) {
        let stage = old.stage(place);
        let to = ops.old[place].iter().flatten().map(|(stage, _)| *stage);
        let into = most(to, ops.old[place].len()).map(|into| new.stage(into).name.value.clone());
        let left = (0..ops.old[place].len()).filter(|step| ops.old[place][*step].is_none());
        changes.push(StageChange {
            before: Some(stage.name.value.clone()),
            after: None,
            phase: None,
            from: None,
            split_from: None,
            // All its ops are gone with it, and need no line each unless the others went elsewhere.
            ops: match &into {
                Some(_) => left.map(|step| removed(old, place, step)).collect(),
                None => Vec::new(),
            },
            merged_into: into,
            span: stage.name.span,
        });
    }
    changes
}

fn of_stage(names: &Names<'_, '_>, ops: &Ops, before: Option<usize>, place: usize) -> StageChange {
    let (old, new) = (names.old, names.new);
    let stage = new.stage(place);
    let mut change = StageChange {
        before: before.map(|before| old.stage(before).name.value.clone()),
        after: Some(stage.name.value.clone()),
        phase: None,
        from: None,
        split_from: None,
        merged_into: None,
        ops: Vec::new(),
        span: stage.name.span,
    };
    if let Some(before) = before {
        let was = old.stage(before);
        let phases = [was, stage].map(|stage| stage.phase.as_ref().map(|phase| phase.value.clone()));
        if phases[0] != phases[1] {
            change.phase = Some(phases.into());
        }
        let same = match (&was.from, &stage.from) {
            (Some(one), Some(other)) => names.are_one(&one.value, &other.value),
            (one, other) => one == other,
        };
        if !same {
            let [was, is] = [was, stage].map(|stage| {
                stage.from.as_ref().map_or_else(|| "scratch".to_owned(), |from| from.value.to_string())
            });
            change.from = Some((was, is));
        }
    } else {
        let from = ops.new[place].iter().flatten().map(|before| before.place.0);
        let split = most(from, ops.new[place].len());
        change.split_from = split.map(|split| old.stage(split).name.value.clone());
    }
    let mut next_old = 0;
    for (step, was) in ops.new[place].iter().enumerate() {
        if let (Some(before), Some(Before { place: (stage, old_step), .. })) = (before, was)
            && *stage == before
        {
            // What is gone from before it stands before it.
            for gone in next_old..*old_step {
                if ops.old[before][gone].is_none() {
                    change.ops.push(removed(old, before, gone));
                }
            }
            next_old = next_old.max(*old_step + 1);
        }
        let kind = match was {
            None => OpChangeKind::Added,
            Some(Before { how: How::Same, .. }) => continue,
            Some(Before { how: How::Changed, .. }) => OpChangeKind::Changed,
            Some(Before { how: How::Moved, place: (stage, _) }) => {
                let was_in = &old.stage(*stage).name.value;
                // Where all of a stage comes from one other, that is told of the stage.
                if change.split_from.as_ref() == Some(was_in) || is_merged(names, ops, *stage, place) {
                    continue;
                }
                OpChangeKind::Moved(was_in.clone())
            }
        };
        let op = |side: &Side<'_>, place| (words::op(side.op(place)), side.op(place).span);
        let (after, new_span) = op(new, (place, step));
        let (mut before, old_span) = was.map_or((Vec::new(), Span::NOWHERE), |was| op(old, was.place));
        let mut after = after;
        if let (Some(was), true) = (was, before == after) {
            // It is written as before and comes to something else.
            before = words::op(old.steps[was.place.0][was.place.1].op);
            after = words::op(new.steps[place][step].op);
        }
        change.ops.push(OpChange { kind, before, after, old_span, new_span });
    }
    if let Some(before) = before {
        for gone in next_old..ops.old[before].len() {
            if ops.old[before][gone].is_none() {
                change.ops.push(removed(old, before, gone));
            }
        }
    }
    change
}

/// Whether an old stage is gone and most of it is in a new one.
fn is_merged(names: &Names<'_, '_>, ops: &Ops, old: usize, new: usize) -> bool {
    names.pairs.old[old].is_none()
        && most(ops.old[old].iter().flatten().map(|(stage, _)| *stage), ops.old[old].len()) == Some(new)
}

/// The stage that at least half of all are of; of two, the earlier one.
fn most(stages: impl Iterator<Item = usize>, all: usize) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for stage in stages {
        *counts.entry(stage).or_default() += 1;
    }
    let (stage, count) =
        counts.into_iter().max_by_key(|(stage, count)| (*count, std::cmp::Reverse(*stage)))?;
    (count * 2 >= all).then_some(stage)
}

fn removed(old: &Side<'_>, stage: usize, step: usize) -> OpChange {
    let op = old.op((stage, step));
    OpChange {
        kind: OpChangeKind::Removed,
        before: words::op(op),
        after: Vec::new(),
        old_span: op.span,
        new_span: Span::NOWHERE,
    }
}
