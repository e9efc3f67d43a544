//! A picture in the language of Graphviz.

use super::picture::{EdgeKind, Node, NodeId, NodeKind, Picture};

pub(super) fn draw(picture: &Picture) -> String {
    let mut text = String::from("digraph plan {\n");
    text.push_str("  rankdir=LR;\n  compound=true;\n  fontname=\"sans-serif\";\n");
    text.push_str(&format!("  label={};\n  labelloc=t;\n", quoted(&picture.title)));
    text.push_str(
        "  node [shape=box, style=filled, fillcolor=white, fontname=\"monospace\", fontsize=10];\n",
    );
    text.push_str("  edge [fontname=\"sans-serif\", fontsize=9];\n");
    let mut in_lane = vec![false; picture.nodes.len()];
    for (number, lane) in picture.lanes.iter().enumerate() {
        text.push_str(&format!("  subgraph cluster_{number} {{\n    label={};\n", quoted(&lane.title)));
        text.push_str("    style=\"rounded,filled\";\n    color=\"#C5CED8\";\n    fillcolor=\"#F4F6F9\";\n");
        for id in &lane.nodes {
            in_lane[*id] = true;
            text.push_str(&format!("  {}", node(*id, &picture.nodes[*id])));
        }
        text.push_str("  }\n");
    }
    for (id, shown) in picture.nodes.iter().enumerate() {
        if !in_lane[id] {
            text.push_str(&node(id, shown));
        }
    }
    for edge in &picture.edges {
        let style = match (edge.certain, edge.kind) {
            (false, _) => "style=dotted, color=\"#666666\"",
            (true, EdgeKind::From) => "color=\"#222222\", penwidth=1.6",
            (true, EdgeKind::Copy) => "color=\"#0072B2\", label=\"copy\"",
            (true, EdgeKind::Mount) => "style=dashed, color=\"#D55E00\", label=\"mount\"",
        };
        let tooltip = quoted(&edge.label);
        text.push_str(&format!("  n{} -> n{} [{style}, tooltip={tooltip}];\n", edge.from, edge.to));
    }
    text.push_str("}\n");
    text
}

fn node(id: NodeId, node: &Node) -> String {
    let mut lines = vec![node.title.clone(), node.subtitle.clone()];
    lines.extend(node.rows.iter().map(|row| format!("{}{}", "  ".repeat(row.depth + 1), row.text)));
    // `\l` ends a line and sets it to the left.
    let label: String = lines.iter().map(|line| format!("{}\\l", escaped(line))).collect();
    let style = match node.kind {
        NodeKind::Image => ", fillcolor=\"#FFF5DC\", color=\"#B07A00\"",
        NodeKind::Context => ", fillcolor=\"#E4F4EE\", color=\"#00785A\"",
        NodeKind::Scratch => ", fillcolor=\"#EEEEEE\"",
        NodeKind::Missing => ", style=\"filled,dashed\", color=\"#B00020\"",
        NodeKind::Stage if node.needed => "",
        NodeKind::Stage => ", style=\"filled,dashed\", fontcolor=\"#666666\"",
        NodeKind::Merge | NodeKind::Phase => ", fillcolor=\"#F3ECF8\", color=\"#7A5AA0\"",
        NodeKind::Export => ", fillcolor=\"#D9F0E5\", color=\"#00785A\", penwidth=2.5",
    };
    format!("  n{id} [label=\"{label}\"{style}];\n")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// In a quoted string a backslash begins an escape of Graphviz's own, such as `\N`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
