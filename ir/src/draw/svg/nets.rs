//! Edges bundled into nets: all that read one box in one way share a line up to where they part.

use std::collections::BTreeMap;

use super::super::picture::{EdgeKind, NodeId, Picture};
use super::measure::{entry_left, entry_right, exit_left, exit_right};
use super::place::Places;

/// A bundle of edges.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) from: NodeId,
    pub(super) kind: EdgeKind,
    pub(super) certain: bool,
    pub(super) direction: Direction,
    /// The column it starts from.
    pub(super) start: usize,
    /// The column furthest from it that it reaches; `start` where it reaches only its own.
    pub(super) furthest: usize,
    pub(super) targets: Vec<Target>,
}

/// Which way a net goes. What it reads stands to the left of what reads it, as a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// Leaves to the right; enters from the left, or, in its own column, from the right.
    Right,
    /// Leaves to the left, and enters from the right.
    Left,
}

/// Where one edge of a net ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) column: usize,
    pub(super) node: NodeId,
    pub(super) row: Option<usize>,
    /// The place of the edge in [`Picture::edges`].
    pub(super) edge: usize,
}

/// An edge to the box right below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direct {
    /// Its place in [`Picture::edges`].
    pub(super) edge: usize,
    /// The column of both boxes.
    pub(super) column: usize,
}

/// All nets, and the edges that are in none.
pub(super) fn of(
    picture: &Picture,
    column_of: &[usize],
    below: &[Option<NodeId>],
) -> (Vec<Net>, Vec<Direct>) {
    let mut nets: BTreeMap<(NodeId, EdgeKind, bool, Direction), Net> = BTreeMap::new();
    let mut direct = Vec::new();
    for (index, edge) in picture.edges.iter().enumerate() {
        if edge.kind == EdgeKind::From && edge.row.is_none() && below[edge.from] == Some(edge.to) {
            direct.push(Direct { edge: index, column: column_of[edge.from] });
            continue;
        }
        let (start, column) = (column_of[edge.from], column_of[edge.to]);
        let direction = if column < start { Direction::Left } else { Direction::Right };
        // Guesses of all kinds look alike, so they are one net.
        let kind = if edge.certain { edge.kind } else { EdgeKind::From };
        let net = nets.entry((edge.from, kind, edge.certain, direction)).or_insert_with(|| Net {
            from: edge.from,
            kind,
            certain: edge.certain,
            direction,
            start,
            furthest: start,
            targets: Vec::new(),
        });
        net.furthest = match direction {
            Direction::Right => net.furthest.max(column),
            Direction::Left => net.furthest.min(column),
        };
        net.targets.push(Target { column, node: edge.to, row: edge.row, edge: index });
    }
    (nets.into_values().collect(), direct)
}

impl Net {
    /// The columns that it passes without ending there, nearest first.
    pub(super) fn passed(&self) -> Vec<usize> {
        match self.direction {
            Direction::Right => (self.start + 1..self.furthest).collect(),
            Direction::Left => (self.furthest + 1..self.start).rev().collect(),
        }
    }

    /// Where it leaves its box.
    pub(super) fn exit(&self, places: &Places) -> i32 {
        let below_top = match self.direction {
            Direction::Right => exit_right(self.kind, self.certain),
            Direction::Left => exit_left(self.kind, self.certain),
        };
        places.tops[self.from] + below_top
    }

    /// Where it enters a box.
    pub(super) fn entry(&self, target: &Target, places: &Places) -> i32 {
        let from_left = self.direction == Direction::Right && target.column > self.start;
        places.tops[target.node] + if from_left { entry_left(target.row) } else { entry_right(target.row) }
    }
}
