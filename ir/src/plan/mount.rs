//! Mounts: what an execution sees beside its own filesystem. What a mount leaves under its
//! target is not part of the result.

use super::input::Input;
use super::names::{CacheName, EnvName, SecretName, SshName};
use super::span::{Span, Spanned};
use super::template::Template;

/// One mount of one `run` or `exec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted, and where.
    pub kind: MountKind,
    /// The whole statement.
    pub span: Span,
}

/// The kinds of mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountKind {
    /// `mount INPUT at PATH [select PATH] [writable]`: files of a context, image or stage.
    /// Writes to a writable one are thrown away.
    Bind {
        /// What is mounted.
        source: Spanned<Input>,
        /// The part of it, relative to its root; all of it where nothing is said. May be a file.
        select: Option<Spanned<Template>>,
        /// Absolute.
        target: Spanned<Template>,
        /// Whether the program may write; it may not by default.
        writable: bool,
    },
    /// `mount cache NAME at PATH [sharing S]`: a directory that survives from build to build.
    Cache {
        /// The declared cache.
        name: Spanned<CacheName>,
        /// Absolute.
        target: Spanned<Template>,
        /// What happens when two builds want it at once.
        sharing: Sharing,
    },
    /// `mount secret NAME at PATH` or `… as env VARIABLE`.
    Secret {
        /// The declared secret.
        name: Spanned<SecretName>,
        /// Where its value shows.
        target: SecretTarget,
    },
    /// `mount ssh [NAME] [at PATH]`: the socket of an ssh agent, named by `SSH_AUTH_SOCK`.
    Ssh {
        /// Which agent or key; `default` where nothing is said.
        name: Option<Spanned<SshName>>,
        /// Absolute; the builder's choice where nothing is said.
        target: Option<Spanned<Template>>,
    },
    /// `mount tmpfs at PATH [size N]`: memory, empty at first.
    Tmpfs {
        /// Absolute.
        target: Spanned<Template>,
        /// The most it may hold, in bytes; the kernel's default where nothing is said.
        size: Option<u64>,
    },
}

/// What happens when two builds want one cache at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// Both use it at the same time (the default).
    Shared,
    /// The second gets another, empty one.
    Private,
    /// The second waits.
    Locked,
}

/// Where a secret's value shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretTarget {
    /// In a file of mode 0400 at an absolute path.
    File(Spanned<Template>),
    /// In a variable.
    Env(Spanned<EnvName>),
}

impl MountKind {
    /// Where the mount shows in the filesystem; `None` for a secret in a variable and for an
    /// ssh socket whose place is the builder's choice.
    pub fn target(&self) -> Option<&Spanned<Template>> {
        match self {
            Self::Bind { target, .. } | Self::Cache { target, .. } | Self::Tmpfs { target, .. } => {
                Some(target)
            }
            Self::Secret { target: SecretTarget::File(target), .. } => Some(target),
            Self::Secret { target: SecretTarget::Env(_), .. } => None,
            Self::Ssh { target, .. } => target.as_ref(),
        }
    }
}
