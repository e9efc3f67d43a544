//! What can be wrong with a catalogue, each on its place in the text.

use std::ops::Range;

use cogpack_ir::suggest::did_you_mean;
use miette::{Diagnostic, SourceSpan};
use thiserror::Error;

/// Something wrong with a catalogue. The label's places are bytes of the text that was read.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum CatalogueFinding {
    /// It is no TOML.
    #[error("this is not TOML: {message}")]
    #[diagnostic(
        code(project::catalogue::syntax),
        help("a catalogue is a TOML file; docs/catalogue.md shows one")
    )]
    Syntax {
        /// What the reader of TOML says.
        message: String,
        /// Where it stopped.
        #[label("here")]
        at: SourceSpan,
    },
    /// Its first line names another format.
    #[error("this catalogue is of format {found}, and only format 1 is known")]
    #[diagnostic(
        code(project::catalogue::format),
        help("write `catalogue = 1`, and the keys of docs/catalogue.md")
    )]
    Format {
        /// What it says instead of 1.
        found: String,
        /// Where.
        #[label("this is not 1")]
        at: SourceSpan,
    },
    /// A key that means nothing.
    #[error("{table} has no key `{key}`")]
    #[diagnostic(code(project::catalogue::unknown), help("{}", did_you_mean(near.as_ref(), &known(keys))))]
    UnknownKey {
        /// The key.
        key: String,
        /// What it stands in.
        table: &'static str,
        /// The known key that is nearest.
        near: Option<String>,
        /// All that could stand there.
        keys: Vec<&'static str>,
        /// Where it stands.
        #[label("nothing reads this")]
        at: SourceSpan,
    },
    /// A key without which nothing can be said.
    #[error("{table} has no `{key}`")]
    #[diagnostic(code(project::catalogue::missing), help("add `{key} = …`: {meaning}"))]
    MissingKey {
        /// The key.
        key: &'static str,
        /// What it should stand in.
        table: &'static str,
        /// What it says.
        meaning: &'static str,
        /// What it should stand in.
        #[label("it is missing here")]
        at: SourceSpan,
    },
    /// A value of another type.
    #[error("`{key}` is {found}, and must be {expected}")]
    #[diagnostic(code(project::catalogue::kind), help("write {expected}"))]
    WrongType {
        /// The key.
        key: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
        /// The value.
        #[label("this is {found}")]
        at: SourceSpan,
    },
    /// A value that breaks a rule.
    #[error("`{value}` is no value of `{key}`: {rule}")]
    #[diagnostic(code(project::catalogue::value), help("{help}"))]
    InvalidValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The rule.
        rule: String,
        /// What to write instead.
        help: String,
        /// The value.
        #[label("this value")]
        at: SourceSpan,
    },
    /// Two images of one name.
    #[error("`{reference}` is listed twice")]
    #[diagnostic(
        code(project::catalogue::duplicate),
        help("take one of them away: a name has one entry, of all its platforms")
    )]
    Duplicate {
        /// The name.
        reference: String,
        /// The later one.
        #[label("listed again")]
        at: SourceSpan,
        /// The earlier one.
        #[label("first listed here")]
        first: SourceSpan,
    },
    /// Two archives of one Python.
    #[error("Python {version} for {platform} is listed twice")]
    #[diagnostic(
        code("project::catalogue::python-twice"),
        help("take one of them away: a version has one archive for a platform")
    )]
    PythonTwice {
        /// The version.
        version: String,
        /// The platform.
        platform: String,
        /// The later one.
        #[label("listed again")]
        at: SourceSpan,
        /// The earlier one.
        #[label("first listed here")]
        first: SourceSpan,
    },
}

fn known(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("what can stand there: {}", keys.join(", "))
}

/// A range as miette has it.
pub(crate) fn span(range: Range<usize>) -> SourceSpan {
    (range.start, range.end.saturating_sub(range.start)).into()
}
