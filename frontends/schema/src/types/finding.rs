//! What is wrong with a type.

use miette::SourceSpan;

/// A type that cannot be read, or that no input or output can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum TypeFinding {
    /// Its name means nothing.
    #[error("nothing is called `{name}` here")]
    #[diagnostic(code("project::schema::unknown-type"), help("{way_out}"))]
    Unknown {
        /// The name.
        name: String,
        /// The near name, or what to do.
        way_out: String,
        /// Where.
        #[label("this is no type")]
        at: SourceSpan,
    },
    /// It comes from a package that nobody looks into.
    #[error("`{name}` comes from the package `{module}`, which is not looked into")]
    #[diagnostic(
        code("project::schema::external-type"),
        help(
            "use a type of Python or of cog, `Annotated[{name}, Opaque]` for any JSON object, or give the schema with `--openapi-schema FILE`"
        )
    )]
    External {
        /// The name.
        name: String,
        /// The package.
        module: String,
        /// Where.
        #[label("nothing is known of this type")]
        at: SourceSpan,
    },
    /// Rules where nobody reads them.
    #[error("`Input(…)` says nothing inside `Annotated`: cog reads it as a default alone")]
    #[diagnostic(
        code("project::schema::annotated-input"),
        help("write it behind the type, as in `x: int = Input(ge=1)`")
    )]
    AnnotatedInput {
        /// Where.
        #[label("this would have no effect")]
        at: SourceSpan,
    },
    /// It depends on what the program does.
    #[error("what `{name}` is depends on what the program does")]
    #[diagnostic(
        code("project::schema::run-type"),
        help("bind the name once, or give the schema with `--openapi-schema FILE`")
    )]
    Run {
        /// The name.
        name: String,
        /// Where.
        #[label("only running tells this")]
        at: SourceSpan,
    },
    /// It is no type at all.
    #[error("{what} stands where a type belongs")]
    #[diagnostic(
        code("project::schema::no-type"),
        help("write a type, such as `str`, `list[int]` or `Path | None`")
    )]
    NoType {
        /// What it is.
        what: String,
        /// Where.
        #[label("this is no type")]
        at: SourceSpan,
    },
    /// The wrong number of arguments.
    #[error("`{name}` needs {expected}")]
    #[diagnostic(
        code("project::schema::type-arguments"),
        help(
            "write it as in `list[str]`, `dict[str, int]`, `Optional[int]`, `Literal[\"a\", \"b\"]` or `Iterator[Path]`"
        )
    )]
    Arguments {
        /// The name.
        name: String,
        /// What it needs.
        expected: &'static str,
        /// Where.
        #[label("this type is unfinished")]
        at: SourceSpan,
    },
    /// It never ends, or nearly so.
    #[error("this type has too many parts to be read")]
    #[diagnostic(
        code("project::schema::deep-type"),
        help("use a plainer type, or give the schema with `--openapi-schema FILE`")
    )]
    TooDeep {
        /// Where.
        #[label("a type this deep is not read")]
        at: SourceSpan,
    },
    /// No input can have it.
    #[error("the input `{input}` cannot be {what}")]
    #[diagnostic(code("project::schema::input-type"), help("{way_out}"))]
    Input {
        /// The input.
        input: String,
        /// The type.
        what: String,
        /// What to write instead.
        way_out: &'static str,
        /// Where.
        #[label("no request can send this")]
        at: SourceSpan,
    },
    /// No output can have it.
    #[error("the output cannot be {what}")]
    #[diagnostic(code("project::schema::output-type"), help("{way_out}"))]
    Output {
        /// The type.
        what: String,
        /// What to write instead.
        way_out: &'static str,
        /// Where.
        #[label("no answer can hold this")]
        at: SourceSpan,
    },
    /// It may be `None`.
    #[error("an output cannot be optional")]
    #[diagnostic(
        code("project::schema::optional-output"),
        help(
            "return one type always, or a `BaseModel` with an optional field; raise an exception where there is no answer"
        )
    )]
    OptionalOutput {
        /// Where.
        #[label("this may be `None`")]
        at: SourceSpan,
    },
    /// It may be one of several.
    #[error("an output cannot be of several types")]
    #[diagnostic(
        code("project::schema::union-output"),
        help("return one type always, or a `BaseModel` with a field for each")
    )]
    UnionOutput {
        /// Where.
        #[label("this may be one or the other")]
        at: SourceSpan,
    },
    /// Pieces of something that is no text.
    #[error("`ConcatenateIterator` joins pieces of text, and these are no `str`")]
    #[diagnostic(
        code("project::schema::pieces"),
        help("write `ConcatenateIterator[str]`, or `Iterator[T]` for values that stay apart")
    )]
    Pieces {
        /// Where.
        #[label("this must be `str`")]
        at: SourceSpan,
    },
}
