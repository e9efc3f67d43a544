//! A file that is written to the disk while more of it is made, so that little is left to wait for
//! when it is synced at its end.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;

use cogpack_backends_oci_direct::block::{ALIGNMENT, Block};
use rustix::fs::{FallocateFlags, OFlags, fallocate};
use rustix::io::Errno;

/// After so many bytes the disk is told to take them. Less would make it turn to its journal more
/// often than it writes.
const STEP: u64 = 16 << 20;
/// A file that will be at least this large goes to the disk past the kernel's cache, as far as its
/// bytes come in pieces that disks take. Copying them into the cache first takes longer than hashing
/// them, and there they would take the place of files that somebody is going to read again.
const LARGE: u64 = 64 << 20;

/// What is gathered at most before it is passed on.
const GATHERED: usize = 1 << 20;

/// Writes a file.
pub(crate) struct Flowing {
    file: File,
    /// The same file, written past the cache, where it is worth that and the filesystem can.
    past: Option<File>,
    /// How many bytes it has.
    end: u64,
    /// How many bytes have come through the cache since the disk was told last.
    since: u64,
    /// The thread that tells it; none before there is anything to tell.
    disk: Option<Disk>,
}

struct Disk {
    tell: SyncSender<()>,
    telling: JoinHandle<io::Result<()>>,
}

impl Flowing {
    /// Into a new file, which will have at least `size` bytes.
    pub(crate) fn create(path: &Path, size: u64) -> io::Result<Self> {
        let file = File::create(path)?;
        let past = if size < LARGE {
            None
        } else {
            File::options().write(true).custom_flags(OFlags::DIRECT.bits().cast_signed()).open(path).ok()
        };
        if past.is_some() {
            // A disk finds its room faster in one piece, and says now that it has none.
            // That it does not know how is no matter.
            if let Err(Errno::NOSPC) = fallocate(&file, FallocateFlags::empty(), 0, size) {
                return Err(Errno::NOSPC.into());
            }
        }
        Ok(Self { file, past, end: 0, since: 0, disk: None })
    }

    /// Waits until all of it is on the disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        if let Some(Disk { tell, telling }) = self.disk {
            drop(tell);
            // The kernel tells each failure once, so the last call would not hear of this one.
            telling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        self.file.sync_all()
    }

    /// Writes past the cache; nothing where these bytes or this filesystem cannot.
    fn write_past(&mut self, bytes: &[u8]) -> Option<io::Result<usize>> {
        let is_aligned = bytes.len().is_multiple_of(ALIGNMENT)
            && self.end.is_multiple_of(ALIGNMENT as u64)
            && bytes.as_ptr().align_offset(ALIGNMENT) == 0;
        let past = self.past.as_ref().filter(|_| is_aligned && !bytes.is_empty())?;
        match past.write_at(bytes, self.end) {
            // It asks for more than others do.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.past = None;
                None
            }
            written => Some(written),
        }
    }

    fn write_through(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write_at(bytes, self.end)?;
        self.since += count as u64;
        if self.since >= STEP {
            let disk = match &mut self.disk {
                Some(disk) => disk,
                none => none.insert(Disk::of(&self.file)?),
            };
            match disk.tell.try_send(()) {
                Ok(()) => self.since = 0,
                // It has not taken what came before, or it failed, and the end says how.
                Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
            }
        }
        Ok(count)
    }
}

impl Write for Flowing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = match self.write_past(bytes) {
            Some(written) => written?,
            None => self.write_through(bytes)?,
        };
        self.end += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Gathers what comes in small pieces into such as disks take.
pub(crate) struct Gathering<W> {
    block: Block,
    sink: W,
}

impl<W: Write> Gathering<W> {
    pub(crate) fn new(sink: W) -> Self {
        Self { block: Block::alone(GATHERED), sink }
    }

    /// Passes on what is left, and gives the sink back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.sink)
    }
}

impl<W: Write> Write for Gathering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.is_full() {
            self.sink.write_all(&self.block)?;
            self.block.clear();
        }
        Ok(self.block.take(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.block)?;
        self.block.clear();
        self.sink.flush()
    }
}

impl Disk {
    fn of(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (tell, told) = mpsc::sync_channel(1);
        let telling =
            std::thread::Builder::new().spawn(move || told.iter().try_for_each(|()| file.sync_data()))?;
        Ok(Self { tell, telling })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole_however_often_the_disk_was_told() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("file");
        let mut file = Flowing::create(&path, 0).expect("can be made");
        let block: Vec<u8> = (0..=250).cycle().take(3 << 20).collect();
        for _ in 0..25 {
            file.write_all(&block).expect("there is room");
        }
        assert!(file.disk.is_some());
        file.finish().expect("the disk takes it");
        let written = std::fs::read(&path).expect("is there");
        assert_eq!(written.len(), 25 * block.len());
        assert!(written.chunks(block.len()).all(|chunk| chunk == block));
    }

    #[test]
    fn a_large_file_is_whole_whichever_way_its_pieces_go() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("file");
        let mut file = Flowing::create(&path, LARGE).expect("there is room");
        let room: Vec<u8> = (0..=250).cycle().take(5 * ALIGNMENT).collect();
        let start = room.as_ptr().align_offset(ALIGNMENT);
        let aligned = &room[start..start + 2 * ALIGNMENT];
        // Pieces that disks take, with others between that they do not.
        let pieces = [aligned, &room[..1_000], aligned, &room[start..start + ALIGNMENT - 1_000], aligned];
        let mut expected = Vec::new();
        for piece in pieces.into_iter().cycle().take(12) {
            file.write_all(piece).expect("there is room");
            expected.extend_from_slice(piece);
        }
        file.finish().expect("the disk takes it");
        let file = File::open(&path).expect("is there");
        let mut written = vec![0; expected.len()];
        file.read_exact_at(&mut written, 0).expect("is as long");
        assert!(written == expected);
    }

    #[test]
    fn what_the_disk_refuses_on_the_way_is_told_at_the_end() {
        // It takes all bytes, and cannot be synced.
        let mut file = Flowing::create(Path::new("/dev/null"), 0).expect("is there");
        for _ in 0..=(STEP >> 20) {
            file.write_all(&[7; 1 << 20]).expect("it takes all");
        }
        let Disk { tell, telling } = file.disk.take().expect("the disk was told");
        drop(tell);
        let refused = telling.join().expect("it has ended").expect_err("it cannot");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
