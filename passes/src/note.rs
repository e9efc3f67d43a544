//! What a pass tells of one place: what it did there, or why it held back.

use cogpack_ir::plan::Span;

/// Whether something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The plan was changed here.
    Did,
    /// The plan could cost less here, and was left alone.
    HeldBack,
}

/// What a pass tells of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether something was done.
    pub kind: Kind,
    /// Where, in the text that the plan was read from.
    pub span: Span,
    /// What was done, or why nothing was, with the way out where there is one.
    pub text: String,
    /// How many bytes less the image's layers have, before compression or after it as the
    /// [sizes](crate::Sizes) are; `None` where nobody knows.
    pub saves: Option<u64>,
}

impl Note {
    /// Something that was done.
    pub fn did(span: Span, text: impl Into<String>) -> Self {
        Self { kind: Kind::Did, span, text: text.into(), saves: None }
    }

    /// Something that was not done.
    pub fn held_back(span: Span, text: impl Into<String>) -> Self {
        Self { kind: Kind::HeldBack, span, text: text.into(), saves: None }
    }

    /// The same with what it saves, where that is known.
    pub fn saving(self, saves: Option<u64>) -> Self {
        Self { saves, ..self }
    }
}
