//! Blobs: files by the digest of their bytes.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::gc::remove_if_there;
use crate::store::{Store, sync_directory};
use crate::whole;

impl Store {
    /// Opens a blob that is kept and whole. That it was asked for keeps it from being thrown away soon.
    pub fn blob(&self, digest: &Digest) -> Result<Option<File>, StoreError> {
        let path = self.blob_path(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk("open", &path)(error)),
        };
        let is_whole = self.is_whole(digest, &file)?;
        if is_whole {
            self.note_use(digest);
        }
        Ok(is_whole.then_some(file))
    }

    /// Where a blob is that is kept and whole, if it has this size. That it was asked for keeps it from
    /// being thrown away soon.
    pub fn blob_file(&self, digest: &Digest, size: u64) -> Result<Option<PathBuf>, StoreError> {
        let path = self.blob_path(digest);
        match fs::metadata(&path) {
            Ok(file) if file.is_file() && file.len() == size && whole::is_dated(&file) => {
                self.note_use(digest);
                return Ok(Some(path));
            }
            Ok(file) if file.is_file() => {}
            Ok(_) | Err(_) => return Ok(None),
        }
        let found = self.blob(digest)?;
        let length = found.map(|file| file.metadata()).transpose().map_err(disk("look at", &path))?;
        Ok(length.is_some_and(|file| file.len() == size).then_some(path))
    }

    /// Whether a blob has the bytes that it was kept with. One that has others is taken away: it is as if
    /// it had never been there.
    fn is_whole(&self, digest: &Digest, file: &File) -> Result<bool, StoreError> {
        let path = self.blob_path(digest);
        let here = file.metadata().map_err(disk("look at", &path))?;
        if whole::is_dated(&here) {
            return Ok(true);
        }
        if whole::hash(file, digest).map_err(disk("read", &path))? == *digest {
            return Ok(true);
        }
        let _keeping = self.keeping()?;
        // Somebody may have kept a whole one meanwhile.
        let is_this_one =
            fs::metadata(&path).is_ok_and(|there| (there.dev(), there.ino()) == (here.dev(), here.ino()));
        if is_this_one {
            remove_if_there(&path).map_err(disk("remove", &path))?;
        }
        Ok(false)
    }

    /// Keeps a file, whose bytes the caller has compared with the digest, as a blob.
    pub fn keep_blob(&self, digest: &Digest, made: &Path) -> Result<(), StoreError> {
        let path = self.blob_path(digest);
        let file = File::open(made).map_err(disk("open", made))?;
        // Whoever may not date it has it read when it is asked for.
        let _ = whole::date(&file);
        file.sync_all().map_err(disk("sync", made))?;
        let keeping = self.keeping()?;
        fs::rename(made, &path).map_err(disk("keep", &path))?;
        drop(keeping);
        self.note_use(digest);
        path.parent().map_or(Ok(()), sync_directory)
    }

    /// When somebody last asked for a blob is the time of a file of its own: the blob's may be that
    /// of a file in an image layout too, by a link.
    pub(crate) fn note_use(&self, digest: &Digest) {
        // Only an estimate of what is worth keeping depends on it.
        let mark = File::create(self.folder("used").join(digest.hex()));
        let _ = mark.and_then(|mark| mark.set_modified(SystemTime::now()));
    }

    /// As an image layout has it.
    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.folder("blobs").join("sha256").join(digest.hex())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_blob_is_found_by_its_digest() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let digest = Digest::of(b"text");
        assert!(store.blob(&digest).expect("can be looked for").is_none());
        let work = store.work().expect("can be made");
        let made = work.path().join("blob");
        fs::write(&made, "text").expect("can be written");
        store.keep_blob(&digest, &made).expect("can be kept");
        let mut text = String::new();
        let mut kept = store.blob(&digest).expect("can be looked for").expect("is kept");
        kept.read_to_string(&mut text).expect("can be read");
        assert_eq!(text, "text");
    }

    /// Keeps text as a blob. Gives its digest, and its other name.
    fn kept(store: &Store, text: &str, folder: &Path) -> (Digest, PathBuf) {
        let (digest, other) = (Digest::of(text.as_bytes()), folder.join("other"));
        fs::write(&other, text).expect("can be written");
        let work = store.work().expect("can be made");
        store.keep_blob_beside(&digest, &other, &work).expect("can be kept");
        (digest, other)
    }

    #[test]
    fn a_blob_that_was_written_to_by_another_name_is_none() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(&folder.path().join("store")).expect("can be made");
        for damaged in ["some te", "some tExt", "some text and more", ""] {
            for by_path in [false, true] {
                let (digest, other) = kept(&store, "some text", folder.path());
                assert!(store.blob_file(&digest, 9).expect("can be looked for").is_some());
                fs::write(&other, damaged).expect("can be written");
                let found = if by_path {
                    store.blob_file(&digest, damaged.len() as u64).expect("can be looked for").is_some()
                } else {
                    store.blob(&digest).expect("can be looked for").is_some()
                };
                assert!(!found && !store.blob_path(&digest).exists(), "`{damaged}` was taken");
                assert_eq!(fs::read_to_string(&other).expect("is not the store's"), damaged);
            }
        }
    }

    #[test]
    fn a_whole_blob_of_another_date_is_read_once() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(&folder.path().join("store")).expect("can be made");
        let (digest, other) = kept(&store, "some text", folder.path());
        // As a store has them that was made before blobs were dated.
        let file = File::options().write(true).open(&other).expect("is there");
        file.set_modified(SystemTime::now()).expect("can be dated");
        let is_dated = || whole::is_dated(&fs::metadata(&other).expect("is there"));
        assert!(!is_dated());
        assert!(store.blob_file(&digest, 9).expect("can be looked for").is_some() && is_dated());
        // From then on only its date is looked at.
        fs::write(&other, "some tExt").expect("can be written");
        let file = File::options().write(true).open(&other).expect("is there");
        whole::date(&file).expect("can be dated");
        assert!(store.blob(&digest).expect("can be looked for").is_some(), "it was read again");
        assert_eq!(store.faults().expect("can be read").len(), 1, "all blobs are read here");
    }
}
