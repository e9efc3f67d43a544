//! What can go wrong between us and a Docker Engine, told with what was attempted.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cogpack_io_buildkit::address::{Address, Endpoint};
use cogpack_io_buildkit::failure::{Failure, Obstacle};

/// For how long a question may take that the Engine answers at once.
const DEADLINE: Duration = Duration::from_secs(30);

/// Why something that was asked of an Engine did not come to pass.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There was no way to it.
    #[error(transparent)]
    Unreachable(Box<Failure>),
    /// It has no such image.
    #[error("the Docker Engine at {endpoint} has no image `{name}`")]
    NoImage {
        /// Where it is.
        endpoint: Box<Endpoint>,
        /// What was asked for.
        name: String,
    },
    /// It will not.
    #[error("{attempted}: the Docker Engine at {endpoint} says: {message}")]
    Refused {
        /// What was asked.
        attempted: String,
        /// Where it is.
        endpoint: Box<Endpoint>,
        /// The HTTP status, where there was one.
        status: Option<u16>,
        /// What it says.
        message: String,
    },
    /// It does not answer.
    #[error("{attempted}: the Docker Engine at {endpoint} did not answer within {seconds} s")]
    Late {
        /// What was asked.
        attempted: String,
        /// Where it is.
        endpoint: Box<Endpoint>,
        /// For how long was waited.
        seconds: u64,
    },
    /// The connection broke, or what came is not what Engines say.
    #[error("{attempted}: talk with the Docker Engine at {endpoint}")]
    Broken {
        /// What was asked.
        attempted: String,
        /// Where it is.
        endpoint: Box<Endpoint>,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of this machine.
    #[error("{attempt} `{}`", path.display())]
    File {
        /// What was attempted, `read` or `write`.
        attempt: &'static str,
        /// On which.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

impl EngineError {
    /// Whether the same might succeed at another time, with nothing changed here.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(failure) => failure.is_retryable(),
            Self::Refused { status, .. } => status.is_some_and(|status| status >= 500),
            Self::Late { .. } | Self::Broken { .. } => true,
            Self::NoImage { .. } | Self::File { .. } => false,
        }
    }

    /// A way out, where one can be told.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable(failure) => failure.help(),
            Self::Broken { endpoint, .. } => match endpoint.as_ref() {
                Endpoint::Tcp { tls: None, .. } => Some(
                    "check that an Engine listens there; one that wants encryption needs DOCKER_TLS_VERIFY",
                ),
                Endpoint::Tcp { tls: Some(_), .. } | Endpoint::Unix(_) => None,
            },
            Self::NoImage { .. } => {
                Some("`docker image ls` lists those that it has, and `docker pull` gets another one")
            }
            Self::Refused { .. } | Self::Late { .. } | Self::File { .. } => None,
        }
    }
}

/// Something that is asked of an Engine, in words, for when it goes wrong.
pub(super) struct Attempt<'a, F> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) attempted: F,
}

impl<F: Fn() -> String> Attempt<'_, F> {
    pub(super) async fn within<T>(
        &self,
        asking: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        match tokio::time::timeout(DEADLINE, asking).await {
            Ok(answer) => answer.map_err(|error| self.failed(error)),
            Err(_) => Err(self.late(DEADLINE)),
        }
    }

    pub(super) async fn of_image<T>(
        &self,
        name: &str,
        asking: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        self.within(asking).await.map_err(|error| match error {
            EngineError::Refused { status: Some(404), endpoint, .. } => {
                EngineError::NoImage { endpoint, name: name.to_owned() }
            }
            other @ (EngineError::Refused { .. }
            | EngineError::Unreachable(_)
            | EngineError::NoImage { .. }
            | EngineError::Late { .. }
            | EngineError::Broken { .. }
            | EngineError::File { .. }) => other,
        })
    }

    pub(super) fn late(&self, waited: Duration) -> EngineError {
        EngineError::Late {
            attempted: (self.attempted)(),
            endpoint: Box::new(self.endpoint.clone()),
            seconds: waited.as_secs(),
        }
    }

    pub(super) fn lacks(&self, what: &'static str) -> EngineError {
        self.broken(format!("it does not tell {what}").into())
    }

    pub(super) fn broken(&self, source: Box<dyn std::error::Error + Send + Sync>) -> EngineError {
        EngineError::Broken {
            attempted: (self.attempted)(),
            endpoint: Box::new(self.endpoint.clone()),
            source,
        }
    }

    pub(super) fn failed(&self, error: bollard::errors::Error) -> EngineError {
        use bollard::errors::Error;
        let refused = |status, message| EngineError::Refused {
            attempted: (self.attempted)(),
            endpoint: Box::new(self.endpoint.clone()),
            status,
            message,
        };
        if let Error::DockerResponseServerError { status_code, message } = error {
            return refused(Some(status_code), message);
        }
        if let Error::DockerStreamError { error } = error {
            return refused(None, error);
        }
        let Error::IOError { err } = error else { return self.broken(Box::new(error)) };
        match err.downcast::<Obstacle>() {
            Ok(obstacle) => EngineError::Unreachable(Box::new(Failure::Unreachable {
                address: Box::new(Address::Engine(self.endpoint.clone())),
                obstacle,
            })),
            Err(other) => self.broken(Box::new(other)),
        }
    }
}
