//! What each phase takes in and gives out.

use std::collections::BTreeMap;

use super::outlet::Outlet;
use crate::plan::order::phase_order;
use crate::plan::{Input, Phase, PhaseName, Plan};

/// The phases of a plan, with their stages and what flows between them.
#[derive(Debug)]
pub struct PhaseGraph<'p> {
    phases: &'p BTreeMap<PhaseName, Phase>,
    nodes: BTreeMap<&'p PhaseName, Node>,
}

#[derive(Debug)]
struct Node {
    /// Places in the plan's list of stages, in order.
    members: Vec<usize>,
    input: Outlet,
    output: Outlet,
}

impl<'p> PhaseGraph<'p> {
    /// The graph of `phases`, which are those of `plan` ([`Plan::phases`]).
    pub fn new(plan: &'p Plan, phases: &'p BTreeMap<PhaseName, Phase>) -> Self {
        let mut members: BTreeMap<&PhaseName, Vec<usize>> = BTreeMap::new();
        for (place, stage) in plan.stages.iter().enumerate() {
            if let Some(phase) = &stage.phase {
                members.entry(&phase.value).or_default().push(place);
            }
        }
        let mut nodes: BTreeMap<&PhaseName, Node> = BTreeMap::new();
        for name in phase_order(phases) {
            // Every name of the order is one of `phases`.
            let Some((name, phase)) = phases.get_key_value(&name) else { continue };
            // A phase that is not declared, or that is part of a circle, has no node yet.
            let before = phase
                .after
                .iter()
                .map(|before| nodes.get(&before.value).map_or(&Outlet::Broken, |node| &node.output));
            let input = Outlet::join(before);
            let members = members.remove(name).unwrap_or_default();
            let output = match members.as_slice() {
                [] => input.clone(),
                [_, .., _] if phase.parallel => Outlet::One(Input::Phase(name.clone())),
                [.., last] => Outlet::One(Input::Stage(plan.stages[*last].name.value.clone())),
            };
            nodes.insert(name, Node { members, input, output });
        }
        Self { phases, nodes }
    }

    /// The phase of that name; `None` where the plan has none.
    pub fn phase(&self, name: &PhaseName) -> Option<&'p Phase> {
        self.phases.get(name)
    }

    /// The names of all phases.
    pub fn names(&self) -> impl Iterator<Item = &'p PhaseName> {
        self.phases.keys()
    }

    /// The stages of a phase as places in the plan's list, in text order.
    pub fn members(&self, name: &PhaseName) -> &[usize] {
        self.nodes.get(name).map_or(&[], |node| &node.members)
    }

    /// Whether the stages of a phase run side by side.
    pub fn is_parallel(&self, name: &PhaseName) -> bool {
        self.phase(name).is_some_and(|phase| phase.parallel)
    }

    /// What a phase starts from: what comes out of the phases it comes after, looking through
    /// empty ones.
    pub fn input_of(&self, name: &PhaseName) -> &Outlet {
        self.nodes.get(name).map_or(&Outlet::Broken, |node| &node.input)
    }

    /// What `phase NAME` means: its last stage, or the merge of its stages where it is
    /// `parallel`; its input where it is empty.
    pub fn output_of(&self, name: &PhaseName) -> &Outlet {
        self.nodes.get(name).map_or(&Outlet::Broken, |node| &node.output)
    }
}
