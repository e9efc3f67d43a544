//! The sizes of things, in pixels.
//!
//! Boxes and what is between them are multiples of [`GRID`] tall, so every place at which an edge
//! may touch a box is known by its remainder. Each use of a place (leaving to the right, entering
//! from the left, passing by …) has remainders of its own; that is why two edges that have nothing
//! to do with each other never lie on one another.

use super::super::picture::{EdgeKind, Node};

/// What heights are multiples of; a row of a box is as tall.
pub(super) const GRID: i32 = 20;
/// The head of a box: two lines.
pub(super) const HEAD: i32 = 2 * GRID;
/// How far two tracks in a gutter are apart.
pub(super) const TRACK: i32 = 8;
/// How many passing edges go into one step of the grid.
pub(super) const PASSES: usize = 2;

/// How tall a box is.
pub(super) fn height_of(node: &Node) -> i32 {
    HEAD + GRID * i32::try_from(node.rows.len()).unwrap_or(i32::MAX / GRID / 2)
}

/// Below the top of a box: where an edge leaves to the right.
pub(super) fn exit_right(kind: EdgeKind, certain: bool) -> i32 {
    match (certain, kind) {
        (true, EdgeKind::From) => 12,
        (true, EdgeKind::Copy) => 16,
        (true, EdgeKind::Mount) => 20,
        (false, _) => 4,
    }
}

/// Below the top of a box: where an edge leaves to the left.
pub(super) fn exit_left(kind: EdgeKind, certain: bool) -> i32 {
    match (certain, kind) {
        (true, EdgeKind::From) => 5,
        (true, EdgeKind::Copy) => 9,
        (true, EdgeKind::Mount) => 21,
        (false, _) => 17,
    }
}

/// Below the top of a box: where an edge enters from the left, into the head's second line or a row.
pub(super) fn entry_left(row: Option<usize>) -> i32 {
    GRID + GRID / 2 + row.map_or(0, |row| GRID * (1 + i32::try_from(row).unwrap_or_default()))
}

/// Likewise from the right.
pub(super) fn entry_right(row: Option<usize>) -> i32 {
    entry_left(row) - 2
}

/// Below the start of its zone: where the edge of that number passes a column. Neighbouring columns
/// use other places, for what leaves one of them enters the gutter that leads to the other.
pub(super) fn pass(column: usize, number: usize) -> i32 {
    let step = GRID * i32::try_from(number / PASSES).unwrap_or_default();
    let within = match (column % 2, number % PASSES) {
        (0, 0) => 3,
        (0, _) => 14,
        (_, 0) => 7,
        (_, _) => 18,
    };
    step + within
}

/// How tall a zone is that this many edges pass through.
pub(super) fn zone(edges: usize) -> i32 {
    GRID * i32::try_from(edges.div_ceil(PASSES)).unwrap_or(i32::MAX / GRID / 2)
}
