//! Digests of the files of contexts. A file is read once: as long as the disk says the same of it, it
//! is known what is in it.
//!
//! What is known is one line for each file: its digest, and what the disk said. A line that cannot be
//! understood is one less that is known. There may be a million of them, so they are in memory for a
//! while only ([`Lookup`]), and what is to be written waits where pages of directories wait.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use cogpack_backends_contract::content::{ContentSource, DiskStamp, Moment, Stamp};
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::overflow::lookup::{Key, Lookup};
use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

use crate::room::Room;

/// What is known of files.
#[derive(Default)]
pub struct SeenFiles {
    room: Room,
    known: Lookup,
    /// Of the files that were asked for, by where the room has them.
    kept: Vec<(u64, usize)>,
    lines: Vec<u8>,
}

/// What the disk says of a file: device, inode, size, and when its bytes and anything of it changed.
type Look = (u64, u64, u64, (i64, u32), (i64, u32));

/// So much is written at once.
const AT_ONCE: usize = 1 << 20;
/// No line of ours is as long.
const LONGEST_LINE: u64 = 512;

impl SeenFiles {
    /// What was known another time, as far as it can be read.
    pub fn read(path: &Path) -> Self {
        let mut seen = Self::default();
        let Ok(file) = File::open(path) else { return seen };
        let (mut file, mut text) = (BufReader::new(file), Vec::new());
        loop {
            text.clear();
            match file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return seen,
            }
            let known = std::str::from_utf8(&text).ok().and_then(|text| line(text.trim_end_matches('\n')));
            if let Some((look, digest)) = known {
                seen.note(&look, &digest);
            }
        }
    }

    /// The digest of a file, which is read only where it may be another one than before.
    pub fn digest(&mut self, file: &Listed, files: &dyn ContentSource) -> io::Result<Digest> {
        let look = match file.stamp() {
            Stamp::Digest(digest) => return Ok(*digest),
            Stamp::Disk(stamp) if stamp.settled => Some(look(stamp, file.size())),
            Stamp::Disk(_) | Stamp::None => None,
        };
        let known = look.as_ref().and_then(|look| self.known.get(&key(look)));
        let known = known.and_then(|known| <[u8; 32]>::try_from(&*known).ok()).map(Digest::from_sha256);
        let digest = match known {
            Some(known) => known,
            None => {
                let mut hash = Sha256::new();
                io::copy(&mut files.open(&file.file())?, &mut hash)?;
                Digest::from_sha256(hash.finalize().into())
            }
        };
        if let Some(look) = look {
            if known.is_none() {
                self.note(&look, &digest);
            }
            self.write(&look, &digest);
        }
        Ok(digest)
    }

    fn note(&mut self, look: &Look, digest: &Digest) {
        self.known.note(key(look), digest.sha256(), || Some(self.room.bytes()));
    }

    fn write(&mut self, look: &Look, digest: &Digest) {
        let (device, inode, size, modified, changed) = look;
        let [modified, changed] =
            [modified, changed].map(|(seconds, nanoseconds)| format!("{seconds}.{nanoseconds:09}"));
        let line = format!("{digest} {device} {inode} {size} {modified} {changed}\n");
        self.lines.extend_from_slice(line.as_bytes());
        // Where there is no room, all of it stays in memory.
        if self.lines.len() >= AT_ONCE
            && let Ok(offset) = self.room.bytes().append(&self.lines)
        {
            self.kept.push((offset, self.lines.len()));
            self.lines.clear();
        }
    }

    /// Writes what is known for another time: of the files that were asked for.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (offset, length) in &self.kept {
            bytes.resize(*length, 0);
            self.room.bytes().read(*offset, &mut bytes)?;
            out.write_all(&bytes)?;
        }
        out.write_all(&self.lines)
    }
}

fn key(look: &Look) -> Key {
    let (device, inode, size, modified, changed) = look;
    let mut text = [device, inode, size].map(|number| number.to_le_bytes()).concat();
    for (seconds, nanoseconds) in [modified, changed] {
        text.extend_from_slice(&seconds.to_le_bytes());
        text.extend_from_slice(&nanoseconds.to_le_bytes());
    }
    Key::of(&text)
}

fn look(stamp: &DiskStamp, size: u64) -> Look {
    let DiskStamp { device, inode, modified, changed, settled: _ } = *stamp;
    let [modified, changed] =
        [modified, changed].map(|Moment { seconds, nanoseconds }| (seconds, nanoseconds));
    (device, inode, size, modified, changed)
}

fn line(line: &str) -> Option<(Look, Digest)> {
    let mut words = line.split(' ');
    let digest = words.next()?.parse().ok()?;
    let mut number = || words.next()?.parse().ok();
    let (device, inode, size) = (number()?, number()?, number()?);
    let mut moment = || {
        let (seconds, nanoseconds) = words.next()?.split_once('.')?;
        Some((seconds.parse().ok()?, nanoseconds.parse().ok()?))
    };
    let look = (device, inode, size, moment()?, moment()?);
    words.next().is_none().then_some((look, digest))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use cogpack_backends_contract::content::{Content, ContextFile};
    use cogpack_backends_contract::tree::{Node, components};
    use cogpack_ir::plan::InputName;

    use super::*;
    use crate::context_files::ContextFiles;
    use crate::walk::walk;

    fn listed(root: &Path, path: &str) -> (Listed, ContextFiles) {
        let context = InputName::new("source").expect("is a name");
        let tree = walk(root, &context, &[]).expect("can be walked");
        let Some(Node::File { content: Content::Context(file), .. }) = tree.get(&components(path.as_bytes()))
        else {
            panic!("{path} is no file")
        };
        (file, ContextFiles { directories: BTreeMap::from([(context, root.to_owned())]) })
    }

    fn text(seen: &SeenFiles) -> String {
        let mut text = Vec::new();
        seen.write_to(&mut text).expect("can be written");
        String::from_utf8(text).expect("is text")
    }

    fn parsed(text: &str) -> SeenFiles {
        let folder = tempfile::tempdir().expect("makes a directory");
        let path = folder.path().join("seen");
        fs::write(&path, text).expect("is writable");
        SeenFiles::read(&path)
    }

    #[test]
    fn more_than_memory_keeps_is_known_as_well() {
        let context = InputName::new("source").expect("is a name");
        let file = |inode| -> Listed {
            let moment = Moment { seconds: 1, nanoseconds: 5 };
            let stamp = DiskStamp { device: 1, inode, modified: moment, changed: moment, settled: true };
            let path = inode.to_string().into_bytes();
            ContextFile { context: context.clone(), path, size: 7, linked: false, stamp: Stamp::Disk(stamp) }
                .into()
        };
        let mut seen = SeenFiles::default();
        for inode in 0..20_000 {
            seen.note(&look_of(&file(inode)), &Digest::of(&inode.to_le_bytes()));
        }
        // None of them is there to be read.
        let nothing = ContextFiles::default();
        for inode in 0..20_000 {
            let digest = seen.digest(&file(inode), &nothing).expect("is known");
            assert_eq!(digest, Digest::of(&inode.to_le_bytes()));
        }
        assert!(seen.digest(&file(20_000), &nothing).is_err());
        let written = text(&seen);
        assert!(!seen.kept.is_empty() && written.lines().count() == 20_000);
        let mut seen = parsed(&written);
        assert_eq!(
            seen.digest(&file(19_999), &nothing).expect("is known"),
            Digest::of(&19_999_u64.to_le_bytes())
        );
    }

    fn look_of(file: &Listed) -> super::Look {
        match file.stamp() {
            Stamp::Disk(stamp) => look(stamp, file.size()),
            other @ (Stamp::Digest(_) | Stamp::None) => panic!("{other:?} is no disk's"),
        }
    }

    /// The same file, as if it had been there for long.
    fn settled(file: &Listed) -> Listed {
        let mut known = file.file();
        if let Stamp::Disk(stamp) = &mut known.stamp {
            stamp.settled = true;
        }
        known.into()
    }

    #[test]
    fn a_file_that_looks_the_same_is_not_read_again() {
        let root = tempfile::tempdir().expect("makes a directory");
        fs::write(root.path().join("file"), "one").expect("is writable");
        let (file, files) = listed(root.path(), "file");
        let file = settled(&file);
        let mut seen = SeenFiles::default();
        assert_eq!(seen.digest(&file, &files).expect("is there"), Digest::of(b"one"));
        let text = text(&seen);
        assert_eq!(text.lines().count(), 1);
        // It is gone, and nobody notices.
        fs::remove_file(root.path().join("file")).expect("is there");
        let mut seen = parsed(&format!("nonsense\n{}\n\u{0}\n{text}", "long".repeat(1000)));
        assert_eq!(seen.digest(&file, &files).expect("is known"), Digest::of(b"one"));
        assert_eq!(super::tests::text(&seen), text);
        assert!(parsed(&text.replace(' ', "  ")).digest(&file, &files).is_err());
    }

    #[test]
    fn a_file_that_may_still_change_unseen_or_looks_otherwise_is_read() {
        let root = tempfile::tempdir().expect("makes a directory");
        let path = root.path().join("file");
        fs::write(&path, "one").expect("is writable");
        let (file, files) = listed(root.path(), "file");
        let mut seen = SeenFiles::default();
        assert_eq!(seen.digest(&file, &files).expect("is there"), Digest::of(b"one"));
        assert_eq!(text(&seen), "");
        seen.digest(&settled(&file), &files).expect("is there");
        let mut seen = parsed(&text(&seen));
        fs::write(&path, "two").expect("is writable");
        let later = SystemTime::now() + Duration::from_secs(1);
        fs::File::options().write(true).open(&path).expect("is there").set_modified(later).expect("is ours");
        let (file, files) = listed(root.path(), "file");
        assert_eq!(seen.digest(&settled(&file), &files).expect("is there"), Digest::of(b"two"));
    }
}
