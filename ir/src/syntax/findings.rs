//! What can be wrong with a text as such: with its words, its values and its names.

use miette::{Diagnostic, SourceSpan};
use thiserror::Error;

/// One mistake in the text of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum SyntaxFinding {
    /// More text than is ever read.
    #[error("the text has {megabytes} MiB, and at most 64 are read")]
    #[diagnostic(code(cpk::syntax::large), help("put what is large into a file of a `dir` context"))]
    TooLarge {
        /// Its size, rounded down.
        megabytes: usize,
    },

    /// The other form of a plan.
    #[error("this is JSON, and the text form of a plan is wanted here")]
    #[diagnostic(
        code(cpk::syntax::json),
        help("`cogpackc PLAN -o cpk` writes the text of a plan in JSON, in canonical form")
    )]
    Json {
        /// The first brace or bracket.
        #[label("no text of a plan begins like this")]
        at: SourceSpan,
    },

    /// Blocks in blocks in blocks.
    #[error("blocks are nested more than 16 deep")]
    #[diagnostic(
        code(cpk::syntax::deep),
        help("close the blocks that are open: the language needs no more than three")
    )]
    TooDeep {
        /// The brace that opens one too many.
        #[label("this block is one too many")]
        at: SourceSpan,
    },

    /// A `"` that its line does not close.
    #[error("a string is not closed")]
    #[diagnostic(
        code(cpk::syntax::unclosed),
        help(
            "put a `\"` at its end; a text of several lines stands between `\"\"\"` and `\"\"\"`, an inner quote is written `\\\"`"
        )
    )]
    UnclosedString {
        /// From the quote to the end of the line.
        #[label("this string has no end on its line")]
        at: SourceSpan,
    },

    /// A `"""` that nothing closes.
    #[error("a text of several lines is not closed")]
    #[diagnostic(
        code(cpk::syntax::unclosed),
        help("put `\"\"\"` on a line of its own after the last line of the text")
    )]
    UnclosedTextBlock {
        /// The three quotes.
        #[label("this text has no end")]
        at: SourceSpan,
    },

    /// A `{` that nothing closes.
    #[error("a block is not closed")]
    #[diagnostic(code(cpk::syntax::unclosed), help("put a `}}` after the last statement of the block"))]
    UnclosedBlock {
        /// The brace.
        #[label("this block has no end")]
        opened: SourceSpan,
        /// Where it must have ended.
        #[label("a `}}` is missing before this")]
        missing: SourceSpan,
    },

    /// A `}` that closes nothing.
    #[error("a `}}` closes nothing")]
    #[diagnostic(
        code(cpk::syntax::unopened),
        help("take it away, or look for a block above it that ends too early")
    )]
    Unopened {
        /// The brace.
        #[label("no block is open here")]
        at: SourceSpan,
    },

    /// The text does not begin with `cpk 1`.
    #[error("the text does not begin with its version")]
    #[diagnostic(
        code(cpk::syntax::header),
        help("write `cpk 1` on a line of its own before everything else")
    )]
    NoHeader {
        /// The first word.
        #[label("`cpk 1` must stand before this")]
        at: SourceSpan,
    },

    /// `cpk 1` somewhere in the middle.
    #[error("the version stands after other declarations")]
    #[diagnostic(code(cpk::syntax::header), help("move it to the start of the text"))]
    LateHeader {
        /// The statement.
        #[label("only comments may stand before this")]
        at: SourceSpan,
    },

    /// A version of the language from another time.
    #[error("the text is in version `{found}` of the language, and this cogpackc reads version 1")]
    #[diagnostic(code(cpk::syntax::version), help("write `cpk 1`, or use the cogpackc that made this text"))]
    Version {
        /// What the text says.
        found: String,
        /// The number.
        #[label("this version is not known")]
        at: SourceSpan,
    },

    /// Something stands where the grammar wants something else.
    #[error("expected {expected}, found {found}")]
    #[diagnostic(code(cpk::syntax::expected), help("{help}"))]
    Expected {
        /// What may stand there.
        expected: String,
        /// What stands there.
        found: String,
        /// The way out.
        help: String,
        /// What is wrong with that place.
        label: &'static str,
        /// The word that does not fit, or the last one before the end of something.
        #[label("{label}")]
        at: SourceSpan,
    },

    /// A `\` with something after it that means nothing.
    #[error("`{escape}` means nothing in a string")]
    #[diagnostic(
        code(cpk::syntax::escape),
        help("write `\\\\` for a backslash; the others are `\\\"`, `\\n`, `\\r`, `\\t` and `\\u{{HEX}}`")
    )]
    Escape {
        /// The characters.
        escape: String,
        /// Where they stand.
        #[label("not an escape")]
        at: SourceSpan,
    },

    /// A text of several lines that is laid out wrongly.
    #[error("{reason}")]
    #[diagnostic(code(cpk::syntax::layout), help("{help}"))]
    Layout {
        /// The rule it breaks.
        reason: &'static str,
        /// The way out.
        help: &'static str,
        /// The guilty line.
        #[label("here")]
        at: SourceSpan,
    },

    /// A digest, mode, platform or other value that is none.
    #[error("{reason}")]
    #[diagnostic(code(cpk::syntax::value), help("{help}"))]
    Value {
        /// The value and the rule it breaks.
        reason: String,
        /// The way out.
        help: String,
        /// The value.
        #[label("this value")]
        at: SourceSpan,
    },

    /// One thing said two times in one block.
    #[error("{what} is said twice")]
    #[diagnostic(code(cpk::syntax::twice), help("keep the one that is meant"))]
    Twice {
        /// What is said.
        what: String,
        /// The first time.
        #[label("first here")]
        first: SourceSpan,
        /// The second time.
        #[label("and again here")]
        second: SourceSpan,
    },

    /// A name that breaks the rules of its kind.
    #[error("`{text}` is not a name for {kind}: {rule}")]
    #[diagnostic(code(cpk::name::invalid), help("choose another name, for instance `{example}`"))]
    Name {
        /// The name.
        text: String,
        /// What it is to name.
        kind: &'static str,
        /// The rule it breaks.
        rule: &'static str,
        /// A name like it that is allowed.
        example: String,
        /// The name.
        #[label("this name")]
        at: SourceSpan,
    },

    /// Two declarations with one name.
    #[error("{what} is declared twice")]
    #[diagnostic(code(cpk::name::taken), help("give one of them another name"))]
    Taken {
        /// The kind and the name.
        what: String,
        /// The first declaration.
        #[label("first here")]
        first: SourceSpan,
        /// The second declaration.
        #[label("and again here")]
        second: SourceSpan,
    },

    /// More mistakes than anybody wants to read at once.
    #[error("there are more mistakes than the {shown} above")]
    #[diagnostic(code(cpk::syntax::many), help("correct these first, then check again"))]
    Many {
        /// How many were reported.
        shown: usize,
    },
}
