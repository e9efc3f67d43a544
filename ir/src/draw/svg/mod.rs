//! A picture as an SVG document, drawn without the help of another program.
//!
//! Sources stand on the left, the export on the right, stages in lanes between them. Edges run
//! along rows and along upright tracks in the gutters between columns: see [`route`] for why they
//! neither touch a box nor lie on one another. All numbers are integers, so that every machine
//! writes the same bytes.

mod columns;
mod measure;
mod nets;
mod paint;
mod place;
mod route;
mod spans;
mod text;

#[cfg(test)]
mod tests;

use super::picture::{NodeId, Picture};

/// Where everything is.
#[derive(Debug)]
struct Layout {
    columns: Vec<columns::Column>,
    nets: Vec<nets::Net>,
    places: place::Places,
    routes: route::Routes,
}

pub(super) fn draw(picture: &Picture) -> String {
    paint::paint(picture, &layout(picture))
}

fn layout(picture: &Picture) -> Layout {
    let columns = columns::of(picture);
    let mut column_of = vec![0; picture.nodes.len()];
    let mut below: Vec<Option<NodeId>> = vec![None; picture.nodes.len()];
    for (number, column) in columns.iter().enumerate() {
        let mut last: Option<NodeId> = None;
        for id in column.segments.iter().flat_map(|segment| segment.nodes.iter().copied()) {
            column_of[id] = number;
            if let Some(last) = last.replace(id) {
                below[last] = Some(id);
            }
        }
    }
    // Boxes of the first and the last column are not in the order in which they are listed.
    let ends = [columns.first(), columns.last()];
    for segment in ends.into_iter().flatten().flat_map(|column| &column.segments) {
        segment.nodes.iter().for_each(|id| below[*id] = None);
    }
    let (nets, direct) = nets::of(picture, &column_of, &below);
    let places = place::place(picture, &columns, &nets);
    let routes = route::route(picture, &columns, &places, &nets, &direct);
    Layout { columns, nets, places, routes }
}
