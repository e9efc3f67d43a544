//! Circles of phases, of stages, and of both together.

use miette::{Diagnostic, LabeledSpan};

use crate::finding::Finding;
use crate::graph::StageGraph;
use crate::graph::cycles::{Cycle, CycleKind, cycles};

/// A circle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CycleFinding {
    /// Phases come after each other.
    #[error("phases come after each other in a circle: {path}")]
    #[diagnostic(code(cpk::phase::cycle), help("take away one of these edges"))]
    Phases {
        /// The whole path.
        path: String,
        /// One label an edge.
        #[label(collection)]
        edges: Vec<LabeledSpan>,
    },
    /// Stages read each other.
    #[error("stages depend on each other in a circle: {path}")]
    #[diagnostic(code(cpk::stage::cycle), help("take away one of these edges"))]
    Stages {
        /// The whole path.
        path: String,
        /// One label an edge.
        #[label(collection)]
        edges: Vec<LabeledSpan>,
    },
    /// A stage reads a phase that comes after its own.
    #[error("a stage reads a phase that comes after its own: {path}")]
    #[diagnostic(
        code("cpk::stage::later-phase"),
        help("move the stage to a phase after the one it reads, or read an earlier one")
    )]
    Both {
        /// The whole path.
        path: String,
        /// One label an edge.
        #[label(collection)]
        edges: Vec<LabeledSpan>,
    },
}

/// Reports every circle.
pub(super) fn check(graph: &StageGraph<'_>, findings: &mut Vec<Finding>) {
    for cycle in cycles(graph) {
        let path = cycle.to_string();
        let edges = labels(&cycle);
        let finding = match cycle.kind {
            CycleKind::Phases => CycleFinding::Phases { path, edges },
            CycleKind::Stages => CycleFinding::Stages { path, edges },
            CycleKind::Both => CycleFinding::Both { path, edges },
        };
        findings.push(finding.into());
    }
}

fn labels(cycle: &Cycle) -> Vec<LabeledSpan> {
    let shown = cycle.path.iter().take(Cycle::SHOWN);
    let hops = shown.filter_map(|hop| Some((hop.span.place()?, &hop.why)));
    hops.map(|(place, why)| LabeledSpan::new_with_span(Some(why.clone()), place)).collect()
}
