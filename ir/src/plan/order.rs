//! The canonical order of what a plan holds in lists.
//!
//! Most of a plan lives in ordered maps. What is left are the stages (between phases their order
//! has no meaning, inside one it has) and an execution's mounts. Both are sorted here, so that
//! equal plans are equal values and print as equal text.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use cogpack_content::Lookup;

use super::input::Input;
use super::mount::{MountKind, SecretTarget};
use super::names::{PhaseName, StageName};
use super::op::{Op, OpKind};
use super::phase::Phase;
use super::{Mount, Plan, Stage};

/// Puts `plan` into canonical order: stages by their phase (phases in topological order, then
/// by name), in the order they have inside it; stages of no phase last, each after those it
/// reads, then by name; mounts by target. Cycles and unknown names do no harm: what cannot be
/// ordered is ordered by name.
pub fn canonicalise(plan: &mut Plan) {
    let rank_of_phase: BTreeMap<PhaseName, usize> =
        phase_order(&plan.phases()).into_iter().enumerate().map(|(rank, name)| (name, rank)).collect();
    let rank_of_loner = loner_ranks(&plan.stages);
    let key = |(place, stage): (usize, &Stage)| match &stage.phase {
        Some(phase) => match rank_of_phase.get(&phase.value) {
            Some(rank) => (0, *rank, None),
            None => (1, 0, Some(phase.value.clone())),
        },
        None => (2, rank_of_loner[place], None),
    };
    let keys: Vec<_> = plan.stages.iter().enumerate().map(key).collect();
    // A canonical text, which is what is read most often, has nothing to be moved.
    if !keys.is_sorted() {
        let mut keyed: Vec<_> = keys.into_iter().zip(std::mem::take(&mut plan.stages)).collect();
        keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
        plan.stages = keyed.into_iter().map(|(_, stage)| stage).collect();
    }
    for stage in &mut plan.stages {
        sort_mounts(&mut stage.ops);
    }
}

/// The names of `phases`, each after those it comes after, then by name. Members of a cycle
/// follow at the end, by name.
pub fn phase_order(phases: &BTreeMap<PhaseName, Phase>) -> Vec<PhaseName> {
    let names: Vec<&PhaseName> = phases.keys().collect();
    let node_of: BTreeMap<&PhaseName, usize> = names.iter().copied().zip(0..).collect();
    let needs = phases
        .values()
        .map(|phase| phase.after.iter().filter_map(|before| node_of.get(&before.value).copied()).collect());
    let order = topological(needs.collect(), |node| names[node]);
    order.into_iter().map(|node| names[node].clone()).collect()
}

/// The place of each stage without a phase among its like, by its place in the list. Of two
/// stages with one name (a breach that the verifier reports) the second has the place of the
/// first; were it placed by what it reads itself, ordering twice could give another order.
fn loner_ranks(stages: &[Stage]) -> Vec<usize> {
    let loners = stages.iter().enumerate().filter(|(_, stage)| stage.phase.is_none());
    let mut named: Vec<&Stage> = Vec::new();
    let mut node_of: Lookup<&StageName, usize> = Lookup::with_capacity(stages.len());
    let mut node_of_loner = Vec::with_capacity(stages.len());
    for (place, stage) in loners {
        let node = match node_of.insert(&stage.name.value, named.len()) {
            Some(first) => {
                node_of.insert(&stage.name.value, first);
                first
            }
            None => {
                named.push(stage);
                named.len() - 1
            }
        };
        node_of_loner.push((place, node));
    }
    let needs = named.iter().map(|stage| {
        let mut needed = Vec::new();
        stage.for_each_input(|input| {
            if let Input::Stage(other) = &input.value {
                needed.extend(node_of.get(other));
            }
        });
        needed
    });
    let order = topological(needs.collect(), |node| &named[node].name.value);
    let mut rank_of = vec![usize::MAX; named.len()];
    for (rank, node) in order.into_iter().enumerate() {
        rank_of[node] = rank;
    }
    let mut ranks = vec![usize::MAX; stages.len()];
    for (place, node) in node_of_loner {
        ranks[place] = rank_of[node];
    }
    ranks
}

/// Each node after those it needs, ties by key and then by number. Members of a cycle, and what
/// needs them, follow at the end in the same order.
fn topological<K: Ord>(needs: Vec<Vec<usize>>, key: impl Fn(usize) -> K) -> Vec<usize> {
    let mut waits_for: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (node, needed) in needs.iter().enumerate() {
        for other in needed {
            // Listed once for each mention, as it is counted.
            needed_by[*other].push(node);
        }
    }
    let entry = |node: usize| Reverse((key(node), node));
    let mut ready: BinaryHeap<Reverse<(K, usize)>> =
        (0..needs.len()).filter(|node| waits_for[*node] == 0).map(entry).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse((_, node))) = ready.pop() {
        order.push(node);
        for next in std::mem::take(&mut needed_by[node]) {
            waits_for[next] -= 1;
            if waits_for[next] == 0 {
                ready.push(entry(next));
            }
        }
    }
    let mut circular: Vec<usize> = (0..needs.len()).filter(|node| waits_for[*node] > 0).collect();
    circular.sort_by_key(|node| (key(*node), *node));
    order.extend(circular);
    order
}

fn sort_mounts(ops: &mut [Op]) {
    for op in ops {
        match &mut op.kind {
            OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                execution.mounts.sort_by_cached_key(mount_key);
            }
            OpKind::Layer(layer) => sort_mounts(&mut layer.ops),
            OpKind::Copy(_)
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::By(_) => {}
        }
    }
}

/// Mounts with a path first, by path, so that a mount stands before one below it; then secrets
/// in variables, by variable; then ssh sockets without a path, by name.
fn mount_key(mount: &Mount) -> (u8, String) {
    match &mount.kind {
        MountKind::Secret { target: SecretTarget::Env(name), .. } => (1, name.as_str().to_owned()),
        MountKind::Ssh { name, target: None } => {
            (2, name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default())
        }
        MountKind::Bind { target, .. }
        | MountKind::Cache { target, .. }
        | MountKind::Tmpfs { target, .. }
        | MountKind::Secret { target: SecretTarget::File(target), .. }
        | MountKind::Ssh { target: Some(target), .. } => (0, target.as_written().to_owned()),
    }
}
