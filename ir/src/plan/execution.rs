//! What a `run` or `exec` is given for itself alone.

use super::mount::Mount;
use super::names::EnvName;
use super::span::{Span, Spanned};
use super::template::Template;

/// Mounts and settings of one execution; they end with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Execution {
    /// Mounts. Their order has no meaning (targets are distinct, and a mount below another is
    /// made after it); [`canonicalise`](super::order::canonicalise) sorts them.
    pub mounts: Vec<Mount>,
    /// What network the program sees.
    pub network: Network,
    /// The user, instead of the stage's.
    pub user: Option<Spanned<Template>>,
    /// Variables on top of the stage's, in order.
    pub env: Vec<EnvSetting>,
    /// The working directory, instead of the stage's; absolute. Made where it is missing, as by
    /// the op `workdir`.
    pub workdir: Option<Spanned<Template>>,
}

/// `env NAME = "value"` of one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvSetting {
    /// The variable.
    pub name: Spanned<EnvName>,
    /// Its value; `${…}` sees the stage's variables and the settings before this one.
    pub value: Spanned<Template>,
    /// The whole statement.
    pub span: Span,
}

/// What network a program sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Network {
    /// The builder's ordinary one.
    #[default]
    Default,
    /// None but loopback.
    None,
    /// The builder's machine's own; a builder must allow it.
    Host,
}
