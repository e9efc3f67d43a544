//! Locks a set of wheels: those that a project's lock file names for an image.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What is asked of a lock file, and what is wrong with one.
pub use cogpack_packages_wheels::file_name::normalised;
pub use cogpack_packages_wheels::lock::{LockProblem, LockedWheel, Request, choose};
pub use cogpack_packages_wheels::target::{PythonVersion, Target};
use url::Url;

use crate::web::without_secrets;

/// The largest lock file that is read: ten times what a project of a thousand packages has.
const LARGEST: u64 = 64 << 20;

/// Why no set is locked.
#[derive(Debug, thiserror::Error)]
pub enum WheelLockError {
    /// The file.
    #[error("read the lock file `{}`", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// What is in it.
    #[error("`{}` gives no set of wheels", path.display())]
    Problems {
        /// Its path.
        path: PathBuf,
        /// All that is wrong.
        problems: Vec<LockProblem>,
    },
}

/// The wheels that the lock file at `path` names, without the logins that its addresses may have.
/// Errors call it `shown`.
pub fn lock_wheels(
    path: &Path,
    shown: &Path,
    request: &Request<'_>,
) -> Result<Vec<LockedWheel>, WheelLockError> {
    let failed = |source| WheelLockError::Read { path: shown.to_owned(), source };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(failed(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20))));
    }
    let problems = |problems| WheelLockError::Problems { path: shown.to_owned(), problems };
    let mut chosen = choose(&text, request).map_err(problems)?;
    for wheel in &mut chosen {
        wheel.url =
            wheel.url.as_deref().and_then(|url| Url::parse(url).ok()).map(|url| without_secrets(&url));
    }
    Ok(chosen)
}
