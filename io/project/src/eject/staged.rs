//! Makes an eject in a fresh directory.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use cogpack_backends_contract::content::{Content, ContentSource};
use cogpack_backends_contract::tree::{Directory, Node};
use cogpack_ir::plan::Mode;

use super::{Eject, EjectError, failed};

/// Makes all of it as the directory `root`, which is not there yet.
pub(super) fn make(eject: &Eject, root: &Path, files: &dyn ContentSource) -> Result<(), EjectError> {
    make_directory(root)?;
    for (name, bytes) in &eject.texts {
        write_file(&root.join(name), &mut bytes.as_slice(), Mode::FILE)?;
    }
    for (path, tree) in &eject.trees {
        let mut place = root.to_owned();
        for part in path.split('/') {
            place.push(part);
            if !place.is_dir() {
                make_directory(&place)?;
            }
        }
        write_tree(&place, tree.root(), files)?;
    }
    Ok(())
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
    for (name, node) in &directory.children {
        let below = path.join(OsStr::from_bytes(name));
        match node {
            Node::Directory(directory) => {
                make_directory(&below)?;
                write_tree(&below, directory, files)?;
            }
            Node::File { attributes, content } => match content {
                Content::Inline(bytes) => write_file(&below, &mut &*bytes.0, attributes.mode)?,
                Content::Context(file) => {
                    let mut bytes = files.open(file).map_err(failed("read what becomes", &below))?;
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
