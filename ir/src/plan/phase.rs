//! Phases: named places in the order of a build, into which stages are put.

use std::collections::BTreeSet;

use super::names::PhaseName;
use super::span::{Span, Spanned};

/// `phase NAME [parallel] [after P, Q]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// The phases it comes after.
    pub after: BTreeSet<Spanned<PhaseName>>,
    /// Whether its stages all start from the phase's input, side by side, their merge (in text
    /// order) being the phase's output.
    pub parallel: bool,
    /// The declared name.
    pub span: Span,
}
