//! The store itself: opening it, and the parts and blobs that it keeps.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::marks::{self, Mark, State};
use crate::work;

/// What the file `version` says.
const FORM: &str = "cogpackc store 1\n";

/// A store, for one build. Clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    shared: Arc<Shared>,
}

/// What all clones of a store have together.
#[derive(Debug)]
struct Shared {
    /// Held as long as anybody here uses the store.
    _held: File,
    /// In which boot this is; `None` where the kernel does not tell, and everything is synced at once.
    boot: Option<String>,
    /// Parts in use here of which nobody knows that they have reached the disk.
    unsettled: Mutex<BTreeSet<Digest>>,
}

impl Store {
    /// Opens the store in a directory, which is made where it is missing.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        make_directory(root)?;
        let root = &fs::canonicalize(root).map_err(disk("find", root))?;
        for folder in FOLDERS {
            make_directory(&root.join(folder))?;
        }
        check_form(root)?;
        let lock = open_lock(&root.join("lock"))?;
        lock.lock_shared().map_err(disk("lock", root))?;
        work::sweep(&root.join("work"))?;
        Ok(Self::of(root.clone(), lock))
    }

    /// Opens the store in a directory, which must be one already.
    pub fn open_there(root: &Path) -> Result<Self, StoreError> {
        let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        match fs::symlink_metadata(root.join("version")) {
            Ok(_) => Self::open(root),
            Err(error) if missing.contains(&error.kind()) => {
                Err(StoreError::NoStore { path: root.to_owned() })
            }
            Err(error) => Err(disk("look at", root)(error)),
        }
    }

    /// Opens a store that must be there, for somebody who throws things away: nobody else may use it
    /// meanwhile.
    pub fn open_alone(root: &Path) -> Result<Self, StoreError> {
        drop(Self::open_there(root)?);
        let root = fs::canonicalize(root).map_err(disk("find", root))?;
        let lock = open_lock(&root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self::of(root, lock)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: root }),
            Err(TryLockError::Error(source)) => Err(disk("lock", &root)(source)),
        }
    }

    fn of(root: PathBuf, held: File) -> Self {
        let shared = Shared { _held: held, boot: marks::boot(), unsettled: Mutex::default() };
        Self { root, shared: Arc::new(shared) }
    }

    /// Where it is. Below it blobs are where an image layout has them.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a part is that is kept. That it was asked for keeps it from being thrown away soon.
    pub fn part(&self, id: &Digest) -> Option<PathBuf> {
        let path = self.part_path(id);
        if !path.is_dir() {
            return None;
        }
        match self.whole(&path)?.state {
            State::OnDisk => {}
            State::MadeIn(_) => {
                self.unsettled().insert(*id);
            }
        }
        marks::touch(&marks::path(&path));
        Some(path)
    }

    /// Where a part would be.
    pub fn part_path(&self, id: &Digest) -> PathBuf {
        self.root.join("parts").join(id.hex())
    }

    /// The mark of a part that is whole.
    pub(crate) fn whole(&self, part: &Path) -> Option<Mark> {
        let mark = marks::read(part)?;
        let is_whole = match &mark.state {
            State::OnDisk => true,
            State::MadeIn(boot) => self.shared.boot.as_ref() == Some(boot),
        };
        is_whole.then_some(mark)
    }

    /// Keeps what was made as a part. Where somebody has kept the same meanwhile, theirs stays. It
    /// outlives this process; that it outlives the machine's going down is what [`Store::settle`] does.
    pub fn keep_part(&self, id: &Digest, made: &Path) -> Result<PathBuf, StoreError> {
        let path = self.part_path(id);
        let seal = marks::seal(made).map_err(disk("list", made))?;
        let state = match &self.shared.boot {
            Some(boot) => State::MadeIn(boot.clone()),
            None => {
                self.sync()?;
                State::OnDisk
            }
        };
        let _keeping = self.keeping()?;
        if let Some(path) = self.part(id) {
            return Ok(path);
        }
        let work = self.work()?;
        // What the machine had not written when it went down makes room: a mark must never come to
        // stand beside it.
        match fs::rename(&path, work.path().join("stale")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(disk("remove", &path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let mark = Mark { state, seal };
        write_quickly(&marks::path(&path), &work.path().join("mark"), mark.text().as_bytes())?;
        fs::rename(made, &path).map_err(disk("keep", &path))?;
        self.unsettled().insert(*id);
        Ok(path)
    }

    /// Has everything written to the disk that was kept or used here, so that it is there after the
    /// machine has gone down too. One call for all files of a build, since what takes time is the disk.
    pub fn settle(&self) -> Result<(), StoreError> {
        let ids = std::mem::take(&mut *self.unsettled());
        if ids.is_empty() {
            return Ok(());
        }
        self.sync()?;
        let work = self.work()?;
        for id in ids {
            let path = self.part_path(&id);
            if let Some(Mark { state: State::MadeIn(_), seal }) = self.whole(&path) {
                let text = Mark { state: State::OnDisk, seal }.text();
                write_quickly(&marks::path(&path), &work.path().join("mark"), text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Whether there is nothing to settle.
    pub fn is_settled(&self) -> bool {
        self.unsettled().is_empty()
    }

    /// Held by whoever gives something its name, or takes it away.
    pub(crate) fn keeping(&self) -> Result<File, StoreError> {
        let lock = open_lock(&self.root.join("keeping.lock"))?;
        lock.lock().map_err(disk("lock", &self.root))?;
        Ok(lock)
    }

    fn sync(&self) -> Result<(), StoreError> {
        let root = File::open(&self.root).map_err(disk("open", &self.root))?;
        rustix::fs::syncfs(&root).map_err(|error| disk("sync", &self.root)(error.into()))
    }

    fn unsettled(&self) -> std::sync::MutexGuard<'_, BTreeSet<Digest>> {
        self.shared.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// What is in a store besides a few files.
const FOLDERS: [&str; 9] =
    ["blobs", "blobs/sha256", "parts", "steps", "layers", "hints", "caches", "used", "work"];

/// Writes a small file that is whole or not there, unless the machine goes down: then half of it may
/// be there, and whoever reads it must see that.
pub(crate) fn write_quickly(path: &Path, beside: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    fs::write(beside, bytes).map_err(disk("write", beside))?;
    fs::rename(beside, path).map_err(disk("write", path))
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
            let written = write_whole(&path, &beside, FORM.as_bytes());
            if written.is_err() {
                // Where it was renamed already it is not there.
                let _ = fs::remove_file(&beside);
            }
            written
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

    /// As if the machine had gone down since: every mark is of a boot that is over.
    fn boot_anew(store: &Store, id: &Digest) {
        let path = store.part_path(id);
        let mark = marks::read(&path).expect("has a mark");
        if mark.state != State::OnDisk {
            let mark = Mark { state: State::MadeIn("the one before".to_owned()), ..mark };
            fs::write(marks::path(&path), mark.text()).expect("can be written");
        }
    }

    #[test]
    fn what_had_not_reached_the_disk_when_the_machine_went_down_is_made_again() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let ids = [Digest::of(b"settled"), Digest::of(b"lost")];
        let keep = |id: &Digest, text: &str| {
            let work = store.work().expect("can be made");
            let made = work.path().join("made");
            fs::create_dir(&made).expect("can be made");
            fs::write(made.join("file"), text).expect("can be written");
            store.keep_part(id, &made).expect("can be kept")
        };
        keep(&ids[0], "settled");
        store.settle().expect("can be synced");
        keep(&ids[1], "half");
        assert!(store.part(&ids[1]).is_some(), "this boot goes on");
        ids.iter().for_each(|id| boot_anew(&store, id));
        assert!(store.part(&ids[0]).is_some());
        assert_eq!(store.part(&ids[1]), None);
        let path = keep(&ids[1], "whole");
        assert_eq!(fs::read_to_string(path.join("file")).expect("is there"), "whole");
        // What a build finds and did not make itself, it settles too.
        let another = Store::open(folder.path()).expect("can be opened");
        assert!(another.part(&ids[1]).is_some());
        another.settle().expect("can be synced");
        boot_anew(&store, &ids[1]);
        assert!(store.part(&ids[1]).is_some());
        fs::remove_file(marks::path(&path)).expect("is there");
        assert_eq!(store.part(&ids[1]), None, "nothing says that it is whole");
    }

    #[test]
    fn a_directory_that_is_no_store_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for path in [folder.path().to_owned(), folder.path().join("missing")] {
            for opened in [Store::open_there(&path), Store::open_alone(&path)] {
                assert!(matches!(opened, Err(StoreError::NoStore { .. })), "{opened:?}");
            }
        }
        assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 0);
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
