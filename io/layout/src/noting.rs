//! Opens files, and notes the digests of those that are read to their end.
//!
//! A layer may have a million files, and opens them in the order in which it lists them. So the notes
//! lie in a file, one after the other; only of files that may have several names, which a layer opens
//! once for each owner and mode and lists once, they are looked up.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use cogpack_backends_contract::content::{ContentSource, ContextFile, KeptContent, KeptFile};
use cogpack_backends_contract::listed::Listed;
use cogpack_content::Digest;
use cogpack_io_store::work::Work;
use sha2::{Digest as _, Sha256};

/// Larger files are known by what the disk says alone: to hash them while they are packed would
/// take a good part of the time that it might save.
const LARGEST_HASHED: u64 = 64 << 20;

/// Opens files, and notes their digests.
pub struct Noting<'s> {
    files: &'s dyn ContentSource,
    /// Where the notes lie, and what they are for is made.
    pub(crate) work: &'s Work,
    pub(crate) notes: RefCell<Notes>,
}

impl<'s> Noting<'s> {
    /// Opens the files of `files`.
    pub fn new(files: &'s dyn ContentSource, work: &'s Work) -> io::Result<Self> {
        let path = work.path().join("notes");
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        let notes = Notes { in_order: BufWriter::new(file), linked: BTreeMap::new(), failed: None };
        Ok(Self { files, work, notes: RefCell::new(notes) })
    }
}

impl ContentSource for Noting<'_> {
    fn open<'o>(&'o self, file: &ContextFile) -> io::Result<Box<dyn Read + 'o>> {
        let opened = self.files.open(file)?;
        if file.size > LARGEST_HASHED {
            self.notes.borrow_mut().add(file, None);
            return Ok(opened);
        }
        let hash = Some((Sha256::new(), file.clone()));
        Ok(Box::new(NotingReader { opened, hash, notes: &self.notes }))
    }

    fn open_kept<'o>(&'o self, file: &KeptFile) -> io::Result<KeptContent<'o>> {
        self.files.open_kept(file)
    }
}

struct NotingReader<'o> {
    opened: Box<dyn Read + 'o>,
    /// Until the end.
    hash: Option<(Sha256, ContextFile)>,
    notes: &'o RefCell<Notes>,
}

impl Read for NotingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.opened.read(buffer)?;
        if count > 0 {
            if let Some((hash, _)) = &mut self.hash {
                hash.update(&buffer[..count]);
            }
        } else if !buffer.is_empty()
            && let Some((hash, file)) = self.hash.take()
        {
            self.notes.borrow_mut().add(&file, Some(Digest::from_sha256(hash.finalize().into())));
        }
        Ok(count)
    }
}

impl Drop for NotingReader<'_> {
    /// What is not read to its end has a note too, or the others would not be in their places.
    fn drop(&mut self) {
        if let Some((_, file)) = self.hash.take() {
            self.notes.borrow_mut().add(&file, None);
        }
    }
}

/// The digests of files.
pub(crate) struct Notes {
    /// Of files with one name, in the order in which they were read.
    in_order: BufWriter<File>,
    /// Of the others.
    linked: BTreeMap<ContextFile, Option<Digest>>,
    /// Why a note could not be written.
    failed: Option<io::Error>,
}

/// A line for each file: a digest, or as many spaces as one has digits.
const LINE: usize = 65;

impl Notes {
    fn add(&mut self, file: &ContextFile, digest: Option<Digest>) {
        if file.linked {
            self.linked.insert(file.clone(), digest);
        } else if let Err(error) =
            writeln!(self.in_order, "{:64}", digest.map(|it| it.hex()).unwrap_or_default())
        {
            self.failed.get_or_insert(error);
        }
    }

    /// Goes through the notes, from the first.
    pub(crate) fn read(&mut self) -> io::Result<Reading<'_>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.in_order.flush()?;
        let mut in_order = self.in_order.get_ref();
        in_order.rewind()?;
        Ok(Reading { in_order: BufReader::new(in_order), linked: &self.linked })
    }
}

/// Notes that are read.
pub(crate) struct Reading<'n> {
    in_order: BufReader<&'n File>,
    linked: &'n BTreeMap<ContextFile, Option<Digest>>,
}

impl Reading<'_> {
    /// Of the next file.
    pub(crate) fn of(&mut self, file: &Listed) -> io::Result<Option<Digest>> {
        if file.is_linked() {
            return Ok(self.linked.get(&file.file()).copied().flatten());
        }
        let mut line = [0; LINE];
        self.in_order.read_exact(&mut line)?;
        Ok(std::str::from_utf8(&line)
            .ok()
            .and_then(|line| format!("sha256:{}", line.trim_end()).parse().ok()))
    }
}
