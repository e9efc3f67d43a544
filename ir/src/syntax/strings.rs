//! Strings: from the text between quotes to what it stands for, and back.
//!
//! `"…"` stands on one line. `"""` begins a text of several lines, which starts on the next line
//! and ends before the line of the closing `"""`; that line's indentation is taken from every
//! line. The same escapes hold in both, and are read after the indentation is gone.

use std::borrow::Cow;

use super::findings::SyntaxFinding;
use super::report::Report;
use crate::plan::Span;

/// Reads a string with its quotes, which stands at `at` in the text. What is wrong with it goes to
/// `findings`; what can be read is returned all the same.
pub(super) fn read<'t>(written: &'t str, at: usize, findings: &mut Report) -> Cow<'t, str> {
    if let Some(inside) = written.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")) {
        return Cow::Owned(read_lines(inside, at + 3, findings));
    }
    let inside = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(written);
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let mut value = String::with_capacity(inside.len());
    unescape(inside, at + 1, &mut value, findings);
    Cow::Owned(value)
}

/// Reads what stands between two `"""`.
fn read_lines(inside: &str, at: usize, findings: &mut Report) -> String {
    let mut value = String::with_capacity(inside.len());
    let is_blank = |line: &str| line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let Some((opening, body)) = inside.split_once('\n').filter(|(opening, _)| is_blank(opening)) else {
        findings.push(SyntaxFinding::Layout {
            reason: "a text between `\"\"\"` begins on the opening line",
            help: "begin it on the line after, or use `\"…\"` for a text of one line",
            at: first_line(inside, at),
        });
        unescape(inside, at, &mut value, findings);
        return value;
    };
    let mut at = at + opening.len() + 1;
    let (lines, closing) = body.rsplit_once('\n').unwrap_or(("", body));
    let indentation = &closing[..closing.len() - closing.trim_start_matches([' ', '\t']).len()];
    if indentation.len() < closing.len() {
        findings.push(SyntaxFinding::Layout {
            reason: "the closing `\"\"\"` stands behind text",
            help: "put it on a line of its own: it ends the text, and its indentation is what every line loses",
            at: first_line(closing, at + body.len() - closing.len()),
        });
        unescape(body, at, &mut value, findings);
        return value;
    }
    if body.len() == closing.len() {
        return value;
    }
    for (number, line) in lines.split('\n').enumerate() {
        if number > 0 {
            value.push('\n');
        }
        let content = line.strip_suffix('\r').unwrap_or(line);
        match content.strip_prefix(indentation) {
            Some(content) => unescape(content, at + indentation.len(), &mut value, findings),
            // Editors take the spaces from empty lines; nothing is lost with them.
            None if is_blank(content) => {}
            None => {
                findings.push(SyntaxFinding::Layout {
                    reason: "a line is indented less than the closing `\"\"\"`, or otherwise",
                    help: "indent every line at least as the closing line, with the same characters",
                    at: first_line(content, at),
                });
                unescape(content, at, &mut value, findings);
            }
        }
        at += line.len() + 1;
    }
    value
}

fn first_line(text: &str, at: usize) -> miette::SourceSpan {
    let line = text.split('\n').next().unwrap_or(text).trim_end();
    let skipped = line.len() - line.trim_start().len();
    Span::new(at + skipped, at + line.len().max(skipped)).into()
}

/// Puts `text` into `value` with its escapes read.
fn unescape(text: &str, at: usize, value: &mut String, findings: &mut Report) {
    let mut rest = text;
    while let Some(backslash) = rest.find('\\') {
        value.push_str(&rest[..backslash]);
        let start = at + text.len() - rest.len() + backslash;
        let after = &rest[backslash + 1..];
        let mut characters = after.chars();
        let (read, length) = match characters.next() {
            Some('"') => (Some('"'), 1),
            Some('\\') => (Some('\\'), 1),
            Some('n') => (Some('\n'), 1),
            Some('r') => (Some('\r'), 1),
            Some('t') => (Some('\t'), 1),
            Some('u') => match read_code(characters.as_str()) {
                Ok((read, length)) => (Some(read), 1 + length),
                Err(length) => (None, 1 + length),
            },
            Some(other) => (None, other.len_utf8()),
            None => (None, 0),
        };
        match read {
            Some(read) => value.push(read),
            None => findings.push(SyntaxFinding::Escape {
                escape: rest[backslash..backslash + 1 + length]
                    .escape_debug()
                    .to_string()
                    .replace("\\\\", "\\"),
                at: Span::new(start, start + 1 + length).into(),
            }),
        }
        rest = &after[length..];
    }
    value.push_str(rest);
}

/// Reads `{HEX}`, one to six digits of a Unicode scalar value. The length is that of what was read,
/// or of what is wrong.
fn read_code(text: &str) -> Result<(char, usize), usize> {
    let Some(digits) = text.strip_prefix('{') else { return Err(0) };
    let length = digits.bytes().take(7).take_while(u8::is_ascii_hexdigit).count();
    if !(1..=6).contains(&length) || !digits[length..].starts_with('}') {
        return Err(1 + length);
    }
    let code = u32::from_str_radix(&digits[..length], 16).ok().and_then(char::from_u32);
    code.map(|code| (code, length + 2)).ok_or(length + 2)
}

/// Writes `value` as a string, canonically. A text of several lines is indented by `indent`; one
/// line with its end is one line still.
pub(super) fn write(value: &str, indent: usize, out: &mut String) {
    if !value.strip_suffix('\n').unwrap_or(value).contains('\n') {
        return write_flat(value, out);
    }
    out.push_str("\"\"\"\n");
    for line in value.split('\n') {
        if !line.is_empty() {
            push_spaces(indent, out);
        }
        let kept = line.trim_end_matches(' ');
        escape(kept, Quotes::Three, out);
        // A space that nobody sees is a space that an editor takes away.
        for _ in kept.len()..line.len() {
            out.push_str("\\u{20}");
        }
        out.push('\n');
    }
    push_spaces(indent, out);
    out.push_str("\"\"\"");
}

/// Writes `value` as a string on one line.
pub(super) fn write_flat(value: &str, out: &mut String) {
    out.push('"');
    escape(value, Quotes::One, out);
    out.push('"');
}

/// Writes `count` spaces.
pub(super) fn push_spaces(count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    One,
    Three,
}

fn escape(text: &str, quotes: Quotes, out: &mut String) {
    let needs_care = |byte: u8| !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\';
    if !text.bytes().any(needs_care) {
        out.push_str(text);
        return;
    }
    // How many quotes stand directly before, since the last one that was escaped counted as none.
    let mut run = 0;
    let bytes = text.as_bytes();
    for (at, letter) in text.char_indices() {
        if letter != '"' {
            run = 0;
        }
        match letter {
            '"' if quotes == Quotes::One => out.push_str("\\\""),
            '"' => {
                if run % 3 == 0 && (run > 0 || bytes[at..].starts_with(b"\"\"\"")) {
                    out.push('\\');
                }
                out.push('"');
                run += 1;
            }
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hidden(letter) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
}

/// Whether a letter would not be seen in a terminal, or would change what is seen around it. A string
/// writes such a letter as its number, and so does whatever shows a part of a plan to people.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control() || is_invisible(letter)
}

/// Letters that cannot be seen and change what is seen around them: line separators, marks of
/// direction, joiners and the byte order mark. A plan that a person reviews must not hide them.
pub(super) fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(written: &str) -> (String, usize) {
        let mut findings = Report::default();
        let value = read(written, 0, &mut findings).into_owned();
        (value, findings.len())
    }

    fn written(value: &str) -> String {
        let mut out = String::new();
        write(value, 2, &mut out);
        out
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(reading(r#""a\"\\\n\r\t\u{41}\u{10ffff}""#), ("a\"\\\n\r\tA\u{10ffff}".to_owned(), 0));
        for wrong in [r#""\x""#, r#""\u{}""#, r#""\u{d800}""#, r#""\u{1234567}""#, r#""\u41""#, r#""\é""#] {
            assert_eq!(reading(wrong).1, 1, "{wrong}");
        }
    }

    #[test]
    fn the_closing_line_says_how_much_indentation_goes() {
        assert_eq!(reading("\"\"\"\n    a\n      b\n\n   \n    \"\"\""), ("a\n  b\n\n".to_owned(), 0));
        assert_eq!(reading("\"\"\"  \n\"\"\""), (String::new(), 0));
        assert_eq!(reading("\"\"\"\n\n\"\"\""), (String::new(), 0));
        assert_eq!(reading("\"\"\"\r\n  a\r\n  b\r\n  \"\"\""), ("a\nb".to_owned(), 0));
        assert_eq!(reading("\"\"\"\n  \\\"\"\"\\t\n  \"\"\""), ("\"\"\"\t".to_owned(), 0));
    }

    #[test]
    fn texts_that_are_laid_out_wrongly_are_reported() {
        for wrong in [
            "\"\"\"a\"\"\"",
            "\"\"\"a\n\"\"\"",
            "\"\"\"\na\"\"\"",
            "\"\"\"\na\n  \"\"\"",
            "\"\"\"\n\ta\n  \"\"\"",
        ] {
            assert_eq!(reading(wrong).1, 1, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for value in [
            "",
            "a",
            "\n",
            "a\n",
            "\na",
            "a \n b\t\n",
            "\"",
            "\"\"\"",
            "\"\"\"\"\n\"\"\"\"\"\"\"",
            "\"\"\n\"",
            "\\\n\\",
            "\r\n\r",
            "\0\u{7f}\u{85}\n\u{202e}\u{feff}",
            "é\n\u{1f600}",
            "  a\n b",
            " \n",
            "\\\"\"\"\n",
        ] {
            assert_eq!(reading(&written(value)), (value.to_owned(), 0), "{}", written(value));
        }
    }

    #[test]
    fn several_lines_stand_between_three_quotes() {
        assert_eq!(written("a\n\"\"\"\"\n b \n"), "\"\"\"\n  a\n  \\\"\"\"\\\"\n   b\\u{20}\n\n  \"\"\"");
        assert_eq!(written("\"\t\u{1}"), "\"\\\"\\t\\u{1}\"");
    }
}
