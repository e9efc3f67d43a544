//! A plan's text with its lines counted once, for reports of many findings.
//!
//! miette looks for the line of a finding from the start of the text, every time. Here it gets
//! only what stands from a few lines before on, and is told how many lines came before that.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// The bytes of the longest line that is shown to people: longer ones were written by programs, and
/// miette has no room for a label beyond the 65,535th column.
const LONGEST: usize = 2_000;
/// How many lines are shown before and after those of a label.
pub const SHOWN_AROUND: usize = 1;

/// A text and where its lines start.
#[derive(Debug)]
pub struct SourceText<'t> {
    name: &'t str,
    text: &'t str,
    /// The offset of each line, the first one's too.
    lines: Vec<usize>,
    /// Where carriage returns stand alone. miette counts lines by these as well.
    returns: Vec<usize>,
}

/// A place in a text, for people: counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl<'t> SourceText<'t> {
    /// `text`, called `name` in messages.
    pub fn new(name: &'t str, text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let after_newline = text.match_indices('\n').map(|(newline, _)| newline + 1);
        let lines = std::iter::once(0).chain(after_newline).collect();
        let alone = |place: &usize| bytes.get(place + 1) != Some(&b'\n');
        let returns = text.match_indices('\r').map(|(place, _)| place).filter(alone).collect();
        Self { name, text, lines, returns }
    }

    /// What it is called in messages.
    pub fn name(&self) -> &'t str {
        self.name
    }

    /// The place at an offset; of one that is not in the text, the end.
    pub fn place(&self, offset: usize) -> Place {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line = self.line(before.len());
        let column = before[self.lines[line]..].chars().count() + 1;
        Place { line: line + 1, column }
    }

    /// Whether a line is too long to be shown, of those around what begins and ends at these offsets.
    pub fn is_too_long_around(&self, start: usize, end: usize) -> bool {
        let first = self.line(start).saturating_sub(SHOWN_AROUND);
        let last = self.line(end) + SHOWN_AROUND;
        (first..=last).any(|line| {
            let Some(start) = self.lines.get(line) else { return false };
            let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
            end - start > LONGEST
        })
    }

    /// The number, from 0, of the line with this offset.
    fn line(&self, offset: usize) -> usize {
        // The first line starts at 0, so there is always one.
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }
}

impl SourceCode for SourceText<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        if span.offset() > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        // One line more, because miette reads an empty span from the byte before it.
        let first = self.line(span.offset()).saturating_sub(lines_before + 1);
        let start = self.lines[first];
        let passed = first + self.returns.partition_point(|place| *place < start);
        let local = SourceSpan::new((span.offset() - start).into(), span.len());
        let read = self.text.as_bytes()[start..].read_span(&local, lines_before, lines_after)?;
        let (at, length) = (read.span().offset() + start, read.span().len());
        // miette counts the bytes before it.
        let column = characters(self.text, at - read.column(), at);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_owned(),
            &self.text.as_bytes()[at..at + length],
            SourceSpan::new(at.into(), length),
            passed + read.line(),
            column,
            passed + read.line_count(),
        )))
    }
}

/// How many characters begin between two offsets.
fn characters(text: &str, from: usize, to: usize) -> usize {
    text[text.floor_char_boundary(from)..text.floor_char_boundary(to)].chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 7] = [
        "",
        "one",
        "one\ntwo\nthree\nfour\n",
        "\n\n\nx\n\n",
        "ä\nöü\n",
        "one\r\ntwo\r\nthree\r\n",
        "a\rb\nc\rd\r\n\re\nf",
    ];

    #[test]
    fn every_span_reads_as_from_the_whole_text() {
        let shown = |text: &str, read: Result<Box<dyn SpanContents<'_> + '_>, MietteError>| {
            let read = read.ok()?;
            // Whose columns count bytes where ours count characters.
            let column = match read.name() {
                Some(_) => read.column(),
                None => characters(text, read.span().offset() - read.column(), read.span().offset()),
            };
            Some((read.data().to_vec(), *read.span(), read.line(), column, read.line_count()))
        };
        for text in TEXTS {
            let source = SourceText::new("plan.cpk", text);
            for start in 0..=text.len() {
                for length in 0..=text.len() - start {
                    let span = SourceSpan::new(start.into(), length);
                    for around in [0, 1, 3] {
                        let expected = shown(text, text.read_span(&span, around, around));
                        let read = shown(text, source.read_span(&span, around, around));
                        assert_eq!(read, expected, "{text:?} {span:?} {around}");
                    }
                }
            }
        }
    }

    #[test]
    fn places_are_those_that_counting_finds() {
        for text in TEXTS {
            let source = SourceText::new("plan.cpk", text);
            for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                let before = &text[..offset];
                let column = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
                let place = Place { line: before.matches('\n').count() + 1, column };
                assert_eq!(source.place(offset), place, "{text:?} {offset}");
            }
        }
    }
}
