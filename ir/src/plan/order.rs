//! The canonical order of what a plan holds in lists.
//!
//! Most of a plan lives in ordered maps. What is left are the stages (between phases their order
//! has no meaning, inside one it has) and an execution's mounts. Both are sorted here, so that
//! equal plans are equal values and print as equal text.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

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
    plan.stages.sort_by_cached_key(|stage| match &stage.phase {
        Some(phase) => match rank_of_phase.get(&phase.value) {
            Some(rank) => (0, *rank, None),
            None => (1, 0, Some(phase.value.clone())),
        },
        None => (2, rank_of_loner.get(&stage.name.value).copied().unwrap_or(usize::MAX), None),
    });
    for stage in &mut plan.stages {
        sort_mounts(&mut stage.ops);
    }
}

/// The names of `phases`, each after those it comes after, then by name. Members of a cycle
/// follow at the end, by name.
pub fn phase_order(phases: &BTreeMap<PhaseName, Phase>) -> Vec<PhaseName> {
    topological(phases.iter().map(|(name, phase)| {
        let before =
            phase.after.iter().map(|before| &before.value).filter(|before| phases.contains_key(before));
        (name, before.collect())
    }))
    .into_iter()
    .cloned()
    .collect()
}

/// The place of each stage without a phase among its like. Of two stages with one name (a
/// breach that the verifier reports) the second has the place of the first.
fn loner_ranks(stages: &[Stage]) -> BTreeMap<StageName, usize> {
    let loners: BTreeMap<&StageName, &Stage> = stages
        .iter()
        .rev()
        .filter(|stage| stage.phase.is_none())
        .map(|stage| (&stage.name.value, stage))
        .collect();
    let order = topological(loners.iter().map(|(name, stage)| {
        let mut before = BTreeSet::new();
        stage.for_each_input(|input| {
            if let Input::Stage(other) = &input.value
                && let Some((other, _)) = loners.get_key_value(other)
            {
                before.insert(*other);
            }
        });
        (*name, before)
    }));
    order.into_iter().enumerate().map(|(rank, name)| (name.clone(), rank)).collect()
}

/// Each node after the nodes it names, ties by the order of the nodes themselves.
fn topological<'a, N: Ord>(nodes: impl Iterator<Item = (&'a N, BTreeSet<&'a N>)>) -> Vec<&'a N> {
    let mut waits_for: BTreeMap<&N, usize> = BTreeMap::new();
    let mut waited_for_by: BTreeMap<&N, Vec<&N>> = BTreeMap::new();
    for (node, before) in nodes {
        waits_for.insert(node, before.len());
        for other in before {
            waited_for_by.entry(other).or_default().push(node);
        }
    }
    let mut ready: BinaryHeap<Reverse<&N>> =
        waits_for.iter().filter(|(_, count)| **count == 0).map(|(node, _)| Reverse(*node)).collect();
    let mut order = Vec::with_capacity(waits_for.len());
    while let Some(Reverse(node)) = ready.pop() {
        waits_for.remove(node);
        order.push(node);
        for next in waited_for_by.remove(node).unwrap_or_default() {
            if let Some(count) = waits_for.get_mut(next) {
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
    }
    order.extend(waits_for.into_keys());
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
