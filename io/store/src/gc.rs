//! Throws away what nobody has asked for in a long time, and what there is no room for.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::layers::blob_of;
use crate::marks;
use crate::store::Store;
use crate::usage::{Holding, listed, size};

/// What stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Only what somebody has asked for since.
    pub used_since: Option<SystemTime>,
    /// Only so many bytes of parts and blobs: what was asked for last.
    pub bytes: Option<u64>,
}

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Parts.
    pub parts: Holding,
    /// Blobs.
    pub blobs: Holding,
}

/// Something that may go.
struct Candidate {
    used: SystemTime,
    path: PathBuf,
    kind: Kind,
    bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Part,
    Blob,
}

impl Store {
    /// Throws away parts and blobs, and what was known of steps that left them. To be asked of a
    /// store that was opened alone.
    pub fn collect(&self, keep: Keep) -> Result<Collected, StoreError> {
        let mut candidates = self.candidates()?;
        candidates.sort_by(|one, other| {
            (one.used, one.kind, &one.path).cmp(&(other.used, other.kind, &other.path))
        });
        let mut left: u64 = candidates.iter().map(|candidate| candidate.bytes).sum();
        let mut collected = Collected::default();
        for candidate in candidates {
            let is_unused = keep.used_since.is_some_and(|since| candidate.used < since);
            let is_too_much = keep.bytes.is_some_and(|bytes| left > bytes);
            // What is not whole is of no use to anybody.
            let is_lost = candidate.kind == Kind::Part && self.whole(&candidate.path).is_none();
            if !is_unused && !is_too_much && !is_lost {
                continue;
            }
            left -= candidate.bytes;
            let removed = Holding { count: 1, bytes: candidate.bytes };
            match candidate.kind {
                Kind::Part => {
                    self.remove_part(&candidate.path)?;
                    collected.parts += removed;
                }
                Kind::Blob => {
                    remove_if_there(&candidate.path).map_err(disk("remove", &candidate.path))?;
                    collected.blobs += removed;
                }
            }
        }
        if let Some(since) = keep.used_since {
            self.remove_hints(since)?;
        }
        self.remove_what_stands_for_nothing()?;
        Ok(collected)
    }

    /// Throws away the directories of cache mounts. To be asked of a store that was opened alone.
    pub fn remove_caches(&self) -> Result<Holding, StoreError> {
        let removed = self.usage()?.caches;
        for path in listed(&self.folder("caches"))? {
            fs::remove_dir_all(&path).map_err(disk("remove", &path))?;
        }
        Ok(removed)
    }

    fn candidates(&self) -> Result<Vec<Candidate>, StoreError> {
        let (mut candidates, mut seen) = (Vec::new(), BTreeSet::new());
        for (folder, kind) in [("parts", Kind::Part), ("blobs/sha256", Kind::Blob)] {
            for path in listed(&self.folder(folder))? {
                let measured = size(&path, &mut seen).map_err(disk("measure", &path))?;
                let Some((is_directory, bytes)) = measured else { continue };
                let mark = match kind {
                    Kind::Part => marks::path(&path),
                    Kind::Blob => self.folder("used").join(path.file_name().unwrap_or_default()),
                };
                // What is nothing that a store holds stays, and `faults` tells of it.
                if is_directory == (kind == Kind::Part) && is_named_by_digest(&path) {
                    let used = last_used(&mark, &path).map_err(disk("look at", &path))?;
                    candidates.push(Candidate { used, path, kind, bytes });
                }
            }
        }
        Ok(candidates)
    }

    pub(crate) fn remove_part(&self, path: &Path) -> Result<(), StoreError> {
        // Without its mark it counts for nothing, whatever happens next.
        let mark = marks::path(path);
        remove_if_there(&mark).map_err(disk("remove", &mark))?;
        let work = self.work()?;
        let aside = work.path().join("removed");
        fs::rename(path, &aside).map_err(disk("remove", path))?;
        fs::remove_dir_all(&aside).map_err(disk("remove", path))
    }

    /// Steps and layers that left what is gone, and marks of what is gone.
    fn remove_what_stands_for_nothing(&self) -> Result<(), StoreError> {
        let remove = |path: &Path| remove_if_there(path).map_err(disk("remove", path));
        for path in listed(&self.folder("steps"))? {
            let is_kept = left_by(&path).is_some_and(|part| self.part_path(&part).is_dir());
            if !is_kept {
                remove(&path)?;
            }
        }
        for path in listed(&self.folder("layers"))? {
            if !blob_of(&path).is_some_and(|blob| self.blob_path(&blob).is_file()) {
                remove(&path)?;
            }
        }
        for path in listed(&self.folder("parts"))? {
            let is_mark = path.extension().is_some_and(|extension| extension == "mark");
            if is_mark && !path.with_extension("").is_dir() {
                remove(&path)?;
            }
        }
        let blobs = self.folder("blobs/sha256");
        for path in listed(&self.folder("used"))? {
            if !path.file_name().is_some_and(|name| blobs.join(name).is_file()) {
                remove(&path)?;
            }
        }
        Ok(())
    }
}

pub(crate) fn is_named_by_digest(path: &Path) -> bool {
    digest_of(path).is_some()
}

/// The digest that a file is named by.
pub(crate) fn digest_of(path: &Path) -> Option<Digest> {
    format!("sha256:{}", path.file_name()?.to_str()?).parse().ok()
}

/// What the file of a finished step says that it left.
pub(crate) fn left_by(step: &Path) -> Option<Digest> {
    fs::read_to_string(step).ok()?.strip_suffix('\n')?.parse().ok()
}

/// When somebody last asked for something: at the latest when it was made.
fn last_used(mark: &Path, path: &Path) -> io::Result<SystemTime> {
    match fs::metadata(mark) {
        Ok(mark) => mark.modified(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // When it was last changed says nothing: blobs that are whole have one date.
            let metadata = fs::symlink_metadata(path)?;
            let changed = Duration::from_secs(metadata.ctime().try_into().unwrap_or_default());
            metadata.created().or(Ok(SystemTime::UNIX_EPOCH + changed))
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A store with two parts, each left by a step, and a blob; all asked for just now.
    fn store(folder: &Path) -> (Store, [Digest; 2], Digest) {
        let store = Store::open(folder).expect("can be made");
        let ids = [Digest::of(b"one"), Digest::of(b"two")];
        let work = store.work().expect("can be made");
        for id in ids {
            let made = work.path().join("made");
            fs::create_dir(&made).expect("can be made");
            fs::write(made.join("file"), [1; 10_000]).expect("can be written");
            fs::hard_link(made.join("file"), made.join("other")).expect("can be linked");
            store.keep_part(&id, &made).expect("can be kept");
            store.remember(&Digest::of(id.hex().as_bytes()), &id, &work).expect("can be written");
        }
        let blob = Digest::of(&[2; 30_000]);
        let made = work.path().join("blob");
        fs::write(&made, [2; 30_000]).expect("can be written");
        store.keep_blob(&blob, &made).expect("can be kept");
        (store, ids, blob)
    }

    fn date(mark: &Path, ago: Duration) {
        let mark = File::options().write(true).open(mark).expect("is there");
        mark.set_modified(SystemTime::now() - ago).expect("can be set");
    }

    fn collect(store: &Store, used_since: Option<Duration>, bytes: Option<u64>) -> (u64, u64) {
        let used_since = used_since.map(|ago| SystemTime::now() - ago);
        let collected = store.collect(Keep { used_since, bytes }).expect("can be collected");
        (collected.parts.count, collected.blobs.count)
    }

    #[test]
    fn what_nobody_asks_for_is_thrown_away_with_its_step() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (store, [one, two], blob) = store(folder.path());
        let before = store.usage().expect("can be measured");
        assert_eq!((before.parts.count, before.blobs.count, before.caches.count), (2, 1, 0));
        assert!((20_000..60_000).contains(&before.parts.bytes), "{before:?}");
        assert_eq!(collect(&store, Some(HOUR), None), (0, 0));
        let mark_of_blob = folder.path().join("used").join(blob.hex());
        // The date of the blob itself is always the same, and says nothing.
        fs::remove_file(&mark_of_blob).expect("is there");
        assert_eq!(collect(&store, Some(HOUR), None), (0, 0));
        store.note_use(&blob);
        date(&marks::path(&store.part_path(&two)), 2 * HOUR);
        date(&mark_of_blob, 2 * HOUR);
        store.blob(&blob).expect("can be looked for").expect("is kept");
        assert_eq!(collect(&store, Some(HOUR), None), (1, 0));
        assert!(store.part(&one).is_some() && store.part(&two).is_none());
        date(&mark_of_blob, 2 * HOUR);
        assert_eq!(collect(&store, Some(HOUR), None), (0, 1));
        assert!(store.blob(&blob).expect("can be looked for").is_none() && !mark_of_blob.exists());
        let steps = listed(&folder.path().join("steps")).expect("is there").len();
        assert_eq!((steps, store.faults().expect("can be read")), (1, Vec::new()));
    }

    #[test]
    fn what_was_asked_for_last_stays_where_there_is_no_room_for_all() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (store, [one, two], blob) = store(folder.path());
        date(&marks::path(&store.part_path(&one)), HOUR);
        date(&folder.path().join("used").join(blob.hex()), 2 * HOUR);
        assert_eq!(collect(&store, None, Some(1 << 20)), (0, 0));
        assert_eq!(collect(&store, None, Some(60_000)), (0, 1));
        let of_one_part = store.usage().expect("can be measured").parts.bytes / 2;
        assert_eq!(collect(&store, None, Some(of_one_part)), (1, 0));
        assert!(store.part(&one).is_none() && store.part(&two).is_some());
        assert_eq!(collect(&store, None, Some(0)), (1, 0));
    }

    #[test]
    fn what_is_not_whole_goes_whenever_it_was_asked_for() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (store, [one, two], _) = store(folder.path());
        fs::write(marks::path(&store.part_path(&one)), "on di").expect("can be written");
        fs::write(marks::path(&store.part_path(&Digest::of(b"gone"))), "").expect("can be written");
        assert_eq!(collect(&store, None, None), (1, 0));
        assert!(!store.part_path(&one).exists() && store.part(&two).is_some());
        assert_eq!(listed(&folder.path().join("parts")).expect("is there").len(), 2);
    }

    #[test]
    fn caches_go_only_when_asked() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let cache = store.cache("pip", crate::caches::Sharing::Locked, &|| true).expect("is free");
        fs::write(cache.path().join("wheel"), [1; 5_000]).expect("can be written");
        drop(cache);
        assert_eq!(collect(&store, Some(Duration::ZERO), Some(0)), (0, 0));
        let removed = store.remove_caches().expect("can be removed");
        assert!(removed.count == 1 && removed.bytes >= 5_000, "{removed:?}");
        assert_eq!(store.usage().expect("can be measured").caches, Holding::default());
    }
}
