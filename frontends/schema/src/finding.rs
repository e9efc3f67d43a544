//! What keeps a schema from being made.

use crate::constants::ConstantFinding;
use crate::reading::inputs::InputFinding;
use crate::reading::target::TargetFinding;
use crate::scope::files::FileFinding;
use crate::types::TypeFinding;

/// A finding of any family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum SchemaFinding {
    /// A file that is no Python.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileFinding),
    /// The class or function of the model.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Target(#[from] TargetFinding),
    /// A type.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Type(#[from] TypeFinding),
    /// A value that is not known before the program runs.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Constant(#[from] ConstantFinding),
    /// What is said of an input.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Input(#[from] InputFinding),
}

impl SchemaFinding {
    /// The first byte that it points to; none where it is about a whole file.
    pub fn place(&self) -> Option<usize> {
        miette::Diagnostic::labels(self)?.next().map(|label| label.offset())
    }
}
