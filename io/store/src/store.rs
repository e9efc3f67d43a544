//! The store itself: opening it, and the parts and blobs that it keeps.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::work;

/// What the file `version` says.
const FORM: &str = "cogpackc store 1\n";

/// A store, for one build. Clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// Held as long as anybody here uses the store.
    _held: Arc<File>,
}

impl Store {
    /// Opens the store in a directory, which is made where it is missing.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        make_directory(root)?;
        let root = &fs::canonicalize(root).map_err(disk("find", root))?;
        for folder in ["blobs", "blobs/sha256", "parts", "steps", "caches", "work"] {
            make_directory(&root.join(folder))?;
        }
        check_form(root)?;
        let lock = open_lock(&root.join("lock"))?;
        lock.lock_shared().map_err(disk("lock", root))?;
        work::sweep(&root.join("work"))?;
        Ok(Self { root: root.clone(), _held: Arc::new(lock) })
    }

    /// Opens a store for somebody who throws things away: nobody else may use it meanwhile.
    pub fn open_alone(root: &Path) -> Result<Self, StoreError> {
        drop(Self::open(root)?);
        let root = fs::canonicalize(root).map_err(disk("find", root))?;
        let lock = open_lock(&root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _held: Arc::new(lock) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: root }),
            Err(TryLockError::Error(source)) => Err(disk("lock", &root)(source)),
        }
    }

    /// Where it is. Below it blobs are where an image layout has them.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a part is that is kept.
    pub fn part(&self, id: &Digest) -> Option<PathBuf> {
        let path = self.part_path(id);
        path.is_dir().then_some(path)
    }

    /// Where a part would be.
    pub fn part_path(&self, id: &Digest) -> PathBuf {
        self.root.join("parts").join(id.hex())
    }

    /// Keeps what was made as a part. Where somebody has kept the same meanwhile, theirs stays.
    pub fn keep_part(&self, id: &Digest, made: &Path) -> Result<PathBuf, StoreError> {
        let path = self.part_path(id);
        let directory = File::open(made).map_err(disk("open", made))?;
        // One call for all of its files, where there may be a hundred thousand.
        rustix::fs::syncfs(&directory).map_err(|error| disk("sync", made)(error.into()))?;
        match fs::rename(made, &path) {
            Ok(()) => {}
            Err(_) if path.is_dir() => return Ok(path),
            Err(error) => return Err(disk("keep", &path)(error)),
        }
        sync_directory(&self.root.join("parts"))?;
        Ok(path)
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// Writes a small file that is whole or not there.
pub(crate) fn write_whole(path: &Path, beside: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = File::create(beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(disk("write", beside))?;
    fs::rename(beside, path).map_err(disk("write", path))?;
    path.parent().map_or(Ok(()), sync_directory)
}

pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(disk("sync", path))
}

/// A directory that only its owner may look into, as all above it that are missing.
pub(crate) fn make_directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(disk("make", path))
}

pub(crate) fn open_lock(path: &Path) -> Result<File, StoreError> {
    File::options().create(true).truncate(false).write(true).open(path).map_err(disk("open", path))
}

fn check_form(root: &Path) -> Result<(), StoreError> {
    let path = root.join("version");
    match fs::read_to_string(&path) {
        Ok(found) if found == FORM => Ok(()),
        Ok(found) => {
            let found = found.trim_end().to_owned();
            Err(StoreError::Form { path: root.to_owned(), found, known: FORM.trim_end() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let beside = root.join(format!("version.{}", work::unique()?));
            write_whole(&path, &beside, FORM.as_bytes())
        }
        Err(error) => Err(disk("read", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_part_is_kept_once_and_found_by_its_id() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(&folder.path().join("a/store")).expect("can be made");
        let id = Digest::of(b"part");
        assert_eq!(store.part(&id), None);
        for text in ["first", "second"] {
            let work = store.work().expect("can be made");
            let made = work.path().join("made");
            fs::create_dir(&made).expect("can be made");
            fs::write(made.join("file"), text).expect("can be written");
            store.keep_part(&id, &made).expect("can be kept");
        }
        let kept = store.part(&id).expect("is kept");
        assert_eq!(fs::read_to_string(kept.join("file")).expect("is there"), "first");
        let mode = fs::metadata(store.root()).expect("is there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o700, "others may look into the store");
    }

    #[test]
    fn a_store_of_another_form_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("version"), "cogpackc store 99\n").expect("can be written");
        let error = Store::open(folder.path()).expect_err("is of another form").to_string();
        assert!(error.contains("`cogpackc store 99`") && error.contains("`cogpackc store 1`"), "{error}");
    }

    #[test]
    fn nobody_throws_away_what_a_build_uses() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let error = Store::open_alone(folder.path()).expect_err("is in use");
        assert!(error.is_retryable(), "{error}");
        drop(store);
        drop(Store::open_alone(folder.path()).expect("nobody uses it"));
    }
}
