//! Where each stage starts, and what it reads.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use cogpack_content::Lookup;

use super::outlet::Outlet;
use super::phases::PhaseGraph;
use crate::plan::stage::for_each_input_of;
use crate::plan::{Input, PhaseName, Plan, Stage, StageName};

/// The stages of a plan and the phases they are in, with every input made concrete.
#[derive(Debug)]
pub struct StageGraph<'p> {
    plan: &'p Plan,
    phases: PhaseGraph<'p>,
    places: Lookup<&'p StageName, usize>,
    /// The second and further stages of one name, each with the first.
    duplicates: Vec<(usize, usize)>,
    starts: Vec<Outlet>,
    /// By place: the node that a stage starts from.
    start_nodes: Vec<Option<usize>>,
    /// The nodes that each stage needs, as often as it names them. The node of a stage is its
    /// place; those of merges follow. A merge is a node of its own, because edges from each
    /// reader to each branch would be quadratic.
    needs: Vec<Vec<usize>>,
    merges: BTreeMap<&'p PhaseName, usize>,
}

impl<'p> StageGraph<'p> {
    /// The graph of the stages of `plan`, the plan that `phases` is made of.
    pub fn new(plan: &'p Plan, phases: PhaseGraph<'p>) -> Self {
        let mut places = Lookup::with_capacity(plan.stages.len());
        let mut duplicates = Vec::new();
        for (place, stage) in plan.stages.iter().enumerate() {
            // Of two stages with one name the first counts; the verifier refuses the other.
            if let Some(first) = places.insert(&stage.name.value, place) {
                places.insert(&stage.name.value, first);
                duplicates.push((place, first));
            }
        }
        let merges = phases.names().zip(plan.stages.len()..).collect();
        let count = plan.stages.len();
        let (starts, start_nodes) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let needs = Vec::with_capacity(count);
        let mut graph = Self { plan, phases, places, duplicates, starts, start_nodes, needs, merges };
        let mut last_in_phase: BTreeMap<&PhaseName, usize> = BTreeMap::new();
        for (place, stage) in plan.stages.iter().enumerate() {
            let before = stage.phase.as_ref().and_then(|phase| last_in_phase.insert(phase, place));
            let (start, start_node) = graph.start_of(stage, before);
            let mut needs: Vec<usize> = start_node.into_iter().collect();
            for_each_input_of(&stage.ops, &mut |input| needs.extend(graph.needed_node(input)));
            graph.starts.push(start);
            graph.start_nodes.push(start_node);
            graph.needs.push(needs);
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

    /// The stages whose name an earlier one has, each with that one.
    pub fn duplicates(&self) -> &[(usize, usize)] {
        &self.duplicates
    }

    /// What the stage at a place starts from: its `from`, else the stage before it in its
    /// phase, else the input of its phase.
    pub fn start(&self, place: usize) -> &Outlet {
        &self.starts[place]
    }

    /// The place of the stage that the one at a place starts from; `None` where it starts from
    /// something else.
    pub fn start_place(&self, place: usize) -> Option<usize> {
        self.start_nodes[place].filter(|node| *node < self.plan.stages.len())
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

    /// All stages, each after those it needs, and otherwise in the order of the plan. Members of
    /// a circle come last.
    pub fn order(&self) -> Vec<usize> {
        let stages = self.plan.stages.len();
        let branches = self.merges.keys().map(|name| self.phases.members(name));
        let needs: Vec<&[usize]> = self.needs.iter().map(Vec::as_slice).chain(branches).collect();
        let mut order = topological(&needs);
        order.retain(|node| *node < stages);
        order
    }

    /// The stages that `input` needs, directly or through others, marked by place.
    pub fn needed_by(&self, input: &Input) -> Vec<bool> {
        let stages = self.plan.stages.len();
        let branches: Vec<&[usize]> = self.merges.keys().map(|name| self.phases.members(name)).collect();
        let mut needed = vec![false; stages + branches.len()];
        let mut waiting: Vec<usize> = self.node(input).into_iter().collect();
        while let Some(node) = waiting.pop() {
            if !std::mem::replace(&mut needed[node], true) {
                waiting.extend(self.needs.get(node).map_or_else(|| branches[node - stages], Vec::as_slice));
            }
        }
        needed.truncate(stages);
        needed
    }

    /// What a stage starts from, and the node of it.
    fn start_of(&self, stage: &Stage, before: Option<usize>) -> (Outlet, Option<usize>) {
        if let Some(from) = &stage.from
            && let Input::Stage(name) = &from.value
        {
            // One look at each name: a plan has hundreds of thousands.
            let place = self.place(name);
            let start = if place.is_some() { Outlet::One(from.value.clone()) } else { Outlet::Broken };
            return (start, place);
        }
        let start = match (&stage.from, &stage.phase, before) {
            (Some(from), _, _) => self.concrete(from),
            (None, Some(phase), Some(before)) if !self.phases.is_parallel(phase) => {
                let name = self.stage(before).name.value.clone();
                // Of two stages with one name it is the first.
                let place = self.place(&name);
                return (Outlet::One(Input::Stage(name)), place);
            }
            (None, Some(phase), _) => self.phases.input_of(phase).clone(),
            (None, None, _) => Outlet::Nothing,
        };
        let node = match &start {
            Outlet::One(start) => self.node(start),
            Outlet::Nothing | Outlet::Several(_) | Outlet::Broken => None,
        };
        (start, node)
    }

    /// The node of what an input means. One look at each name: a plan has hundreds of thousands.
    fn needed_node(&self, input: &Input) -> Option<usize> {
        match input {
            Input::Phase(name) => match self.phases.output_of(name) {
                Outlet::One(concrete) => self.node(concrete),
                Outlet::Nothing | Outlet::Several(_) | Outlet::Broken => None,
            },
            Input::Stage(_) | Input::Scratch | Input::Image(_) | Input::Context(_) => self.node(input),
        }
    }

    /// The node of a concrete input; `None` for what is no stage's work.
    fn node(&self, input: &Input) -> Option<usize> {
        match input {
            Input::Stage(name) => self.place(name),
            Input::Phase(name) => self.merges.get(name).copied(),
            Input::Scratch | Input::Image(_) | Input::Context(_) => None,
        }
    }
}

/// Each node after those it needs, and otherwise by number. Members of a circle come last.
fn topological(needs: &[&[usize]]) -> Vec<usize> {
    let mut waits_for: Vec<usize> = needs.iter().map(|needs| needs.len()).collect();
    let mut needed_by = vec![Vec::new(); needs.len()];
    for (node, needs) in needs.iter().enumerate() {
        for need in *needs {
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
