//! The room that walks of contexts take in memory, and the temporary file for what has none.
//!
//! The first entries stay in memory, where most contexts are whole. Beyond these the pages of a
//! directory go to a file as soon as they are full. It has no name, so that nothing is left of it
//! however this process ends, and lies where large temporary files belong: in `TMPDIR` where that is
//! said, else in `/var/tmp`, because `/tmp` is memory itself on many machines. Where no file can be
//! made, or the disk is full, everything stays in memory.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::entries::Entries;
use cogpack_backends_contract::overflow::{Bytes, Overflow};
use cogpack_backends_contract::tree::{Node, Tree};

/// So many entries stay in memory: some ten mebibytes.
const IN_MEMORY: usize = 65_536;
/// Of one directory, so many beyond these are looked at before they go.
const AT_ONCE: usize = 4_096;

/// Room for the contexts of one build.
#[derive(Debug)]
pub struct Room {
    file: NamelessFile,
    overflow: Arc<Overflow>,
    taken: AtomicUsize,
    most: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(IN_MEMORY)
    }
}

impl Room {
    /// For so many entries.
    pub fn of(most: usize) -> Self {
        let file = NamelessFile::default();
        let overflow = Overflow::new(Arc::new(file.clone()));
        Self { file, overflow, taken: AtomicUsize::new(0), most }
    }

    /// The temporary file.
    pub(crate) fn file(&self) -> NamelessFile {
        self.file.clone()
    }

    /// To be told of each entry of a directory, by how many of it are known so far.
    pub fn add(&self, known: usize, entries: &mut Entries<Node<Content>>) {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
        if taken > self.most && known.is_multiple_of(AT_ONCE) {
            self.overflow.take(entries);
        }
    }

    /// How many entries of a tree that is being made it may know of before [`take_tree`](Self::take_tree).
    pub fn most(&self) -> usize {
        self.most
    }

    /// Takes what of a tree can be taken, whatever has come of the room so far.
    pub fn take_tree(&self, tree: &mut Tree<Content>) {
        self.overflow.take_tree(tree);
    }

    /// Who keeps what memory has no room for.
    pub fn bytes(&self) -> Arc<dyn Bytes> {
        Arc::new(self.file.clone())
    }

    /// To be told of each directory of which everything is known.
    pub fn settle(&self, entries: &mut Entries<Node<Content>>) {
        if self.taken.load(Ordering::Relaxed) > self.most {
            self.overflow.take(entries);
        }
    }
}

/// A file without a name, made when it is first needed.
#[derive(Debug, Clone, Default)]
pub(crate) struct NamelessFile(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    file: OnceLock<Option<File>>,
    length: AtomicU64,
}

/// A part of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    offset: u64,
    length: u64,
}

/// A part of it that is read, from its start.
pub(crate) struct Reading<'f> {
    file: &'f NamelessFile,
    rest: Piece,
}

impl NamelessFile {
    /// Keeps a piece.
    pub(crate) fn keep(&self, bytes: &[u8]) -> io::Result<Piece> {
        Ok(Piece { offset: self.append(bytes)?, length: bytes.len() as u64 })
    }

    /// Reads a piece.
    pub(crate) fn reading(&self, piece: Piece) -> Reading<'_> {
        Reading { file: self, rest: piece }
    }

    fn file(&self) -> io::Result<&File> {
        let file = self.0.file.get_or_init(|| tempfile::tempfile_in(place()).ok());
        file.as_ref().ok_or_else(|| io::Error::other("no temporary file can be made"))
    }
}

impl Read for Reading<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Piece { offset, length } = self.rest;
        let most = into.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        let count = self.file.file()?.read_at(&mut into[..most], offset)?;
        self.rest = Piece { offset: offset + count as u64, length: length - count as u64 };
        Ok(count)
    }
}

impl Bytes for NamelessFile {
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let file = self.file()?;
        let offset = self.0.length.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        file.write_all_at(bytes, offset)?;
        Ok(offset)
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.file()?.read_exact_at(into, offset)
    }
}

/// Where large temporary files belong.
fn place() -> PathBuf {
    let (said, large) = (std::env::temp_dir(), Path::new("/var/tmp"));
    match said == Path::new("/tmp") && large.is_dir() {
        true => large.to_owned(),
        false => said,
    }
}
