//! Where in a text something was written.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};

/// A range of bytes in the text of a plan (its text form or its JSON form), or nowhere.
///
/// All spans are equal to each other: a place is not part of a plan's meaning, and every type
/// that holds one can then derive its comparison.
#[derive(Clone, Copy)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Not written in any text: made by a front end, or filled in.
    pub const NOWHERE: Self = Self { start: u32::MAX, end: u32::MAX };

    /// The bytes from `start` up to `end`. Texts over 4 GiB are refused before parsing.
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end) }
    }

    /// The range in bytes; `None` where nothing was written.
    pub fn range(self) -> Option<Range<usize>> {
        (self.start != u32::MAX).then_some(self.start as usize..self.end as usize)
    }

    /// Where a message points to; `None` where nothing was written.
    pub fn place(self) -> Option<miette::SourceSpan> {
        self.range().map(Into::into)
    }

    /// The first byte; past every text for [`Span::NOWHERE`].
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// One past the last byte; past every text for [`Span::NOWHERE`].
    pub fn end(self) -> usize {
        self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range() {
            Some(range) => write!(out, "{range:?}"),
            None => out.write_str("nowhere"),
        }
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl PartialOrd for Span {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Span {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for Span {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl From<Span> for miette::SourceSpan {
    fn from(span: Span) -> Self {
        match span.range() {
            Some(range) => Self::from(range),
            None => Self::from(0..0),
        }
    }
}

/// A value and where it was written. Compares as the value does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// `value`, written in no text.
    pub fn nowhere(value: T) -> Self {
        Self { value, span: Span::NOWHERE }
    }
}

impl Borrow<str> for Spanned<String> {
    fn borrow(&self) -> &str {
        &self.value
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(out)
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(out)
    }
}
