//! The ways of edges: along rows into a gutter between two columns, up or down a track there, and
//! on along a row. Nothing crosses a box, and no two nets lie on one another.

use std::collections::BTreeMap;

use super::super::picture::Picture;
use super::columns::Column;
use super::measure::{GRID, TRACK, height_of};
use super::nets::{Direct, Direction, Net};
use super::place::Places;
use super::spans::Spans;
use super::text;

/// Left of the first column, and right of the last.
const MARGIN: i32 = 24;
/// What a gutter has beside its tracks: room for corners on the left, for arrow heads on the right.
const BESIDE_TRACKS: (i32, i32) = (16, 20);
/// What a box has beside its text.
const BESIDE_TEXT: i32 = 24;
const NARROWEST: i32 = 150;
const WIDEST: i32 = 310;
/// How far from its box's right edge an edge to the box right below leaves.
const DIRECT: i32 = 36;

/// A column's left edge and width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) left: i32,
    pub(super) width: i32,
}

/// One edge on paper.
#[derive(Debug)]
pub(super) struct Way {
    /// The place of the edge in [`Picture::edges`].
    pub(super) edge: usize,
    /// The net it belongs to; `None` for an edge to the box right below.
    pub(super) net: Option<usize>,
    /// Corners, first to last; each part is level or upright.
    pub(super) points: Vec<(i32, i32)>,
}

/// All ways, and what they made of the columns.
#[derive(Debug)]
pub(super) struct Routes {
    pub(super) extents: Vec<Extent>,
    pub(super) ways: Vec<Way>,
    /// Where lines of one net part: to be told from lines that only cross.
    pub(super) forks: Vec<(usize, (i32, i32))>,
    pub(super) width: i32,
}

/// A net in a gutter.
#[derive(Debug, Default, Clone)]
struct Crossing {
    /// Where it comes in.
    entry: i32,
    /// Where it goes out, the way it came or the other.
    exits: Vec<i32>,
    /// Which track it takes; `None` where it goes straight on.
    track: Option<usize>,
}

impl Crossing {
    fn range(&self) -> (i32, i32) {
        let all = || self.exits.iter().copied().chain([self.entry]);
        (all().min().unwrap_or(self.entry), all().max().unwrap_or(self.entry))
    }
}

/// By gutter (the one to the right of the column of that number), then by net.
type Gutters = Vec<BTreeMap<usize, Crossing>>;

/// Finds a way for every edge.
pub(super) fn route(
    picture: &Picture,
    columns: &[Column],
    places: &Places,
    nets: &[Net],
    direct: &[Direct],
) -> Routes {
    let mut gutters = crossings(columns.len(), places, nets);
    let tracks: Vec<usize> = gutters.iter_mut().map(|gutter| assign_tracks(gutter, nets)).collect();
    let mut extents = Vec::with_capacity(columns.len());
    let mut left = MARGIN;
    for (column, tracks) in columns.iter().zip(&tracks) {
        let width = width_of(picture, column);
        extents.push(Extent { left, width });
        if width > 0 {
            left += width
                + BESIDE_TRACKS.0
                + TRACK * i32::try_from(*tracks).unwrap_or(i32::MAX / 64)
                + BESIDE_TRACKS.1;
        }
    }
    let width = extents.iter().rev().find(|extent| extent.width > 0).map_or(0, |last| last.left + last.width);
    let mut routes = Routes { extents, ways: Vec::new(), forks: Vec::new(), width: width + MARGIN };
    for edge in direct {
        routes.ways.push(routes.straight_down(picture, places, *edge));
    }
    for (number, net) in nets.iter().enumerate() {
        routes.add_net(number, net, places, &gutters);
    }
    routes
}

/// All boxes of a column are as wide as its widest.
fn width_of(picture: &Picture, column: &Column) -> i32 {
    let nodes = column.segments.iter().flat_map(|segment| &segment.nodes).map(|id| &picture.nodes[*id]);
    let widths = nodes.flat_map(|node| {
        let rows = node.rows.iter().map(|row| text::width(&row.text) + GRID * row.depth as i32);
        rows.chain([text::width(&node.title) * 7 / 6, text::width(&node.subtitle)])
    });
    widths.max().map_or(0, |width| (width + BESIDE_TEXT).clamp(NARROWEST, WIDEST))
}

fn crossings(columns: usize, places: &Places, nets: &[Net]) -> Gutters {
    let mut gutters: Gutters = vec![BTreeMap::new(); columns];
    for (number, net) in nets.iter().enumerate() {
        let mut entry = net.exit(places);
        for gutter in gutters_of(net) {
            let (next, is_last) = match net.direction {
                Direction::Right => (gutter + 1, gutter + 1 >= net.furthest),
                Direction::Left => (gutter, gutter <= net.furthest),
            };
            let mut crossing = Crossing { entry, exits: Vec::new(), track: None };
            for target in &net.targets {
                let own_column = target.column == net.start && gutter == net.start;
                if own_column || (target.column == next && target.column != net.start) {
                    crossing.exits.push(net.entry(target, places));
                }
            }
            if !is_last && let Some(pass) = places.passes.get(&(number, next)) {
                crossing.exits.push(*pass);
                entry = *pass;
            }
            gutters[gutter].insert(number, crossing);
        }
    }
    gutters
}

/// The gutters that a net goes through, in its order.
fn gutters_of(net: &Net) -> Vec<usize> {
    match net.direction {
        Direction::Right => (net.start..net.furthest.max(net.start + 1)).collect(),
        Direction::Left => (net.furthest..net.start).rev().collect(),
    }
}

/// As near as two lines of one track come to each other.
const APART: i32 = 4;

/// Gives each net that changes its height a track of its own for as long as it is upright; the
/// number of tracks that takes. Of two that go down side by side, the lower turns first, and of two
/// that go up, the upper: then they do not cross.
fn assign_tracks(gutter: &mut BTreeMap<usize, Crossing>, nets: &[Net]) -> usize {
    let mut order: Vec<(bool, i32, usize)> = Vec::new();
    for (number, crossing) in gutter.iter() {
        let (top, bottom) = crossing.range();
        if top == bottom {
            continue;
        }
        let middle = (top + bottom) / 2;
        let leftmost = match nets[*number].direction {
            Direction::Right => crossing.entry,
            // Seen from the left, such a net begins where it ends.
            Direction::Left => crossing.exits.iter().copied().min().unwrap_or(crossing.entry),
        };
        let goes_down = leftmost <= middle;
        order.push((!goes_down, if goes_down { -leftmost } else { leftmost }, *number));
    }
    order.sort();
    let range = |crossing: &Crossing| {
        let (top, bottom) = crossing.range();
        (top, bottom + APART)
    };
    let ends = order.iter().filter_map(|(_, _, number)| gutter.get(number)).map(range);
    let mut placed = Spans::new(ends.flat_map(|(top, bottom)| [top, bottom]).collect());
    let mut tracks = 0;
    for (_, _, number) in order {
        let Some(crossing) = gutter.get_mut(&number) else { continue };
        let (top, bottom) = range(crossing);
        let track = placed.free_beside(top, bottom);
        crossing.track = Some(track);
        placed.add(top, bottom, track);
        tracks = tracks.max(track + 1);
    }
    tracks
}

impl Routes {
    fn track_x(&self, gutter: usize, track: usize) -> i32 {
        let Extent { left, width } = self.extents[gutter];
        left + width + BESIDE_TRACKS.0 + TRACK * i32::try_from(track).unwrap_or_default()
    }

    /// The edge of a column on a side.
    fn side(&self, column: usize, is_right: bool) -> i32 {
        let Extent { left, width } = self.extents[column];
        if is_right { left + width } else { left }
    }

    fn straight_down(&self, picture: &Picture, places: &Places, Direct { edge, column }: Direct) -> Way {
        let drawn = &picture.edges[edge];
        let x = self.side(column, true) - DIRECT;
        let start = places.tops[drawn.from] + height_of(&picture.nodes[drawn.from]);
        Way { edge, net: None, points: vec![(x, start), (x, places.tops[drawn.to])] }
    }

    fn add_net(&mut self, number: usize, net: &Net, places: &Places, gutters: &Gutters) {
        let leaves_right = net.direction == Direction::Right;
        let path = gutters_of(net);
        // The line that all edges of the net have in common, up to the gutter at hand.
        let mut common = vec![(self.side(net.start, leaves_right), net.exit(places))];
        for gutter in path {
            let Some(crossing) = gutters[gutter].get(&number) else { continue };
            let x = crossing.track.map(|track| self.track_x(gutter, track));
            let turned = |common: &[(i32, i32)], height: i32, end: i32| {
                let mut points = common.to_vec();
                if let Some(x) = x {
                    points.extend([(x, crossing.entry), (x, height)]);
                }
                points.push((end, height));
                points
            };
            let next = if leaves_right { gutter + 1 } else { gutter };
            for target in &net.targets {
                let own_column = target.column == net.start && gutter == net.start;
                if own_column || (target.column == next && target.column != net.start) {
                    // From the right into its own column, and into any when going left.
                    let end = self.side(target.column, own_column || !leaves_right);
                    let points = turned(&common, net.entry(target, places), end);
                    self.ways.push(Way { edge: target.edge, net: Some(number), points });
                }
            }
            if let Some(x) = x {
                self.forks.extend(forks(crossing).into_iter().map(|height| (number, (x, height))));
            }
            if let Some(pass) = places.passes.get(&(number, next)).filter(|_| net.furthest != next) {
                common = turned(&common, *pass, self.side(next, leaves_right));
            }
        }
    }
}

/// The heights at which a net parts in its track: where more than two of its lines meet.
fn forks(crossing: &Crossing) -> Vec<i32> {
    let (top, bottom) = crossing.range();
    let mut lines: BTreeMap<i32, usize> = BTreeMap::from([(crossing.entry, 1)]);
    for exit in &crossing.exits {
        *lines.entry(*exit).or_default() += 1;
    }
    let upright = |height: i32| usize::from(height > top) + usize::from(height < bottom);
    lines
        .into_iter()
        .filter(|(height, count)| count + upright(*height) > 2)
        .map(|(height, _)| height)
        .collect()
}
