//! Tells how far long work is: so many bytes of so many.

use std::cell::Cell;
use std::io::{self, Read};

use cogpack_backends_contract::content::{ContentSource, ContextFile, KeptContent, KeptFile, LayerFile};

/// How often it is told: after so many bytes.
const TOLD_AFTER: u64 = 8 << 20;

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved<'m> {
    /// What: a layer, by what makes it, or the archive.
    pub item: &'m str,
    /// How many bytes of it are done.
    pub done: u64,
    /// Of so many.
    pub total: u64,
    /// Whether that was all.
    pub complete: bool,
}

/// Who is told, of several items at once.
pub type Told<'t> = dyn Fn(Moved<'_>) + Sync + 't;

/// Nobody.
pub fn nobody(_: Moved<'_>) {}

/// Counts the bytes of one item.
pub(crate) struct Counter<'c> {
    item: &'c str,
    total: u64,
    told: &'c Told<'c>,
    /// How many were counted, and of how many that was told.
    done: Cell<(u64, u64)>,
}

impl<'c> Counter<'c> {
    pub(crate) fn new(item: &'c str, total: u64, told: &'c Told<'c>) -> Self {
        Self { item, total, told, done: Cell::default() }
    }

    /// All of it is done. Of what is small that is all that is told.
    pub(crate) fn complete(&self) {
        (self.told)(Moved { item: self.item, done: self.total, total: self.total, complete: true });
    }

    /// The same bytes, counted as they are read.
    pub(crate) fn reading<'r>(&'r self, bytes: impl Read + 'r) -> impl Read + 'r {
        Reader { bytes, counter: self }
    }

    pub(crate) fn count(&self, more: u64) {
        let (done, told) = self.done.get();
        let done = done + more;
        let is_time = done - told >= TOLD_AFTER;
        self.done.set((done, if is_time { done } else { told }));
        if is_time {
            (self.told)(Moved { item: self.item, done, total: self.total, complete: false });
        }
    }
}

struct Reader<'r, R> {
    bytes: R,
    counter: &'r Counter<'r>,
}

impl<R: Read> Read for Reader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.counter.count(count as u64);
        Ok(count)
    }
}

/// Opens files, and counts what is read of them.
pub(crate) struct Counting<'c> {
    pub(crate) files: &'c dyn ContentSource,
    pub(crate) counter: &'c Counter<'c>,
}

impl ContentSource for Counting<'_> {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        Ok(Box::new(self.counter.reading(self.files.open(file)?)))
    }

    fn open_kept<'s>(&'s self, file: &KeptFile) -> io::Result<KeptContent<'s>> {
        let opened = self.files.open_kept(file)?;
        Ok(KeptContent { bytes: Box::new(self.counter.reading(opened.bytes)), ..opened })
    }

    fn open_layer<'s>(&'s self, file: &LayerFile) -> io::Result<Box<dyn Read + 's>> {
        Ok(Box::new(self.counter.reading(self.files.open_layer(file)?)))
    }
}
