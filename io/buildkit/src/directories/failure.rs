//! Why a directory could not be sent.
//!
//! Paths are those below the directory: where it is on this machine is nothing that a daemon, or
//! a log on it, should learn.

use std::fmt;
use std::io;

use cogpack_io_project::pattern_list::InvalidPattern;

use super::sender::ProtocolError;

/// Why a directory could not be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DirectoryFailure {
    /// The daemon asked for a directory that this build does not offer.
    #[error("the daemon asked for the directory `{asked}`, and this build offers {}", list(.offered))]
    Unknown {
        /// What it asked for.
        asked: String,
        /// What there is.
        offered: Vec<String>,
    },
    /// The daemon's request cannot be understood.
    #[error("the daemon asked for a directory, but `{key}` in its request {reason}")]
    Request {
        /// The key of the request's metadata.
        key: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// One of the daemon's patterns is none.
    #[error("the daemon asked for a part of the directory `{directory}` by `{pattern}`: {reason}")]
    Pattern {
        /// The directory's name.
        directory: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: InvalidPattern,
    },
    /// Something in it could not be looked at or read.
    #[error("{attempt} `{path}` of the directory `{directory}`: {reason}")]
    Read {
        /// The directory's name.
        directory: String,
        /// What was attempted, for instance `list`.
        attempt: &'static str,
        /// On what, below the directory.
        path: String,
        /// The kind of trouble.
        kind: io::ErrorKind,
        /// What happened.
        reason: String,
    },
    /// A file is not what it was when the daemon was told of it.
    #[error("`{path}` of the directory `{directory}` {change} while the directory was sent")]
    Changed {
        /// The directory's name.
        directory: String,
        /// The file, below the directory.
        path: String,
        /// What became of it.
        change: Change,
    },
    /// Something that cannot be sent.
    #[error("`{path}` of the directory `{directory}` cannot be sent: {reason}")]
    Unsendable {
        /// The directory's name.
        directory: String,
        /// Where it is, below the directory.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The daemon did something out of order.
    #[error("send the directory `{directory}`: {reason}")]
    Protocol {
        /// The directory's name.
        directory: String,
        /// What it did.
        reason: ProtocolError,
    },
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is not there any more.
    Vanished,
    /// Something else has its name.
    Replaced,
    /// It has fewer bytes than it had.
    Shrank,
    /// It has more bytes than it had.
    Grew,
    /// It has as many bytes, and was written to.
    Rewritten,
}

impl DirectoryFailure {
    /// Whether the same attempt may go better the next time.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Changed { .. } => true,
            Self::Read { kind, .. } => *kind == io::ErrorKind::Interrupted,
            Self::Unknown { .. }
            | Self::Request { .. }
            | Self::Pattern { .. }
            | Self::Unsendable { .. }
            | Self::Protocol { .. } => false,
        }
    }

    /// Something in `directory` that could not be looked at or read.
    pub(super) fn read(directory: &str, attempt: &'static str, path: &[u8], error: &io::Error) -> Self {
        Self::Read {
            directory: directory.to_owned(),
            attempt,
            path: shown(path),
            kind: error.kind(),
            reason: error.to_string(),
        }
    }

    /// The same failure as the daemon is told of it.
    pub(super) fn to_status(&self) -> tonic::Status {
        let message = self.to_string();
        match self {
            Self::Unknown { .. } => tonic::Status::not_found(message),
            Self::Request { .. } | Self::Pattern { .. } => tonic::Status::invalid_argument(message),
            Self::Read { .. } | Self::Changed { .. } | Self::Unsendable { .. } => {
                tonic::Status::failed_precondition(message)
            }
            Self::Protocol { .. } => tonic::Status::internal(message),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Vanished => "vanished",
            Self::Replaced => "was replaced by something that is no file",
            Self::Shrank => "shrank",
            Self::Grew => "grew",
            Self::Rewritten => "was written to",
        })
    }
}

/// A path for a message; bytes that are no text are escaped.
pub(super) fn shown(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok("") => ".".to_owned(),
        Ok(path) => path.to_owned(),
        Err(_) => path.escape_ascii().to_string(),
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        _ => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
