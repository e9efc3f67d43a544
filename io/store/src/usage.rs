//! What a store holds, and how much of the disk that takes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::ops::AddAssign;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::{StoreError, disk};
use crate::store::Store;

/// What a store holds of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holding {
    /// How many.
    pub count: u64,
    /// How much of the disk they take.
    pub bytes: u64,
}

impl AddAssign for Holding {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
    }
}

/// What a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// What layers and programs add to filesystems.
    pub parts: Holding,
    /// Blobs.
    pub blobs: Holding,
    /// The directories of cache mounts.
    pub caches: Holding,
    /// What is being made at this moment.
    pub work: Holding,
}

impl Usage {
    /// All of it.
    pub fn total(&self) -> u64 {
        [self.parts, self.blobs, self.caches, self.work].iter().map(|holding| holding.bytes).sum()
    }
}

impl Store {
    /// What it holds. A file of several names counts once for each kind.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let of = |name: &str| {
            let (mut holding, mut seen) = (Holding::default(), BTreeSet::new());
            for path in listed(&self.folder(name))? {
                // Others work here while we count.
                let Some((is_directory, bytes)) = size(&path, &mut seen).map_err(disk("measure", &path))?
                else {
                    continue;
                };
                // Beside directories are their locks and marks.
                if is_directory || name.starts_with("blobs") {
                    holding += Holding { count: 1, bytes };
                }
            }
            Ok(holding)
        };
        Ok(Usage {
            parts: of("parts")?,
            blobs: of("blobs/sha256")?,
            caches: of("caches")?,
            work: of("work")?,
        })
    }
}

/// What is in a folder, sorted.
pub(crate) fn listed(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(folder).map_err(disk("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = paths.map_err(disk("list", folder))?;
    paths.sort();
    Ok(paths)
}

/// Whether something is a directory, and how much of the disk it takes, without what was counted
/// before. `None` where it is not there any more.
pub(crate) fn size(path: &Path, seen: &mut BTreeSet<(u64, u64)>) -> io::Result<Option<(bool, u64)>> {
    let there = |found: io::Result<fs::Metadata>| match found {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let Some(metadata) = there(fs::symlink_metadata(path))? else { return Ok(None) };
    let mut count = |metadata: &fs::Metadata| {
        let is_new =
            metadata.nlink() == 1 || metadata.is_dir() || seen.insert((metadata.dev(), metadata.ino()));
        if is_new { metadata.blocks() * 512 } else { 0 }
    };
    let mut bytes = count(&metadata);
    let mut waiting = if metadata.is_dir() { vec![path.to_owned()] } else { Vec::new() };
    while let Some(directory) = waiting.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let Some(metadata) = there(entry.metadata())? else { continue };
            bytes += count(&metadata);
            if metadata.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    Ok(Some((metadata.is_dir(), bytes)))
}
