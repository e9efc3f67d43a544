//! How high everything stands: boxes, and the zones between them that passing edges go through.

use std::collections::BTreeMap;

use super::super::picture::{NodeId, Picture};
use super::columns::Column;
use super::measure::{GRID, entry_left, height_of, pass, zone};
use super::nets::{Direction, Net};

/// Where the first zone begins.
pub(super) const TOP: i32 = 3 * GRID;

/// The heights of everything.
#[derive(Debug)]
pub(super) struct Places {
    /// By node: the top of its box.
    pub(super) tops: Vec<i32>,
    /// By net and column: where the net passes the column.
    pub(super) passes: BTreeMap<(usize, usize), i32>,
    /// Where the lowest thing ends.
    pub(super) bottom: i32,
}

/// A place between two boxes of a column, or above or below all of them.
#[derive(Debug, Clone)]
struct Gap {
    /// Kept free below the box above.
    lead: i32,
    /// The nets that pass here.
    nets: Vec<usize>,
    /// Kept free above the box below; a segment's title stands there.
    tail: i32,
}

/// Finds a place for everything. Boxes come first, as if nothing passed; then each net takes the
/// gap next to where it comes from; then the gaps are made as wide as they must be.
pub(super) fn place(picture: &Picture, columns: &[Column], nets: &[Net]) -> Places {
    let mut gaps: Vec<Vec<Gap>> = columns.iter().map(gaps_of).collect();
    let mut places = Places { tops: vec![0; picture.nodes.len()], passes: BTreeMap::new(), bottom: 0 };
    stack(picture, columns, &gaps, &mut places);
    settle_ends(picture, columns, &mut places);
    let centres = columns.iter().zip(&gaps).map(|(column, gaps)| centres(picture, column, gaps, &places));
    let centres: Vec<Vec<i32>> = centres.collect();
    for (number, net) in nets.iter().enumerate() {
        let mut height = net.exit(&places);
        for column in net.passed() {
            if let Some(gap) = nearest(&centres[column], height) {
                gaps[column][gap].nets.push(number);
                height = centres[column][gap];
            }
        }
    }
    stack(picture, columns, &gaps, &mut places);
    settle_ends(picture, columns, &mut places);
    thread(picture, columns, &mut gaps, nets, &mut places);
    let boxes = places.tops.iter().zip(&picture.nodes).map(|(top, node)| top + height_of(node));
    places.bottom = boxes.chain(places.passes.values().copied()).max().unwrap_or(TOP);
    places
}

fn gaps_of(column: &Column) -> Vec<Gap> {
    let mut gaps = Vec::new();
    // Tops are in one line, whether or not there is a title.
    let mut lead = 0;
    for segment in &column.segments {
        for (index, _) in segment.nodes.iter().enumerate() {
            let tail = if index == 0 { 2 * GRID } else { GRID };
            gaps.push(Gap { lead, nets: Vec::new(), tail });
            lead = if segment.parallel { 0 } else { GRID };
        }
        lead = GRID;
    }
    gaps.push(Gap { lead, nets: Vec::new(), tail: 0 });
    gaps
}

/// Puts the boxes of each column below one another.
fn stack(picture: &Picture, columns: &[Column], gaps: &[Vec<Gap>], places: &mut Places) {
    for (column, gaps) in columns.iter().zip(gaps) {
        let mut at = TOP;
        for (id, gap) in nodes_of(column).zip(gaps) {
            at += gap.lead + zone(gap.nets.len()) + gap.tail;
            places.tops[id] = at;
            at += height_of(&picture.nodes[id]);
        }
    }
}

fn nodes_of(column: &Column) -> impl Iterator<Item = NodeId> {
    column.segments.iter().flat_map(|segment| segment.nodes.iter().copied())
}

/// The first and the last column, which nothing passes: each box stands beside what it is tied to.
fn settle_ends(picture: &Picture, columns: &[Column], places: &mut Places) {
    for column in [columns.first(), columns.last()].into_iter().flatten() {
        let mut ties: BTreeMap<NodeId, Vec<i32>> = nodes_of(column).map(|id| (id, Vec::new())).collect();
        for edge in &picture.edges {
            let entry = entry_left(edge.row) - entry_left(None);
            if let Some(ties) = ties.get_mut(&edge.from) {
                ties.push(places.tops[edge.to] + entry);
            }
            if let Some(ties) = ties.get_mut(&edge.to) {
                ties.push(places.tops[edge.from]);
            }
        }
        // What is tied to nothing stands below all.
        let mut wanted: Vec<(bool, i32, NodeId)> = ties
            .into_iter()
            .map(|(id, ties)| (ties.is_empty(), wanted_top(&ties).unwrap_or_default(), id))
            .collect();
        wanted.sort();
        let mut free = TOP + 2 * GRID;
        for (_, top, id) in wanted {
            places.tops[id] = top.max(free) / GRID * GRID;
            free = places.tops[id] + height_of(&picture.nodes[id]) + GRID;
        }
    }
}

/// Between the first and the middle of what a box is tied to: lines that go down are easier to
/// follow than lines that go both ways.
fn wanted_top(ties: &[i32]) -> Option<i32> {
    let first = i64::from(*ties.iter().min()?);
    let middle = ties.iter().map(|top| i64::from(*top)).sum::<i64>() / i64::try_from(ties.len()).ok()?;
    i32::try_from((first + middle) / 2).ok()
}

/// Which of these heights, which go down, is nearest to a height; of two the upper.
fn nearest(heights: &[i32], height: i32) -> Option<usize> {
    let below = heights.partition_point(|it| *it < height);
    let last = |it: i32| heights.partition_point(|other| *other < it);
    let above = below.checked_sub(1).map(|place| last(heights[place]));
    let found = above.into_iter().chain((below < heights.len()).then_some(below));
    found.min_by_key(|place| heights[*place].abs_diff(height))
}

/// The middles of the gaps of a column.
fn centres(picture: &Picture, column: &Column, gaps: &[Gap], places: &Places) -> Vec<i32> {
    let mut above = TOP;
    let mut centres = Vec::with_capacity(gaps.len());
    let tops = nodes_of(column).map(|id| (places.tops[id], height_of(&picture.nodes[id])));
    for ((top, height), gap) in tops.zip(gaps) {
        centres.push((above + gap.lead + top - gap.tail) / 2);
        above = top + height;
    }
    centres.push(above + gaps.last().map_or(0, |gap| gap.lead));
    centres
}

/// Gives each net that passes a column its height there, in the order in which they come.
fn thread(picture: &Picture, columns: &[Column], gaps: &mut [Vec<Gap>], nets: &[Net], places: &mut Places) {
    for direction in [Direction::Right, Direction::Left] {
        let order: Vec<usize> = match direction {
            Direction::Right => (0..columns.len()).collect(),
            Direction::Left => (0..columns.len()).rev().collect(),
        };
        for column in order {
            let starts = starts_of_zones(picture, &columns[column], &gaps[column], places);
            for (gap, start) in gaps[column].iter_mut().zip(starts) {
                // Those of the other direction keep the places that are left.
                gap.nets.sort_by_key(|number| {
                    let net = &nets[*number];
                    let before = match net.direction {
                        Direction::Right => column.wrapping_sub(1),
                        Direction::Left => column + 1,
                    };
                    let comes_from =
                        places.passes.get(&(*number, before)).copied().unwrap_or_else(|| net.exit(places));
                    (net.direction, comes_from, *number)
                });
                for (place, number) in gap.nets.iter().enumerate() {
                    if nets[*number].direction == direction {
                        places.passes.insert((*number, column), start + pass(column, place));
                    }
                }
            }
        }
    }
}

/// Where the zone of each gap of a column begins.
fn starts_of_zones(picture: &Picture, column: &Column, gaps: &[Gap], places: &Places) -> Vec<i32> {
    let mut above = TOP;
    let mut starts = Vec::with_capacity(gaps.len());
    for (id, gap) in nodes_of(column).zip(gaps) {
        starts.push(above + gap.lead);
        above = places.tops[id] + height_of(&picture.nodes[id]);
    }
    starts.push(above + gaps.last().map_or(0, |gap| gap.lead));
    starts
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_height_is_found() {
        for heights in [&[0_i32; 0][..], &[5], &[1, 4, 4, 9], &[0, 0, 2, 2, 2, 7, 7]] {
            for height in -2..12 {
                let one_by_one = (0..heights.len()).min_by_key(|place| heights[*place].abs_diff(height));
                assert_eq!(nearest(heights, height), one_by_one, "{height} in {heights:?}");
            }
        }
    }
}
