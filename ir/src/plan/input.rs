//! Where a stage starts from, and what copies and mounts read.

use std::fmt;

use super::names::{InputName, PhaseName, StageName};

/// A filesystem (and, for images and stages, the image config that goes with it).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// `scratch`: the empty filesystem and the empty config.
    Scratch,
    /// `image @python`: a declared base image.
    Image(InputName),
    /// `%venv`: what a stage leaves.
    Stage(StageName),
    /// `phase build.complete`: what a phase leaves. In a resolved plan only a `parallel` phase
    /// is named this way, because there the output is a merge that no single stage has.
    Phase(PhaseName),
    /// `@source`: a declared context.
    Context(InputName),
}

impl fmt::Display for Input {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scratch => out.write_str("scratch"),
            Self::Image(name) => write!(out, "image {name}"),
            Self::Stage(name) => write!(out, "{name}"),
            Self::Phase(name) => write!(out, "phase {name}"),
            Self::Context(name) => write!(out, "{name}"),
        }
    }
}
