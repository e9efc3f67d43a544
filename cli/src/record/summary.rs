//! That nothing has changed since a build: what is known then need not be found again.
//!
//! Beside the record stands a digest of the plan and of all that the disk said of its contexts, what ops took
//! of them, and where in the record the files stand. That file is no part of the record, and may go
//! at any time: what does not fit together is found anew.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::SystemTime;

use cogpack_backends_contract::content::{Content, DiskStamp, Stamp};
use cogpack_backends_contract::tree::{Directory, Node, Tree};
use cogpack_content::Digest;
use cogpack_diff::files::ContextFiles;
use cogpack_diff::keys::{Contents, Taken};
use cogpack_io_project::files::read_limited;
use cogpack_ir::plan::InputName;
use sha2::{Digest as _, Sha256};

use super::document::{Document, VERSION};

/// A line for each copy and mount of a context takes a hundredth of this.
const LARGEST: u64 = 16 * 1024 * 1024;
/// So much of a record is read at once.
const AT_ONCE: usize = 1 << 17;

/// A digest of a plan and its contexts, while it is made.
pub struct Summing(Sha256);

impl Summing {
    /// Begins with a plan.
    pub fn new(plan: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("{} {VERSION}\n", env!("CARGO_PKG_VERSION")));
        let mut summing = Self(hash);
        summing.bytes(plan.as_bytes());
        summing
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    /// Adds a context; `None` where something was written a moment before it was looked at.
    pub fn context(&mut self, name: &InputName, tree: &Tree<Content>) -> Option<()> {
        self.bytes(name.as_str().as_bytes());
        self.directory(tree.root())
    }

    fn directory(&mut self, directory: &Directory<Content>) -> Option<()> {
        self.number(directory.attributes.mode.bits().into());
        self.number(directory.children.len() as u64);
        for entry in &directory.children {
            let (name, node) = entry.parts();
            self.bytes(name);
            match node {
                Node::Directory(below) => {
                    self.0.update(b"d");
                    self.directory(below)?;
                }
                Node::File { attributes, content: Content::Context(file) } => {
                    let Stamp::Disk(stamp) = *file.stamp() else { return None };
                    let DiskStamp { device, inode, modified, changed, settled } = stamp;
                    if !settled {
                        return None;
                    }
                    self.0.update(b"f");
                    for number in [attributes.mode.bits().into(), file.size(), device, inode] {
                        self.number(number);
                    }
                    for moment in [modified, changed] {
                        self.0.update(moment.seconds.to_le_bytes());
                        self.0.update(moment.nanoseconds.to_le_bytes());
                    }
                }
                Node::Symlink { target, .. } => {
                    self.0.update(b"l");
                    self.bytes(target);
                }
                Node::File { .. } | Node::Special { .. } => return None,
            }
        }
        Some(())
    }

    /// All of it.
    pub fn done(self) -> Digest {
        Digest::from_sha256(self.0.finalize().into())
    }
}

/// What ops take of contexts, in the order in which it is asked for.
pub type Takings = Vec<Option<Digest>>;

/// The files of contexts, with a note of what was asked for.
pub struct Noting<'n> {
    files: &'n ContextFiles,
    takings: Mutex<Takings>,
}

impl<'n> Noting<'n> {
    /// Of these files.
    pub fn new(files: &'n ContextFiles) -> Self {
        Self { files, takings: Mutex::default() }
    }

    /// What was asked for.
    pub fn done(self) -> Takings {
        self.takings.into_inner().unwrap_or_default()
    }
}

impl Contents for Noting<'_> {
    fn taken(&self, context: &InputName, taken: Taken<'_>) -> Option<Digest> {
        let found = self.files.taken(context, taken);
        if let Ok(mut takings) = self.takings.lock() {
            takings.push(found);
        }
        found
    }
}

/// The same answers again, for who asks for the same.
pub struct Again(Mutex<std::vec::IntoIter<Option<Digest>>>);

impl Again {
    /// These.
    pub fn new(takings: Takings) -> Self {
        Self(Mutex::new(takings.into_iter()))
    }
}

impl Contents for Again {
    fn taken(&self, _: &InputName, _: Taken<'_>) -> Option<Digest> {
        self.0.lock().ok()?.next().flatten()
    }
}

/// The part of a record that lists files, at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// How many bytes it has.
    pub length: u64,
    /// Its digest.
    pub digest: Digest,
}

/// What a build has left of which nothing has changed since.
pub struct Unchanged {
    record: File,
    part: Part,
    /// What its ops took.
    pub takings: Takings,
}

impl Unchanged {
    /// What is there, if it is of this summary.
    pub fn find(note: &Path, record: &Path, summary: &Digest) -> Option<Self> {
        let note = String::from_utf8(read_limited(note, LARGEST).ok()??).ok()?;
        let mut lines = note.strip_suffix("end\n")?.lines();
        if lines.next()?.parse::<Digest>().ok()? != *summary {
            return None;
        }
        let (length, digest) = lines.next()?.split_once(' ')?;
        let part = Part { length: length.parse().ok()?, digest: digest.parse().ok()? };
        let taking = |line: &str| match line {
            NOTHING => Some(None),
            digest => digest.parse().ok().map(Some),
        };
        let takings = lines.map(taking).collect::<Option<Takings>>()?;
        let mut found = Self { record: File::open(record).ok()?, part, takings };
        let mut hashing = Hashing::new(io::sink());
        found.write_to(&mut hashing).ok()?;
        (hashing.part() == found.part).then_some(found)
    }

    /// Whether the record, which is at `path`, says of a build all that `document` says, but for times.
    /// Then it is dated anew, and need not be written.
    pub fn tells(&mut self, document: &Document, path: &Path) -> bool {
        self.document().is_some_and(|before| before.differs_in_times_alone(document))
            // A build that ended meanwhile may have written another one.
            && self.is_at(path)
            && self.record.set_modified(SystemTime::now()).is_ok()
    }

    /// The part of the record that lists no files.
    fn document(&mut self) -> Option<Document> {
        let length = self.start().ok().filter(|length| *length <= LARGEST)?;
        let mut text = Vec::new();
        self.record.rewind().ok()?;
        (&self.record).take(length).read_to_end(&mut text).ok()?;
        Document::of_text(&text)
    }

    fn is_at(&self, path: &Path) -> bool {
        let place = |found: Metadata| (found.dev(), found.ino());
        let (open, there) = (self.record.metadata().map(place), fs::symlink_metadata(path).map(place));
        matches!((open, there), (Ok(open), Ok(there)) if open == there)
    }

    /// Where the part of the record begins that lists files.
    fn start(&self) -> io::Result<u64> {
        let length = self.record.metadata()?.len();
        length.checked_sub(self.part.length).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Writes the part of the record that lists files.
    pub fn write_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.record.seek(SeekFrom::Start(self.start()?))?;
        let mut part = BufReader::with_capacity(AT_ONCE, (&self.record).take(self.part.length));
        let mut copied = 0;
        loop {
            let bytes = part.fill_buf()?;
            let length = bytes.len();
            if length == 0 {
                break;
            }
            out.write_all(bytes)?;
            part.consume(length);
            copied += length as u64;
        }
        if copied == self.part.length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

const NOTHING: &str = "-";

/// The note by which a build is known to be of what this summary says.
pub fn note(summary: &Digest, part: &Part, takings: &Takings) -> String {
    let mut text = format!("{summary}\n{} {}\n", part.length, part.digest);
    for taking in takings {
        match taking {
            Some(digest) => text.push_str(&format!("{digest}\n")),
            None => text.push_str(&format!("{NOTHING}\n")),
        }
    }
    text.push_str("end\n");
    text
}

/// Writes, and knows what was written.
pub struct Hashing<W> {
    out: W,
    hash: Sha256,
    length: u64,
}

impl<W: Write> Hashing<W> {
    /// Nothing so far.
    pub fn new(out: W) -> Self {
        Self { out, hash: Sha256::new(), length: 0 }
    }

    /// What was written.
    pub fn part(self) -> Part {
        Part { length: self.length, digest: Digest::from_sha256(self.hash.finalize().into()) }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
