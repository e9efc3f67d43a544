//! Writes an image as a layout, in a directory or in an archive.
//!
//! All is made in a temporary directory beside the destination and synced; only what is complete
//! gets its name. What fails on the way leaves nothing behind, and what is killed leaves it to the
//! next one. A destination is replaced only if it is a layout and nothing else.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::ContentSource;
use cogpack_backends_oci_direct::Assembly;
use cogpack_backends_oci_direct::compression::Compression;
use cogpack_backends_oci_direct::image::{self, Documents, Finished, WrittenLayer};
use cogpack_backends_oci_direct::layer::LayerWriteError;
use cogpack_backends_oci_direct::tar::TarError;
use cogpack_content::threads::joined;
use cogpack_content::{Digest, ImageReference};
use cogpack_io_project::aside::{self, Aside, PlaceError};
use cogpack_io_store::{Store, StoreError};

use crate::blobs::BlobError;
use crate::into_archive;
use crate::layers::{self, Ready};
use crate::read::Layout;
use crate::told::Told;

/// What is attempted first beside a destination.
pub const MAKES_A_DIRECTORY: &str = "make a directory in";

/// Why a layout could not be written. What was at the destination is untouched.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The destination is something else than a layout.
    #[error("`{}` is not replaced: {reason}", path.display())]
    Occupied {
        /// The destination.
        path: PathBuf,
        /// What is there.
        reason: String,
    },
    /// A file or directory could not be written.
    #[error("{attempt} `{}`", path.display())]
    Write {
        /// What was attempted, for instance `write`.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// A layer could not be written.
    #[error("write the layer of `{step}` to `{}`", path.display())]
    Layer {
        /// What makes the layer.
        step: String,
        /// Where it goes.
        path: PathBuf,
        /// What happened.
        #[source]
        source: LayerWriteError,
    },
    /// A layer that is made for an archive could not be read, or not be made for the second time.
    #[error("make the layer of `{step}`")]
    Recipe {
        /// What makes the layer.
        step: String,
        /// What happened.
        #[source]
        source: LayerWriteError,
    },
    /// A layer was not the same twice.
    #[error("the layer of `{step}` was {expected} and is now {found}: one of its files has changed unseen")]
    MadeOtherwise {
        /// What makes the layer.
        step: String,
        /// What it is now.
        found: Digest,
        /// What it was.
        expected: Digest,
    },
    /// A layer of a base image is in none of the layouts that were read.
    #[error("the layer {digest} of a base image is in none of the layouts that were read")]
    MissingBase {
        /// The blob.
        digest: Digest,
    },
    /// A layer of a base image changed since it was read.
    #[error(transparent)]
    Base(#[from] BlobError),
    /// The store of packed layers.
    #[error("use the store")]
    Store(#[from] StoreError),
    /// The archive.
    #[error("write the archive to {to}")]
    Archive {
        /// Where it goes: a file in backticks, or a stream.
        to: String,
        /// What happened.
        #[source]
        source: TarError,
    },
}

/// An image for some platforms that share its layers, with all that is needed to write it.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    /// The image.
    pub assembly: &'a Assembly,
    /// Where the bytes of its files are.
    pub files: &'a (dyn ContentSource + Sync),
    /// The layouts that its bases come from.
    pub bases: &'a [Layout],
    /// Where packed layers are kept from one image to the next.
    pub kept: Option<&'a Store>,
    /// How its layers are compressed, those of bases aside.
    pub compression: Compression,
    /// Who is told how far they are.
    pub told: &'a Told<'a>,
}

/// An image with its names.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    /// The image: one for all platforms, or one for each where these have layers of their own.
    pub images: &'a [Image<'a>],
    /// What it is called.
    pub names: &'a [ImageReference],
}

/// An image that is where it was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// Of each of its parts the layers, lowest first.
    pub layers: Vec<Vec<WrittenLayer>>,
}

/// All that a layout has at its top.
const PARTS: [&str; 4] = ["blobs", "index.json", "manifest.json", "oci-layout"];

/// Files that are synced at one time.
const SYNCED_AT_ONCE: usize = 8;

/// Writes a layout of these images as the directory `destination`. What each of them shares with
/// another is there once.
pub fn write_directory(images: &[Named<'_>], destination: &Path) -> Result<Vec<Written>, WriteError> {
    // A link to a layout stays one.
    let destination = &fs::canonicalize(destination).unwrap_or_else(|_| destination.to_owned());
    check_replaceable(destination)?;
    aside::sweep(above(destination));
    let ready = layers::ready(images)?;
    if let Some(written) = layers::unchanged(images, &ready, destination) {
        return Ok(written);
    }
    let temporary = temporary_beside(destination)?;
    let made = temporary.path().join("layout");
    let written = make(images, ready, &made)?;
    place(temporary, &made, destination)?;
    sync_directory(above(destination))?;
    Ok(written)
}

/// Writes a layout as the archive `destination`; what is a pipe or a device there takes the bytes and stays.
pub fn write_archive(images: &[Named<'_>], destination: &Path) -> Result<Vec<Written>, WriteError> {
    let destination = &fs::canonicalize(destination).unwrap_or_else(|_| destination.to_owned());
    if destination.is_dir() {
        let reason = "it is a directory, and an archive is a file".to_owned();
        return Err(WriteError::Occupied { path: destination.clone(), reason });
    }
    if fs::metadata(destination).is_ok_and(|there| !there.is_file()) {
        // A pipe or a device: there is nothing to replace.
        let open = || {
            let opened = File::options().write(true).open(destination);
            opened.map_err(|source| failed("open", destination, source))
        };
        let to = format!("`{}`", destination.display());
        return into_archive::into_stream(images, &std::env::temp_dir(), open, &to);
    }
    let temporary = temporary_beside(destination)?;
    let made = temporary.path().join("archive");
    let written = into_archive::into_file(images, temporary.path(), &made)?;
    fs::rename(&made, destination).map_err(|source| failed("write", destination, source))?;
    sync_directory(above(destination))?;
    Ok(written)
}

/// Writes a layout as an archive to standard output, or what stands for it. Its blobs are first made
/// below `scratch`, or found out, because their digests, and so their names, follow from them.
pub fn write_archive_to(
    images: &[Named<'_>],
    scratch: &Path,
    sink: impl Write + Send,
) -> Result<Vec<Written>, WriteError> {
    into_archive::into_stream(images, scratch, || Ok(sink), "standard output")
}

/// Makes the layout in the new directory `root`.
fn make<'a>(
    images: &[Named<'a>],
    ready: Vec<Vec<Vec<Ready<'a>>>>,
    root: &Path,
) -> Result<Vec<Written>, WriteError> {
    let blobs = root.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(|source| failed("create", &blobs, source))?;
    let (mut layers, mut is_first) = (Vec::with_capacity(images.len()), true);
    for (named, ready) in images.iter().zip(ready) {
        let mut of_named = Vec::with_capacity(ready.len());
        for (image, ready) in named.images.iter().zip(ready) {
            let ready = if is_first { ready } else { layers::again(ready, *image)? };
            is_first = false;
            of_named.push(layers::put(ready, *image, root)?);
        }
        layers.push(of_named);
    }
    let documents = documents(images, &layers);
    let mut unsynced = Vec::new();
    for (path, bytes) in &documents.files {
        let path = root.join(path);
        let made = File::create(&path).and_then(|mut file| file.write_all(bytes).map(|()| file));
        unsynced.push((made.map_err(|source| failed("write", &path, source))?, path));
        if unsynced.len() >= SYNCED_AT_ONCE {
            sync(std::mem::take(&mut unsynced))?;
        }
    }
    for directory in [&blobs, &root.join("blobs"), root] {
        let opened = File::open(directory).map_err(|source| failed("sync", directory, source))?;
        unsynced.push((opened, directory.to_owned()));
    }
    sync(unsynced)?;
    Ok(written(documents.digests, layers))
}

/// The documents of images with these layers.
pub(crate) fn documents(images: &[Named<'_>], layers: &[Vec<Vec<WrittenLayer>>]) -> Documents {
    let finished = images.iter().zip(layers).map(|(named, layers)| Finished {
        parts: named
            .images
            .iter()
            .map(|image| image.assembly)
            .zip(layers.iter().map(Vec::as_slice))
            .collect(),
        names: named.names,
    });
    image::documents(&finished.collect::<Vec<_>>())
}

/// What was written of each image.
pub(crate) fn written(digests: Vec<Digest>, layers: Vec<Vec<Vec<WrittenLayer>>>) -> Vec<Written> {
    digests.into_iter().zip(layers).map(|(digest, layers)| Written { digest, layers }).collect()
}

/// Whether `destination` is free, an empty directory, or a layout without anything beside it.
pub(crate) fn check_replaceable(destination: &Path) -> Result<(), WriteError> {
    let occupied = |reason| WriteError::Occupied { path: destination.to_owned(), reason };
    let entries = match fs::read_dir(destination) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(occupied("it is a file, and a layout is a directory".to_owned()));
        }
        Err(source) => return Err(failed("list", destination, source)),
    };
    let mut is_empty = true;
    for entry in entries {
        let name = entry.map_err(|source| failed("list", destination, source))?.file_name();
        is_empty = false;
        if !PARTS.iter().any(|part| name == *part) {
            return Err(occupied(format!("it holds `{}`, which is no part of a layout", name.display())));
        }
    }
    if is_empty {
        return Ok(());
    }
    Layout::open(destination).map(drop).map_err(|error| occupied(error.to_string()))
}

/// Gives what was made its name.
pub(crate) fn place(aside: Aside, made: &Path, destination: &Path) -> Result<(), WriteError> {
    let misplaced = |PlaceError { attempt, path, source }| WriteError::Write { attempt, path, source };
    aside.place(made, destination).map_err(misplaced)
}

pub(crate) fn temporary_beside(destination: &Path) -> Result<Aside, WriteError> {
    temporary_in(above(destination))
}

pub(crate) fn temporary_in(directory: &Path) -> Result<Aside, WriteError> {
    // The error itself names a directory of its own invention.
    Aside::within(directory).map_err(|error| {
        let source = if error.kind() == io::ErrorKind::NotFound {
            io::Error::new(error.kind(), "there is no such directory")
        } else {
            error.kind().into()
        };
        failed(MAKES_A_DIRECTORY, directory, source)
    })
}

pub(crate) fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Waits until all of these are on the disk. They are asked for at once, because a disk that has to
/// turn to its journal for one can take the others along.
fn sync(unsynced: Vec<(File, PathBuf)>) -> Result<(), WriteError> {
    let sync =
        |(file, path): (File, PathBuf)| file.sync_all().map_err(|source| failed("sync", &path, source));
    std::thread::scope(|scope| {
        let start = |one| std::thread::Builder::new().spawn_scoped(scope, move || sync(one));
        let syncing: Vec<_> = unsynced.into_iter().map(start).collect();
        syncing.into_iter().try_for_each(|thread| match thread {
            Ok(thread) => joined(thread),
            Err(source) => Err(failed("sync the parts of", Path::new("the layout"), source)),
        })
    })
}

pub(crate) fn sync_directory(directory: &Path) -> Result<(), WriteError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|source| failed("sync", directory, source))
}

pub(crate) fn failed(attempt: &'static str, path: &Path, source: io::Error) -> WriteError {
    WriteError::Write { attempt, path: path.to_owned(), source }
}
