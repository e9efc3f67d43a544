//! The sum of all lints; each family stands beside the code that finds it.

use miette::Diagnostic;

use crate::allowed::AllowFinding;
use crate::apt::AptFinding;
use crate::caches::CacheFinding;
use crate::downloads::DownloadFinding;
use crate::modes::ModeFinding;
use crate::order::OrderFinding;
use crate::ownership::OwnershipFinding;
use crate::secrets::SecretFinding;
use crate::users::UserFinding;

/// A lint of any family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum LintFinding {
    /// What apt leaves behind, or leaves open.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Apt(#[from] AptFinding),
    /// Downloads that nothing keeps.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cache(#[from] CacheFinding),
    /// Sources before dependencies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Order(#[from] OrderFinding),
    /// Files written twice, to change whose they are.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ownership(#[from] OwnershipFinding),
    /// Downloads that nobody checks.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Download(#[from] DownloadFinding),
    /// Secrets that everybody can read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secret(#[from] SecretFinding),
    /// Who the image runs as.
    #[error(transparent)]
    #[diagnostic(transparent)]
    User(#[from] UserFinding),
    /// Files that anybody may write.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mode(#[from] ModeFinding),
    /// Comments that allow what there is not.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Allow(#[from] AllowFinding),
}

impl LintFinding {
    /// Whether it is about a comment that allows something, and so about what else is found.
    pub fn is_about_a_comment(&self) -> bool {
        match self {
            Self::Allow(_) => true,
            Self::Apt(_)
            | Self::Cache(_)
            | Self::Order(_)
            | Self::Ownership(_)
            | Self::Download(_)
            | Self::Secret(_)
            | Self::User(_)
            | Self::Mode(_) => false,
        }
    }

    /// The stable code, for instance `lint::apt::lists`.
    pub fn stable_code(&self) -> String {
        // Every variant of every family has a code; the suite of the explanations checks it.
        self.code().map(|code| code.to_string()).unwrap_or_default()
    }
}
