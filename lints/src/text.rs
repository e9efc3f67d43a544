//! The text of a plan, where a lint points into it or changes it: which bytes a part of a script stands
//! at, where comments are, and where a block begins.

use std::ops::Range;

use cogpack_ir::finding::Place;
use cogpack_ir::plan::Span;

/// The text that a plan was read from.
#[derive(Debug, Clone, Copy)]
pub struct Text<'t>(pub &'t str);

impl<'t> Text<'t> {
    /// Whether it is a `.cpk` text, which can be changed by places; JSON is not.
    pub fn can_be_changed(self) -> bool {
        !self.0.trim_start().starts_with(['{', '['])
    }

    /// What is written at a place.
    pub fn at(self, span: Span) -> &'t str {
        span.range().and_then(|range| self.0.get(range)).unwrap_or_default()
    }

    /// The place of a part of a string: of `part` of its value, which is written at `span`. All of it,
    /// where the string is written in a way that this does not follow.
    pub fn part(self, span: Span, value: &str, part: &Range<usize>) -> Place {
        self.part_of(span, value, part).map_or(span.place(), |range| Some(range.into()))
    }

    fn part_of(self, span: Span, value: &str, part: &Range<usize>) -> Option<Range<usize>> {
        let range = span.range()?;
        if part.is_empty() {
            return None;
        }
        let places = places(self.0.get(range.clone())?, value)?;
        let (first, last) = (*places.get(part.start)?, *places.get(part.end - 1)?);
        let end = range.start + last + written_length(self.0.get(range.start + last..)?)?;
        Some(range.start + first..end)
    }

    /// The offset behind the part of a string that ends at `end` of its value.
    pub fn behind(self, span: Span, value: &str, end: usize) -> Option<usize> {
        let last = value.get(..end)?.char_indices().next_back()?.0;
        Some(self.part_of(span, value, &(last..end))?.end)
    }

    /// The offset of the part of a string that begins at `start` of its value.
    pub fn before(self, span: Span, value: &str, start: usize) -> Option<usize> {
        let first = value.get(start..)?.chars().next()?.len_utf8();
        Some(self.part_of(span, value, &(start..start + first))?.start)
    }

    /// The comments, each from its `#` to the end of its line.
    pub fn comments(self) -> Vec<Range<usize>> {
        let mut comments = Vec::new();
        let mut at = 0;
        while let Some(found) = self.0.get(at..).and_then(|rest| rest.find(['#', '"'])) {
            let start = at + found;
            at = self.passed(start);
            if self.0[start..].starts_with('#') {
                comments.push(start..at);
            }
        }
        comments
    }

    /// The end of the comment or the string that begins at an offset.
    fn passed(self, start: usize) -> usize {
        let rest = &self.0[start..];
        if rest.starts_with('#') {
            return start + rest.find('\n').unwrap_or(rest.len());
        }
        let quotes = if rest.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
        let mut at = start + quotes.len();
        while at < self.0.len() && !self.0[at..].starts_with(quotes) {
            let escapes = self.0[at..].starts_with('\\');
            at += self.0[at..].chars().next().map_or(1, char::len_utf8);
            if escapes {
                at += self.0[at..].chars().next().map_or(0, char::len_utf8);
            }
        }
        (at + quotes.len()).min(self.0.len())
    }

    /// The `{` that follows an offset, with nothing but white space and comments between.
    pub fn block_after(self, offset: usize) -> Option<usize> {
        let mut at = offset;
        loop {
            let rest = self.0.get(at..)?;
            at += rest.len() - rest.trim_start().len();
            match self.0[at..].chars().next()? {
                '{' => return Some(at),
                '#' => at = self.passed(at),
                _ => return None,
            }
        }
    }

    /// The first offset of the line that holds this one.
    pub fn line_start(self, offset: usize) -> usize {
        self.0[..offset.min(self.0.len())].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The offset behind the line that holds this one, its line end included.
    pub fn line_end(self, offset: usize) -> usize {
        let offset = offset.min(self.0.len());
        self.0[offset..].find('\n').map_or(self.0.len(), |newline| offset + newline + 1)
    }

    /// The blanks that the line of an offset begins with.
    pub fn indentation(self, offset: usize) -> &'t str {
        let line = &self.0[self.line_start(offset)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// What goes where something is taken away: its whole line, where it has that for itself, or else it with
    /// the blanks before it, or behind it where it begins the line.
    pub fn without_line(self, gone: Range<usize>) -> Range<usize> {
        let (start, end) = (self.line_start(gone.start), self.line_end(gone.end));
        if self.0[start..gone.start].trim().is_empty() && self.0[gone.end..end].trim().is_empty() {
            return start..end;
        }
        let before = &self.0[start..gone.start];
        match before.trim().is_empty() {
            true => {
                let behind = &self.0[gone.end..];
                gone.start..gone.end + behind.len() - behind.trim_start_matches([' ', '\t']).len()
            }
            false => start + before.trim_end().len()..gone.end,
        }
    }

    /// The line of an offset, counted from 1.
    pub fn line_number(self, offset: usize) -> usize {
        self.0[..offset.min(self.0.len())].matches('\n').count() + 1
    }

    /// Whether nothing but a comment stands between an offset and the end of its line.
    pub fn ends_its_line(self, offset: usize) -> bool {
        let rest = self.0[offset..self.line_end(offset)].trim();
        rest.is_empty() || rest.starts_with('#')
    }
}

/// How long the first letter of a string is, as it is written: `\n` is two bytes.
fn written_length(written: &str) -> Option<usize> {
    let Some(escaped) = written.strip_prefix('\\') else { return Some(written.chars().next()?.len_utf8()) };
    Some(match escaped.starts_with('u') {
        true => written.find('}')? + 1,
        false => 1 + escaped.chars().next()?.len_utf8(),
    })
}

/// Where each byte of `value` stands in the string `written`, its quotes included.
fn places(written: &str, value: &str) -> Option<Vec<usize>> {
    let mut read = Reading { written, value, places: Vec::with_capacity(value.len()) };
    match written.strip_prefix("\"\"\"") {
        Some(inside) => {
            let inside = inside.strip_suffix("\"\"\"")?;
            let first = inside.find('\n')? + 1;
            let (lines, closing) = inside[first..].rsplit_once('\n')?;
            let mut at = 3 + first;
            for (number, line) in lines.split('\n').enumerate() {
                if number > 0 {
                    read.letter('\n', at - 1)?;
                }
                let content = line.strip_suffix('\r').unwrap_or(line);
                // A line that editors took the spaces from has nothing to read.
                if let Some(content) = content.strip_prefix(closing) {
                    read.escaped(at + closing.len(), content)?;
                }
                at += line.len() + 1;
            }
        }
        None => read.escaped(1, written.strip_prefix('"')?.strip_suffix('"')?)?,
    }
    (read.places.len() == value.len()).then_some(read.places)
}

struct Reading<'t> {
    written: &'t str,
    value: &'t str,
    places: Vec<usize>,
}

impl Reading<'_> {
    /// Takes a letter of the value, written at `at`; `None` where the value has another one.
    fn letter(&mut self, letter: char, at: usize) -> Option<()> {
        let rest = self.value.get(self.places.len()..)?;
        rest.starts_with(letter).then(|| self.places.extend(std::iter::repeat_n(at, letter.len_utf8())))
    }

    fn escaped(&mut self, start: usize, inside: &str) -> Option<()> {
        let mut letters = inside.char_indices();
        while let Some((at, letter)) = letters.next() {
            let at = start + at;
            debug_assert!(self.written[at..].starts_with(letter));
            if letter != '\\' {
                self.letter(letter, at)?;
                continue;
            }
            let read = match letters.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits: String = letters
                        .by_ref()
                        .skip(1)
                        .map(|(_, digit)| digit)
                        .take_while(|digit| *digit != '}')
                        .collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                other => other,
            };
            self.letter(read, at)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'t>(text: &'t str, written: &str, value: &str, part: &str) -> &'t str {
        let start = text.find(written).expect("it is there");
        let at = value.find(part).expect("it is a part");
        let span = Span::new(start, start + written.len());
        let place = Text(text).part(span, value, &(at..at + part.len())).expect("has a place");
        &text[place.offset()..place.offset() + place.len()]
    }

    #[test]
    fn a_part_of_a_string_is_found_where_it_is_written() {
        let flat = r#"run "echo \"a\" && pip install é" {"#;
        assert_eq!(
            shown(flat, r#""echo \"a\" && pip install é""#, "echo \"a\" && pip install é", "pip install é"),
            "pip install é"
        );
        let lines = "run \"\"\"\n  a \\\\\n\n    pip install x\n  \"\"\"";
        let written = &lines[4..];
        assert_eq!(shown(lines, written, "a \\\n\n  pip install x", "pip install x"), "pip install x");
        assert_eq!(shown(lines, written, "another text", "other"), written);
    }

    #[test]
    fn what_is_put_behind_a_letter_stands_behind_all_that_is_written_of_it() {
        let text = r#"run "get \"a\" \u{e9}""#;
        let (span, value) = (Span::new(4, text.len()), "get \"a\" é");
        let rest = |end: usize| &text[Text(text).behind(span, value, end).expect("has a place")..];
        assert_eq!(rest("get".len()), r#" \"a\" \u{e9}""#);
        assert_eq!(rest("get \"a\"".len()), r#" \u{e9}""#);
        assert_eq!(rest(value.len()), "\"");
        let start = Text(text).before(span, value, 4).expect("has a place");
        assert!(text[start..].starts_with(r#"\"a"#));
        let lines = "run \"\"\"\r\n  a b\r\n  c\r\n  \"\"\"";
        let behind = Text(lines).behind(Span::new(4, lines.len()), "a b\nc", 3).expect("has a place");
        assert_eq!(&lines[behind..], "\r\n  c\r\n  \"\"\"");
    }

    #[test]
    fn comments_are_no_parts_of_strings() {
        let text = "a \"# no\" # yes\nb \"\"\"\n # no \"\n\"\"\" # and\n\"\\\"#\"#";
        let comments: Vec<&str> = Text(text).comments().into_iter().map(|range| &text[range]).collect();
        assert_eq!(comments, ["# yes", "# and", "#"]);
        assert_eq!(Text("x # {\n {").block_after(1), Some(7));
        assert_eq!(Text("x # {\n y {").block_after(1), None);
    }
}
