//! Why a result could not be taken.

use std::io;
use std::path::{Path, PathBuf};

use super::receiver::ReceiveError;

/// What is attempted before anything is built, so that a result has a place.
pub const MAKES_ROOM: [&str; 3] = [BESIDE, IN, DIRECTORY];
pub(super) const BESIDE: &str = "create a file beside";
pub(super) const IN: &str = "create a file in";
pub(super) const DIRECTORY: &str = "create a directory for";

/// Why a result could not be taken. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailure {
    /// Something could not be written.
    #[error("{attempt} `{}`", path.display())]
    Write {
        /// What was attempted, for instance `write`.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The stream for the result could not be written to.
    #[error("write the result to the stream it is for")]
    Stream(#[source] io::Error),
    /// The destination is something that a result cannot replace.
    #[error("the result is not written to `{}`: {reason}", path.display())]
    Occupied {
        /// The destination.
        path: PathBuf,
        /// What is there.
        reason: &'static str,
    },
    /// The daemon sent something that no tree can be made of.
    #[error("take the tree that the daemon sends: {0}")]
    Receive(#[from] ReceiveError),
    /// The daemon sent a second result.
    #[error("the daemon sent two results, and there is a place for one")]
    Twice,
    /// The daemon sent no result, or only a part.
    #[error("the daemon sent no complete result")]
    Incomplete,
}

impl ExportFailure {
    /// Whether the same attempt may go better the next time.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Incomplete => true,
            Self::Write { .. } | Self::Stream(_) | Self::Occupied { .. } | Self::Receive(_) | Self::Twice => {
                false
            }
        }
    }

    pub(super) fn write(attempt: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Write { attempt, path: path.to_owned(), source }
    }

    /// The same of what is made under a name of our own invention, which the error tells and nobody knows.
    pub(super) fn without_room(attempt: &'static str, path: &Path, error: &io::Error) -> Self {
        let source = match error.kind() == io::ErrorKind::NotFound {
            true => io::Error::new(error.kind(), "there is no such directory"),
            false => error.kind().into(),
        };
        Self::write(attempt, path, source)
    }

    /// What the daemon is told: not where anything is on this machine.
    pub(super) fn to_status(&self) -> tonic::Status {
        match self {
            Self::Write { attempt, source, .. } => {
                tonic::Status::aborted(format!("the client could not {attempt} the result: {source}"))
            }
            Self::Stream(source) => {
                tonic::Status::aborted(format!("the client could not write the result: {source}"))
            }
            Self::Occupied { reason, .. } => tonic::Status::failed_precondition(format!(
                "the client has no place for the result: {reason}"
            )),
            Self::Receive(error) => tonic::Status::invalid_argument(error.to_string()),
            Self::Twice => tonic::Status::already_exists(self.to_string()),
            Self::Incomplete => tonic::Status::aborted(self.to_string()),
        }
    }
}
