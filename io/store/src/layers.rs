//! Packed layers: by a key that says what a layer is made of, what is known of the blob that it was
//! packed into. The blob itself lies with the others.

use std::fs;
use std::path::{Path, PathBuf};

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::store::{Store, write_quickly};
use crate::work::Work;

impl Store {
    /// What is known of a layer with this key: lines of text, of which the first names the blob. What
    /// cannot be read was never kept.
    pub fn layer(&self, key: &Digest) -> Option<String> {
        fs::read_to_string(self.folder("layers").join(key.hex())).ok()
    }

    /// Keeps what is known of a layer, whose blob is kept.
    pub fn keep_layer(&self, key: &Digest, known: &str, work: &Work) -> Result<(), StoreError> {
        let path = self.folder("layers").join(key.hex());
        write_quickly(&path, &work.path().join("layer"), known.as_bytes())
    }

    /// Where a blob is that is kept, if it has this size. That it was asked for keeps it from being
    /// thrown away soon.
    pub fn blob_file(&self, digest: &Digest, size: u64) -> Option<PathBuf> {
        let path = self.blob_path(digest);
        let is_there = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == size);
        if is_there {
            self.note_use(digest);
        }
        is_there.then_some(path)
    }

    /// Keeps another name of a file, whose bytes the caller knows to have the digest, as a blob; on
    /// another disk a copy of it.
    pub fn keep_blob_beside(&self, digest: &Digest, file: &Path, work: &Work) -> Result<(), StoreError> {
        let made = work.path().join("blob");
        if fs::hard_link(file, &made).is_err() {
            fs::copy(file, &made).map_err(disk("keep", file))?;
        }
        self.keep_blob(digest, &made)
    }
}

/// The blob that the known of a layer names.
pub(crate) fn blob_of(layer: &Path) -> Option<Digest> {
    fs::read_to_string(layer).ok()?.lines().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gc::Keep;

    #[test]
    fn a_layer_is_known_as_long_as_its_blob_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let (key, blob) = (Digest::of(b"key"), Digest::of(b"blob"));
        assert_eq!((store.layer(&key), store.blob_file(&blob, 4)), (None, None));
        let file = folder.path().join("file");
        fs::write(&file, "blob").expect("can be written");
        let work = store.work().expect("can be made");
        store.keep_blob_beside(&blob, &file, &work).expect("can be kept");
        let known = format!("{blob}\nmore\n");
        store.keep_layer(&key, &known, &work).expect("can be kept");
        drop(work);
        assert!(file.exists() && store.blob_file(&blob, 4).is_some());
        assert_eq!(store.blob_file(&blob, 5), None, "it has another size");
        assert_eq!(store.layer(&key), Some(known));
        assert_eq!(store.faults().expect("can be read"), []);
        store.collect(Keep { used_since: None, bytes: Some(0) }).expect("can be collected");
        assert_eq!((store.layer(&key), store.blob_file(&blob, 4)), (None, None));
        assert!(file.exists());
    }
}
