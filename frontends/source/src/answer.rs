//! Facts about a project's files.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_content::Digest;

use crate::place::Place;

/// Longest text of a file that is read for planning, in bytes. The largest lock files in use have
/// some hundred thousand; whoever has more has no text there.
pub const LONGEST_TEXT: u64 = 16 << 20;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A socket, a device, or a link that leads nowhere or out of the project.
    Other,
}

/// The text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// All of it.
    Is(Arc<str>),
    /// There is nothing at this path.
    Absent,
    /// What is there is no file.
    NotAFile(Kind),
    /// It is not UTF-8.
    NotUtf8(NotUtf8),
    /// It is longer than [`LONGEST_TEXT`]; how many bytes it has.
    TooLong(u64),
    /// The machine says why it cannot be read.
    Unreadable(String),
}

/// What is known of bytes that are no UTF-8: where they stop being it, and what stands before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUtf8 {
    /// What stands before the byte, and the sign for it.
    shown: Arc<str>,
}

/// What stands for a byte that is no UTF-8 where people read it.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

impl NotUtf8 {
    /// The text up to the first byte that is none, with a sign in place of it: a finding points at that.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Where the sign stands, and the byte.
    pub fn place(&self) -> Place {
        let start = self.shown.len().saturating_sub(REPLACEMENT.len_utf8());
        Place::of(&self.shown, start, self.shown.len())
    }

    /// The same in words.
    pub fn words(&self) -> String {
        let Place { start, line, .. } = self.place();
        let before = self.shown.get(..start).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("line {line}, column {column}")
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Is(text.into()),
            Err(error) => {
                let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
                // Nothing of it is replaced: it is what can be read.
                let shown = format!("{}{REPLACEMENT}", String::from_utf8_lossy(valid));
                Self::NotUtf8(NotUtf8 { shown: shown.into() })
            }
        }
    }
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// The names, and what stands there.
    Are(BTreeMap<String, Kind>),
    /// There is nothing at this path, or no directory.
    Absent,
    /// The machine says why it cannot be read.
    Unreadable(String),
}

/// The digest of a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestOf {
    /// The digest, and how many bytes they are.
    Is(Digest, u64),
    /// There is nothing at this path, or no file.
    Absent,
    /// The machine says why it cannot be read.
    Unreadable(String),
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Kind`](crate::Question::Kind); `None` where there is nothing.
    Kind(Option<Kind>),
    /// To [`Question::Text`](crate::Question::Text).
    Text(Text),
    /// To [`Question::Names`](crate::Question::Names).
    Names(Names),
    /// To [`Question::Digest`](crate::Question::Digest).
    Digest(DigestOf),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_is_no_utf8_has_a_place() {
        let of = |bytes: &[u8]| {
            let Text::NotUtf8(not) = Text::from(bytes.to_vec()) else { panic!("{bytes:?} is text") };
            (not.words(), not.place(), not.shown().to_owned())
        };
        let place = |start, line| Place { start, length: 3, line };
        assert_eq!(of(b"\xff"), ("line 1, column 1".to_owned(), place(0, 1), "\u{fffd}".to_owned()));
        assert_eq!(
            of("a: 1\r\n# grün ".bytes().chain(*b"\xfc\n\xff").collect::<Vec<_>>().as_slice()),
            ("line 2, column 8".to_owned(), place(14, 2), "a: 1\r\n# grün \u{fffd}".to_owned())
        );
        // A letter that has no end is none.
        assert_eq!(of(b"six\n\xc3").1, place(4, 2));
        assert_eq!(Text::from(b"six\n".to_vec()), Text::Is("six\n".into()));
    }
}
