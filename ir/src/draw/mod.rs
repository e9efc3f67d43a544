//! Pictures of plans: for Graphviz, for Mermaid, as an SVG that we draw ourselves, and as JSON.
//!
//! Any plan can be drawn, one with breaches as well: a circle is best understood by looking at it.
//! What cannot be told because of a breach is drawn as an edge of its own style, and a name that
//! nothing declares as a node of its own.
//!
//! [`picture`] says what is to be seen, once for all of them; [`describe`] puts ops into words.
//! Equal plans give equal bytes.

pub mod describe;
pub mod picture;

mod dot;
mod json;
mod mermaid;
mod svg;

#[cfg(test)]
mod tests;

use crate::plan::Plan;

/// `plan` for Graphviz.
pub fn dot(plan: &Plan) -> String {
    dot::draw(&picture::Picture::of(plan))
}

/// `plan` as a Mermaid flowchart.
pub fn mermaid(plan: &Plan) -> String {
    mermaid::draw(&picture::Picture::of(plan))
}

/// `plan` as an SVG document.
pub fn svg(plan: &Plan) -> String {
    svg::draw(&picture::Picture::of(plan))
}

/// What a drawing of `plan` shows, as JSON for programs.
pub fn json(plan: &Plan) -> String {
    json::draw(&picture::Picture::of(plan))
}
