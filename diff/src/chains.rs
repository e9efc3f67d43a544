//! From what was changed to each op that runs because of it: for each op the one that led to it.

use std::collections::BTreeMap;

use cogpack_ir::plan::{Input, StageName};

use crate::Rerun;
use crate::side::Side;
use crate::spared::{OnlyIf, Spared};
use crate::why::{Cause, Causes};
use crate::words;

/// What led to an op that runs again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The op that led to it, by its place in [`Difference::runs`](crate::Difference::runs). Of a stage that is
    /// the first that runs for the same reason.
    pub run: usize,
    /// How it depends on that one.
    pub how: How,
}

/// How an op depends on another one that runs again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It stands on it in their stage.
    Stands,
    /// It reads its stage.
    Reads(StageName),
    /// Its stage starts from the other's.
    Starts(StageName),
}

/// All ops that run again, in the order in which they stand, each with what led to it.
pub(crate) fn runs(new: &Side<'_>, causes: &Causes, spared: &Spared, in_image: &[bool]) -> Vec<Rerun> {
    let mut runs = Vec::new();
    let mut places = Vec::new();
    // By stage and cause: the first op there.
    let mut entries: BTreeMap<(usize, &Cause), usize> = BTreeMap::new();
    for (stage, steps) in causes.steps.iter().enumerate() {
        for (step, cause) in steps.iter().enumerate() {
            let Some(cause) = cause else { continue };
            let op = new.op((stage, step));
            entries.entry((stage, cause)).or_insert(runs.len());
            places.push((stage, step));
            runs.push(Rerun {
                stage: new.stage(stage).name.value.clone(),
                op: words::title(op),
                span: op.span,
                cause: cause.clone(),
                led_to_by: None,
                only_if: None,
                in_image: in_image[stage],
            });
        }
    }
    let numbers: BTreeMap<(usize, usize), usize> =
        places.iter().enumerate().map(|(run, place)| (*place, run)).collect();
    for (run, place) in places.iter().enumerate() {
        runs[run].only_if = spared.get(place).map(|decided| OnlyIf {
            reads_others: decided.reads_others,
            runs: decided.runs.iter().filter_map(|place| numbers.get(place).copied()).collect(),
        });
    }
    let find = Find { new, causes, entries };
    let links: Vec<Option<Link>> = places
        .iter()
        .enumerate()
        .map(|(run, place)| {
            causes.steps[place.0][place.1].as_ref().and_then(|cause| find.link(run, *place, cause))
        })
        .collect();
    for (run, link) in runs.iter_mut().zip(links) {
        run.led_to_by = link;
    }
    runs
}

struct Find<'f, 'p> {
    new: &'f Side<'p>,
    causes: &'f Causes,
    entries: BTreeMap<(usize, &'f Cause), usize>,
}

impl Find<'_, '_> {
    fn link(&self, run: usize, (stage, step): (usize, usize), cause: &Cause) -> Option<Link> {
        let op = self.new.op((stage, step));
        let name = &self.new.stage(stage).name.value;
        let is_itself = cause.at.as_ref().is_some_and(|(at, _)| at == name)
            && cause.span.range().is_some()
            && cause.span.range() == op.span.range();
        if is_itself || self.causes.takers.contains(&(stage, step)) {
            return None;
        }
        for input in self.new.inputs((stage, step)) {
            if let Some((run, name)) = self.of_input(input, cause) {
                return Some(Link { run, how: How::Reads(name) });
            }
        }
        let entry = self.entries.get(&(stage, cause)).copied();
        if let Some(first) = entry.filter(|first| *first != run) {
            return Some(Link { run: first, how: How::Stands });
        }
        let from = self.new.stage(stage).from.as_ref()?;
        let (run, name) = self.of_input(&from.value, cause)?;
        Some(Link { run, how: How::Starts(name) })
    }

    /// The first op for this reason of the stage that an input is, or of what that starts from.
    fn of_input(&self, input: &Input, cause: &Cause) -> Option<(usize, StageName)> {
        let mut input = input;
        loop {
            match input {
                Input::Scratch | Input::Image(_) | Input::Context(_) => return None,
                Input::Phase(phase) => {
                    let merge = self.new.resolved.merge(phase);
                    let branch = merge.branches.iter().find_map(|id| {
                        let run = self.entries.get(&(id.index(), cause))?;
                        Some((*run, self.new.stage(id.index()).name.value.clone()))
                    });
                    if branch.is_some() {
                        return branch;
                    }
                    input = &merge.base;
                }
                Input::Stage(name) => {
                    let stage = self.new.resolved.id(name).index();
                    if self.causes.ends[stage].as_ref() != Some(cause) {
                        return None;
                    }
                    if let Some(run) = self.entries.get(&(stage, cause)) {
                        return Some((*run, name.clone()));
                    }
                    input = &self.new.stage(stage).from.as_ref()?.value;
                }
            }
        }
    }
}
