//! One thing that is wrong with a `cog.yaml`, or that its author should know.

use miette::{Diagnostic, Severity};

use crate::build::BuildFinding;
use crate::commands::CommandFinding;
use crate::concurrency::ConcurrencyFinding;
use crate::document::DocumentFinding;
use crate::environment::EnvironmentFinding;
use crate::handler::HandlerFinding;
use crate::named_files::NamedFileFinding;
use crate::names::NameFinding;
use crate::shape::ShapeFinding;
use crate::versions::VersionFinding;
use crate::weights::WeightFinding;

/// A finding of any family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CogYamlFinding {
    /// It is no YAML document that is read here.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Document(#[from] DocumentFinding),
    /// A key or a value has another form.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shape(#[from] ShapeFinding),
    /// Python, packages of the system, requirements.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Build(#[from] BuildFinding),
    /// Versions of Python, CUDA, cuDNN and of cog itself.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Version(#[from] VersionFinding),
    /// Commands and their mounts.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Command(#[from] CommandFinding),
    /// What is run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Handler(#[from] HandlerFinding),
    /// Names of images.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Name(#[from] NameFinding),
    /// Predictions side by side.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Concurrency(#[from] ConcurrencyFinding),
    /// Variables.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Environment(#[from] EnvironmentFinding),
    /// Weights.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Weight(#[from] WeightFinding),
    /// Files that it names.
    #[error(transparent)]
    #[diagnostic(transparent)]
    NamedFile(#[from] NamedFileFinding),
}

impl CogYamlFinding {
    /// Whether nothing can be built with it.
    pub fn is_error(&self) -> bool {
        self.severity().is_none_or(|severity| severity == Severity::Error)
    }

    /// The first byte that it points to.
    pub fn start(&self) -> usize {
        self.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset())
    }
}
