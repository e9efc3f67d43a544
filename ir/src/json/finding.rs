//! What can be wrong with a JSON document before it is a plan.

use std::fmt;

use crate::plan::Span;

/// Where in a document, as a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    pub(super) fn root() -> Self {
        Self(String::new())
    }

    pub(super) fn key(&self, key: &str) -> Self {
        Self(format!("{}/{}", self.0, key.replace('~', "~0").replace('/', "~1")))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { out.write_str("the document") } else { write!(out, "`{}`", self.0) }
    }
}

/// A breach of the JSON form. What a plan itself may not say is the verifier's business.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum JsonFinding {
    /// The text is not JSON.
    #[error("this is not JSON: {reason}")]
    #[diagnostic(
        code(cpk::json::syntax),
        help("correct it here, or let `cogpackc PLAN -o json` write the document again")
    )]
    Syntax {
        /// What was found instead.
        reason: String,
        /// Where reading stopped.
        #[label("here")]
        span: Span,
    },

    /// Values nest deeper than any plan does.
    #[error("values nest more than {most} deep")]
    #[diagnostic(code(cpk::json::depth), help("a layer holds ops and no layers, so no plan nests this deep"))]
    Depth {
        /// The limit.
        most: usize,
        /// The first value below it.
        #[label("one too deep")]
        span: Span,
    },

    /// The document is larger than any plan.
    #[error("the document has {bytes} bytes; {most} is the most that is read")]
    #[diagnostic(
        code(cpk::json::size),
        help("put large files into a `dir` context instead of writing them into the plan")
    )]
    Size {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },

    /// The document is of another version of the JSON form.
    #[error("the document has version {found}, and this program reads version 1")]
    #[diagnostic(
        code(cpk::json::version),
        help("write the document with this program, or read it with the program that wrote it")
    )]
    Version {
        /// What it says.
        found: u64,
        /// Where.
        #[label("another version")]
        span: Span,
    },

    /// A key is absent that has no default.
    #[error("{place} has no key `{key}`")]
    #[diagnostic(code("cpk::json::missing-key"), help("add `{key}`: nothing stands for it by default"))]
    MissingKey {
        /// The object.
        place: Pointer,
        /// The absent key.
        key: &'static str,
        /// The object.
        #[label("lacks `{key}`")]
        span: Span,
    },

    /// A key is present that means nothing here.
    #[error("{place} has the key `{key}`, which means nothing here")]
    #[diagnostic(code("cpk::json::unknown-key"), help("{help}"))]
    UnknownKey {
        /// The object.
        place: Pointer,
        /// The key.
        key: String,
        /// The near one, or all that are known.
        help: String,
        /// The key.
        #[label("not known")]
        span: Span,
    },

    /// One object has one key twice.
    #[error("{place} has the key `{key}` twice")]
    #[diagnostic(
        code("cpk::json::duplicate-key"),
        help("take one of them away: readers of JSON differ on which one counts")
    )]
    DuplicateKey {
        /// The object.
        place: Pointer,
        /// The key.
        key: String,
        /// The second one.
        #[label("the second")]
        span: Span,
    },

    /// One list says one thing twice where once is all it can mean.
    #[error("{place} says `{value}` a second time")]
    #[diagnostic(code("cpk::json::duplicate-value"), help("take one of them away"))]
    DuplicateValue {
        /// The second one.
        place: Pointer,
        /// What is said twice.
        value: String,
        /// The second one.
        #[label("the second")]
        span: Span,
    },

    /// A value is of another kind than what belongs here.
    #[error("{place} is {found}, and {expected} belongs here")]
    #[diagnostic(
        code("cpk::json::wrong-kind"),
        help("write {expected}, or leave the key out for its default")
    )]
    WrongKind {
        /// The value.
        place: Pointer,
        /// What it is.
        found: &'static str,
        /// What it must be.
        expected: &'static str,
        /// The value.
        #[label("not {expected}")]
        span: Span,
    },

    /// A text does not read as what it stands for.
    #[error("{place}: {reason}")]
    #[diagnostic(
        code(cpk::json::value),
        help("write what the message asks for: the text form has the same rule")
    )]
    Value {
        /// The value.
        place: Pointer,
        /// The rule it breaks.
        reason: String,
        /// The value.
        #[label("refused")]
        span: Span,
    },

    /// A word is none of those that may stand here.
    #[error("{place} is `{found}`, which is none of {known}")]
    #[diagnostic(code("cpk::json::unknown-word"), help("{help}"))]
    UnknownWord {
        /// The value.
        place: Pointer,
        /// The word.
        found: String,
        /// The words that may stand here.
        known: String,
        /// The near one, or what to do.
        help: String,
        /// The word.
        #[label("not known")]
        span: Span,
    },

    /// Two keys exclude each other.
    #[error("{place} says both `{first}` and `{second}`")]
    #[diagnostic(code(cpk::json::conflict), help("keep one of the two"))]
    Conflict {
        /// The object.
        place: Pointer,
        /// One of the keys.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// The object.
        #[label("both are in here")]
        span: Span,
    },
}
