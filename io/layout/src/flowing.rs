//! A file that is written to the disk while more of it is made, so that little is left to wait for
//! when it is synced at its end.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;

/// After so many bytes the disk is told to take them. Less would make it turn to its journal more
/// often than it writes.
const STEP: u64 = 16 << 20;

/// Writes a file.
pub(crate) struct Flowing {
    file: File,
    /// How many bytes have come since the disk was told last.
    since: u64,
    /// The thread that tells it; none before there is anything to tell.
    disk: Option<Disk>,
}

struct Disk {
    tell: SyncSender<()>,
    telling: JoinHandle<io::Result<()>>,
}

impl Flowing {
    /// Into a new file.
    pub(crate) fn new(file: File) -> Self {
        Self { file, since: 0, disk: None }
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
}

impl Write for Flowing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
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

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
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
        let mut file = Flowing::new(File::create(&path).expect("can be made"));
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
    fn what_the_disk_refuses_on_the_way_is_told_at_the_end() {
        // It takes all bytes, and cannot be synced.
        let mut file = Flowing::new(File::options().write(true).open("/dev/null").expect("is there"));
        for _ in 0..=(STEP >> 20) {
            file.write_all(&[7; 1 << 20]).expect("it takes all");
        }
        let Disk { tell, telling } = file.disk.take().expect("the disk was told");
        drop(tell);
        let refused = telling.join().expect("it has ended").expect_err("it cannot");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
