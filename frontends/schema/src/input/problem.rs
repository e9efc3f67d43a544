//! What is wrong with the inputs of a request.

/// One input that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum InputProblem {
    /// An argument that is no `name=value`.
    #[error("`{argument}` is not of the form `name=value`")]
    #[diagnostic(code("project::input::form"), help("write the input's name, `=` and its value"))]
    Form {
        /// What was written.
        argument: String,
    },
    /// The model has no such input.
    #[error("the model has no input `{input}`")]
    #[diagnostic(code("project::input::unknown"), help("{way_out}"))]
    Unknown {
        /// The name.
        input: String,
        /// The near name, or all.
        way_out: String,
    },
    /// It must be there, and is not.
    #[error("the input `{input}` is missing, and has no default")]
    #[diagnostic(code("project::input::missing"), help("give it a value: `-i {input}={example}`"))]
    Missing {
        /// The name.
        input: String,
        /// What a value looks like.
        example: String,
    },
    /// It is of another type.
    #[error("the input `{input}` must be {expected}, not {found}")]
    #[diagnostic(code("project::input::wrong-type"), help("write {example}"))]
    WrongType {
        /// The name.
        input: String,
        /// The types it may have.
        expected: String,
        /// What it is.
        found: String,
        /// A value of the right type.
        example: String,
    },
    /// It must be there, because its default `None` is none of its type.
    #[error("the input `{input}` is missing, and its default `None` is no `{of}`")]
    #[diagnostic(
        code("project::input::missing"),
        help("give it a value: `-i {input}={example}`; the type `{of} | None` makes it optional")
    )]
    NoneMissing {
        /// The name.
        input: String,
        /// Its type.
        of: String,
        /// What a value looks like.
        example: String,
    },
    /// `null`, which the server refuses even where `None` is meant.
    #[error("the input `{input}` cannot be sent as `null`")]
    #[diagnostic(
        code("project::input::null"),
        help("leave it out: the model is then given its default, or `None`")
    )]
    Null {
        /// The name.
        input: String,
    },
    /// The same input twice, and it is no list.
    #[error("the input `{input}` is given twice")]
    #[diagnostic(
        code("project::input::twice"),
        help("give it once; only an input that is a list takes several")
    )]
    Twice {
        /// The name.
        input: String,
    },
    /// A number out of its bounds.
    #[error("the input `{input}` is {found}, which is {relation} {bound}")]
    #[diagnostic(code("project::input::bounds"), help("give a number {allowed}"))]
    Bounds {
        /// The name.
        input: String,
        /// The number.
        found: String,
        /// Less or more than the bound.
        relation: &'static str,
        /// The bound.
        bound: String,
        /// What is between the bounds.
        allowed: String,
    },
    /// A text that is too short or too long.
    #[error("the input `{input}` has {found} character{}, and must have {relation} {bound}", plural(*.found))]
    #[diagnostic(code("project::input::length"), help("give a {direction} text"))]
    Length {
        /// The name.
        input: String,
        /// How many it has.
        found: usize,
        /// `at least` or `at most`.
        relation: &'static str,
        /// How many it may have.
        bound: u64,
        /// `longer` or `shorter`.
        direction: &'static str,
    },
    /// A text that does not match.
    #[error("the input `{input}` does not match `{pattern}`")]
    #[diagnostic(
        code("project::input::pattern"),
        help("give a text in which this regular expression is found")
    )]
    Pattern {
        /// The name.
        input: String,
        /// The regular expression.
        pattern: String,
    },
    /// None of the choices.
    #[error("the input `{input}` is {found}, which is none of its choices")]
    #[diagnostic(code("project::input::choice"), help("{way_out}"))]
    Choice {
        /// The name.
        input: String,
        /// What it is.
        found: String,
        /// The near choice, or all.
        way_out: String,
    },
    /// A file whose address nobody can fetch.
    #[error("the input `{input}` is a file, and `{found}` is no address of one")]
    #[diagnostic(
        code("project::input::file"),
        help("write `-i {input}=@PATH` for a file of this machine, or an http, https or data address")
    )]
    File {
        /// The name.
        input: String,
        /// What was given.
        found: String,
    },
}

impl InputProblem {
    /// The name of the input; of an argument without one, the whole of it.
    pub fn input(&self) -> &str {
        match self {
            Self::Form { argument } => argument,
            Self::Unknown { input, .. }
            | Self::Missing { input, .. }
            | Self::NoneMissing { input, .. }
            | Self::WrongType { input, .. }
            | Self::Null { input }
            | Self::Twice { input }
            | Self::Bounds { input, .. }
            | Self::Length { input, .. }
            | Self::Pattern { input, .. }
            | Self::Choice { input, .. }
            | Self::File { input, .. } => input,
        }
    }
}

fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// How many names a help lists.
const MOST_NAMES: usize = 12;

/// `one of a, b, c`, with an end to it.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
