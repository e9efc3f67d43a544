//! Writes a directory that a plan was lowered to: texts, and trees of files beside them.
//!
//! All of it is made under another name before anything that is there is touched. A list of what
//! was written ([`manifest`]) stays in the directory. So a later run replaces only what an
//! earlier one wrote, takes away what is no longer needed, leaves the files of others alone, and
//! stops before files that somebody has changed since.

pub mod manifest;
mod staged;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::{Content, ContentSource};
use cogpack_backends_contract::tree::Tree;
use cogpack_backends_oci_direct::layer::{LayerProblem, LayerWriteError};

use crate::aside::{Aside, PlaceError};
use crate::files::in_directory;
use manifest::{Entry, Manifest, below, look};

/// What is written.
#[derive(Debug, Clone, Default)]
pub struct Eject {
    /// Files of a text, by relative path.
    pub texts: BTreeMap<String, Vec<u8>>,
    /// Trees below it, by relative path.
    pub trees: BTreeMap<String, Tree<Content>>,
    /// Trees below it that become tar archives, by the archive's relative path.
    pub archives: BTreeMap<String, Tree<Content>>,
    /// Files below it that are copies of files on this disk, by relative path.
    pub files: BTreeMap<String, PathBuf>,
    /// What the entries of archives are dated, in seconds since 1970.
    pub time: u64,
}

/// What to do with our own files that somebody has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Stop, and change nothing.
    Keep,
    /// Replace them.
    Replace,
}

/// Why a directory could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EjectError {
    /// Somebody else's files are in the way. Nothing was touched.
    #[error("{} in the way, and not written by cogpackc", listed(paths))]
    Occupied {
        /// Which.
        paths: Vec<PathBuf>,
    },
    /// Our files were changed since. Nothing was touched.
    #[error("{} changed since cogpackc wrote {}", listed(paths), if paths.len() == 1 { "it" } else { "them" })]
    Changed {
        /// Which.
        paths: Vec<PathBuf>,
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
    /// A tree holds what no archive can that is unpacked for an image.
    #[error("make the archive `{}`", path.display())]
    NoEntry {
        /// The archive.
        path: PathBuf,
        /// What it holds.
        #[source]
        source: LayerProblem,
    },
    /// An archive could not be written.
    #[error("write the archive `{}`", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What happened.
        #[source]
        source: LayerWriteError,
    },
}

/// The first few of some paths, and a verb for them.
fn listed(paths: &[PathBuf]) -> String {
    const MOST: usize = 3;
    let shown: Vec<String> = paths.iter().take(MOST).map(|path| format!("`{}`", path.display())).collect();
    let more = paths.len().saturating_sub(MOST);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let verb = if paths.len() == 1 { "was" } else { "were" };
    format!("{}{rest} {verb}", shown.join(", "))
}

/// Turns an error of the system into ours.
fn failed<'p>(attempt: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> EjectError + use<'p> {
    move |source| EjectError::Failed { attempt, path: path.to_owned(), source }
}

impl Eject {
    /// Writes it as the directory `destination`.
    pub fn write(
        &self,
        destination: &Path,
        files: &dyn ContentSource,
        changed: Changed,
    ) -> Result<(), EjectError> {
        let above = match destination.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        if let Err(source) = fs::create_dir_all(above) {
            return Err(if source.kind() == io::ErrorKind::AlreadyExists {
                EjectError::Occupied { paths: vec![above.to_owned()] }
            } else {
                failed("make", above)(source)
            });
        }
        let before = earlier(destination)?;
        if is_all_ours(destination, &before)? {
            let staged = Staged::make(self, above, destination, files, &before, changed);
            match staged.and_then(|staged| swap(destination, staged)) {
                // Nothing was touched, and what is in the directory may be writable nevertheless.
                Err(EjectError::Failed { source, .. }) if is_of_place(&source) && destination.is_dir() => {}
                done => return done,
            }
        }
        let staged = Staged::make(self, destination, destination, files, &before, changed)?;
        clear(destination, &before, &staged.wanted)?;
        place(destination, &staged)
    }
}

/// All of an eject under another name, and what there is of it.
struct Staged {
    aside: Aside,
    made: PathBuf,
    wanted: Manifest,
}

impl Staged {
    /// Makes it aside in the directory `within`, and stops where it must not go to `destination`.
    fn make(
        eject: &Eject,
        within: &Path,
        destination: &Path,
        files: &dyn ContentSource,
        before: &Manifest,
        changed: Changed,
    ) -> Result<Self, EjectError> {
        let aside = Aside::within(within)
            .map_err(|error| in_directory(within, &error))
            .map_err(failed("make a temporary directory in", within))?;
        let made = aside.path().join("made");
        staged::make(eject, &made, files)?;
        let wanted = Manifest::of(&made).map_err(failed("list", &made))?;
        let list = made.join(manifest::NAME);
        fs::write(&list, wanted.to_text()).map_err(failed("write", &list))?;
        check(destination, before, &wanted, changed)?;
        Ok(Self { aside, made, wanted })
    }
}

/// Whether a directory cannot be replaced where it is: something is mounted on it, or the one above it
/// cannot be written.
fn is_of_place(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// What an earlier run wrote.
fn earlier(destination: &Path) -> Result<Manifest, EjectError> {
    // A list that cannot be read lists nothing, so that nothing is taken for ours.
    let manifest = Manifest::read(destination).map_err(failed("read", &destination.join(manifest::NAME)))?;
    Ok(manifest.unwrap_or_default())
}

/// Stops before files of others, and before ours that were changed.
fn check(
    destination: &Path,
    before: &Manifest,
    wanted: &Manifest,
    changed: Changed,
) -> Result<(), EjectError> {
    let (mut occupied, mut differing) = (Vec::new(), Vec::new());
    let list = destination.join(manifest::NAME);
    if list.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        occupied.push(list);
    }
    for path in
        before.entries.keys().chain(wanted.entries.keys().filter(|path| !before.entries.contains_key(*path)))
    {
        let place = below(destination, path);
        let Some(found) = look_below(destination, path)? else { continue };
        let wanted = wanted.entries.get(path);
        if wanted == Some(&found) {
            continue;
        }
        // What somebody has put into a directory is theirs, whosever that is.
        if found == Entry::Directory
            && wanted.is_some()
            && !are_all_ours(&place, path, before).map_err(failed("list", &place))?
        {
            occupied.push(place);
            continue;
        }
        match before.entries.get(path) {
            Some(written) if *written == found => {}
            Some(_) => differing.push(place),
            None => occupied.push(place),
        }
    }
    if !occupied.is_empty() {
        return Err(EjectError::Occupied { paths: occupied });
    }
    if !differing.is_empty() && changed == Changed::Keep {
        return Err(EjectError::Changed { paths: differing });
    }
    Ok(())
}

/// What stands at a path below a directory. Behind a link that somebody has put there is nothing of ours.
fn look_below(directory: &Path, path: &[u8]) -> Result<Option<Entry>, EjectError> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
    if ends.into_iter().any(|end| below(directory, &path[..end]).is_symlink()) {
        return Ok(None);
    }
    let place = below(directory, path);
    look(&place).map_err(failed("look at", &place))
}

/// Whether nothing in the directory is anybody else's, so that it can be replaced as a whole.
fn is_all_ours(destination: &Path, before: &Manifest) -> Result<bool, EjectError> {
    match look(destination).map_err(failed("look at", destination))? {
        None => return Ok(true),
        Some(Entry::Directory) => {}
        Some(Entry::File(_) | Entry::Link(_)) => {
            // A link to a directory stays one.
            return if destination.is_dir() {
                Ok(false)
            } else {
                Err(EjectError::Occupied { paths: vec![destination.to_owned()] })
            };
        }
    }
    are_all_ours(destination, b"", before).map_err(failed("list", destination))
}

fn are_all_ours(directory: &Path, way: &[u8], before: &Manifest) -> io::Result<bool> {
    for listed in fs::read_dir(directory)? {
        let listed = listed?;
        let name = listed.file_name();
        if way.is_empty() && name == manifest::NAME {
            continue;
        }
        let path = manifest::joined(way, &name);
        let is_ours = before.entries.contains_key(&path)
            && (!listed.file_type()?.is_dir() || are_all_ours(&listed.path(), &path, before)?);
        if !is_ours {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Puts the new directory in the place of the old one.
fn swap(destination: &Path, staged: Staged) -> Result<(), EjectError> {
    let misplaced = |PlaceError { attempt, path, source }| EjectError::Failed { attempt, path, source };
    staged.aside.place(&staged.made, destination).map_err(misplaced)
}

/// Takes away what an earlier run wrote and this one does not, the deepest first.
fn clear(destination: &Path, before: &Manifest, wanted: &Manifest) -> Result<(), EjectError> {
    for (path, written) in before.entries.iter().rev() {
        let place = below(destination, path);
        let found = look_below(destination, path)?;
        let stays = match (&found, wanted.entries.get(path)) {
            (None, _) => true,
            (Some(Entry::Directory), Some(Entry::Directory)) => true,
            (Some(Entry::File(_) | Entry::Link(_)), Some(Entry::File(_) | Entry::Link(_))) => true,
            (Some(_), Some(_) | None) => false,
        };
        if stays {
            continue;
        }
        match (found, written) {
            // One that others have put something into stays.
            (Some(Entry::Directory), _) => {
                let removed = fs::remove_dir(&place);
                if let Err(source) = removed
                    && source.kind() != io::ErrorKind::DirectoryNotEmpty
                {
                    return Err(failed("remove", &place)(source));
                }
            }
            (Some(Entry::File(_) | Entry::Link(_)) | None, _) => {
                fs::remove_file(&place).map_err(failed("remove", &place))?;
            }
        }
    }
    Ok(())
}

/// Moves what was made to where it belongs, file by file; the list comes last.
fn place(destination: &Path, staged: &Staged) -> Result<(), EjectError> {
    let mut directories = Vec::new();
    for (path, entry) in &staged.wanted.entries {
        let (from, to) = (below(&staged.made, path), below(destination, path));
        match entry {
            Entry::Directory => {
                match fs::create_dir(&to) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    made => made.map_err(failed("make", &to))?,
                }
                directories.push((from, to));
            }
            Entry::File(_) | Entry::Link(_) => {
                fs::rename(&from, &to).map_err(failed("write", &to))?;
            }
        }
    }
    for (from, to) in directories.iter().rev() {
        let mode = from.metadata().map_err(failed("look at", from))?.permissions();
        fs::set_permissions(to, mode).map_err(failed("set the mode of", to))?;
    }
    let list = destination.join(manifest::NAME);
    fs::rename(staged.made.join(manifest::NAME), &list).map_err(failed("write", &list))
}

#[cfg(test)]
mod tests;
