//! From characters, which the YAML reader counts, to bytes and lines.

use cogpack_frontends_source::{Lines, Place};
use saphyr_parser::{Marker, Span};

/// The bytes at which the characters and the lines of a text begin.
pub(super) struct Offsets<'t> {
    text: &'t str,
    /// Of each character; empty where all are of one byte.
    characters: Vec<usize>,
    lines: Lines,
}

impl<'t> Offsets<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let characters = match text.is_ascii() {
            true => Vec::new(),
            false => text.char_indices().map(|(at, _)| at).collect(),
        };
        Self { text, characters, lines: Lines::of(text) }
    }

    fn byte(&self, marker: &Marker) -> usize {
        let length = self.text.len();
        match self.characters.is_empty() {
            true => marker.index().min(length),
            false => self.characters.get(marker.index()).copied().unwrap_or(length),
        }
    }

    /// The place of a span, as far as it is on one line.
    pub(super) fn place(&self, span: &Span) -> Place {
        self.of_bytes(self.byte(&span.start), self.byte(&span.end))
    }

    /// The character at a marker.
    pub(super) fn at(&self, marker: &Marker) -> Place {
        let start = self.byte(marker);
        let next = self.text.get(start..).and_then(|rest| rest.chars().next());
        self.of_bytes(start, start + next.map_or(0, char::len_utf8))
    }

    /// From the start of a span to the end of its line.
    pub(super) fn line(&self, span: &Span) -> Place {
        self.of_bytes(self.byte(&span.start), self.text.len())
    }

    fn of_bytes(&self, start: usize, end: usize) -> Place {
        let rest = self.text.get(start..end).unwrap_or_default();
        let length = rest.lines().next().unwrap_or_default().trim_end().len();
        self.lines.place(start, start + length)
    }
}
