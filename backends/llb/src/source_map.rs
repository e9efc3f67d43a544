//! From places in the plan's text to the lines that BuildKit's errors point at.

use cogpack_ir::plan::Span;

use crate::wire::Writer;

/// The text a plan was read from, and what to call it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceText {
    /// The file's name as errors show it, for instance `plan.cpk`.
    pub name: String,
    /// The whole text; places of the plan are places in it.
    pub text: String,
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
}

/// Writes the `SourceInfo` of `source`.
pub(crate) fn write_info(to: &mut Writer, field: u64, source: &SourceText) {
    to.message(field, |to| {
        to.text(1, &source.name);
        to.blob(2, source.text.as_bytes());
        to.text(4, LANGUAGE);
    });
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
}
