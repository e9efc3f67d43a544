//! Where something stands in the text of a file.

use std::ops::Deref;

/// A byte range of a text, and the line that it begins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The first byte.
    pub start: usize,
    /// How many bytes.
    pub length: usize,
    /// From 1.
    pub line: usize,
}

impl Place {
    /// The range `start..end` of `text`, which begins on the line that is counted here.
    pub fn of(text: &str, start: usize, end: usize) -> Self {
        let before = text.as_bytes().get(..start).unwrap_or(text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Self { start, length: end.saturating_sub(start), line }
    }
}

/// Where the lines of a text begin, for whoever names many places of a long one: counting lines from its
/// start takes each of them as long as the text is.
#[derive(Debug, Clone)]
pub struct Lines {
    /// The first byte of each but the first.
    starts: Vec<usize>,
}

impl Lines {
    /// The lines of `text`.
    pub fn of(text: &str) -> Self {
        Self { starts: text.match_indices('\n').map(|(at, _)| at + 1).collect() }
    }

    /// The range `start..end` of the text: what [`Place::of`] gives.
    pub fn place(&self, start: usize, end: usize) -> Place {
        let line = self.starts.partition_point(|line| *line <= start) + 1;
        Place { start, length: end.saturating_sub(start), line }
    }
}

impl From<Place> for miette::SourceSpan {
    fn from(place: Place) -> Self {
        Self::from((place.start, place.length))
    }
}

/// A value and where it is written. Two are equal where both value and place are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub place: Place,
}

impl<T> Placed<T> {
    /// `value`, written at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// Another value at the same place.
    pub fn map<U>(self, other: impl FnOnce(T) -> U) -> Placed<U> {
        Placed { value: other(self.value), place: self.place }
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(Place::of("a\nbc\n", 2, 4), Place { start: 2, length: 2, line: 2 });
        assert_eq!(Place::of("a", 9, 4), Place { start: 9, length: 0, line: 1 });
    }

    #[test]
    fn places_are_the_same_whoever_counts_the_lines() {
        for text in ["", "a", "\n", "a\nbc\n", "a\r\n\n\nö\nb"] {
            let lines = Lines::of(text);
            for start in 0..text.len() + 2 {
                assert_eq!(
                    lines.place(start, start + 1),
                    Place::of(text, start, start + 1),
                    "{text:?} {start}"
                );
            }
        }
    }
}
