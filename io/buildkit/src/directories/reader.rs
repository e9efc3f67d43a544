//! Reads the files that were asked for, in chunks, several at once.
//!
//! What is sent must be what was announced: a file that is gone, or has more or fewer bytes, or
//! was written to meanwhile, ends the transfer with its name. Nothing is waited for: what was a
//! file and is a pipe now is not opened as one.

use std::cmp::Ordering;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc as blocking};

use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::failure::{Change, DirectoryFailure};
use super::walk::{Go, modified, place_of};

/// As many bytes as are read and sent at a time.
pub const CHUNK: usize = 64 * 1024;
/// How many files are read at once.
pub const READERS: usize = 4;

/// A file that was asked for.
#[derive(Debug)]
pub struct Job {
    /// Its number.
    pub id: u32,
    /// Its path below the directory.
    pub path: String,
    /// As many bytes as were announced.
    pub size: u64,
    /// When it was last written to, as announced.
    pub modified: i64,
}

/// What was read.
#[derive(Debug)]
pub enum Piece {
    /// Bytes of a file.
    Chunk(u32, Vec<u8>),
    /// The end of one.
    End(u32),
    /// A file that cannot be sent.
    Failed(DirectoryFailure),
}

/// Reads one job after the other, until there are no more or nobody listens.
pub fn read_jobs(
    root: &Path,
    directory: &str,
    jobs: &Mutex<blocking::Receiver<Job>>,
    pieces: &mpsc::Sender<Piece>,
) {
    let mut sink = |piece| match pieces.blocking_send(piece) {
        Ok(()) => Go::On,
        Err(_) => Go::Home,
    };
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let go = match read(root, directory, &job, &mut sink) {
            Ok(Go::On) => sink(Piece::End(job.id)),
            Ok(Go::Home) => Go::Home,
            Err(failure) => sink(Piece::Failed(failure)),
        };
        if go == Go::Home {
            return;
        }
    }
}

fn read(
    root: &Path,
    directory: &str,
    job: &Job,
    sink: &mut dyn FnMut(Piece) -> Go,
) -> Result<Go, DirectoryFailure> {
    let changed = |change| {
        let (directory, path) = (directory.to_owned(), job.path.clone());
        DirectoryFailure::Changed { directory, path, change }
    };
    let failed = |error: &io::Error| DirectoryFailure::read(directory, "read", job.path.as_bytes(), error);
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened =
        File::options().read(true).custom_flags(flags.bits().cast_signed()).open(place_of(root, &job.path));
    let mut file = opened.map_err(|error| match () {
        () if error.kind() == io::ErrorKind::NotFound => changed(Change::Vanished),
        // A link, or a socket.
        () if is_one_of(&error, [Errno::LOOP, Errno::NXIO, Errno::NOTDIR]) => changed(Change::Replaced),
        () => failed(&error),
    })?;
    let check = |file: &File| {
        let metadata = file.metadata().map_err(|error| failed(&error))?;
        match change(&metadata, job) {
            Some(change) => Err(changed(change)),
            None => Ok(()),
        }
    };
    check(&file)?;
    let mut left = job.size;
    loop {
        let wanted = left.min(CHUNK as u64);
        let is_last = wanted == left;
        // One more at the end, to find what was added.
        let limit = wanted + u64::from(is_last);
        let mut data = Vec::with_capacity(limit as usize);
        file.by_ref().take(limit).read_to_end(&mut data).map_err(|error| failed(&error))?;
        match (data.len() as u64).cmp(&wanted) {
            Ordering::Less => return Err(changed(Change::Shrank)),
            Ordering::Greater => return Err(changed(Change::Grew)),
            Ordering::Equal => left -= wanted,
        }
        if is_last {
            check(&file)?;
        }
        // An empty chunk would be the end.
        if !data.is_empty() && sink(Piece::Chunk(job.id, data)) == Go::Home {
            return Ok(Go::Home);
        }
        if is_last {
            return Ok(Go::On);
        }
    }
}

/// What became of a file since it was announced.
fn change(metadata: &Metadata, job: &Job) -> Option<Change> {
    if !metadata.is_file() {
        return Some(Change::Replaced);
    }
    match metadata.len().cmp(&job.size) {
        Ordering::Less => Some(Change::Shrank),
        Ordering::Greater => Some(Change::Grew),
        Ordering::Equal => (modified(metadata) != job.modified).then_some(Change::Rewritten),
    }
}

fn is_one_of<const N: usize>(error: &io::Error, errors: [Errno; N]) -> bool {
    errors.iter().any(|one| error.raw_os_error() == Some(one.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// The file `name` as the walk would announce it.
    fn job(root: &Path, name: &str) -> Job {
        let metadata = fs::symlink_metadata(root.join(name)).expect("is there");
        Job { id: 7, path: name.to_owned(), size: metadata.len(), modified: modified(&metadata) }
    }

    fn read_all(root: &Path, job: &Job) -> Result<Vec<usize>, DirectoryFailure> {
        let mut sizes = Vec::new();
        read(root, "source", job, &mut |piece| {
            if let Piece::Chunk(7, data) = piece {
                sizes.push(data.len());
            }
            Go::On
        })?;
        Ok(sizes)
    }

    #[test]
    fn files_are_read_in_chunks_of_which_none_is_empty() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        for (size, chunks) in [
            (0, &[][..]),
            (1, &[1]),
            (CHUNK, &[CHUNK]),
            (CHUNK + 1, &[CHUNK, 1]),
            (3 * CHUNK, &[CHUNK, CHUNK, CHUNK]),
        ] {
            fs::write(root.join("file"), vec![b'x'; size]).expect("is writable");
            assert_eq!(read_all(root, &job(root, "file")).expect("is unchanged"), chunks);
        }
    }

    #[test]
    fn files_that_are_not_what_was_announced_are_named() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        let file = root.join("file");
        fs::write(&file, "text").expect("is writable");
        let announced = job(root, "file");
        let change = || match read_all(root, &announced) {
            Err(DirectoryFailure::Changed { path, change, .. }) if path == "file" => change,
            other => panic!("{other:?}"),
        };
        fs::write(&file, "tex").expect("is writable");
        assert_eq!(change(), Change::Shrank);
        fs::write(&file, "texts").expect("is writable");
        assert_eq!(change(), Change::Grew);
        fs::write(&file, "TEXT").expect("is writable");
        let later = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
        File::options().write(true).open(&file).and_then(|it| it.set_times(later)).expect("is ours");
        assert_eq!(change(), Change::Rewritten);
        fs::remove_file(&file).expect("is ours");
        assert_eq!(change(), Change::Vanished);
        symlink("/etc/passwd", &file).expect("is writable");
        assert_eq!(change(), Change::Replaced);
        fs::remove_file(&file).expect("is ours");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &file,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .expect("is writable");
        assert_eq!(change(), Change::Replaced);
    }
}
