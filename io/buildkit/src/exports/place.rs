//! Puts a tree that stands aside where it belongs.
//!
//! Where nothing is, it gets its name in one step. A directory that is there keeps what the tree
//! does not have; what both have is the tree's. No link in that directory is gone through.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::failure::ExportFailure;
use super::receiver::{Entry, Kind};
use super::tree::times;

/// Puts the tree at `made`, which holds `entries`, at `destination`.
pub fn place(made: &Path, entries: &[Entry], destination: &Path) -> Result<(), ExportFailure> {
    if is_there(destination)? {
        merge(made, entries, destination)?;
        finish_directories(entries, destination)
    } else {
        finish_directories(entries, made)?;
        fs::rename(made, destination).map_err(|source| ExportFailure::write("write", destination, source))
    }
}

fn is_there(path: &Path) -> Result<bool, ExportFailure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(ExportFailure::write("look at", path, source)),
    }
}

fn merge(made: &Path, entries: &[Entry], destination: &Path) -> Result<(), ExportFailure> {
    // What would stop half-way is found before anything is moved.
    for entry in entries.iter().filter(|entry| entry.kind != Kind::Directory) {
        let target = destination.join(&entry.path);
        let is_directory = fs::symlink_metadata(&target).is_ok_and(|there| there.is_dir());
        if is_directory {
            let reason = "there is a directory where the result has something else";
            return Err(ExportFailure::Occupied { path: target, reason });
        }
    }
    for entry in entries {
        let target = destination.join(&entry.path);
        let failed = |source| ExportFailure::write("write", &target, source);
        if entry.kind != Kind::Directory {
            fs::rename(made.join(&entry.path), &target).map_err(failed)?;
            continue;
        }
        match fs::symlink_metadata(&target) {
            Ok(there) if there.is_dir() => {}
            // A link or a file: the tree's directory takes its place.
            Ok(_) => fs::remove_file(&target).and_then(|()| fs::create_dir(&target)).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&target).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// Gives directories their modes and times, the deepest first, because what is made in one
/// changes its time and some modes forbid it.
fn finish_directories(entries: &[Entry], root: &Path) -> Result<(), ExportFailure> {
    for entry in entries.iter().rev().filter(|entry| entry.kind == Kind::Directory) {
        let path = root.join(&entry.path);
        let finished = File::open(&path).and_then(|directory| {
            directory.set_times(times(entry.modified))?;
            directory.set_permissions(Permissions::from_mode(entry.permissions))
        });
        finished.map_err(|source| ExportFailure::write("finish", &path, source))?;
    }
    Ok(())
}
