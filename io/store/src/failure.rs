//! Why a store cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk.
    #[error("{attempt} `{}`", path.display())]
    Disk {
        /// What was attempted, for instance `write`.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// Another version of this program has made it.
    #[error("the store `{}` has the form `{found}`, and this program knows `{known}`", path.display())]
    Form {
        /// The store.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What it should say.
        known: &'static str,
    },
    /// There is none.
    #[error("there is no store at `{}`", path.display())]
    NoStore {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// Somebody builds with it.
    #[error("the store `{}` is in use by a build", path.display())]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// We were asked to stop while waiting for a cache.
    #[error("waiting for the cache `{name}` was cancelled")]
    Cancelled {
        /// The cache.
        name: String,
    },
}

impl StoreError {
    /// Whether the same might succeed at another time, with nothing changed here.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::InUse { .. } => true,
            Self::Disk { .. } | Self::Form { .. } | Self::NoStore { .. } | Self::Cancelled { .. } => false,
        }
    }
}

/// What failed, for `map_err`.
pub(crate) fn disk<'p>(attempt: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> StoreError + 'p {
    move |source| StoreError::Disk { attempt, path: path.to_owned(), source }
}
