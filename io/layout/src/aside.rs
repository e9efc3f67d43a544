//! The directory in which what goes to a destination is made, beside it.
//!
//! Each is under a lock of whoever makes something in it, the kernel's lock of the directory itself,
//! which ends with its process however that ends. So what a killed process leaves is known for what it
//! is, and the next one that makes something in the same place takes it away.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How their names begin. What else is made aside in this way of naming has no lock, and another
/// beginning.
const PREFIX: &str = ".cogpackc-layout-";
/// What was at a destination before, in a directory where it cannot change places with what comes.
pub(crate) const REPLACED: &str = "replaced";

/// A directory to make something in. It goes when this goes.
#[derive(Debug)]
pub(crate) struct Aside {
    directory: TempDir,
    /// Where the filesystem has locks; without one nobody else ever takes it away.
    _lock: Option<File>,
}

impl Aside {
    /// A new one in a directory.
    pub(crate) fn within(directory: &Path) -> io::Result<Self> {
        loop {
            let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(directory)?;
            let lock = File::open(made.path())?;
            match lock.try_lock() {
                // Somebody who sweeps may have come between: then it is theirs, or gone.
                Ok(()) if !is_at(&lock, made.path()) => continue,
                Err(TryLockError::WouldBlock) => continue,
                Ok(()) => return Ok(Self { directory: made, _lock: Some(lock) }),
                Err(TryLockError::Error(_)) => return Ok(Self { directory: made, _lock: None }),
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Leaves it there, and says where that is.
    pub(crate) fn keep(self) -> PathBuf {
        self.directory.keep()
    }
}

/// Takes away what killed processes of the same user have left in a directory. What cannot be taken
/// away stands in nobody's way.
pub(crate) fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let user = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let is_ours = |found: &Metadata| found.is_dir() && found.uid() == user;
        let path = entry.path();
        if !fs::symlink_metadata(&path).is_ok_and(|found| is_ours(&found)) {
            continue;
        }
        let Ok(lock) = File::open(&path) else { continue };
        // What somebody had at a destination is never ours to take away.
        let holds_another = || fs::symlink_metadata(path.join(REPLACED)).is_ok();
        if lock.try_lock().is_ok() && is_at(&lock, &path) && !holds_another() {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_at(open: &File, path: &Path) -> bool {
    let place = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (open.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(there)) => place(open) == place(there),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_no_living_process_makes_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().expect("makes a directory");
        let folder = folder.path();
        let alive = Aside::within(folder).expect("can be made");
        let killed = Aside::within(folder).expect("can be made");
        fs::write(killed.path().join("half"), "a").expect("can be written");
        // A killed process gives its lock back and removes nothing.
        let killed = killed.keep();
        let before = Aside::within(folder).expect("can be made").keep();
        fs::create_dir(before.join(REPLACED)).expect("can be made");
        let elsewhere = folder.join("elsewhere");
        fs::create_dir(&elsewhere).expect("can be made");
        fs::write(elsewhere.join("file"), "a").expect("can be written");
        let (link, other) = (folder.join(".cogpackc-layout-link"), folder.join(".cogpackc-other"));
        symlink(&elsewhere, &link).expect("can be made");
        fs::create_dir(&other).expect("can be made");
        sweep(folder);
        assert!(!killed.exists(), "{} is left", killed.display());
        assert!(alive.path().is_dir(), "what is in use was swept");
        for stays in [&before, &link, &other, &elsewhere.join("file")] {
            assert!(stays.exists(), "{} was swept", stays.display());
        }
        let path = alive.path().to_owned();
        drop(alive);
        assert!(!path.exists());
    }
}
