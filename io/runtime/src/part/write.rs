//! Writes a part into a directory that nobody else uses.
//!
//! Paths are relative to the part's root and lead through directories of the part alone: whoever
//! writes makes each directory before what is in it, and none twice.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, makedev, mknodat, setxattr, utimensat,
};

use super::{Attributes, CAPABILITY, PartError, Special, holes};

/// A part that is being written.
#[derive(Debug)]
pub struct Writer<'r> {
    root: &'r Path,
}

impl<'r> Writer<'r> {
    /// Into an empty directory, which becomes the part's root.
    pub fn new(root: &'r Path, attributes: Attributes) -> Result<Self, PartError> {
        let writer = Self { root };
        writer.done(b"", || set(root, attributes))?;
        Ok(writer)
    }

    /// More into a part that is being written.
    pub fn adding_to(root: &'r Path) -> Self {
        Self { root }
    }

    /// A directory.
    pub fn directory(&self, path: &[u8], attributes: Attributes) -> Result<(), PartError> {
        let full = self.full(path);
        self.done(path, || {
            fs::create_dir(&full)?;
            set(&full, attributes)
        })
    }

    /// A file with its capability, if it has one. Gives how many bytes it has.
    pub fn file(
        &self,
        path: &[u8],
        attributes: Attributes,
        bytes: &mut dyn Read,
        capability: Option<&[u8]>,
    ) -> Result<u64, PartError> {
        let full = self.full(path);
        let mut size = 0;
        self.done(path, || {
            size = holes::copy(bytes, &File::create_new(&full)?)?;
            set(&full, attributes)?;
            // A change of the owner would take it away.
            match capability {
                Some(value) => Ok(setxattr(&full, CAPABILITY, value, XattrFlags::empty())?),
                None => Ok(()),
            }
        })?;
        Ok(size)
    }

    /// Another name of a file of the part.
    pub fn hard_link(&self, path: &[u8], first_name: &[u8]) -> Result<(), PartError> {
        self.done(path, || fs::hard_link(self.full(first_name), self.full(path)))
    }

    /// A symbolic link.
    pub fn symlink(&self, path: &[u8], target: &[u8], user: u32, group: u32) -> Result<(), PartError> {
        let full = self.full(path);
        self.done(path, || {
            symlink(OsStr::from_bytes(target), &full)?;
            lchown(&full, Some(user), Some(group))
        })
    }

    /// A device or a named pipe.
    pub fn special(&self, path: &[u8], attributes: Attributes, kind: Special) -> Result<(), PartError> {
        let full = self.full(path);
        let (kind, device) = match kind {
            Special::CharacterDevice(major, minor) => (FileType::CharacterDevice, makedev(major, minor)),
            Special::BlockDevice(major, minor) => (FileType::BlockDevice, makedev(major, minor)),
            Special::Pipe => (FileType::Fifo, 0),
        };
        self.done(path, || {
            mknodat(CWD, &full, kind, Mode::empty(), device)?;
            set(&full, attributes)
        })
    }

    /// Takes away what the parts below have at a path.
    pub fn gone(&self, path: &[u8]) -> Result<(), PartError> {
        let device = makedev(0, 0);
        self.done(path, || {
            Ok(mknodat(CWD, self.full(path), FileType::CharacterDevice, Mode::empty(), device)?)
        })
    }

    /// Sets when something was changed: seconds since 1970, and nanoseconds. What is written into a
    /// directory changes it, so directories are dated last.
    pub fn date(&self, path: &[u8], (seconds, nanoseconds): (i64, u32)) -> Result<(), PartError> {
        let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        self.done(path, || Ok(utimensat(CWD, self.full(path), &times, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// The same for something that the part may not have.
    pub fn date_if_there(&self, path: &[u8], modified: (i64, u32)) -> Result<(), PartError> {
        match self.date(path, modified) {
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(()),
            dated => dated,
        }
    }

    fn full(&self, path: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(path))
    }

    fn done(&self, path: &[u8], doing: impl FnOnce() -> io::Result<()>) -> Result<(), PartError> {
        doing().map_err(|source| PartError { attempt: "write", path: self.full(path), source })
    }
}

/// Owner first: setting it takes setuid and setgid away.
fn set(path: &Path, attributes: Attributes) -> io::Result<()> {
    lchown(path, Some(attributes.user), Some(attributes.group))?;
    fs::set_permissions(path, Permissions::from_mode(attributes.mode))
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, Kind, capability, read};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: parts have files of any owner, and devices, which takes root");
            return;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let at = |mode, user, group| Attributes { mode, user, group };
        let writer = Writer::new(folder.path(), at(0o711, 1, 2)).expect("can be written");
        let value = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        writer.directory(b"d", at(0o1777, 3, 4)).expect("can be made");
        writer.file(b"d/ping", at(0o4755, 5, 6), &mut &b"text"[..], Some(&value)).expect("can be written");
        writer.hard_link(b"z", b"d/ping").expect("can be linked");
        writer.symlink(b"link", b"../\xff", 7, 8).expect("can be linked");
        writer.special(b"null", at(0o666, 0, 0), Special::CharacterDevice(1, 3)).expect("can be made");
        writer.special(b"pipe", at(0o600, 9, 9), Special::Pipe).expect("can be made");
        writer.gone(b"gone").expect("can be made");
        drop(std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("can be made"));
        let entry = |path: &[u8], attributes, kind| Entry { path: path.to_vec(), attributes, kind };
        let file = || Kind::File { size: 4, first_name: Some(b"d/ping".to_vec()) };
        let mut entries = Vec::new();
        let mut known = std::collections::BTreeMap::new();
        let mut first_names =
            |file: (u64, u64), path: &[u8]| known.entry(file).or_insert_with(|| path.to_vec()).clone();
        let all = read(folder.path(), &mut first_names, &mut |entry| {
            entries.push(entry);
            Ok::<_, PartError>(())
        });
        all.expect("can be read");
        let expected = [
            entry(b"", at(0o711, 1, 2), Kind::Directory { opaque: false }),
            entry(b"d", at(0o1777, 3, 4), Kind::Directory { opaque: false }),
            entry(b"d/ping", at(0o4755, 5, 6), file()),
            entry(b"gone", at(0, 0, 0), Kind::Gone),
            entry(b"link", at(0o777, 7, 8), Kind::Symlink(b"../\xff".to_vec())),
            entry(b"null", at(0o666, 0, 0), Kind::Special(Special::CharacterDevice(1, 3))),
            entry(b"pipe", at(0o600, 9, 9), Kind::Special(Special::Pipe)),
            entry(b"z", at(0o4755, 5, 6), file()),
        ];
        assert_eq!(entries, expected);
        assert_eq!(capability(&folder.path().join("z")).expect("can be read"), Some(value.to_vec()));
        assert_eq!(capability(&folder.path().join("d")).expect("can be read"), None);
    }
}
