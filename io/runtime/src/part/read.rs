//! Reads a part: what it says of each path, parents first, then by name.
//!
//! Sockets are left out, as by every builder: an archive cannot hold one, and nobody listens.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{Attributes, CAPABILITY, Entry, Kind, OPAQUE, Special};

/// Why a part cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{attempt} `{}`", path.display())]
pub struct PartError {
    /// What was attempted: `read` or `write`.
    pub attempt: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What happened.
    #[source]
    pub source: io::Error,
}

/// Remembers the first names of files that have several, which may be a million: told of the file, by device
/// and inode, and of the name that was come to, it says which name was the first.
pub type FirstNames<'n> = dyn FnMut((u64, u64), &[u8]) -> Vec<u8> + 'n;

/// Gives away what a part says, the root first, one after the other: a part may have a million files.
pub fn read<E: From<PartError>>(
    root: &Path,
    first_names: &mut FirstNames<'_>,
    take: &mut dyn FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let metadata = fs::symlink_metadata(root).map_err(failed(root))?;
    let mut reading = Reading { root, first_names };
    let opaque = is_opaque(root).map_err(failed(root))?;
    let kind = Kind::Directory { opaque };
    take(Entry { path: Vec::new(), attributes: attributes(&metadata), kind })?;
    // Directories whose entries are still to be read, each below the one before.
    let mut open = vec![(Vec::new(), reading.names(&[])?)];
    while let Some((above, names)) = open.last_mut() {
        let Some(name) = names.next() else {
            open.pop();
            continue;
        };
        let path = if above.is_empty() { name.to_vec() } else { [above.as_slice(), b"/", name].concat() };
        let full = reading.full(&path);
        let metadata = fs::symlink_metadata(&full).map_err(failed(&full))?;
        let below = match metadata.is_dir() {
            true => Some((path.clone(), reading.names(&path)?)),
            false => None,
        };
        if let Some(entry) = reading.entry(path, &metadata)? {
            take(entry)?;
        }
        open.extend(below);
    }
    Ok(())
}

/// What the attribute `security.capability` of a file says.
pub fn capability(path: &Path) -> io::Result<Option<Vec<u8>>> {
    attribute(path, CAPABILITY)
}

/// When a file was changed: seconds since 1970, and nanoseconds.
pub fn modified(metadata: &Metadata) -> (i64, u32) {
    (metadata.mtime(), u32::try_from(metadata.mtime_nsec()).unwrap_or_default())
}

struct Reading<'r> {
    root: &'r Path,
    first_names: &'r mut FirstNames<'r>,
}

/// The names in a directory, in order: in one piece of memory, because they may be a million.
struct Names {
    bytes: Vec<u8>,
    /// Where each is among them, those that were not asked for yet, the next one last.
    places: Vec<(usize, u16)>,
}

impl Names {
    fn next(&mut self) -> Option<&[u8]> {
        let (start, length) = self.places.pop()?;
        Some(&self.bytes[start..start + usize::from(length)])
    }
}

impl Reading<'_> {
    fn full(&self, path: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(path))
    }

    fn names(&self, path: &[u8]) -> Result<Names, PartError> {
        let directory = self.full(path);
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&directory).map_err(failed(&directory))? {
            let name = entry.map_err(failed(&directory))?.file_name().into_vec();
            // No filesystem has longer ones than this can say.
            places.push((bytes.len(), u16::try_from(name.len()).unwrap_or(u16::MAX)));
            bytes.extend_from_slice(&name);
        }
        let name = |(start, length): (usize, u16)| &bytes[start..start + usize::from(length)];
        places.sort_unstable_by(|one, other| name(*other).cmp(name(*one)));
        Ok(Names { bytes, places })
    }

    /// What stands at a path; nothing where it is no part of any image.
    fn entry(&mut self, path: Vec<u8>, metadata: &Metadata) -> Result<Option<Entry>, PartError> {
        let full = self.full(&path);
        let kind = metadata.file_type();
        let device = metadata.rdev();
        let numbers = (rustix::fs::major(device), rustix::fs::minor(device));
        let kind = if kind.is_dir() {
            Kind::Directory { opaque: is_opaque(&full).map_err(failed(&full))? }
        } else if kind.is_file() {
            let file = (metadata.dev(), metadata.ino());
            let first_name = (metadata.nlink() > 1).then(|| (self.first_names)(file, &path));
            Kind::File { size: metadata.len(), first_name }
        } else if kind.is_symlink() {
            Kind::Symlink(fs::read_link(&full).map_err(failed(&full))?.into_os_string().into_vec())
        } else if kind.is_char_device() && numbers == (0, 0) {
            Kind::Gone
        } else if kind.is_char_device() {
            Kind::Special(Special::CharacterDevice(numbers.0, numbers.1))
        } else if kind.is_block_device() {
            Kind::Special(Special::BlockDevice(numbers.0, numbers.1))
        } else if kind.is_fifo() {
            Kind::Special(Special::Pipe)
        } else {
            return Ok(None);
        };
        Ok(Some(Entry { path, attributes: attributes(metadata), kind }))
    }
}

fn attributes(metadata: &Metadata) -> Attributes {
    Attributes { mode: metadata.mode() & 0o7777, user: metadata.uid(), group: metadata.gid() }
}

fn is_opaque(directory: &Path) -> io::Result<bool> {
    for name in OPAQUE {
        if attribute(directory, name)?.is_some_and(|value| value == b"y") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The value of an attribute; `None` where it is not set, or where no file has any.
fn attribute(path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut value = [0; 256];
    match rustix::fs::lgetxattr(path, name, &mut value) {
        Ok(length) => Ok(Some(value[..length].to_vec())),
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> PartError {
    let path = path.to_owned();
    |source| PartError { attempt: "read", path, source }
}
