//! Directories in which things are made: each under a lock of its maker, so that what a killed
//! process leaves is known for what it is.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::{StoreError, disk};
use crate::store::{Store, make_directory, open_lock};

/// A directory to make something in. It goes when this goes.
#[derive(Debug)]
pub struct Work {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Work {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What stays is swept by the next build.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.lock_path);
    }
}

impl Store {
    /// A new directory to make something in.
    pub fn work(&self) -> Result<Work, StoreError> {
        let folder = self.folder("work");
        loop {
            let name = unique()?;
            let lock_path = folder.join(format!("{name}.lock"));
            let lock = open_lock(&lock_path)?;
            // Somebody who sweeps may have come between: then the file is theirs, or gone.
            if lock.try_lock().is_err() || !is_at(&lock, &lock_path) {
                continue;
            }
            let path = folder.join(name);
            if let Err(error) = make_directory(&path) {
                // Nobody would know what it is for.
                let _ = fs::remove_file(&lock_path);
                return Err(error);
            }
            return Ok(Work { path, lock_path, _lock: lock });
        }
    }
}

/// Throws away what nobody makes any more.
pub(crate) fn sweep(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(disk("list", folder))? {
        let lock_path = entry.map_err(disk("list", folder))?.path();
        if lock_path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let lock = match File::open(&lock_path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(disk("open", &lock_path)(error)),
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(disk("lock", &lock_path)(error)),
        }
        let path = lock_path.with_extension("");
        match fs::remove_dir_all(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // The container of a build that was killed writes until somebody has ended it, and that
            // takes a moment: whoever comes next takes it away.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => continue,
            Err(error) => return Err(disk("remove", &path)(error)),
        }
        // That somebody else was faster is as good.
        let _ = fs::remove_file(&lock_path);
    }
    Ok(())
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// A name that nothing else has.
pub(crate) fn unique() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| disk("read", Path::new("/dev/urandom"))(io::Error::other(error.to_string())))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_makes_any_more_is_swept() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let (alive, killed) = (store.work().expect("can be made"), store.work().expect("can be made"));
        fs::write(killed.path().join("half"), "a").expect("can be written");
        let left = killed.path().to_owned();
        // A killed process gives its lock back and removes nothing.
        let Work { path, lock_path, .. } = &killed;
        let (path, lock_path) = (path.clone(), lock_path.clone());
        drop(killed);
        fs::create_dir(&path).expect("can be made");
        fs::write(&lock_path, "").expect("can be written");
        drop(Store::open(folder.path()).expect("can be opened"));
        assert!(!left.exists() && !lock_path.exists(), "{} is left", left.display());
        assert!(alive.path().is_dir(), "what is in use was swept");
        let path = alive.path().to_owned();
        drop(alive);
        assert!(!path.exists());
    }
}
