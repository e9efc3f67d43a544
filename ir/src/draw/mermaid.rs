//! A picture as a Mermaid flowchart.

use super::picture::{EdgeKind, Node, NodeId, NodeKind, Picture};

pub(super) fn draw(picture: &Picture) -> String {
    let mut text = String::from("flowchart LR\n");
    let mut in_lane = vec![false; picture.nodes.len()];
    for (number, lane) in picture.lanes.iter().enumerate() {
        text.push_str(&format!("  subgraph lane{number}[\"{}\"]\n", escaped(&lane.title)));
        for id in &lane.nodes {
            in_lane[*id] = true;
            text.push_str(&format!("  {}", node(*id, &picture.nodes[*id])));
        }
        text.push_str("  end\n");
    }
    for (id, shown) in picture.nodes.iter().enumerate() {
        if !in_lane[id] {
            text.push_str(&node(id, shown));
        }
    }
    for edge in &picture.edges {
        let arrow = match (edge.certain, edge.kind) {
            (false, _) => "-.->|cannot be told|",
            (true, EdgeKind::From) => "==>",
            (true, EdgeKind::Copy) => "-->|copy|",
            (true, EdgeKind::Mount) => "-.->|mount|",
        };
        text.push_str(&format!("  n{} {arrow} n{}\n", edge.from, edge.to));
    }
    for (class, style) in [
        ("image", "fill:#FFF5DC,stroke:#B07A00,color:#222222"),
        ("context", "fill:#E4F4EE,stroke:#00785A,color:#222222"),
        ("scratch", "fill:#EEEEEE,stroke:#555555,color:#222222"),
        ("missing", "fill:#FFFFFF,stroke:#B00020,color:#222222,stroke-dasharray:4 3"),
        ("stage", "fill:#FFFFFF,stroke:#4A5A6A,color:#222222"),
        ("unneeded", "fill:#FFFFFF,stroke:#8A95A0,color:#666666,stroke-dasharray:4 3"),
        ("phase", "fill:#F3ECF8,stroke:#7A5AA0,color:#222222"),
        ("export", "fill:#D9F0E5,stroke:#00785A,color:#222222,stroke-width:3px"),
    ] {
        text.push_str(&format!("  classDef {class} {style}\n"));
    }
    text
}

fn node(id: NodeId, node: &Node) -> String {
    let mut label = format!("<b>{}</b><br/>{}", escaped(&node.title), escaped(&node.subtitle));
    for row in &node.rows {
        label.push_str("<br/>");
        label.push_str(&"#160;".repeat(2 * row.depth));
        label.push_str(&escaped(&row.text));
    }
    let class = match node.kind {
        NodeKind::Image => "image",
        NodeKind::Context => "context",
        NodeKind::Scratch => "scratch",
        NodeKind::Missing => "missing",
        NodeKind::Stage if node.needed => "stage",
        NodeKind::Stage => "unneeded",
        NodeKind::Merge | NodeKind::Phase => "phase",
        NodeKind::Export => "export",
    };
    format!("  n{id}[\"{label}\"]:::{class}\n")
}

/// Mermaid has no escape but the character's number, and takes a label for HTML and Markdown: so
/// everything that is not plainly a part of a word goes by its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | ',' | '/' | '-' => escaped.push(character),
            _ if !character.is_ascii() => escaped.push(character),
            _ => escaped.push_str(&format!("#{};", u32::from(character))),
        }
    }
    escaped
}
