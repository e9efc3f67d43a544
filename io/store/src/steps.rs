//! Finished steps: by a key that says all that a step depends on, the part that came of it.

use std::fs;

use cogpack_content::Digest;

use crate::failure::StoreError;
use crate::store::{Store, write_quickly};
use crate::work::Work;

impl Store {
    /// The part that a step with this key has left, if one has and it is still kept. What cannot
    /// be read is a step that was never done.
    pub fn finished(&self, key: &Digest) -> Option<Digest> {
        let text = fs::read_to_string(self.folder("steps").join(key.hex())).ok()?;
        let part: Digest = text.strip_suffix('\n')?.parse().ok()?;
        self.part(&part).map(|_| part)
    }

    /// Remembers what a step with this key has left, which was made in `work`.
    pub fn remember(&self, key: &Digest, part: &Digest, work: &Work) -> Result<(), StoreError> {
        let beside = work.path().join("step");
        write_quickly(&self.folder("steps").join(key.hex()), &beside, format!("{part}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_finished_only_while_its_part_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let (key, part) = (Digest::of(b"key"), Digest::of(b"part"));
        assert_eq!(store.finished(&key), None);
        let work = store.work().expect("can be made");
        store.remember(&key, &part, &work).expect("can be written");
        assert_eq!(store.finished(&key), None, "there is no such part");
        let made = work.path().join("made");
        fs::create_dir(&made).expect("can be made");
        store.keep_part(&part, &made).expect("can be kept");
        assert_eq!(store.finished(&key), Some(part));
        for broken in ["", "sha256:", &part.to_string()] {
            fs::write(store.folder("steps").join(key.hex()), broken).expect("can be written");
            assert_eq!(store.finished(&key), None, "`{broken}` is half of an entry");
        }
    }
}
