//! Reads small files whole, and writes single files so that they are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::aside::Aside;

/// Why a file could not be written. What was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("write `{}`", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What happened.
    #[source]
    pub source: io::Error,
}

/// So much is written at once.
const AT_ONCE: usize = 1 << 16;

/// The bytes of a file; `None` where it has more than `limit`.
pub fn read_limited(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let expected = file.metadata()?.len().min(limit);
    read(&mut file, limit, usize::try_from(expected).unwrap_or_default())
}

/// The bytes of a stream; `None` where it has more than `limit`.
pub fn read_all_limited(stream: &mut dyn Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    read(stream, limit, 0)
}

/// Room that is right from the start spares moving what was read.
fn read(stream: &mut dyn Read, limit: u64, expected: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(expected);
    stream.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Writes `bytes` to a temporary file beside `path`, syncs it, and gives it its name. A file of
/// that name is replaced in one step and keeps its permissions; a link of that name is followed,
/// so that it stays one.
pub fn write_file_atomically(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_pieces_atomically(path, [bytes])
}

/// The same for a file that comes in pieces.
pub fn write_pieces_atomically(
    path: &Path,
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<(), WriteError> {
    write_stream_atomically(path, |out| {
        pieces.into_iter().try_for_each(|piece| out.write_all(piece.as_ref()))
    })
}

/// The same for a file that `write` writes as it goes.
pub fn write_stream_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    write_beside(path, write).map_err(|source| WriteError { path: path.to_owned(), source })
}

fn write_beside(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let existing = match fs::metadata(&target) {
        Ok(existing) if existing.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // Standard output by another name, a fifo: there is nothing to replace.
        Ok(existing) if !existing.is_file() => {
            return write_all(&mut File::options().write(true).open(&target)?, write);
        }
        Ok(existing) => Some(existing.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let aside = Aside::within(directory).map_err(|error| in_directory(directory, &error))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Less the umask, as for any new file.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(aside.path()).map_err(|error| in_directory(directory, &error))?;
    write_all(temporary.as_file_mut(), write)?;
    if let Some(permissions) = existing {
        temporary.as_file().set_permissions(permissions)?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(&target).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Why nothing can be made in a directory. The error itself names a file of its own invention.
pub(crate) fn in_directory(directory: &Path, error: &io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound {
        let missing = format!("there is no directory `{}`", directory.display());
        return io::Error::new(io::ErrorKind::NotFound, missing);
    }
    error.kind().into()
}

fn write_all(file: &mut File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(AT_ONCE, file);
    write(&mut out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("is a directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("is an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode_and_its_links() {
        let directory = tempfile::tempdir().expect("makes a directory");
        let file = directory.path().join("out");
        write_file_atomically(&file, b"one").expect("is writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("is ours");
        let link = directory.path().join("link");
        symlink("out", &link).expect("is writable");
        write_file_atomically(&link, b"two").expect("is writable");
        assert_eq!(fs::read(&file).expect("is there"), b"two");
        assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o640);
        assert_eq!(names(directory.path()), ["link", "out"]);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let directory = tempfile::tempdir().expect("makes a directory");
        fs::create_dir(directory.path().join("taken")).expect("is writable");
        let error = write_file_atomically(&directory.path().join("taken"), b"x");
        assert!(error.expect_err("is a directory").to_string().contains("taken"));
        let missing = directory.path().join("missing");
        let error = write_file_atomically(&missing.join("out"), b"x").expect_err("has no directory");
        let cause = error.source().expect("has a cause").to_string();
        assert_eq!(cause, format!("there is no directory `{}`", missing.display()));
        assert_eq!(names(directory.path()), ["taken"]);
    }

    #[test]
    fn reading_stops_at_the_limit() {
        assert_eq!(read_all_limited(&mut &b"four"[..], 4).expect("is readable"), Some(b"four".to_vec()));
        assert_eq!(read_all_limited(&mut &b"five5"[..], 4).expect("is readable"), None);
    }
}
