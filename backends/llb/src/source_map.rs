//! From places in the plan's text to the lines that BuildKit's errors point at.

use std::sync::Arc;

use cogpack_ir::plan::Span;

use crate::wire::Writer;
use crate::wire::writer::{delimited_length, integer_length};

/// The text a plan was read from, and what to call it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceText {
    /// The file's name as errors show it, for instance `plan.cpk`.
    pub name: String,
    /// The whole text; places of the plan are places in it. A definition holds it too, and it may
    /// be large, so that all have the one.
    pub text: Arc<String>,
}

/// Lines counted from 1, the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lines {
    first: u32,
    last: u32,
}

/// Where the lines of a text start.
#[derive(Debug)]
pub(crate) struct LineIndex<'t> {
    starts: Vec<usize>,
    text: &'t [u8],
}

impl<'t> LineIndex<'t> {
    /// The lines of `text`.
    pub(crate) fn of(text: &'t str) -> Self {
        let after_newlines =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_newlines).collect(), text: text.as_bytes() }
    }

    /// The lines that `span` touches, space at its end apart; `None` where it lies in no text,
    /// or not in this one.
    pub(crate) fn lines(&self, span: Span) -> Option<Lines> {
        let range = span.range().filter(|range| range.start < self.text.len())?;
        let said = self.text.get(range.start..range.end.min(self.text.len())).unwrap_or_default();
        let last_byte = range.start + said.trim_ascii_end().len().saturating_sub(1);
        Some(Lines { first: self.line(range.start), last: self.line(last_byte) })
    }

    fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

impl Lines {
    /// Writes a `Location` in the first (and only) text of the source map.
    pub(crate) fn write_location(self, to: &mut Writer, field: u64) {
        to.message(field, |to| {
            to.message(2, |to| {
                to.message(1, |to| to.integer(1, i64::from(self.first)));
                to.message(2, |to| to.integer(1, i64::from(self.last)));
            });
        });
    }

    /// How many bytes that writes.
    pub(crate) fn location_length(self, field: u64) -> usize {
        let position = |field, line: u32| delimited_length(field, integer_length(1, line.into()));
        delimited_length(field, delimited_length(2, position(1, self.first) + position(2, self.last)))
    }
}

/// What of a `SourceInfo` stands before the text, and what behind it.
pub(crate) fn info_around(field: u64, source: &SourceText) -> (Writer, Writer) {
    let mut behind = Writer::default();
    behind.text(4, LANGUAGE);
    let mut inside = Writer::default();
    inside.text(1, &source.name);
    if !source.text.is_empty() {
        inside.delimited(2, source.text.len());
    }
    let mut before = Writer::default();
    before.delimited(field, inside.len() + source.text.len() + behind.len());
    before.append(&inside);
    (before, behind)
}

/// What the text is written in, for clients that colour it.
const LANGUAGE: &str = "cpk";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_become_lines() {
        let index = LineIndex::of("one\ntwo\n\nfour");
        let lines = |start, end| index.lines(Span::new(start, end)).map(|lines| (lines.first, lines.last));
        assert_eq!(lines(0, 3), Some((1, 1)));
        assert_eq!(lines(0, 4), Some((1, 1)));
        assert_eq!(lines(0, 5), Some((1, 2)));
        assert_eq!(lines(8, 9), Some((3, 3)));
        assert_eq!(lines(0, 9), Some((1, 2)));
        assert_eq!(lines(9, 13), Some((4, 4)));
        assert_eq!(lines(9, 99), Some((4, 4)));
        assert_eq!(lines(5, 5), Some((2, 2)));
        assert_eq!(lines(13, 14), None);
        assert_eq!(index.lines(Span::NOWHERE), None);
        assert_eq!(LineIndex::of("").lines(Span::new(0, 0)), None);
    }

    #[test]
    fn a_location_is_as_long_as_it_says() {
        for first in [0, 1, 127, 128, 16_383, 16_384, u32::MAX] {
            let lines = Lines { first, last: first.saturating_mul(2) };
            let mut written = Writer::default();
            lines.write_location(&mut written, 1);
            assert_eq!(written.len(), lines.location_length(1), "{lines:?}");
        }
    }

    #[test]
    fn the_text_stands_inside_its_info() {
        for (text, length) in [("", 17), ("cpk 1\n", 25)] {
            let source = SourceText { name: "plan.cpk".to_owned(), text: Arc::new(text.to_owned()) };
            let (before, behind) = info_around(2, &source);
            let whole = [&before.into_bytes()[..], text.as_bytes(), &behind.into_bytes()].concat();
            assert_eq!(whole[..2], [0x12, length - 2], "{text:?}");
            assert_eq!(whole.len(), usize::from(length), "{text:?}");
            assert!(whole.ends_with(b"\x22\x03cpk"), "{text:?}");
        }
    }
}
