//! Facts about a project's files.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_content::Digest;

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
    /// It is not UTF-8; the first byte that is not.
    NotUtf8(usize),
    /// It is longer than [`LONGEST_TEXT`]; how many bytes it has.
    TooLong(u64),
    /// The machine says why it cannot be read.
    Unreadable(String),
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
