//! Packed layers: by a key that says what a layer is made of, what is known of the blob that it was
//! packed into. The blob itself lies with the others.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::store::Store;
use crate::work::Work;

impl Store {
    /// What is known of a layer with this key: lines of text, of which the first names the blob. What
    /// cannot be read was never kept. It is whole only if its last bytes are `end`.
    pub fn layer(&self, key: &Digest, end: &str) -> Option<impl BufRead + use<>> {
        let mut file = File::open(self.folder("layers").join(key.hex())).ok()?;
        let mut found = vec![0; end.len()];
        let place = file.metadata().ok()?.len().checked_sub(end.len() as u64)?;
        file.read_exact_at(&mut found, place).ok()?;
        file.rewind().ok()?;
        (found == end.as_bytes()).then(|| BufReader::with_capacity(1 << 16, file))
    }

    /// Keeps what is known of a layer, whose blob is kept, unless whoever writes it says that it is
    /// not to be kept; gives back whether it is. A layer may have a million files, so it is written as
    /// it comes.
    pub fn keep_layer(
        &self,
        key: &Digest,
        work: &Work,
        known: impl FnOnce(&mut dyn Write) -> io::Result<bool>,
    ) -> Result<bool, StoreError> {
        let (path, beside) = (self.folder("layers").join(key.hex()), work.path().join("layer"));
        let written = File::create(&beside).and_then(|file| {
            let mut file = BufWriter::with_capacity(1 << 16, file);
            let is_kept = known(&mut file)?;
            file.flush()?;
            Ok(is_kept)
        });
        let is_kept = written.map_err(disk("write", &beside))?;
        if is_kept {
            fs::rename(&beside, &path).map_err(disk("write", &path))?;
        }
        Ok(is_kept)
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

/// Longer than any digest is.
const LONGEST_DIGEST: u64 = 256;

/// The blob that the known of a layer names.
pub(crate) fn blob_of(layer: &Path) -> Option<Digest> {
    let mut line = String::new();
    BufReader::new(File::open(layer).ok()?.take(LONGEST_DIGEST)).read_line(&mut line).ok()?;
    line.strip_suffix('\n')?.parse().ok()
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
        let blob_file = |size| store.blob_file(&blob, size).expect("can be looked for");
        let layer = || {
            let lines = store.layer(&key, "end")?.lines();
            Some(lines.map(|line| line.expect("can be read")).collect::<Vec<_>>())
        };
        assert_eq!((layer(), blob_file(4)), (None, None));
        let file = folder.path().join("file");
        fs::write(&file, "blob").expect("can be written");
        let work = store.work().expect("can be made");
        store.keep_blob_beside(&blob, &file, &work).expect("can be kept");
        let keep = |known: &str| {
            let known = |file: &mut dyn Write| file.write_all(known.as_bytes()).map(|()| true);
            assert!(store.keep_layer(&key, &work, known).expect("can be kept"));
        };
        for half in ["", "e", &format!("{blob}\nmore\nen")] {
            keep(half);
            assert_eq!(layer(), None, "`{half}` is half of it");
        }
        keep(&format!("{blob}\nmore\nend"));
        assert!(file.exists() && blob_file(4).is_some());
        assert_eq!(blob_file(5), None, "it has another size");
        let other = |file: &mut dyn Write| file.write_all(b"other\nend").map(|()| false);
        assert!(!store.keep_layer(&key, &work, other).expect("can be written"));
        assert_eq!(layer(), Some(vec![blob.to_string(), "more".to_owned(), "end".to_owned()]));
        assert_eq!(store.faults().expect("can be read"), []);
        store.collect(Keep { used_since: None, bytes: Some(0) }).expect("can be collected");
        assert_eq!((layer(), blob_file(4)), (None, None));
        assert!(file.exists());
    }
}
