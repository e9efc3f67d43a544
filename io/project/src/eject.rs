//! Writes a directory that a plan was lowered to: texts, and trees of files beside them.
//!
//! It is made under another name and renamed, so it is there whole or not at all. A directory
//! that is in the way is replaced only if an earlier run made it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::{Content, ContentSource};
use cogpack_backends_contract::tree::{Directory, Node, Tree};
use cogpack_ir::plan::Mode;

/// What is written.
#[derive(Debug, Clone, Default)]
pub struct Eject {
    /// Files at the top, by name. The one called `mark` tells whether we made the directory.
    pub texts: BTreeMap<String, Vec<u8>>,
    /// Trees below it, by relative path.
    pub trees: BTreeMap<String, Tree<Content>>,
    /// The file that every such directory has.
    pub mark: &'static str,
    /// What that file says where we made it.
    pub marked_by: &'static str,
}

/// Why a directory could not be written. What was there before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum EjectError {
    /// Something that no earlier run made is in the way.
    #[error("`{}` is not empty, and was not made by cogpackc", path.display())]
    Occupied {
        /// What is in the way.
        path: PathBuf,
    },
    /// An operation failed.
    #[error("{attempt} `{}`", path.display())]
    Failed {
        /// What was attempted.
        attempt: &'static str,
        /// What it was attempted on.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// A tree holds what no directory of a builder can.
    #[error("`{}` is a device or pipe, which cannot lie beside a Dockerfile", path.display())]
    Special {
        /// Where it would be.
        path: PathBuf,
    },
}

/// Turns an error of the system into ours.
fn failed<'p>(attempt: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> EjectError + use<'p> {
    move |source| EjectError::Failed { attempt, path: path.to_owned(), source }
}

impl Eject {
    /// Writes it as the directory `destination`.
    pub fn write(&self, destination: &Path, files: &dyn ContentSource) -> Result<(), EjectError> {
        let is_there = self.is_replaceable(destination)?;
        let above = match destination.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        fs::create_dir_all(above).map_err(failed("make", above))?;
        let temporary = tempfile::Builder::new()
            .prefix(".cogpackc-")
            .tempdir_in(above)
            .map_err(failed("make a temporary directory in", above))?;
        let made = temporary.path().join("made");
        self.make(&made, files)?;
        let aside = temporary.path().join("replaced");
        if is_there {
            fs::rename(destination, &aside).map_err(failed("replace", destination))?;
        }
        let renamed = fs::rename(&made, destination).map_err(failed("write", destination));
        if renamed.is_err() && is_there && fs::rename(&aside, destination).is_err() {
            // Better a directory with an odd name than a lost one.
            let kept = temporary.keep().join("replaced");
            return renamed.map_err(|error| match error {
                EjectError::Failed { source, .. } => EjectError::Failed {
                    attempt: "write the directory, whose content before is now in",
                    path: kept,
                    source,
                },
                EjectError::Occupied { .. } | EjectError::Special { .. } => error,
            });
        }
        renamed
    }

    /// Whether a directory is there that may be replaced.
    fn is_replaceable(&self, destination: &Path) -> Result<bool, EjectError> {
        let mut entries = match fs::read_dir(destination) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(failed("list", destination)(source)),
        };
        if entries.next().is_none() {
            return Ok(true);
        }
        let mut start = vec![0; 4096];
        let read = File::open(destination.join(self.mark)).and_then(|mut file| file.read(&mut start));
        let ours = match read {
            Ok(length) => String::from_utf8_lossy(&start[..length]).contains(self.marked_by),
            Err(_) => false,
        };
        if ours { Ok(true) } else { Err(EjectError::Occupied { path: destination.to_owned() }) }
    }

    fn make(&self, root: &Path, files: &dyn ContentSource) -> Result<(), EjectError> {
        make_directory(root)?;
        for (name, bytes) in &self.texts {
            write_file(&root.join(name), &mut bytes.as_slice(), Mode::FILE)?;
        }
        for (path, tree) in &self.trees {
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
                Content::Layer(_) => return Err(EjectError::Special { path: below }),
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
