//! A picture as JSON, for programs: what a drawing shows, in the same words and order.
//!
//! The types here are the format, which `docs/json.md` describes. Nodes are named by their place
//! in the list, counted from 0.

use serde::Serialize;

use super::picture::{self, EdgeKind, NodeKind, Picture, RowKind};

#[derive(Serialize)]
struct Document<'p> {
    version: u32,
    title: &'p str,
    nodes: Vec<Node<'p>>,
    lanes: Vec<Lane<'p>>,
    edges: Vec<Edge<'p>>,
}

#[derive(Serialize)]
struct Node<'p> {
    kind: &'static str,
    title: &'p str,
    subtitle: &'p str,
    needed: bool,
    rows: Vec<Row<'p>>,
}

#[derive(Serialize)]
struct Row<'p> {
    kind: &'static str,
    depth: usize,
    text: &'p str,
}

#[derive(Serialize)]
struct Lane<'p> {
    title: &'p str,
    parallel: bool,
    chain: usize,
    nodes: &'p [usize],
}

#[derive(Serialize)]
struct Edge<'p> {
    from: usize,
    to: usize,
    row: Option<usize>,
    kind: &'static str,
    certain: bool,
    label: &'p str,
}

pub(super) fn draw(picture: &Picture) -> String {
    let document = Document {
        version: 1,
        title: &picture.title,
        nodes: picture.nodes.iter().map(node).collect(),
        lanes: picture.lanes.iter().map(lane).collect(),
        edges: picture.edges.iter().map(edge).collect(),
    };
    // Plain texts and numbers are all that it holds, so JSON can say it.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn lane(lane: &picture::Lane) -> Lane<'_> {
    let picture::Lane { title, nodes, parallel, chain } = lane;
    Lane { title, parallel: *parallel, chain: *chain, nodes }
}

fn row(row: &picture::Row) -> Row<'_> {
    Row {
        kind: match row.kind {
            RowKind::Op => "op",
            RowKind::Layer => "layer",
            RowKind::Mount => "mount",
            RowKind::Note => "note",
        },
        depth: row.depth,
        text: &row.text,
    }
}

fn node(node: &picture::Node) -> Node<'_> {
    Node {
        kind: match node.kind {
            NodeKind::Image => "image",
            NodeKind::Context => "context",
            NodeKind::Scratch => "scratch",
            NodeKind::Missing => "missing",
            NodeKind::Stage => "stage",
            NodeKind::Merge => "merge",
            NodeKind::Phase => "phase",
            NodeKind::Export => "export",
        },
        title: &node.title,
        subtitle: &node.subtitle,
        needed: node.needed,
        rows: node.rows.iter().map(row).collect(),
    }
}

fn edge(edge: &picture::Edge) -> Edge<'_> {
    Edge {
        from: edge.from,
        to: edge.to,
        row: edge.row,
        kind: match edge.kind {
            EdgeKind::From => "from",
            EdgeKind::Copy => "copy",
            EdgeKind::Mount => "mount",
        },
        certain: edge.certain,
        label: &edge.label,
    }
}
