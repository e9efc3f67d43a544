//! Makes a tree that stands aside, entry by entry.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps};

use super::failure::ExportFailure;
use super::receiver::{Entry, Kind};

/// A tree, and what is still to be done to it.
pub struct Tree {
    root: PathBuf,
    /// In the order in which they were made.
    entries: Vec<Entry>,
    /// Files that are being written, by number.
    open: BTreeMap<u32, OpenFile>,
    /// Files that wait for their bytes: where in `entries` each is, by number.
    waiting: BTreeMap<u32, usize>,
}

struct OpenFile {
    file: File,
    entry: usize,
}

impl Tree {
    /// A tree in the empty directory `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root, entries: Vec::new(), open: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Makes something. A file is empty, and has a number by which it is filled.
    pub fn make(&mut self, id: u32, entry: Entry) -> Result<(), ExportFailure> {
        let path = self.root.join(&entry.path);
        let failed = |source| ExportFailure::write("create", Path::new(&entry.path), source);
        match &entry.kind {
            // What may be done in it while it is filled is not what may be done later.
            Kind::Directory => fs::create_dir(&path).map_err(failed)?,
            Kind::File { .. } => {
                File::create_new(&path).map(drop).map_err(failed)?;
                self.waiting.insert(id, self.entries.len());
            }
            Kind::HardLink { target } => fs::hard_link(self.root.join(target), &path).map_err(failed)?,
            Kind::Symlink { target } => {
                symlink(target, &path).map_err(failed)?;
                let times = Timestamps {
                    last_access: timespec(entry.modified),
                    last_modification: timespec(entry.modified),
                };
                rustix::fs::utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(|error| failed(error.into()))?;
            }
            Kind::Pipe => make_node(&path, FileType::Fifo, 0).map_err(failed)?,
            Kind::Device { takes_characters, major, minor } => {
                let kind = if *takes_characters { FileType::CharacterDevice } else { FileType::BlockDevice };
                make_node(&path, kind, rustix::fs::makedev(*major, *minor)).map_err(failed)?;
            }
        }
        match &entry.kind {
            Kind::Pipe | Kind::Device { .. } => {
                let permissions = Permissions::from_mode(entry.permissions);
                fs::set_permissions(&path, permissions).map_err(failed)?;
            }
            Kind::Directory | Kind::File { .. } | Kind::HardLink { .. } | Kind::Symlink { .. } => {}
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Adds bytes to a file.
    pub fn append(&mut self, id: u32, data: &[u8]) -> Result<(), ExportFailure> {
        let open = self.opened(id)?;
        let written = open.file.write_all(data);
        let entry = open.entry;
        written.map_err(|source| self.failed("write", entry, source))
    }

    /// Gives a file that has all its bytes its mode and time.
    pub fn close(&mut self, id: u32) -> Result<(), ExportFailure> {
        let OpenFile { file, entry } = match self.open.remove(&id) {
            Some(open) => open,
            // It is empty.
            None => {
                self.opened(id)?;
                match self.open.remove(&id) {
                    Some(open) => open,
                    None => return Err(ExportFailure::Incomplete),
                }
            }
        };
        let Entry { permissions, modified, .. } = &self.entries[entry];
        let finished = file
            .set_permissions(Permissions::from_mode(*permissions))
            .and_then(|()| file.set_times(times(*modified)));
        finished.map_err(|source| self.failed("finish", entry, source))
    }

    /// What has been made, once all of it is on the disk.
    pub fn finish(self) -> Result<Vec<Entry>, ExportFailure> {
        if !self.open.is_empty() || !self.waiting.is_empty() {
            return Err(ExportFailure::Incomplete);
        }
        let synced = File::open(&self.root).and_then(|root| Ok(rustix::fs::syncfs(root)?));
        synced.map_err(|source| ExportFailure::write("sync", &self.root, source))?;
        Ok(self.entries)
    }

    fn opened(&mut self, id: u32) -> Result<&mut OpenFile, ExportFailure> {
        if let Some(entry) = self.waiting.remove(&id) {
            let path = self.root.join(&self.entries[entry].path);
            let opened = File::options().write(true).open(path);
            let file = opened.map_err(|source| self.failed("open", entry, source))?;
            self.open.insert(id, OpenFile { file, entry });
        }
        self.open.get_mut(&id).ok_or(ExportFailure::Incomplete)
    }

    fn failed(&self, attempt: &'static str, entry: usize, source: io::Error) -> ExportFailure {
        ExportFailure::write(attempt, Path::new(&self.entries[entry].path), source)
    }
}

fn make_node(path: &Path, kind: FileType, device: u64) -> io::Result<()> {
    Ok(rustix::fs::mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, device)?)
}

/// The times of a file that was last written to then. That is also when it was last read, as
/// nobody has read it since.
pub(super) fn times(modified: i64) -> FileTimes {
    let duration = Duration::from_nanos(modified.unsigned_abs());
    let time = match modified {
        0.. => SystemTime::UNIX_EPOCH.checked_add(duration),
        ..0 => SystemTime::UNIX_EPOCH.checked_sub(duration),
    };
    let time = time.unwrap_or(SystemTime::UNIX_EPOCH);
    FileTimes::new().set_modified(time).set_accessed(time)
}

fn timespec(modified: i64) -> Timespec {
    const SECOND: i64 = 1_000_000_000;
    Timespec { tv_sec: modified.div_euclid(SECOND), tv_nsec: modified.rem_euclid(SECOND) }
}
