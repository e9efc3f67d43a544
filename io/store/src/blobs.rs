//! Blobs: files by the digest of their bytes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::store::{Store, sync_directory};

impl Store {
    /// Opens a blob that is kept. That it was asked for keeps it from being thrown away soon.
    pub fn blob(&self, digest: &Digest) -> Result<Option<File>, StoreError> {
        let path = self.blob_path(digest);
        match File::open(&path) {
            Ok(file) => {
                self.note_use(digest);
                Ok(Some(file))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk("open", &path)(error)),
        }
    }

    /// Keeps a file, whose bytes the caller has compared with the digest, as a blob.
    pub fn keep_blob(&self, digest: &Digest, made: &Path) -> Result<(), StoreError> {
        let path = self.blob_path(digest);
        File::open(made).and_then(|file| file.sync_all()).map_err(disk("sync", made))?;
        fs::rename(made, &path).map_err(disk("keep", &path))?;
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
}
