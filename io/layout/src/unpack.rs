//! Unpacks an archive of a layout, as builders send it, into a directory.
//!
//! Every blob is hashed on the way to the disk, and nothing but the parts of a layout is taken.
//! As for a layout that is written here, only what is complete gets its name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use cogpack_content::Digest;

use crate::blobs::{self, BlobError, HashingReader};
use crate::read::Layout;
use crate::tar_reader::{Entry, EntryKind, TarError, TarReader};
use crate::write::{WriteError, above, check_replaceable, place, sync_directory, temporary_beside};

/// Why an archive was not unpacked. What was at the destination is untouched.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive cannot be read.
    #[error("read the archive of the layout")]
    Archive(#[from] TarError),
    /// It holds something that no layout has.
    #[error("the archive holds `{path}`, which is no part of a layout")]
    Foreign {
        /// What.
        path: String,
    },
    /// It is no layout.
    #[error("the archive is no layout: {reason}")]
    NoLayout {
        /// Why not.
        reason: String,
    },
    /// A blob is not what its name says.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Makes sure, before anything is built, that a layout may be put at `destination`.
pub fn check_destination(destination: &Path) -> Result<(), WriteError> {
    check_replaceable(&fs::canonicalize(destination).unwrap_or_else(|_| destination.to_owned()))
}

/// Unpacks `archive` as the directory `destination`.
pub fn unpack(archive: impl Read, destination: &Path) -> Result<(), UnpackError> {
    // A link to a layout stays one.
    let destination = &fs::canonicalize(destination).unwrap_or_else(|_| destination.to_owned());
    check_replaceable(destination)?;
    let temporary = temporary_beside(destination)?;
    let made = temporary.path().join("layout");
    make(&mut TarReader::new(archive), &made)?;
    Layout::open(&made).map_err(|error| UnpackError::NoLayout { reason: error.to_string() })?;
    place(temporary, &made, destination)?;
    sync_directory(above(destination))?;
    Ok(())
}

fn make<R: Read>(archive: &mut TarReader<R>, root: &Path) -> Result<(), UnpackError> {
    let all = root.join("blobs/sha256");
    fs::create_dir_all(&all).map_err(|source| failed("create", &all, source))?;
    while let Some(entry) = archive.next_entry()? {
        let path = String::from_utf8_lossy(&entry.path).into_owned();
        match (part(&path), &entry) {
            (Some(Part::Directory), Entry { kind: EntryKind::Directory, .. }) => {}
            (Some(part), Entry { kind: EntryKind::File { size }, .. }) => {
                let to = root.join(&path);
                let mut content = HashingReader::new(archive.content(*size));
                let written = File::create(&to).and_then(|mut file| {
                    io::copy(&mut content, &mut file)?;
                    file.sync_all()
                });
                written.map_err(|source| failed("write", &to, source))?;
                let (found, length) = content.finish().map_err(TarError::Read)?;
                match part {
                    Part::Blob(digest) => blobs::check(to, &digest, Some(*size), found, length)?,
                    Part::Document if length == *size => {}
                    Part::Document | Part::Directory => return Err(UnpackError::Foreign { path }),
                }
            }
            (Some(_) | None, _) => return Err(UnpackError::Foreign { path }),
        }
    }
    for directory in [&all, &root.join("blobs"), root] {
        sync_directory(directory)?;
    }
    Ok(())
}

/// What a layout has at a path.
enum Part {
    Directory,
    Document,
    Blob(Digest),
}

fn part(path: &str) -> Option<Part> {
    match path {
        "" | "blobs" | "blobs/sha256" => Some(Part::Directory),
        "index.json" | "manifest.json" | "oci-layout" => Some(Part::Document),
        other => {
            let digits = other.strip_prefix("blobs/sha256/")?;
            format!("sha256:{digits}").parse().ok().map(Part::Blob)
        }
    }
}

fn failed(attempt: &'static str, path: &Path, source: io::Error) -> WriteError {
    WriteError::Write { attempt, path: path.to_owned(), source }
}
