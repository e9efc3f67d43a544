//! Digests of the files of contexts. A file is read once: as long as the disk says the same of it, it
//! is known what is in it.
//!
//! What is known is one line for each file: its digest, and what the disk said. A line that cannot be
//! understood is one less that is known.

use std::collections::BTreeMap;
use std::io;

use cogpack_backends_contract::content::{ContentSource, DiskStamp, Stamp};
use cogpack_backends_contract::listed::Listed;
use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// What is known of files.
#[derive(Debug, Default)]
pub struct SeenFiles {
    before: BTreeMap<Look, Digest>,
    now: BTreeMap<Look, Digest>,
}

/// What the disk says of a file: device, inode, size, and when its bytes and anything of it changed.
type Look = (u64, u64, u64, (i64, u32), (i64, u32));

impl SeenFiles {
    /// What was known another time.
    pub fn parse(text: &str) -> Self {
        Self { before: text.lines().filter_map(line).collect(), now: BTreeMap::new() }
    }

    /// The digest of a file, which is read only where it may be another one than before.
    pub fn digest(&mut self, file: &Listed, files: &dyn ContentSource) -> io::Result<Digest> {
        let look = match file.stamp() {
            Stamp::Digest(digest) => return Ok(*digest),
            Stamp::Disk(stamp) if stamp.settled => Some(look(stamp, file.size())),
            Stamp::Disk(_) | Stamp::None => None,
        };
        let known = look.as_ref().and_then(|look| self.now.get(look).or_else(|| self.before.get(look)));
        let digest = match known {
            Some(known) => *known,
            None => {
                let mut hash = Sha256::new();
                io::copy(&mut files.open(&file.file())?, &mut hash)?;
                Digest::from_sha256(hash.finalize().into())
            }
        };
        if let Some(look) = look {
            self.now.insert(look, digest);
        }
        Ok(digest)
    }

    /// What is known for another time: of the files that were asked for.
    pub fn to_text(&self) -> String {
        let line = |(look, digest): (&Look, &Digest)| {
            let (device, inode, size, modified, changed) = look;
            let [modified, changed] =
                [modified, changed].map(|(seconds, nanoseconds)| format!("{seconds}.{nanoseconds:09}"));
            format!("{digest} {device} {inode} {size} {modified} {changed}\n")
        };
        self.now.iter().map(line).collect()
    }
}

fn look(stamp: &DiskStamp, size: u64) -> Look {
    let DiskStamp { device, inode, modified, changed, settled: _ } = *stamp;
    let [modified, changed] = [modified, changed].map(|moment| (moment.seconds, moment.nanoseconds));
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
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use cogpack_backends_contract::content::Content;
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
        let text = seen.to_text();
        assert_eq!(text.lines().count(), 1);
        // It is gone, and nobody notices.
        fs::remove_file(root.path().join("file")).expect("is there");
        let mut seen = SeenFiles::parse(&format!("nonsense\n{text}"));
        assert_eq!(seen.digest(&file, &files).expect("is known"), Digest::of(b"one"));
        assert_eq!(seen.to_text(), text);
        assert!(SeenFiles::parse(&text.replace(' ', "  ")).digest(&file, &files).is_err());
    }

    #[test]
    fn a_file_that_may_still_change_unseen_or_looks_otherwise_is_read() {
        let root = tempfile::tempdir().expect("makes a directory");
        let path = root.path().join("file");
        fs::write(&path, "one").expect("is writable");
        let (file, files) = listed(root.path(), "file");
        let mut seen = SeenFiles::default();
        assert_eq!(seen.digest(&file, &files).expect("is there"), Digest::of(b"one"));
        assert_eq!(seen.to_text(), "");
        seen.digest(&settled(&file), &files).expect("is there");
        let mut seen = SeenFiles::parse(&seen.to_text());
        fs::write(&path, "two").expect("is writable");
        let later = SystemTime::now() + Duration::from_secs(1);
        fs::File::options().write(true).open(&path).expect("is there").set_modified(later).expect("is ours");
        let (file, files) = listed(root.path(), "file");
        assert_eq!(seen.digest(&settled(&file), &files).expect("is there"), Digest::of(b"two"));
    }
}
