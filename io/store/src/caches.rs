//! The directories of cache mounts, which survive from build to build, and who may use one at once.
//!
//! A cache has places, each with a lock. All who share it are in the first. Who wants it alone
//! waits for the first; who wants one of its own takes the first that nobody is in.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::{StoreError, disk};
use crate::store::{Store, make_directory, open_lock};

/// How often a cache that somebody else has is asked for again.
const PATIENCE: Duration = Duration::from_millis(50);

/// What happens when two want one cache at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sharing {
    /// Both use it.
    Shared,
    /// The second gets another one.
    Private,
    /// The second waits.
    Locked,
}

/// A cache in use. It is given back when this goes, or when the process does.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    _lock: File,
}

impl Cache {
    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Store {
    /// The cache of this name, waited for where that is what `sharing` means and until
    /// `is_cancelled` says so.
    pub fn cache(
        &self,
        name: &str,
        sharing: Sharing,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Cache, StoreError> {
        // No name is empty or has a slash, and with this in front none is `..`.
        let folder = self.folder("caches").join(format!("of-{name}"));
        make_directory(&folder)?;
        let mut place = 0;
        loop {
            let lock_path = folder.join(format!("{place}.lock"));
            let lock = open_lock(&lock_path)?;
            let taken = match sharing {
                Sharing::Shared => lock.try_lock_shared(),
                Sharing::Private | Sharing::Locked => lock.try_lock(),
            };
            match taken {
                Ok(()) => {
                    return Ok(Cache { path: directory(&folder.join(place.to_string()))?, _lock: lock });
                }
                Err(TryLockError::WouldBlock) if sharing == Sharing::Private => place += 1,
                Err(TryLockError::WouldBlock) if is_cancelled() => {
                    return Err(StoreError::Cancelled { name: name.to_owned() });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PATIENCE),
                Err(TryLockError::Error(error)) => return Err(disk("lock", &lock_path)(error)),
            }
        }
    }
}

/// The directory itself, which programs of any user may look into.
fn directory(path: &Path) -> Result<PathBuf, StoreError> {
    if !path.is_dir() {
        make_directory(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(disk("make", path))?;
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sharing_does_what_it_says() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let get = |sharing| store.cache("apt", sharing, &|| true);
        let first = get(Sharing::Shared).expect("is free");
        let second = get(Sharing::Shared).expect("is shared");
        assert_eq!(first.path(), second.path());
        let own = get(Sharing::Private).expect("another is made");
        assert_ne!(own.path(), first.path());
        let waiting = get(Sharing::Locked).expect_err("others have it").to_string();
        assert_eq!(waiting, "waiting for the cache `apt` was cancelled");
        drop((first, second));
        let alone = get(Sharing::Locked).expect("is free again");
        get(Sharing::Shared).expect_err("one has it alone");
        let another = get(Sharing::Private).expect("another is made");
        assert!(another.path() != own.path() && another.path() != alone.path());
    }

    #[test]
    fn a_cache_is_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let first = store.cache("pip", Sharing::Locked, &|| false).expect("is free");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| store.cache("pip", Sharing::Locked, &|| false));
            std::thread::sleep(2 * PATIENCE);
            assert!(!waiting.is_finished());
            drop(first);
            waiting.join().expect("does not panic").expect("comes to it");
        });
    }
}
