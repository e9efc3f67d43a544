//! Which ops that run again may be spared: those for which only what they read is new, which may be the
//! same files as before.
//!
//! BuildKit compares what is copied or mounted by its bytes. So an op runs where it says or sees
//! something else, and where one that it stands on runs; of what it reads that is new, only its
//! files tell. A program that mounts the very filesystem that it stands on names it once to BuildKit,
//! which compares all of it by its bytes since 0.13 (moby/buildkit#4624).

use std::collections::{BTreeMap, BTreeSet};

use cogpack_content::{Digest, Lookup};
use cogpack_ir::plan::Input;

use crate::side::Side;
use crate::why::Made;

/// What decides whether an op that is new runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlyIf {
    /// It does where it reads other files than before.
    pub reads_others: bool,
    /// It does where one of these does, by their places in [`Difference::runs`](crate::Difference::runs).
    pub runs: Vec<usize>,
}

/// The same by stage and step of the new plan. What runs in any case is not in it, nor is what does not.
pub(crate) type Spared = BTreeMap<(usize, usize), Decided>;

/// What decides whether an op runs, by stage and step.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) reads_others: bool,
    pub(crate) runs: BTreeSet<(usize, usize)>,
}

/// The ops that a filesystem is new because of, of which each may be spared.
type Because = BTreeSet<(usize, usize)>;

/// Finds those that may be spared.
pub(crate) fn spared(old: &Side<'_>, new: &Side<'_>, made: &Made) -> Spared {
    let steps = || old.ids.iter().flat_map(|id| old.keys.steps(*id)).flatten();
    let mut walk = Walk {
        new,
        made,
        apart: steps().map(|key| (key.apart, ())).collect(),
        read: steps().flat_map(|key| &key.reads).map(|read| (*read, ())).collect(),
        ends: vec![Because::new(); new.count()],
        phases: BTreeMap::new(),
        spared: Spared::new(),
    };
    for id in new.resolved.order() {
        walk.stage(id.index());
    }
    walk.spared
}

struct Walk<'w, 'p> {
    new: &'w Side<'p>,
    made: &'w Made,
    /// Of the old plan: keys apart from what is read, and keys of what is read.
    apart: Lookup<Digest, ()>,
    read: Lookup<Digest, ()>,
    ends: Vec<Because>,
    phases: BTreeMap<&'p Input, Because>,
    spared: Spared,
}

impl<'p> Walk<'_, 'p> {
    fn stage(&mut self, stage: usize) {
        let new = self.new;
        let keys = new.keys.steps(new.ids[stage]);
        let mut below = match &new.stage(stage).from {
            Some(from) => self.left_by(&from.value),
            None => Because::new(),
        };
        for layer in new.keys.layers(new.ids[stage]) {
            let mut top = if layer.independent { Because::new() } else { below.clone() };
            let mut step = layer.steps.start;
            while step < layer.steps.end {
                let Some(key) = &keys[step] else {
                    step += 1;
                    continue;
                };
                let together = key.together.clone();
                let made: Vec<usize> = together.clone().filter(|step| keys[*step].is_some()).collect();
                step = together.end;
                if self.made.ops.get(&key.key).is_some() {
                    top.clear();
                    continue;
                }
                let reads_all = |step: &usize| {
                    let is_program = new.op((stage, *step)).execution().is_some();
                    is_program && keys[*step].as_ref().is_some_and(|key| key.reads.contains(&key.below))
                };
                if made.iter().any(reads_all) {
                    // What it stands on is one input with what it mounts, and compared as that.
                    top.clear();
                }
                if self.apart.get(&key.apart).is_some() {
                    let reads_others = |step: &usize| {
                        let reads = keys[*step].iter().flat_map(|key| &key.reads);
                        reads.into_iter().any(|read| self.read.get(read).is_none())
                    };
                    let mut reading: BTreeSet<usize> = made.iter().copied().filter(reads_others).collect();
                    if reading.is_empty() && top.is_empty() {
                        // All that it reads was read before, by others.
                        reading = made.iter().copied().collect();
                    }
                    for own in &made {
                        let others = reading.iter().filter(|step| *step != own).map(|step| (stage, *step));
                        let runs = top.iter().copied().chain(others).collect();
                        let decided = Decided { reads_others: reading.contains(own), runs };
                        self.spared.insert((stage, *own), decided);
                    }
                }
                // One of those that are made together stands for all.
                top = made.first().map(|step| (stage, *step)).into_iter().collect();
            }
            match layer.independent {
                true => below.extend(top),
                false => below = top,
            }
        }
        self.ends[stage] = below;
    }

    /// The ops that what an input leaves is new because of.
    fn left_by(&mut self, input: &'p Input) -> Because {
        match input {
            Input::Scratch | Input::Image(_) | Input::Context(_) => Because::new(),
            Input::Stage(name) => self.ends[self.new.resolved.id(name).index()].clone(),
            Input::Phase(phase) => {
                if let Some(known) = self.phases.get(input) {
                    return known.clone();
                }
                let merge = self.new.resolved.merge(phase);
                let mut because = self.left_by(&merge.base);
                for branch in &merge.branches {
                    because.extend(self.ends[branch.index()].iter().copied());
                }
                self.phases.insert(input, because.clone());
                because
            }
        }
    }
}
