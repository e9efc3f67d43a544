//! Text of strangers made fit for a line of a terminal: without anything that would move a
//! cursor, and no wider than it may be.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// How far apart tabs are.
const TAB: usize = 8;

/// One line of a program's output as it may be shown: escape sequences are left out, what a
/// carriage return overwrites too, and every other control character is written as its number.
/// Characters that turn the direction of reading count as control characters, since they can
/// make a line read as something else.
pub fn printable(line: &str) -> String {
    let shown = line.trim_end_matches('\r');
    let shown = shown.rsplit('\r').next().unwrap_or_default();
    let mut text = String::with_capacity(shown.len());
    let mut column = 0;
    let mut characters = shown.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            // The one-character form of the opening of a sequence.
            '\u{9b}' => skip_parameters(&mut characters),
            '\t' => {
                let spaces = TAB - column % TAB;
                text.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\u{8}' => {
                text.pop();
                column = column.saturating_sub(1);
            }
            hidden if is_hidden(hidden) => {
                let number = format!("\\u{{{:x}}}", u32::from(hidden));
                column += number.len();
                text.push_str(&number);
            }
            plain => {
                column += plain.width().unwrap_or_default();
                text.push(plain);
            }
        }
    }
    text
}

/// A text of several lines in one.
pub fn one_line(text: &str) -> String {
    let lines: Vec<String> =
        text.lines().map(|line| printable(line.trim())).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// A text of which no character hides itself or others, as long as it was in bytes: places in it
/// stay what they are. Line breaks and tabs are kept.
pub fn plain(text: &str) -> Cow<'_, str> {
    let hides = |character: char| is_hidden(character) && !matches!(character, '\n' | '\r' | '\t');
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if hides(character) {
            plain.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

/// Skips the rest of an escape sequence (ECMA-48): a control sequence ends with a letter, a
/// string with its terminator, and all others are short.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => skip_parameters(characters),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = characters.next() {
                match character {
                    '\u{7}' | '\u{9c}' => return,
                    '\u{1b}' => {
                        characters.next_if_eq(&'\\');
                        return;
                    }
                    _ => {}
                }
            }
        }
        Some(' '..='/') => {
            while characters.next_if(|character| (' '..='/').contains(character)).is_some() {}
            characters.next();
        }
        Some(_) | None => {}
    }
}

fn skip_parameters(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while characters.next_if(|character| (' '..='?').contains(character)).is_some() {}
    characters.next_if(|character| ('@'..='~').contains(character));
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How many columns `text` takes.
pub fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or_default()).sum()
}

/// As much of `text` as fits into so many columns, with `…` where something is left out.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |character: &char| {
        let wide = character.width().unwrap_or_default();
        let fits = wide <= left;
        left = left.saturating_sub(if fits { wide } else { left });
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// `left`, then `right` at the end of a line of so many columns; `left` is cut where both do not
/// fit, and `right` goes first where there is no room for it at all.
pub fn justified(left: &str, right: &str, columns: usize) -> String {
    let wide = width(right);
    if right.is_empty() || wide + LEAST > columns {
        return cut(left, columns);
    }
    let left = cut(left, columns - wide - 1);
    let gap = columns - wide - width(&left);
    format!("{left}{}{right}", " ".repeat(gap))
}

/// Fewer columns than these are better spent on the left text alone.
const LEAST: usize = 8;

/// So many bytes, in the unit that people read them in.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut unit = 0;
    // Tenths, so that no rounding of halves depends on floats.
    let mut tenths = count / 100;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    match tenths {
        0..1000 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", tenths / 10, UNITS[unit]),
    }
}

/// A time span as people read it.
pub fn seconds(time: std::time::Duration) -> String {
    let tenths = time.as_millis() / 100;
    let whole = tenths / 10;
    match whole {
        0..60 => format!("{whole}.{}s", tenths % 10),
        60..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{}h{:02}m", whole / 3600, whole / 60 % 60),
    }
}

/// `1 file`, `2 files`.
pub fn counted(number: u64, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        _ => format!("{} {word}s", grouped(number)),
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_is_left() {
        for (raw, shown) in [
            ("plain", "plain"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(Bascii", "ascii"),
            ("\u{9b}2Jclear", "clear"),
            ("\u{1b}[2J\u{1b}[Hhome", "home"),
            ("10%\r20%\r30%", "30%"),
            ("line\r", "line"),
            ("a\tb", "a       b"),
            ("ab\u{8}c", "ac"),
            ("bell\u{7}", "bell\\u{7}"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}]never ends", ""),
        ] {
            assert_eq!(printable(raw), shown, "{raw:?}");
        }
    }

    #[test]
    fn lines_are_cut_at_their_width_and_not_at_their_length() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 1), "…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(justified("name", "1.0s", 12), "name    1.0s");
        assert_eq!(justified("long name", "1.0s", 12), "long n… 1.0s");
        assert_eq!(justified("name", "1.0s", 10), "name");
        for columns in 0..40 {
            assert!(width(&justified("日本語 and more text", "12.3s", columns)) <= columns);
        }
    }

    #[test]
    fn quantities_read_as_people_write_them() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345, "12.3 kB"),
            (123_456, "123 kB"),
            (999_999, "999 kB"),
            (1_000_000, "1.0 MB"),
            (3_210_000_000, "3.2 GB"),
            (u64::MAX, "18446 PB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(seconds(Duration::from_millis(1260)), "1.2s");
        assert_eq!(seconds(Duration::from_secs(75)), "1m15s");
        assert_eq!(seconds(Duration::from_secs(3700)), "1h01m");
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(1_234_567, "file"), "1,234,567 files");
    }
}
