//! Which ops of two plans are the same op, and what has become of the others.

use std::mem::discriminant;

use cogpack_content::{Digest, Lookup};
use cogpack_ir::plan::{Input, OpKind};

use crate::sequence;
use crate::side::Side;
use crate::stages::Pairs;

/// Where more ops than these stand between two that are the same, each has gone or come by itself.
const LONGEST_GAP: usize = 400;

/// A step: the place of its stage, and its place in the stage.
pub(crate) type Place = (usize, usize);

/// The ops of two plans, each by stage and step.
pub(crate) struct Ops {
    /// What each op of the new plan was in the old one.
    pub(crate) new: Vec<Vec<Option<Before>>>,
    /// Where each op of the old plan is in the new one.
    pub(crate) old: Vec<Vec<Option<Place>>>,
}

/// What an op was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) place: Place,
    pub(crate) how: How,
}

/// What has become of an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It says the same, and stands in the same stage and order.
    Same,
    /// It says the same in another stage, or among others.
    Moved,
    /// It says something else.
    Changed,
}

/// Finds what has become of each op.
pub(crate) fn ops(old: &Side<'_>, new: &Side<'_>, pairs: &Pairs) -> Ops {
    let mut ops = Ops {
        new: new.said.iter().map(|steps| vec![None; steps.len()]).collect(),
        old: old.said.iter().map(|steps| vec![None; steps.len()]).collect(),
    };
    let names = Names { old, new, pairs };
    let mut gaps = Vec::new();
    for (one, other) in pairs.all() {
        let mut from = (0, 0);
        let ends = (old.said[one].len(), new.said[other].len());
        for (old_step, new_step) in
            sequence::common(&old.said[one], &new.said[other]).into_iter().chain([ends])
        {
            gaps.push((one, from.0..old_step, other, from.1..new_step));
            from = (old_step + 1, new_step + 1);
            if (old_step, new_step) != ends {
                let (old_place, new_place) = ((one, old_step), (other, new_step));
                let how = if names.read_the_same(old_place, new_place) { How::Same } else { How::Changed };
                ops.pair(old_place, new_place, how);
            }
        }
    }
    moved(&mut ops, old, new);
    for (one, old_steps, other, new_steps) in gaps {
        if old_steps.len() + new_steps.len() > LONGEST_GAP {
            continue;
        }
        let mut left: Vec<usize> = old_steps.filter(|step| ops.old[one][*step].is_none()).collect();
        for is_alike in [is_alike as fn(&OpKind, &OpKind) -> bool, is_of_one_kind] {
            for step in new_steps.clone() {
                if ops.new[other][step].is_some() {
                    continue;
                }
                let kind = &new.op((other, step)).kind;
                if let Some(found) = left.iter().position(|it| is_alike(&old.op((one, *it)).kind, kind)) {
                    ops.pair((one, left.remove(found)), (other, step), How::Changed);
                }
            }
        }
    }
    ops
}

/// Pairs ops that say the same anywhere else: with the first that is left.
fn moved(ops: &mut Ops, old: &Side<'_>, new: &Side<'_>) {
    let mut left: Lookup<Digest, Vec<Place>> = Lookup::default();
    for stage in (0..old.count()).rev() {
        for step in (0..old.said[stage].len()).rev().filter(|step| ops.old[stage][*step].is_none()) {
            let says = old.said[stage][step];
            match left.get_mut(&says) {
                Some(places) => places.push((stage, step)),
                None => drop(left.insert(says, vec![(stage, step)])),
            }
        }
    }
    for stage in 0..new.count() {
        for step in 0..new.said[stage].len() {
            if ops.new[stage][step].is_none()
                && let Some(place) = left.get_mut(&new.said[stage][step]).and_then(Vec::pop)
            {
                ops.pair(place, (stage, step), How::Moved);
            }
        }
    }
}

impl Ops {
    fn pair(&mut self, old: Place, new: Place, how: How) {
        self.new[new.0][new.1] = Some(Before { place: old, how });
        self.old[old.0][old.1] = Some(new);
    }
}

/// Which names stand for one thing.
pub(crate) struct Names<'s, 'p> {
    pub(crate) old: &'s Side<'p>,
    pub(crate) new: &'s Side<'p>,
    pub(crate) pairs: &'s Pairs,
}

impl Names<'_, '_> {
    /// Whether two ops that say the same read the same inputs.
    fn read_the_same(&self, old: Place, new: Place) -> bool {
        let (old, new) = (self.old.inputs(old), self.new.inputs(new));
        old.len() == new.len() && old.iter().zip(new).all(|(one, other)| self.are_one(one, other))
    }

    /// Whether two inputs are the same one, under whatever name.
    pub(crate) fn are_one(&self, old: &Input, new: &Input) -> bool {
        match (old, new) {
            (Input::Stage(one), Input::Stage(other)) => {
                let place = self.new.resolved.id(other).index();
                self.pairs.new[place] == Some(self.old.resolved.id(one).index())
            }
            (Input::Image(one), Input::Image(other)) => {
                one == other || {
                    let of = |side: &Side<'_>, name| side.written.images.get(name).cloned();
                    of(self.old, one) == of(self.new, other)
                }
            }
            (Input::Context(one), Input::Context(other)) => {
                one == other || {
                    let of = |side: &Side<'_>, name| side.written.contexts.get(name).cloned();
                    of(self.old, one) == of(self.new, other)
                }
            }
            _ => old == new,
        }
    }
}

/// Whether ops are about one thing: a variable, or a path.
fn is_alike(one: &OpKind, other: &OpKind) -> bool {
    match (one, other) {
        (OpKind::Env(one), OpKind::Env(other)) => one.name == other.name,
        (OpKind::Copy(one), OpKind::Copy(other)) => one.form.destination() == other.form.destination(),
        (OpKind::File(one), OpKind::File(other)) => one.path == other.path,
        (OpKind::Mkdir(one), OpKind::Mkdir(other)) => one.path == other.path,
        (OpKind::Symlink(one), OpKind::Symlink(other)) => one.path == other.path,
        (OpKind::Remove(one), OpKind::Remove(other)) => one.path == other.path,
        (OpKind::Run { script: one, .. }, OpKind::Run { script: other, .. }) => {
            let first_word = |text: &str| text.split_whitespace().next().map(str::to_owned);
            one == other || first_word(one) == first_word(other)
        }
        (OpKind::Exec { argv: one, .. }, OpKind::Exec { argv: other, .. }) => one.first() == other.first(),
        (OpKind::Workdir(_), OpKind::Workdir(_))
        | (OpKind::User(_), OpKind::User(_))
        | (OpKind::Shell(_), OpKind::Shell(_)) => true,
        _ => false,
    }
}

/// Whether a change of one into the other is no stranger than an op that goes and one that comes.
fn is_of_one_kind(one: &OpKind, other: &OpKind) -> bool {
    let is_program = |op: &OpKind| matches!(op, OpKind::Run { .. } | OpKind::Exec { .. });
    let is_env = |op: &OpKind| matches!(op, OpKind::Env(_));
    is_program(one) && is_program(other) || !is_env(one) && discriminant(one) == discriminant(other)
}
