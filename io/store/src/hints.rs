//! Hints: what a build has learnt that makes the next of its kind quicker, and never another one.
//!
//! Whoever reads a hint must come to the same without it, and with any other: a hint may be old, or
//! somebody else's, or nothing but noise.

use std::fs::{self, File};
use std::io::Read;
use std::time::SystemTime;

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::marks;
use crate::store::{Store, write_quickly};
use crate::usage::listed;

/// No hint is longer.
const LONGEST: u64 = 64 << 10;

/// The last line of a hint.
const END: &str = "end\n";

impl Store {
    /// The lines that were noted under a key; nothing where there are none, or half of them.
    pub fn hint(&self, key: &Digest) -> Option<String> {
        let path = self.folder("hints").join(key.hex());
        let mut text = String::new();
        File::open(&path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        let length = text.strip_suffix(END)?.len();
        text.truncate(length);
        marks::touch(&path);
        Some(text)
    }

    /// Notes lines under a key, in place of those before; nothing where they are too long.
    pub fn keep_hint(&self, key: &Digest, lines: &str) -> Result<(), StoreError> {
        let text = format!("{lines}{END}");
        if text.len() as u64 > LONGEST {
            return Ok(());
        }
        let work = self.work()?;
        write_quickly(&self.folder("hints").join(key.hex()), &work.path().join("hint"), text.as_bytes())
    }

    /// Throws away hints that nobody has asked for since.
    pub(crate) fn remove_hints(&self, used_since: SystemTime) -> Result<(), StoreError> {
        for path in listed(&self.folder("hints"))? {
            let used = fs::metadata(&path).and_then(|it| it.modified()).map_err(disk("look at", &path))?;
            if used < used_since {
                fs::remove_file(&path).map_err(disk("remove", &path))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::gc::Keep;

    #[test]
    fn a_hint_is_read_as_it_was_noted_and_half_of_one_is_none() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let key = Digest::of(b"key");
        assert_eq!(store.hint(&key), None);
        for lines in ["", "/a\n/b\n"] {
            store.keep_hint(&key, lines).expect("can be written");
            assert_eq!(store.hint(&key).as_deref(), Some(lines));
        }
        store.keep_hint(&key, &"/long\n".repeat(20_000)).expect("is passed over");
        assert_eq!(store.hint(&key).as_deref(), Some("/a\n/b\n"));
        let path = store.folder("hints").join(key.hex());
        for broken in [&b""[..], b"/a\n", b"\xff\xffend\n"] {
            fs::write(&path, broken).expect("can be written");
            assert_eq!(store.hint(&key), None, "{broken:?}");
        }
    }

    #[test]
    fn hints_that_nobody_asks_for_are_thrown_away() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        for key in [&old, &new] {
            store.keep_hint(key, "").expect("can be written");
        }
        let now = SystemTime::now();
        let file = File::options().write(true).open(store.folder("hints").join(old.hex())).expect("is there");
        file.set_modified(now - Duration::from_secs(7_200)).expect("can be dated");
        let keep = Keep { used_since: Some(now - Duration::from_secs(3_600)), bytes: None };
        store.collect(keep).expect("can be collected");
        assert_eq!((store.hint(&old), store.hint(&new).as_deref()), (None, Some("")));
    }
}
