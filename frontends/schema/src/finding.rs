//! What keeps a schema from being made.

use crate::constants::ConstantFinding;
use crate::reading::inputs::InputFinding;
use crate::reading::target::TargetFinding;
use crate::scope::files::FileFinding;
use crate::types::TypeFinding;
use miette::SourceSpan;

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
    /// Points at the place that names the file and the class or function, where nothing of the Python file
    /// is guilty; whether it is so.
    pub fn is_named_at(&mut self, place: SourceSpan) -> bool {
        match self {
            Self::File(FileFinding::Absent { named, .. })
            | Self::Target(TargetFinding::Absent { named, .. }) => {
                *named = Some(place);
                true
            }
            Self::File(_) | Self::Target(_) | Self::Type(_) | Self::Constant(_) | Self::Input(_) => false,
        }
    }

    /// The first byte that it points to; none where it is about a whole file.
    pub fn place(&self) -> Option<usize> {
        miette::Diagnostic::labels(self)?.next().map(|label| label.offset())
    }
}
