//! A file that is written to the disk while more of it is made, so that little is left to wait for
//! when it is synced at its end.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
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

/// Writes a file, or what of it follows some place.
pub(crate) struct Flowing {
    whole: Arc<Whole>,
    /// Where the next byte goes.
    end: u64,
    /// How many bytes have come through the cache since the disk was told last.
    since: u64,
}

/// What all share who write to one file.
struct Whole {
    file: File,
    /// The same file, written past the cache, where it is worth that and the filesystem can.
    past: Option<File>,
    /// Whether it has refused to be.
    refused: AtomicBool,
    /// The thread that tells the disk; none before there is anything to tell.
    disk: Mutex<Option<Disk>>,
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
        let whole = Whole { file, past, refused: AtomicBool::new(false), disk: Mutex::new(None) };
        Ok(Self { whole: Arc::new(whole), end: 0, since: 0 })
    }

    /// Into the same file, from `place` on.
    pub(crate) fn at(&self, place: u64) -> Self {
        Self { whole: Arc::clone(&self.whole), end: place, since: 0 }
    }

    /// Ends the file where its next byte would have gone, and waits until all of it is on the disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        let Whole { file, disk, .. } = &*self.whole;
        let disk = disk.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Disk { tell, telling }) = disk {
            drop(tell);
            // The kernel tells each failure once, so the last call would not hear of this one.
            telling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        // It had room for more, or what was in it has moved up.
        if file.metadata()?.len() > self.end {
            file.set_len(self.end)?;
        }
        file.sync_all()
    }

    /// Writes past the cache as many of these bytes as it takes; nothing where these bytes or this
    /// filesystem cannot.
    fn write_past(&self, bytes: &[u8]) -> Option<io::Result<usize>> {
        let Whole { past, refused, .. } = &*self.whole;
        let whole = bytes.len() - bytes.len() % ALIGNMENT;
        let is_aligned =
            self.end.is_multiple_of(ALIGNMENT as u64) && bytes.as_ptr().align_offset(ALIGNMENT) == 0;
        let past = past.as_ref().filter(|_| is_aligned && whole > 0 && !refused.load(Ordering::Relaxed))?;
        match past.write_at(&bytes[..whole], self.end) {
            // It asks for more than others do.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                refused.store(true, Ordering::Relaxed);
                None
            }
            written => Some(written),
        }
    }

    fn write_through(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Whole { file, disk, .. } = &*self.whole;
        let count = file.write_at(bytes, self.end)?;
        self.since += count as u64;
        if self.since >= STEP {
            let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
            let disk = match &mut *disk {
                Some(disk) => disk,
                none => none.insert(Disk::of(file)?),
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
        Ok(())
    }
}

/// Gathers what comes in small pieces into such as disks take.
pub(crate) struct Gathering<W> {
    block: Block,
    /// Where what is gathered goes.
    place: u64,
    sink: W,
}

impl<W: Write> Gathering<W> {
    pub(crate) fn new(sink: W) -> Self {
        Self { block: Block::alone(GATHERED), place: 0, sink }
    }

    /// Passes on what is left, and gives the sink back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.pass_on()?;
        Ok(self.sink)
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.block)?;
        self.place += self.block.len() as u64;
        self.block.clear();
        Ok(())
    }
}

impl Gathering<Flowing> {
    /// Goes past `size` bytes that are in the file, if these are at `place` and the next byte would go
    /// there; whether it is so.
    pub(crate) fn skip(&mut self, place: u64, size: u64) -> io::Result<bool> {
        if self.place + self.block.len() as u64 != place {
            return Ok(false);
        }
        self.pass_on()?;
        self.place += size;
        self.sink = self.sink.at(self.place);
        Ok(true)
    }
}

impl<W: Write> Write for Gathering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // So that the next one begins where disks take it.
        let most = GATHERED - (self.place % ALIGNMENT as u64) as usize;
        if self.block.len() >= most {
            self.pass_on()?;
            return self.write(bytes);
        }
        let count = bytes.len().min(most - self.block.len());
        Ok(self.block.take(&bytes[..count]))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
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
    use std::sync::MutexGuard;

    use super::*;

    fn told(file: &Flowing) -> MutexGuard<'_, Option<Disk>> {
        file.whole.disk.lock().expect("nobody panicked")
    }

    #[test]
    fn the_file_is_whole_however_often_the_disk_was_told() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("file");
        let mut file = Flowing::create(&path, 0).expect("can be made");
        let block: Vec<u8> = (0..=250).cycle().take(3 << 20).collect();
        for _ in 0..25 {
            file.write_all(&block).expect("there is room");
        }
        assert!(told(&file).is_some());
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
    fn several_write_to_one_file_and_what_comes_between_is_written_last() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("file");
        let file = Flowing::create(&path, LARGE).expect("there is room");
        let room: Vec<u8> = (0..=250).cycle().take(200 * ALIGNMENT).collect();
        let start = room.as_ptr().align_offset(ALIGNMENT);
        // The first begins where a disk takes pieces, after its first bytes; neither ends there.
        let (first, second) = (&room[start..start + 90 * ALIGNMENT + 7], &room[start..start + 50_000]);
        let (at_first, at_second) = (1_536, 3 * ALIGNMENT as u64 * 100 + 512);
        std::thread::scope(|scope| {
            for (place, bytes) in [(at_first, first), (at_second, second)] {
                let mut part = file.at(place);
                scope.spawn(move || {
                    let (head, rest) = bytes.split_at(ALIGNMENT - (place as usize % ALIGNMENT));
                    part.write_all(head).expect("there is room");
                    part.write_all(rest).expect("there is room");
                });
            }
        });
        let mut between = Gathering::new(file);
        let mut expected = Vec::new();
        for (place, bytes) in [(at_first, first), (at_second, second)] {
            let gap = vec![9; place as usize - expected.len()];
            between.write_all(&gap[1..]).expect("there is room");
            assert!(!between.skip(place, bytes.len() as u64).expect("nothing is written"), "one is missing");
            between.write_all(&gap[..1]).expect("there is room");
            assert!(between.skip(place, bytes.len() as u64).expect("there is room"));
            expected.extend_from_slice(&gap);
            expected.extend_from_slice(bytes);
        }
        // More than is gathered at once, and the file ends here, whatever room there was.
        let end = vec![7; 3 * GATHERED / 2];
        between.write_all(&end).expect("there is room");
        expected.extend_from_slice(&end);
        between.finish().and_then(Flowing::finish).expect("the disk takes it");
        assert!(std::fs::read(&path).expect("is there") == expected);
    }

    #[test]
    fn what_the_disk_refuses_on_the_way_is_told_at_the_end() {
        // It takes all bytes, and cannot be synced.
        let mut file = Flowing::create(Path::new("/dev/null"), 0).expect("is there");
        for _ in 0..=(STEP >> 20) {
            file.write_all(&[7; 1 << 20]).expect("it takes all");
        }
        let Disk { tell, telling } = told(&file).take().expect("the disk was told");
        drop(tell);
        let refused = telling.join().expect("it has ended").expect_err("it cannot");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
