//! Why nothing came from a registry.

use std::io;
use std::path::PathBuf;

use cogpack_content::Digest;
use cogpack_io_buildkit::auth::LoginError;

/// Why nothing came from a registry. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It answers, and does not give what was asked for.
    #[error("{attempted}: the registry at {from} answers {status}{}", after_a_colon(.said))]
    Refused {
        /// What was attempted.
        attempted: String,
        /// The host that answered.
        from: String,
        /// The HTTP status.
        status: u16,
        /// What it says, or nothing.
        said: String,
    },
    /// It has nothing of the digest that was asked for.
    #[error("{attempted}: the registry at {from} has nothing of this digest{}", after_a_colon(.said))]
    NoDigest {
        /// What was attempted.
        attempted: String,
        /// The host that answered.
        from: String,
        /// What it says, or nothing.
        said: String,
    },
    /// No answer, or none to its end.
    #[error("{attempted}: nothing came from the registry at {from}")]
    Transport {
        /// What was attempted.
        attempted: String,
        /// The host that was asked.
        from: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// What it answers is none of the answers that registries give.
    #[error("{attempted}: the registry at {from} {reason}")]
    Nonsense {
        /// What was attempted.
        attempted: String,
        /// The host that answered.
        from: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes are not those that were asked for.
    #[error("{attempted}: the bytes that came from {from} have the digest {found}, and not {expected}")]
    Digest {
        /// What was attempted.
        attempted: String,
        /// The host that sent them.
        from: String,
        /// The digest that was asked for.
        expected: Digest,
        /// What they hash to.
        found: Digest,
    },
    /// There is no login.
    #[error("{attempted}: there is no login for the registry {registry}")]
    Login {
        /// What was attempted.
        attempted: String,
        /// The registry.
        registry: String,
        /// Why not.
        #[source]
        source: LoginError,
    },
    /// What comes cannot be written.
    #[error("{attempted}: write `{}`", path.display())]
    Disk {
        /// What was attempted.
        attempted: String,
        /// Where it goes.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// We were asked to stop.
    #[error("{attempted}: cancelled")]
    Cancelled {
        /// What was attempted.
        attempted: String,
    },
}

impl RegistryError {
    /// Whether the same might succeed in a moment, with nothing changed here.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Transport { .. } => true,
            Self::NoDigest { .. }
            | Self::Nonsense { .. }
            | Self::Digest { .. }
            | Self::Login { .. }
            | Self::Disk { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    /// A way out, where one can be told.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Refused { status: 401 | 403, from, .. } => Some(format!(
                "`docker login {from}` logs in; where that has been done, the account may not read this image"
            )),
            Self::Refused { status: 404, .. } => Some(
                "check the name and the tag; some registries answer so as well to those who may not see an image"
                    .to_owned(),
            ),
            Self::NoDigest { .. } => Some(
                "look whether the name is right; registries delete what no tag names any more, and then the `digest` is \
                 taken away, in the plan or in the project's catalogue, and written anew by `cogpackc check --fix PLAN` \
                 or `cogpackc catalogue add`; some answer so as well to those who may not see an image"
                    .to_owned(),
            ),
            Self::Refused { status: 429, .. } => {
                Some("it is asked too often: wait, log in, or name a mirror of it".to_owned())
            }
            Self::Transport { from, .. } => Some(format!(
                "check the name `{from}`, the network and its proxy; a registry without encryption is one of this \
                 machine's, or among the `insecure-registries` of Docker's `daemon.json`"
            )),
            Self::Refused { .. }
            | Self::Nonsense { .. }
            | Self::Digest { .. }
            | Self::Login { .. }
            | Self::Disk { .. }
            | Self::Cancelled { .. } => None,
        }
    }
}

fn after_a_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
