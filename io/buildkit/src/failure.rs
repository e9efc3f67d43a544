//! What can go wrong between us and a daemon.

use std::io;
use std::path::PathBuf;

use tonic::{Code, Status};

use crate::address::Address;
use crate::details::Details;

/// Why something that was asked of a daemon did not come to pass.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There was no way to the daemon.
    #[error("connect to {address}: {obstacle}")]
    Unreachable {
        /// Where it was looked for.
        address: Box<Address>,
        /// What was in the way.
        #[source]
        obstacle: Obstacle,
    },
    /// Something answers there, and it does not build.
    #[error("no BuildKit answers at {address}: {found}")]
    NotBuildKit {
        /// Where.
        address: Box<Address>,
        /// What answers.
        found: String,
        /// A way out.
        help: &'static str,
    },
    /// The daemon will not do what it was asked.
    #[error("{attempted}: {message}")]
    Refused {
        /// What it was asked.
        attempted: String,
        /// What it says.
        message: String,
    },
    /// The daemon began to build, and the build failed.
    #[error("{0}")]
    Build(Box<BuildFailure>),
    /// The daemon went away, or ceased to answer.
    #[error("lost the daemon at {address} while it was asked to {attempted}: {reason}")]
    Lost {
        /// Where it was.
        address: Box<Address>,
        /// What it was asked.
        attempted: String,
        /// How we know.
        reason: String,
    },
    /// We were asked to stop.
    #[error("the build was cancelled")]
    Cancelled,
    /// We were asked to stop, and the daemon did not say that it did.
    #[error("the build was cancelled, and the daemon has not said that it ended it")]
    Unanswered,
    /// What was looked into before the build was not accepted.
    #[error("the build was not begun, for what was found before it")]
    Declined,
    /// What was to be sent can be sent to no daemon.
    #[error("nothing was sent to the daemon: {reason}")]
    Unsendable {
        /// Why not.
        reason: String,
    },
}

/// What can be in the way to a daemon.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    /// The socket is not there.
    #[error("there is no such socket")]
    NoSocket,
    /// The socket may not be used.
    #[error("this user may not use the socket")]
    NotAllowed,
    /// Nobody listens.
    #[error("nobody listens there")]
    NobodyListens,
    /// The host's name leads nowhere.
    #[error("the name of the host is not known: {0}")]
    UnknownHost(io::Error),
    /// Whoever is there does not answer.
    #[error("no answer within {seconds} s")]
    NoAnswer {
        /// For how long was waited.
        seconds: u64,
    },
    /// A file that encryption needs cannot be used.
    #[error("use `{}` for encryption: {reason}", path.display())]
    UnusableFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No encrypted connection came to be.
    #[error("agree on encryption: {0}")]
    Encryption(io::Error),
    /// Anything else that the system reports.
    #[error("{0}")]
    System(io::Error),
}

/// A build that failed on the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
#[error("{message}")]
pub struct BuildFailure {
    /// What the daemon says.
    pub message: String,
    /// The digest of the vertex that failed, where it is known.
    pub vertex: Option<String>,
    /// The exit code of the program that failed, where one did.
    pub exit_code: Option<i32>,
    /// What the daemon tells of the definition's sources: the guilty lines.
    pub lines: Vec<GuiltyLines>,
}

/// Lines of a source that the definition came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuiltyLines {
    /// The file's name, as the definition gave it.
    pub file: String,
    /// The first and the last line of each place, counted from 1.
    pub ranges: Vec<(u32, u32)>,
}

impl Failure {
    /// Whether the same might succeed at another time, with nothing changed here.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { obstacle, address: _ } => match obstacle {
                Obstacle::NobodyListens
                | Obstacle::NoSocket
                | Obstacle::NoAnswer { .. }
                | Obstacle::UnknownHost(_)
                | Obstacle::System(_) => true,
                Obstacle::NotAllowed | Obstacle::UnusableFile { .. } | Obstacle::Encryption(_) => false,
            },
            Self::Lost { .. } => true,
            Self::NotBuildKit { .. }
            | Self::Refused { .. }
            | Self::Build(_)
            | Self::Cancelled
            | Self::Unanswered
            | Self::Declined
            | Self::Unsendable { .. } => false,
        }
    }

    /// A way out, where one can be told.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { obstacle, address } => obstacle.help(address),
            Self::NotBuildKit { help, .. } => Some(help),
            Self::Lost { .. } => Some("look into the daemon's log for why it ended, and build again"),
            Self::Refused { .. }
            | Self::Build(_)
            | Self::Cancelled
            | Self::Unanswered
            | Self::Declined
            | Self::Unsendable { .. } => None,
        }
    }

    /// What a call that failed means, outside of any build.
    pub(crate) fn of_status(status: &Status, attempted: &str, address: &Address) -> Self {
        match lost(status) {
            Some(reason) => {
                Self::Lost { address: Box::new(address.clone()), attempted: attempted.to_owned(), reason }
            }
            None => Self::Refused { attempted: attempted.to_owned(), message: status.message().to_owned() },
        }
    }

    /// What a call that failed means, while a build was running.
    pub(crate) fn of_build(status: &Status, attempted: &str, address: &Address) -> Self {
        match lost(status).or_else(|| stopped(status)) {
            Some(reason) => {
                Self::Lost { address: Box::new(address.clone()), attempted: attempted.to_owned(), reason }
            }
            None => Self::Build(Box::new(Details::of(status).into_failure(status.message()))),
        }
    }
}

impl Obstacle {
    fn help(&self, address: &Address) -> Option<&'static str> {
        match self {
            Self::NoSocket => match address {
                Address::Daemon(_) => Some("start `buildkitd`, or say with `BUILDKIT_HOST` where it listens"),
                Address::Engine(_) | Address::Container { .. } => {
                    Some("start Docker, or say with `DOCKER_HOST` where it listens")
                }
            },
            Self::NotAllowed => Some(
                "become a member of the group that the socket belongs to, often `docker`, and log in again",
            ),
            Self::NobodyListens => Some("start the daemon: only its socket or its port is left"),
            Self::UnknownHost(_) => Some("check the spelling of the host"),
            Self::NoAnswer { .. } => {
                Some("check that the daemon runs, and that nothing on the way keeps packets")
            }
            Self::UnusableFile { .. } => Some("give a file in PEM that this user may read"),
            Self::Encryption(_) => Some(
                "check that the daemon's certificate bears the host's name and comes from the given authority, and \
                 that the daemon trusts ours",
            ),
            Self::System(_) => None,
        }
    }

    /// What an error of the system means when it meets us on the way to a daemon.
    pub(crate) fn of_system(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::NoSocket
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            Self::NotAllowed
        } else if error.kind() == io::ErrorKind::ConnectionRefused {
            Self::NobodyListens
        } else {
            Self::System(error)
        }
    }
}

/// How a call failed without any answer of the daemon's: only what this side's own layers report has
/// a cause below it.
fn lost(status: &Status) -> Option<String> {
    let mut cause: &dyn std::error::Error = std::error::Error::source(status)?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}

/// How a build ended that the daemon itself has stopped, which it does when it is told to end. What
/// we have stopped is never asked about.
fn stopped(status: &Status) -> Option<String> {
    let is_stopped = status.code() == Code::Cancelled || status.message().ends_with("context canceled");
    is_stopped.then(|| format!("it stopped the build: {}", status.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Endpoint;

    #[test]
    fn what_the_system_says_is_told_in_our_words() {
        let address = Address::Engine(Endpoint::of_local_engine());
        for (kind, words, retryable, help) in [
            (io::ErrorKind::NotFound, "there is no such socket", true, "DOCKER_HOST"),
            (io::ErrorKind::PermissionDenied, "this user may not use the socket", false, "group"),
            (io::ErrorKind::ConnectionRefused, "nobody listens there", true, "start the daemon"),
        ] {
            let obstacle = Obstacle::of_system(kind.into());
            let failure = Failure::Unreachable { address: Box::new(address.clone()), obstacle };
            assert_eq!(failure.to_string(), format!("connect to unix:///var/run/docker.sock: {words}"));
            assert_eq!(failure.is_retryable(), retryable, "{failure}");
            assert!(failure.help().is_some_and(|text| text.contains(help)), "{:?}", failure.help());
        }
    }

    #[test]
    fn a_build_that_the_daemon_stopped_did_not_fail() {
        let address = Address::Engine(Endpoint::of_local_engine());
        for status in [Status::cancelled("ended"), Status::unknown("failed to solve: context canceled")] {
            let failure = Failure::of_build(&status, "build", &address);
            assert!(matches!(failure, Failure::Lost { .. }), "{failure:?}");
        }
        let failure = Failure::of_build(&Status::unknown("exit code: 1"), "build", &address);
        assert!(matches!(failure, Failure::Build(_)), "{failure:?}");
    }
}
