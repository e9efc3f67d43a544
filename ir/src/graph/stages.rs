//! Where each stage starts, and what it reads.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::outlet::Outlet;
use super::phases::PhaseGraph;
use crate::plan::{Input, PhaseName, Plan, Stage, StageName};

/// The stages of a plan and the phases they are in, with every input made concrete.
#[derive(Debug)]
pub struct StageGraph<'p> {
    plan: &'p Plan,
    phases: PhaseGraph<'p>,
    places: BTreeMap<&'p StageName, usize>,
    starts: Vec<Outlet>,
}

impl<'p> StageGraph<'p> {
    /// The graph of the stages of `plan`, the plan that `phases` is made of.
    pub fn new(plan: &'p Plan, phases: PhaseGraph<'p>) -> Self {
        let mut places = BTreeMap::new();
        for (place, stage) in plan.stages.iter().enumerate().rev() {
            // Of two stages with one name, the first counts; the verifier refuses the other.
            places.insert(&stage.name.value, place);
        }
        let mut graph = Self { plan, phases, places, starts: Vec::with_capacity(plan.stages.len()) };
        let mut last_in_phase = BTreeMap::new();
        for stage in &plan.stages {
            let phase = stage.phase.as_ref().map(|phase| &phase.value);
            let before = phase.and_then(|phase| last_in_phase.insert(phase, &stage.name.value));
            let start = match (&stage.from, phase, before) {
                (Some(from), _, _) => graph.concrete(from),
                (None, Some(phase), Some(before)) if !graph.phases.is_parallel(phase) => {
                    Outlet::One(Input::Stage(StageName::clone(before)))
                }
                (None, Some(phase), _) => graph.phases.input_of(phase).clone(),
                (None, None, _) => Outlet::Nothing,
            };
            graph.starts.push(start);
        }
        graph
    }

    /// The phases.
    pub fn phases(&self) -> &PhaseGraph<'p> {
        &self.phases
    }

    /// The plan.
    pub fn plan(&self) -> &'p Plan {
        self.plan
    }

    /// The stage at a place in the plan's list.
    pub fn stage(&self, place: usize) -> &'p Stage {
        &self.plan.stages[place]
    }

    /// The place of a stage in the plan's list; `None` where no stage has that name.
    pub fn place(&self, name: &StageName) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// What the stage at a place starts from: its `from`, else the stage before it in its
    /// phase, else the input of its phase.
    pub fn start(&self, place: usize) -> &Outlet {
        &self.starts[place]
    }

    /// What an input means: a `phase` is replaced by what comes out of it.
    pub fn concrete(&self, input: &Input) -> Outlet {
        match input {
            Input::Phase(name) => self.phases.output_of(name).clone(),
            Input::Stage(name) if self.place(name).is_none() => Outlet::Broken,
            Input::Scratch | Input::Image(_) | Input::Context(_) | Input::Stage(_) => {
                Outlet::One(input.clone())
            }
        }
    }

    /// Calls `each` with every input that the stage at a place needs, made concrete; where it
    /// starts comes first. Those that cannot be told are left out.
    pub fn for_each_need(&self, place: usize, mut each: impl FnMut(&Input)) {
        if let Outlet::One(start) = self.start(place) {
            each(start);
        }
        let stage = self.stage(place);
        stage.for_each_input(|input| {
            if let Outlet::One(input) = self.concrete(input) {
                each(&input);
            }
        });
    }

    /// All stages, each after those it needs, and otherwise in the order of the plan. Members of
    /// a circle come last.
    pub fn order(&self) -> Vec<usize> {
        // A merge is a node of its own: edges from each reader to each branch would be quadratic.
        let stages = self.plan.stages.len();
        let merges: BTreeMap<&PhaseName, usize> = self.phases.names().zip(stages..).collect();
        let mut needs: Vec<Vec<usize>> = Vec::with_capacity(stages + merges.len());
        for place in 0..stages {
            let mut needed = Vec::new();
            self.for_each_need(place, |input| match input {
                Input::Stage(name) => needed.extend(self.place(name)),
                Input::Phase(name) => needed.extend(merges.get(name)),
                Input::Scratch | Input::Image(_) | Input::Context(_) => {}
            });
            needs.push(needed);
        }
        needs.extend(merges.keys().map(|name| self.phases.members(name).to_vec()));
        let mut order = topological(&needs);
        order.retain(|node| *node < stages);
        order
    }

    /// The stages that `input` needs, directly or through others, marked by place.
    pub fn needed_by(&self, input: &Input) -> Vec<bool> {
        let mut needed = vec![false; self.plan.stages.len()];
        let mut merged = BTreeSet::new();
        let mut waiting: Vec<usize> = Vec::new();
        self.push_stages(input, &mut merged, &mut waiting);
        while let Some(place) = waiting.pop() {
            if !std::mem::replace(&mut needed[place], true) {
                self.for_each_need(place, |input| self.push_stages(input, &mut merged, &mut waiting));
            }
        }
        needed
    }

    fn push_stages(&self, input: &Input, merged: &mut BTreeSet<Input>, waiting: &mut Vec<usize>) {
        match input {
            Input::Stage(name) => waiting.extend(self.place(name)),
            Input::Phase(name) => {
                if merged.insert(input.clone()) {
                    waiting.extend(self.phases.members(name));
                }
            }
            Input::Scratch | Input::Image(_) | Input::Context(_) => {}
        }
    }
}

/// Each node after those it needs, and otherwise by number. Members of a circle come last.
fn topological(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut waits_for: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by = vec![Vec::new(); needs.len()];
    for (node, needs) in needs.iter().enumerate() {
        for need in needs {
            // Listed once for each mention, as it is counted.
            needed_by[*need].push(node);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..needs.len()).filter(|node| waits_for[*node] == 0).map(Reverse).collect();
    let mut done = vec![false; needs.len()];
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(node)) = ready.pop() {
        done[node] = true;
        order.push(node);
        for next in std::mem::take(&mut needed_by[node]) {
            waits_for[next] -= 1;
            if waits_for[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order.extend((0..done.len()).filter(|node| !done[*node]));
    order
}
