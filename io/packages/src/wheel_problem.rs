//! What is wrong with a plan's wheels, as findings about the plan.

use cogpack_ir::plan::Span;
use cogpack_packages_wheels::InvalidWheel;
use cogpack_packages_wheels::set::SetProblem;
use cogpack_packages_wheels::target::InvalidPython;

/// What is wrong with a plan's wheels.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum WheelProblem {
    /// The Python they are for.
    #[error("{problem}")]
    #[diagnostic(code(cpk::wheels::python), help("write for instance `python \"3.12\"`"))]
    Python {
        /// What is wrong.
        problem: InvalidPython,
        /// What the plan says.
        #[label("this version")]
        span: Span,
    },
    /// A wheel that is not to be installed.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::wheels::invalid),
        help("lock another wheel of the package: another release, or one for this Python and platform")
    )]
    Invalid {
        /// What is wrong with it.
        problem: InvalidWheel,
        /// Where the plan names it.
        #[label("this wheel")]
        span: Span,
    },
    /// Wheels that cannot be beside each other.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::wheels::conflict),
        help("take one of the two out, or give it a context of its own that goes to another directory")
    )]
    Conflict {
        /// Which, and why.
        problem: SetProblem,
        /// The context.
        #[label("this set")]
        span: Span,
    },
}
