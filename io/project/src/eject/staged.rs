//! Makes an eject in a fresh directory.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Read, Write};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::{Content, ContentSource};
use cogpack_backends_contract::tree::{Directory, Node, Tree};
use cogpack_backends_oci_direct::compression::Coding;
use cogpack_backends_oci_direct::layer::Layer;
use cogpack_backends_oci_direct::pack::Packing;
use cogpack_ir::plan::Mode;

use super::{Eject, EjectError, failed};

/// Makes all of it as the directory `root`, which is not there yet.
pub(super) fn make(eject: &Eject, root: &Path, files: &dyn ContentSource) -> Result<(), EjectError> {
    make_directory(root)?;
    for (path, bytes) in &eject.texts {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        write_file(&make_directories(root, above)?.join(name), &mut bytes.as_slice(), Mode::FILE)?;
    }
    for (path, tree) in &eject.trees {
        write_tree(&make_directories(root, path)?, tree.root(), files)?;
    }
    for (path, tree) in &eject.archives {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        write_archive(&make_directories(root, above)?.join(name), tree, files, eject.time)?;
    }
    for (path, original) in &eject.files {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        copy_file(original, &make_directories(root, above)?.join(name))?;
    }
    Ok(())
}

/// Makes a directory of a relative path, and those above it that are missing.
fn make_directories(root: &Path, path: &str) -> Result<PathBuf, EjectError> {
    let mut place = root.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        place.push(part);
        if !place.is_dir() {
            make_directory(&place)?;
        }
    }
    Ok(place)
}

/// Writes a tree as the layer that it would be, which is what builders make of the archive.
fn write_archive(
    path: &Path,
    tree: &Tree<Content>,
    files: &dyn ContentSource,
    time: u64,
) -> Result<(), EjectError> {
    let layer =
        Layer::of_tree(tree).map_err(|source| EjectError::NoEntry { path: path.to_owned(), source })?;
    let file = File::create_new(path).map_err(failed("make", path))?;
    let packing = Packing { coding: Coding::Plain, threads: NonZeroUsize::MIN, place: 0 };
    let written = layer.write(files, time, packing, BufWriter::with_capacity(1 << 16, file));
    let (mut file, _) = written.map_err(|source| EjectError::Archive { path: path.to_owned(), source })?;
    file.flush().map_err(failed("write", path))?;
    set_mode(path, Mode::FILE)
}

/// Copies a file, and when it was written: who transfers directories takes a file of another time
/// for another file.
fn copy_file(original: &Path, path: &Path) -> Result<(), EjectError> {
    fs::copy(original, path).map_err(failed("make", path))?;
    let dated = fs::metadata(original)
        .and_then(|original| original.modified())
        .and_then(|written| File::options().write(true).open(path)?.set_modified(written));
    dated.map_err(failed("date", path))?;
    set_mode(path, Mode::FILE)
}

fn make_directory(path: &Path) -> Result<(), EjectError> {
    fs::create_dir(path).map_err(failed("make", path))?;
    set_mode(path, Mode::DIRECTORY)
}

/// Writes what is in `directory` into the one at `path`, then gives that its mode: a mode that
/// forbids writing must not forbid making.
fn write_tree(
    path: &Path,
    directory: &Directory<Content>,
    files: &dyn ContentSource,
) -> Result<(), EjectError> {
    for entry in &directory.children {
        let (name, node) = entry.parts();
        let below = path.join(OsStr::from_bytes(name));
        match node {
            Node::Directory(directory) => {
                make_directory(&below)?;
                write_tree(&below, directory, files)?;
            }
            Node::File { attributes, content } => match content {
                Content::Inline(bytes) => write_file(&below, &mut &*bytes.0, attributes.mode)?,
                Content::Context(file) => {
                    let mut bytes = files.open(&file.file()).map_err(failed("read what becomes", &below))?;
                    write_file(&below, &mut bytes, attributes.mode)?;
                }
                // Contexts are made of directories and of files in the plan, never of layers.
                Content::Layer(_) | Content::Kept(_) => return Err(EjectError::Special { path: below }),
            },
            Node::Symlink { target, .. } => {
                symlink(OsStr::from_bytes(target), &below).map_err(failed("link", &below))?;
            }
            Node::Special { .. } => return Err(EjectError::Special { path: below }),
        }
    }
    set_mode(path, directory.attributes.mode)
}

fn write_file(path: &Path, bytes: &mut dyn Read, mode: Mode) -> Result<(), EjectError> {
    let mut file = File::create_new(path).map_err(failed("make", path))?;
    io::copy(bytes, &mut file).and_then(|_| file.flush()).map_err(failed("write", path))?;
    set_mode(path, mode)
}

/// Sets the mode itself, whatever the umask took away when it was made.
fn set_mode(path: &Path, mode: Mode) -> Result<(), EjectError> {
    fs::set_permissions(path, Permissions::from_mode(mode.bits())).map_err(failed("set the mode of", path))
}
