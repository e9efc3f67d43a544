//! Which box stands in which column, and in what order there.
//!
//! Sources stand in the first column and the export in the last. Between them the lanes follow
//! one another from top to bottom and from left to right; a column is as tall as makes the whole
//! about the shape of a screen. Stages of no phase stand in columns by how far they are from what
//! they lean on.

use std::collections::BTreeMap;

use super::super::picture::{NodeId, NodeKind, Picture};
use super::measure::height_of;

/// The least that a column may hold before the next one begins, in pixels.
const LEAST_HEIGHT: i32 = 640;
/// How wide a column with the gutter beside it is taken to be.
const COLUMN_WIDTH: i32 = 380;
/// How much a box needs beside its own height: what is between it and the next.
const BETWEEN: i32 = 50;
/// As many columns as there may always be, however low they are.
const FEW_COLUMNS: usize = 6;

/// One column.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) segments: Vec<Segment>,
}

/// Boxes that belong together: a lane, or a part of one.
#[derive(Debug)]
pub(super) struct Segment {
    /// The lane's title; `None` for boxes of no phase.
    pub(super) title: Option<String>,
    pub(super) parallel: bool,
    pub(super) nodes: Vec<NodeId>,
}

/// The columns of a picture, left to right. The first is for sources and may be empty, like the
/// last, which is for the export.
pub(super) fn of(picture: &Picture) -> Vec<Column> {
    let mut in_lane = vec![false; picture.nodes.len()];
    picture.lanes.iter().flat_map(|lane| &lane.nodes).for_each(|id| in_lane[*id] = true);
    let (mut sources, mut loners, mut exports) = (Vec::new(), Vec::new(), Vec::new());
    for (id, node) in picture.nodes.iter().enumerate().filter(|(id, _)| !in_lane[*id]) {
        match node.kind {
            NodeKind::Image | NodeKind::Context | NodeKind::Scratch | NodeKind::Missing => sources.push(id),
            NodeKind::Stage | NodeKind::Merge | NodeKind::Phase => loners.push(id),
            NodeKind::Export => exports.push(id),
        }
    }
    let limit = tallest(picture);
    let mut is_loner = vec![false; picture.nodes.len()];
    loners.iter().for_each(|id| is_loner[*id] = true);
    let loners_read_lanes = picture.edges.iter().any(|edge| in_lane[edge.from] && is_loner[edge.to]);
    let mut columns = vec![plain(sources)];
    let loners = columns_of_loners(picture, loners, limit);
    let lanes = columns_of_lanes(picture, limit);
    if loners_read_lanes {
        columns.extend(lanes.into_iter().chain(loners));
    } else {
        columns.extend(loners.into_iter().chain(lanes));
    }
    columns.push(plain(exports));
    columns
}

fn plain(nodes: Vec<NodeId>) -> Column {
    if nodes.is_empty() {
        return Column::default();
    }
    Column { segments: vec![Segment { title: None, parallel: true, nodes }] }
}

/// How tall a column may be. As many pixels wide as high by this count makes about the shape of a
/// screen in the end, because passing edges ask for room as well.
fn tallest(picture: &Picture) -> i32 {
    let inner = picture
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Stage | NodeKind::Merge | NodeKind::Phase));
    let total: i64 = inner.map(|node| i64::from(height_of(node) + BETWEEN)).sum();
    let side = (total * i64::from(COLUMN_WIDTH)).isqrt();
    i32::try_from(side).unwrap_or(i32::MAX).max(LEAST_HEIGHT)
}

/// Lanes one after the other; a new chain begins a new column.
fn columns_of_lanes(picture: &Picture, limit: i32) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut chain = None;
    let mut used = 0;
    for lane in &picture.lanes {
        let whole: i32 = lane.nodes.iter().map(|id| height_of(&picture.nodes[*id]) + BETWEEN).sum();
        let is_new_chain = chain.replace(lane.chain) != Some(lane.chain);
        if is_new_chain || used + whole.min(limit) > limit {
            columns.push(Column::default());
            used = 0;
        }
        let mut segment =
            Segment { title: Some(lane.title.clone()), parallel: lane.parallel, nodes: Vec::new() };
        for id in &lane.nodes {
            let height = height_of(&picture.nodes[*id]) + BETWEEN;
            // A merge reads all that is in its lane, so it stands to the right of it.
            let is_merge = picture.nodes[*id].kind == NodeKind::Merge;
            if (is_merge || used + height > limit) && !segment.nodes.is_empty() {
                let what = if is_merge { "merged" } else { "continued" };
                let title = Some(format!("{} · {what}", lane.title));
                let rest = Segment { title, parallel: lane.parallel, nodes: Vec::new() };
                push(&mut columns, std::mem::replace(&mut segment, rest));
                columns.push(Column::default());
                used = 0;
            }
            used += height;
            segment.nodes.push(*id);
        }
        push(&mut columns, segment);
    }
    columns
}

fn push(columns: &mut Vec<Column>, segment: Segment) {
    match columns.last_mut() {
        Some(column) => column.segments.push(segment),
        None => columns.push(Column { segments: vec![segment] }),
    }
}

/// Stages of no phase: a column for each rank where there are few ranks, else as many in one
/// column as go into it.
fn columns_of_loners(picture: &Picture, loners: Vec<NodeId>, limit: i32) -> Vec<Column> {
    let ranked = ranked(picture, &loners);
    let ranks = ranked.last().map_or(0, |(rank, _)| rank + 1);
    let total: i32 = loners.iter().map(|id| height_of(&picture.nodes[*id]) + BETWEEN).sum();
    let by_area = usize::try_from(total / limit + 1).unwrap_or(usize::MAX);
    let column_for_each_rank = ranks <= FEW_COLUMNS.max(2 * by_area);
    let mut columns: Vec<Vec<NodeId>> = Vec::new();
    let (mut used, mut last_rank) = (0, None);
    for (rank, id) in ranked {
        let height = height_of(&picture.nodes[id]) + BETWEEN;
        let is_new_rank = last_rank.replace(rank) != Some(rank);
        if used + height > limit || (column_for_each_rank && is_new_rank) || columns.is_empty() {
            columns.push(Vec::new());
            used = 0;
        }
        used += height;
        columns.last_mut().expect("one was pushed before the first box").push(id);
    }
    columns.into_iter().map(plain).collect()
}

/// Each loner with how far it is from the ones that read no other; those of one rank in the order
/// of what they read, so that edges cross seldom. Members of a circle count what is known of them.
fn ranked(picture: &Picture, loners: &[NodeId]) -> Vec<(usize, NodeId)> {
    let mut reads: BTreeMap<NodeId, Vec<NodeId>> = loners.iter().map(|id| (*id, Vec::new())).collect();
    let mut read_by: BTreeMap<NodeId, Vec<NodeId>> = reads.clone();
    let mut waits_for: BTreeMap<NodeId, usize> = loners.iter().map(|id| (*id, 0)).collect();
    for edge in &picture.edges {
        if let (Some(readers), Some(read)) = (read_by.get_mut(&edge.from), reads.get_mut(&edge.to)) {
            readers.push(edge.to);
            read.push(edge.from);
            *waits_for.entry(edge.to).or_default() += 1;
        }
    }
    let mut ready: Vec<NodeId> = loners.iter().filter(|id| waits_for[*id] == 0).copied().collect();
    let mut rank: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut next = 0;
    while next < ready.len() {
        let id = ready[next];
        next += 1;
        let above = reads[&id].iter().filter_map(|read| rank.get(read)).max();
        rank.insert(id, above.map_or(0, |above| above + 1));
        for reader in &read_by[&id] {
            if let Some(count) = waits_for.get_mut(reader) {
                *count -= 1;
                if *count == 0 {
                    ready.push(*reader);
                }
            }
        }
    }
    for id in loners {
        if !rank.contains_key(id) {
            let above = reads[id].iter().filter_map(|read| rank.get(read)).max();
            rank.insert(*id, above.map_or(0, |above| above + 1));
        }
    }
    let mut ranked: Vec<(usize, NodeId)> = loners.iter().map(|id| (rank[id], *id)).collect();
    ranked.sort();
    let place: BTreeMap<NodeId, usize> = ranked.iter().map(|(_, id)| *id).zip(0..).collect();
    ranked.sort_by_cached_key(|(rank, id)| {
        let read = &reads[id];
        let sum: usize = read.iter().map(|read| place[read]).sum();
        (*rank, sum.checked_div(read.len()).unwrap_or_default(), *id)
    });
    ranked
}
