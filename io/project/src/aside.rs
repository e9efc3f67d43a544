//! The directory in which what goes to a destination is made, beside it: images, directories and files.
//!
//! Each is under a lock of whoever makes something in it, the kernel's lock of the directory itself,
//! which ends with its process however that ends. So what a killed process leaves is known for what it
//! is, and the next one that makes something in the same place takes it away.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

/// How their names begin.
const PREFIX: &str = ".cogpackc-aside-";
/// What was at a destination before, in a directory where it cannot change places with what comes.
const REPLACED: &str = "replaced";

/// Why something made did not get its name.
#[derive(Debug, thiserror::Error)]
#[error("{attempt} `{}`", path.display())]
pub struct PlaceError {
    /// What was attempted, for instance `replace`.
    pub attempt: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What happened.
    #[source]
    pub source: io::Error,
}

/// A directory to make something in. It goes when this goes.
#[derive(Debug)]
pub struct Aside {
    directory: TempDir,
    /// Where the filesystem has locks; without one nobody else ever takes it away.
    _lock: Option<File>,
}

impl Aside {
    /// A new one in a directory, from which it takes away what killed processes have left.
    pub fn within(directory: &Path) -> io::Result<Self> {
        sweep(directory);
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
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Gives what was made here its name. What had it before changes places with it in one step, so
    /// that one of them is there at every moment; where the filesystem cannot do that, it is kept here
    /// until then, and comes back if that fails.
    pub fn place(self, made: &Path, destination: &Path) -> Result<(), PlaceError> {
        let failed = |attempt, path: &Path, source| PlaceError { attempt, path: path.to_owned(), source };
        let is_there = destination.exists();
        if is_there && renameat_with(CWD, made, CWD, destination, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
        let before = self.path().join(REPLACED);
        if is_there {
            fs::rename(destination, &before).map_err(|source| failed("replace", destination, source))?;
        }
        let Err(source) = fs::rename(made, destination) else {
            // Until it is gone a sweep must not take it for the only one there is.
            let _ = fs::rename(&before, self.path().join("gone"));
            return Ok(());
        };
        if is_there && fs::rename(&before, destination).is_err() {
            // Better a directory with an odd name than a lost one.
            let kept = self.directory.keep().join(REPLACED);
            return Err(failed("write the destination, whose content before is now in", &kept, source));
        }
        Err(failed("write", destination, source))
    }
}

/// Takes away what killed processes of the same user have left in a directory. What cannot be taken
/// away stands in nobody's way.
pub fn sweep(directory: &Path) {
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

    /// A killed process gives its lock back and removes nothing.
    fn kill(aside: Aside) -> PathBuf {
        aside.directory.keep()
    }

    #[test]
    fn what_no_living_process_makes_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().expect("makes a directory");
        let folder = folder.path();
        let alive = Aside::within(folder).expect("can be made");
        let before = kill(Aside::within(folder).expect("can be made"));
        fs::create_dir(before.join(REPLACED)).expect("can be made");
        let killed = Aside::within(folder).expect("can be made");
        fs::write(killed.path().join("half"), "a").expect("can be written");
        let killed = kill(killed);
        let elsewhere = folder.join("elsewhere");
        fs::create_dir(&elsewhere).expect("can be made");
        fs::write(elsewhere.join("file"), "a").expect("can be written");
        let (link, other) = (folder.join(".cogpackc-aside-link"), folder.join(".cogpackc-other"));
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

    #[test]
    fn what_is_made_takes_the_place_of_what_was_there() {
        let folder = tempfile::tempdir().expect("makes a directory");
        let destination = folder.path().join("image");
        for text in ["first", "second"] {
            let aside = Aside::within(folder.path()).expect("can be made");
            let made = aside.path().join("made");
            fs::create_dir(&made).expect("can be made");
            fs::write(made.join(text), text).expect("can be written");
            aside.place(&made, &destination).expect("can be placed");
            let names: Vec<_> = fs::read_dir(&destination).expect("is there").flatten().collect();
            assert!(names.len() == 1 && destination.join(text).is_file(), "{names:?}");
            assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 1, "something is left");
        }
    }
}
