//! Writing the document: what has been placed becomes rectangles, lines and texts.

use std::fmt::Write;

use super::super::picture::{Edge, EdgeKind, Node, NodeKind, Picture, RowKind};
use super::Layout;
use super::measure::{GRID, HEAD, height_of};
use super::route::{Extent, Way};
use super::text::{escaped, fitted};

/// How wide the arrow heads are, from their point to their back.
const ARROW: i32 = 7;
/// The radius of a corner of an edge.
const CORNER: i32 = 4;
/// How tall the legend is, with the room above it.
const LEGEND: i32 = 5 * GRID;
/// No picture is narrower: the legend must fit.
const NARROWEST: i32 = 780;

/// What edges of each kind look like. The colours are told apart with any kind of colour vision,
/// and the patterns without colour.
fn stroke_of(kind: EdgeKind, certain: bool) -> (&'static str, &'static str) {
    match (certain, kind) {
        (true, EdgeKind::From) => ("from", "#22303C"),
        (true, EdgeKind::Copy) => ("copy", "#0072B2"),
        (true, EdgeKind::Mount) => ("mount", "#D55E00"),
        (false, _) => ("guess", "#6B7280"),
    }
}

const STYLE: &str = "\
text{font-family:monospace;font-size:11px;fill:#22303C}\
.sans{font-family:sans-serif}\
.title{font-size:13px;font-weight:bold}\
.sub,.note,.mount-row{fill:#5A6672}\
.layer-row{font-weight:bold}\
.dim text{fill:#6B7280}\
.lane{fill:#F3F6F9;stroke:#D3DBE3}\
.lane-title{font-family:sans-serif;font-size:12px;font-weight:bold;fill:#44525F}\
.box{fill:#FFFFFF;stroke:#5B6B7B}\
.stage{fill:#E6EEF6}\
.image{fill:#FFF3D6;stroke:#9A6B00}\
.context{fill:#DFF2EA;stroke:#00785A}\
.scratch{fill:#ECECEC;stroke:#555555}\
.missing{fill:#FFFFFF;stroke:#B00020;stroke-dasharray:4 3}\
.phase{fill:#F0E8F7;stroke:#7A5AA0}\
.export{fill:#CFEBDD;stroke:#00694E}\
.export-box{stroke:#00694E;stroke-width:2.5}\
.dim .box,.dim .stage{stroke:#8A95A0;stroke-dasharray:4 3}\
.edge{fill:none;stroke-linejoin:round}\
.halo{fill:none;stroke:#FFFFFF;stroke-width:5;stroke-opacity:.85}\
.from{stroke:#22303C;stroke-width:2}\
.copy{stroke:#0072B2;stroke-width:1.6}\
.mount{stroke:#D55E00;stroke-width:1.6;stroke-dasharray:6 3}\
.guess{stroke:#6B7280;stroke-width:1.4;stroke-dasharray:1.5 3}";

pub(super) fn paint(picture: &Picture, layout: &Layout) -> String {
    let width = layout.routes.width.max(NARROWEST);
    let height = layout.places.bottom + GRID + LEGEND;
    let mut out = String::new();
    put(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">"
        ),
    );
    put(&mut out, format_args!("<title>{}</title>", escaped(&picture.title)));
    put(&mut out, format_args!("<style>{STYLE}</style>"));
    put(&mut out, format_args!("<rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>"));
    let title = escaped(&fitted(&picture.title, width - 48));
    put(&mut out, format_args!("<text class=\"sans title\" x=\"24\" y=\"30\">{title}</text>"));
    lanes(&mut out, picture, layout, false);
    edges(&mut out, picture, layout);
    // Titles stand above the lines that pass behind them.
    lanes(&mut out, picture, layout, true);
    for (column, extent) in layout.columns.iter().zip(&layout.routes.extents) {
        for id in column.segments.iter().flat_map(|segment| &segment.nodes) {
            node(&mut out, &picture.nodes[*id], *extent, layout.places.tops[*id]);
        }
    }
    legend(&mut out, layout.places.bottom + 2 * GRID);
    out.push_str("</svg>\n");
    out
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a `String` does not fail.
    let _ = writeln!(out, "{line}");
}

fn lanes(out: &mut String, picture: &Picture, layout: &Layout, titles: bool) {
    for (column, extent) in layout.columns.iter().zip(&layout.routes.extents) {
        for segment in &column.segments {
            let (Some(title), Some(first), Some(last)) =
                (&segment.title, segment.nodes.first(), segment.nodes.last())
            else {
                continue;
            };
            let top = layout.places.tops[*first] - 28;
            let bottom = layout.places.tops[*last] + height_of(&picture.nodes[*last]) + 10;
            let (left, width) = (extent.left - 8, extent.width + 16);
            if titles {
                let shown = escaped(&fitted(title, extent.width * 5 / 6));
                let (x, y) = (extent.left, top + 17);
                put(out, format_args!("<text class=\"lane-title\" x=\"{x}\" y=\"{y}\">{shown}</text>"));
            } else {
                let height = bottom - top;
                put(
                    out,
                    format_args!(
                        "<rect class=\"lane\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>"
                    ),
                );
            }
        }
    }
}

fn edges(out: &mut String, picture: &Picture, layout: &Layout) {
    let ways = &layout.routes.ways;
    let mut start = 0;
    while start < ways.len() {
        // The ways of one net stand side by side.
        let net = ways[start].net;
        let length = ways[start..].iter().take_while(|way| net.is_some() && way.net == net).count().max(1);
        let bundle = &ways[start..start + length];
        start += length;
        for way in bundle {
            put(out, format_args!("<path class=\"halo\" d=\"{}\"/>", path_of(way)));
        }
        for way in bundle {
            edge(out, &picture.edges[way.edge], way);
        }
        let Some(net) = net else { continue };
        let (_, colour) = layout.look_of(net);
        for (_, (x, y)) in layout.routes.forks.iter().filter(|(of, _)| *of == net) {
            put(out, format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"2.6\" fill=\"{colour}\"/>"));
        }
    }
}

impl Layout {
    fn look_of(&self, net: usize) -> (&'static str, &'static str) {
        stroke_of(self.nets[net].kind, self.nets[net].certain)
    }
}

fn edge(out: &mut String, edge: &Edge, way: &Way) {
    let (class, colour) = stroke_of(edge.kind, edge.certain);
    let label = escaped(&edge.label);
    let path = path_of(way);
    put(out, format_args!("<path class=\"edge {class}\" d=\"{path}\"><title>{label}</title></path>"));
    if let [.., (before_x, before_y), (x, y)] = way.points.as_slice() {
        let (back_x, back_y) = (x - ARROW * (x - before_x).signum(), y - ARROW * (y - before_y).signum());
        // Half as wide as it is long, across the way it points.
        let (across_x, across_y) = ((y - before_y).signum() * 4, (x - before_x).signum() * 4);
        put(
            out,
            format_args!(
                "<path d=\"M{x} {y}L{} {}L{} {}z\" fill=\"{colour}\"/>",
                back_x + across_x,
                back_y + across_y,
                back_x - across_x,
                back_y - across_y,
            ),
        );
    }
}

/// The line of an edge with its corners made round, up to the back of the arrow head.
fn path_of(way: &Way) -> String {
    let mut points = way.points.clone();
    if let [.., (before_x, before_y), (x, y)] = points.as_mut_slice() {
        (*x, *y) =
            (*x - (ARROW - 2) * (*x - *before_x).signum(), *y - (ARROW - 2) * (*y - *before_y).signum());
    }
    let mut path = String::new();
    for (index, (x, y)) in points.iter().copied().enumerate() {
        let around = (index.checked_sub(1).map(|before| points[before]), points.get(index + 1).copied());
        let _ = match around {
            (None, _) => write!(path, "M{x} {y}"),
            (Some(_), None) => write!(path, "L{x} {y}"),
            (Some(before), Some(after)) => {
                let (from, to) = (towards((x, y), before), towards((x, y), after));
                write!(path, "L{} {}Q{x} {y} {} {}", from.0, from.1, to.0, to.1)
            }
        };
    }
    path
}

/// The point a corner's radius away from `corner`, or half way to `point` where that is nearer.
fn towards(corner: (i32, i32), point: (i32, i32)) -> (i32, i32) {
    let step = |from: i32, to: i32| (to - from).signum() * CORNER.min((to - from).abs() / 2);
    (corner.0 + step(corner.0, point.0), corner.1 + step(corner.1, point.1))
}

fn node(out: &mut String, node: &Node, extent: Extent, top: i32) {
    let (left, width, height) = (extent.left, extent.width, height_of(node));
    let class = match node.kind {
        NodeKind::Image => "image",
        NodeKind::Context => "context",
        NodeKind::Scratch => "scratch",
        NodeKind::Missing => "missing",
        NodeKind::Stage => "stage",
        NodeKind::Merge | NodeKind::Phase => "phase",
        NodeKind::Export => "export",
    };
    let export = if node.kind == NodeKind::Export { " export-box" } else { "" };
    put(out, format_args!("<g{}>", if node.needed { "" } else { " class=\"dim\"" }));
    let note = if node.needed { "" } else { ": the export does not need it" };
    put(out, format_args!("<title>{}{note}</title>", escaped(&node.title)));
    put(
        out,
        format_args!(
            "<rect class=\"box {class}{export}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>"
        ),
    );
    if !node.rows.is_empty() {
        // What is below the head is white, inside the outline.
        let (x, y, width, height) = (left + 1, top + HEAD, width - 2, height - HEAD - 1);
        put(
            out,
            format_args!(
                "<path d=\"M{x} {y}h{width}v{}a3 3 0 0 1 -3 3h-{}a3 3 0 0 1 -3 -3z\" fill=\"#FFFFFF\"/>",
                height - 3,
                width - 6
            ),
        );
    }
    let room = width - 20;
    let title = fitted(&node.title, room * 6 / 7);
    put(
        out,
        format_args!(
            "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>",
            left + 10,
            top + 17,
            escaped(&title)
        ),
    );
    let subtitle = fitted(&node.subtitle, room);
    put(
        out,
        format_args!(
            "<text class=\"sub\" x=\"{}\" y=\"{}\">{}</text>",
            left + 10,
            top + 33,
            escaped(&subtitle)
        ),
    );
    for (index, row) in node.rows.iter().enumerate() {
        let inset = 14 * i32::try_from(row.depth).unwrap_or_default();
        let (x, y) = (left + 10 + inset, top + HEAD + GRID * i32::try_from(index).unwrap_or_default());
        let class = match row.kind {
            RowKind::Op => "row",
            RowKind::Layer => "layer-row",
            RowKind::Mount => "mount-row",
            RowKind::Note => "note",
        };
        let shown = fitted(&row.text, room - inset);
        let tooltip =
            if shown == row.text { String::new() } else { format!("<title>{}</title>", escaped(&row.text)) };
        put(
            out,
            format_args!(
                "<text class=\"{class}\" x=\"{x}\" y=\"{}\">{tooltip}{}</text>",
                y + 14,
                escaped(&shown)
            ),
        );
        if row.kind == RowKind::Layer {
            let held = node.rows[index + 1..].iter().take_while(|held| held.depth > row.depth).count();
            let length = GRID * i32::try_from(held).unwrap_or_default() - 5;
            put(
                out,
                format_args!(
                    "<path d=\"M{} {}v{length}\" stroke=\"#5B6B7B\" stroke-width=\"2\"/>",
                    x + 4,
                    y + GRID
                ),
            );
        }
    }
    out.push_str("</g>\n");
}

fn legend(out: &mut String, top: i32) {
    put(out, format_args!("<path d=\"M24 {top}h732\" stroke=\"#D3DBE3\"/>"));
    let edges = [
        (EdgeKind::From, true, "starts from"),
        (EdgeKind::Copy, true, "copies from"),
        (EdgeKind::Mount, true, "mounts"),
        (EdgeKind::From, false, "cannot be told"),
    ];
    for (index, (kind, certain, words)) in (0..).zip(edges) {
        let (x, y) = (24 + 150 * index, top + 24);
        let (class, colour) = stroke_of(kind, certain);
        put(out, format_args!("<path class=\"edge {class}\" d=\"M{x} {y}h26\"/>"));
        put(out, format_args!("<path d=\"M{} {y}l-7 -4v8z\" fill=\"{colour}\"/>", x + 33));
        put(out, format_args!("<text class=\"sans\" x=\"{}\" y=\"{}\">{words}</text>", x + 40, y + 4));
    }
    let boxes = [
        ("box image", "", "image"),
        ("box context", "", "context"),
        ("box stage", "", "stage"),
        ("box stage", " class=\"dim\"", "not needed"),
        ("box export export-box", "", "export"),
    ];
    for (index, (class, group, words)) in (0..).zip(boxes) {
        let (x, y) = (24 + 150 * index, top + 42);
        put(
            out,
            format_args!(
                "<g{group}><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"32\" height=\"14\" rx=\"3\"/></g>"
            ),
        );
        put(out, format_args!("<text class=\"sans\" x=\"{}\" y=\"{}\">{words}</text>", x + 40, y + 11));
    }
}
