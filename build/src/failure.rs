//! Why a build did not come to an image.

use cogpack_backends_oci_direct::AssemblyProblem;
use cogpack_io_buildkit::failure::Failure as DaemonFailure;

use crate::direct::pull::PullError;
use crate::hints;
use crate::names::UnknownOwner;
use crate::progress::StepOutline;
use crate::side_by_side::StagesMeet;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An op of the plan failed: the plan is to be looked at.
    #[error("{}", .0.message)]
    Op(Box<FailedOp>),
    /// The plan and what it reads make no image.
    #[error("the plan and what it reads make no image")]
    Assembly(Vec<AssemblyProblem>),
    /// Ops give files to users or groups that are not there: the plan is to be looked at.
    #[error("the plan gives files to users or groups that are not there")]
    Names(Vec<UnknownOwner>),
    /// Stages of a parallel phase change the same: the plan is to be looked at.
    #[error("stages that run side by side change the same")]
    Meetings(Vec<StagesMeet>),
    /// The builder did not do what it was asked, whatever the plan says.
    #[error(transparent)]
    Daemon(#[from] DaemonFailure),
    /// The builder cannot do what it was asked.
    #[error("{what}")]
    Unable {
        /// What it cannot do.
        what: String,
        /// A way out.
        help: String,
    },
    /// Something on this machine stood in the way.
    #[error("{attempted}")]
    Here {
        /// What was attempted on what.
        attempted: String,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An image that it builds on did not come.
    #[error(transparent)]
    Pull(Box<PullError>),
    /// A registry lets nobody in without a login, or not with the one it was shown.
    #[error("{attempted}: the registry `{registry}` does not let us in: {message}")]
    Login {
        /// What was attempted on what.
        attempted: String,
        /// The registry.
        registry: String,
        /// What is said about it.
        message: String,
    },
    /// We were asked to stop.
    #[error("the build was cancelled")]
    Cancelled,
    /// We were asked to stop, and the daemon did not say that it did.
    #[error("the build was cancelled, and the daemon has not said that it ended it")]
    Unanswered,
}

/// An op that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedOp {
    /// What the builder says.
    pub message: String,
    /// Which step it was, where that is known.
    pub step: Option<StepOutline>,
    /// The first and the last line of the plan that ask for it, counted from 1.
    pub lines: Option<(u32, u32)>,
    /// The exit code of its program, where one ran.
    pub exit_code: Option<i32>,
    /// The end of what it wrote.
    pub output: Vec<u8>,
    /// A way out, where one can be told.
    pub help: Option<String>,
}

impl From<PullError> for BuildError {
    fn from(error: PullError) -> Self {
        Self::Pull(Box::new(error))
    }
}

impl BuildError {
    /// Whether the same might succeed at another time, with nothing changed here.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Daemon(failure) => failure.is_retryable(),
            Self::Pull(error) => error.is_retryable(),
            Self::Op(_)
            | Self::Assembly(_)
            | Self::Names(_)
            | Self::Meetings(_)
            | Self::Unable { .. }
            | Self::Here { .. }
            | Self::Login { .. }
            | Self::Cancelled
            | Self::Unanswered => false,
        }
    }

    /// A way out, where one can be told.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Daemon(failure) => failure.help().map(str::to_owned),
            Self::Unable { help, .. } => Some(help.clone()),
            Self::Pull(error) => error.help(),
            Self::Login { registry, .. } => Some(hints::login(registry)),
            Self::Op(_)
            | Self::Assembly(_)
            | Self::Names(_)
            | Self::Meetings(_)
            | Self::Here { .. }
            | Self::Cancelled
            | Self::Unanswered => None,
        }
    }
}
