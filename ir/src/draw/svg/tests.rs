//! Tests: boxes keep apart, and edges can be followed.

use super::super::picture::Picture;
use super::super::tests::{plan, tangled};
use super::measure::height_of;
use super::{Layout, layout};
use crate::plan::Plan;

/// Left, top, right and bottom.
type Area = (i32, i32, i32, i32);

const PHASES: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

fn plans() -> Vec<(String, Plan)> {
    let mut plans = Vec::new();
    for count in [1, 2, 12, 60, 200] {
        for seed in 0..if count == 200 { 2 } else { 5 } {
            for phases in [&PHASES[..0], &PHASES[..1], &PHASES[..]] {
                let name = format!("{count} stages in {} phases, seed {seed}", phases.len());
                plans.push((name, tangled(count, phases, seed)));
            }
        }
    }
    plans
}

fn boxes(picture: &Picture, layout: &Layout) -> Vec<Area> {
    let mut boxes = vec![(0, 0, 0, 0); picture.nodes.len()];
    for (column, extent) in layout.columns.iter().zip(&layout.routes.extents) {
        for id in column.segments.iter().flat_map(|segment| &segment.nodes) {
            let top = layout.places.tops[*id];
            boxes[*id] = (extent.left, top, extent.left + extent.width, top + height_of(&picture.nodes[*id]));
        }
    }
    assert!(boxes.iter().all(|(left, _, right, _)| left < right), "a box has no place");
    boxes
}

fn overlap(one: Area, other: Area) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

#[test]
fn no_two_boxes_overlap_and_all_are_on_the_page() {
    for (name, plan) in plans() {
        let picture = Picture::of(&plan);
        let layout = layout(&picture);
        let boxes = boxes(&picture, &layout);
        for (index, one) in boxes.iter().enumerate() {
            let on_page =
                one.0 >= 0 && one.1 >= 0 && one.2 <= layout.routes.width && one.3 <= layout.places.bottom;
            assert!(on_page, "{name}: {one:?}");
            for other in &boxes[index + 1..] {
                assert!(!overlap(*one, *other), "{name}: {one:?} and {other:?}");
            }
        }
    }
}

/// A level or upright part of a way: its net, the way's end where it is the last part, its area.
type Part = (Option<usize>, Option<(i32, i32)>, Area);

fn parts(layout: &Layout) -> Vec<Part> {
    let mut parts = Vec::new();
    for way in &layout.routes.ways {
        for (index, points) in way.points.windows(2).enumerate() {
            let ((x, y), (to_x, to_y)) = (points[0], points[1]);
            assert!(x == to_x || y == to_y, "a way is neither level nor upright: {way:?}");
            let end = (index + 2 == way.points.len()).then_some((to_x, to_y));
            parts.push((way.net, end, (x.min(to_x), y.min(to_y), x.max(to_x), y.max(to_y))));
        }
    }
    parts
}

#[test]
fn no_edge_goes_through_a_box() {
    for (name, plan) in plans() {
        let picture = Picture::of(&plan);
        let layout = layout(&picture);
        let boxes = boxes(&picture, &layout);
        for (_, _, (left, top, right, bottom)) in parts(&layout) {
            for around in &boxes {
                // A line on the outline touches the box, and is not in it.
                let line = (left, top, right.max(left + 1), bottom.max(top + 1));
                let inside = (around.0 + 1, around.1 + 1, around.2 - 1, around.3 - 1);
                assert!(!overlap(line, inside), "{name}: {line:?} goes through {around:?}");
            }
        }
    }
}

#[test]
fn every_edge_is_drawn_from_box_to_box() {
    for (name, plan) in plans() {
        let picture = Picture::of(&plan);
        let layout = layout(&picture);
        let boxes = boxes(&picture, &layout);
        let mut drawn = vec![0; picture.edges.len()];
        for way in &layout.routes.ways {
            drawn[way.edge] += 1;
            let edge = &picture.edges[way.edge];
            let touches = |point: Option<&(i32, i32)>, area: Area| {
                let (x, y) = *point.expect("a way has points");
                let level = (x == area.0 || x == area.2) && (area.1..=area.3).contains(&y);
                let upright = (y == area.1 || y == area.3) && (area.0..=area.2).contains(&x);
                level || upright
            };
            assert!(touches(way.points.first(), boxes[edge.from]), "{name}: {way:?} of {edge:?}");
            assert!(touches(way.points.last(), boxes[edge.to]), "{name}: {way:?} of {edge:?}");
        }
        assert!(drawn.iter().all(|times| *times == 1), "{name}: {drawn:?}");
    }
}

#[test]
fn no_two_nets_lie_on_one_another() {
    let mut compared = 0;
    for (name, plan) in plans() {
        let picture = Picture::of(&plan);
        let layout = layout(&picture);
        let mut parts = parts(&layout);
        // Upright parts of one column, then level parts of one line, stand side by side.
        for is_level in [false, true] {
            let line = |area: &Area| if is_level { area.1 } else { area.0 };
            let range = |area: &Area| if is_level { (area.0, area.2) } else { (area.1, area.3) };
            parts.sort_by_key(|(_, _, area)| (line(area), range(area)));
            for (index, (net, end, area)) in parts.iter().enumerate() {
                let is_so = (area.1 == area.3) == is_level;
                let same = parts[index + 1..].iter().take_while(|other| line(&other.2) == line(area));
                for (other_net, other_end, other) in same.filter(|_| is_so) {
                    let both = (range(area).0.max(range(other).0), range(area).1.min(range(other).1));
                    // Where several edges end in one point (a row that stands for many), they meet.
                    let meet = end.is_some() && end == other_end;
                    let differs = net != other_net && (other.1 == other.3) == is_level;
                    assert!(
                        !differs || meet || both.0 >= both.1,
                        "{name}: net {net:?} at {area:?} lies on net {other_net:?} at {other:?}"
                    );
                    compared += usize::from(differs);
                }
            }
        }
    }
    assert!(compared > 1000, "only {compared} parts were in one line");
}

#[test]
fn a_picture_of_many_stages_stays_in_shape() {
    let chain = |count: u32| {
        let mut text = String::from("cpk 1\nstage %s0 from scratch\n");
        for stage in 1..count {
            text.push_str(&format!("stage %s{stage} from %s{}\n", stage - 1));
        }
        plan(&text)
    };
    for count in [1, 10, 100, 1000] {
        let picture = Picture::of(&chain(count));
        let layout = layout(&picture);
        let (width, height) = (layout.routes.width, layout.places.bottom);
        assert!(width < 6 * height && height < 3 * width, "{count} stages: {width} by {height}");
    }
}
