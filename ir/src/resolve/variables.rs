//! Findings about variables.

use miette::Diagnostic;

use crate::finding::Place;

/// The most bytes that a template may come to. Linux gives no program a longer variable or
/// argument (`MAX_ARG_STRLEN`), and without a limit a few lines that double a value would fill
/// any memory.
pub const LARGEST_TEXT: usize = (128 << 10) - 1;

/// What is wrong with the use of a variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum VariableFinding {
    /// A variable that nothing sets.
    #[error("the variable `{name}` is not set here")]
    #[diagnostic(code(cpk::env::undefined), help("{way_out}"))]
    Undefined {
        /// The variable.
        name: String,
        /// What was meant, or what to do.
        way_out: String,
        /// The template.
        #[label("`${{{name}}}` has no value at this op")]
        place: Place,
    },
    /// A text that variables make longer than any program could be given.
    #[error("this comes to {length} bytes, and {LARGEST_TEXT} is the most")]
    #[diagnostic(
        code("cpk::env::too-long"),
        help("look at the variables in it: one that names itself twice doubles each time it is set")
    )]
    TooLong {
        /// How long it would be, in bytes.
        length: usize,
        /// The template.
        #[label("too long once its variables are expanded")]
        place: Place,
    },
    /// A `workdir` or `user` whose value cannot be known.
    #[error("`{statement}` leans on the variable `{name}` of a base whose config is not known")]
    #[diagnostic(
        code(cpk::env::open),
        help(
            "write what the base sets under its image, for instance `env {name} = \"…\"`, or write the value here"
        )
    )]
    Open {
        /// `workdir` or `user`.
        statement: &'static str,
        /// The variable.
        name: String,
        /// The template.
        #[label("what `${{{name}}}` is here cannot be known")]
        place: Place,
    },
}
