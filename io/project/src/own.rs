//! What of a directory is ours, and so no part of a context: `.cog` in its root, build records and images
//! without another place wherever they lie, and what an eject has written at or below it, by the list that lies there. So writing a Dockerfile beside what it
//! copies changes nothing of what a plan means, and nothing of what it writes the next time.
//!
//! What others have put into the directory of an eject is theirs; a directory that holds nothing
//! else goes with what is in it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use crate::eject::manifest::{Entry, Manifest, NAME, joined};

/// Our own directory in a project, whatever an ignore file says.
const PROJECT: &[u8] = b".cog";
/// Where build records are, from the directory of their plan, which may be within a context of this or
/// of another plan.
pub const RECORDS: &str = ".cog/records";
/// Where images are that nobody has named another place for, from the directory of their plan.
pub const IMAGES: &str = ".cog/images";

/// What is ours, as far as a walk has come.
#[derive(Debug, Default)]
pub struct Own {
    files: BTreeSet<Vec<u8>>,
    directories: BTreeSet<Vec<u8>>,
    /// Whether nothing is, whatever it is called.
    is_nothing: bool,
}

impl Own {
    /// For a directory in which nothing is ours.
    pub fn nothing() -> Self {
        Self { is_nothing: true, ..Self::default() }
    }

    /// Notes what the directory at `path` of a context tells of itself, which is at `place` on disk
    /// and holds `names`.
    pub fn enter<'n>(&mut self, path: &[u8], place: &Path, names: impl IntoIterator<Item = &'n OsStr>) {
        if self.is_nothing {
            return;
        }
        let names: Vec<&OsStr> = names.into_iter().collect();
        if !names.is_empty() && names.iter().all(|name| is_in_state(&joined(path, name))) {
            self.directories.insert(path.to_owned());
        }
        if !names.iter().any(|name| *name == NAME) {
            return;
        }
        // What cannot be read, or is no such list, is a file like others.
        let Ok(Some(manifest)) = Manifest::read(place) else { return };
        if !path.is_empty() {
            self.directories.insert(path.to_owned());
        }
        self.files.insert(joined(path, OsStr::new(NAME)));
        for (below, entry) in manifest.entries {
            let below = if path.is_empty() { below } else { [path, b"/", &below].concat() };
            match entry {
                Entry::File(_) | Entry::Link(_) => self.files.insert(below),
                Entry::Directory => self.directories.insert(below),
            };
        }
    }

    /// Notes whether the directory at `path`, which has been entered, was made for ejects that lie further
    /// down. That takes looking into directories below it, so who knows of something in it that is not
    /// ours need not ask.
    pub fn look_below<'n>(&mut self, path: &[u8], place: &Path, names: impl IntoIterator<Item = &'n OsStr>) {
        if self.is_nothing {
            return;
        }
        let names: Vec<&OsStr> = names.into_iter().collect();
        let is_told = path.is_empty() || names.iter().any(|name| *name == NAME);
        if !is_told && leads_to_ejects(place, &names, DEEPEST) {
            self.directories.insert(path.to_owned());
        }
    }

    /// Whether what stands at a path is ours, with all below it.
    pub fn holds(&self, path: &[u8]) -> bool {
        !self.is_nothing && (path == PROJECT || is_in_state(path)) || self.files.contains(path)
    }

    /// Whether a directory was made for what is ours, and is a part of the context only where it
    /// holds something else.
    pub fn made(&self, path: &[u8]) -> bool {
        self.directories.contains(path)
    }
}

/// Whether a path is that of build records, or of images.
fn is_in_state(path: &[u8]) -> bool {
    [RECORDS, IMAGES].iter().any(|kept| {
        let above = path.strip_suffix(kept.as_bytes());
        above.is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
    })
}

/// How far down a directory may lie that was made with those above it.
const DEEPEST: usize = 16;
/// How many may lie in one.
const MOST: usize = 16;

/// Whether a directory holds nothing but directories of ejects, or what leads to them: such a one was
/// made for these.
fn leads_to_ejects(place: &Path, names: &[&OsStr], deepest: usize) -> bool {
    let is_one = |name: &&OsStr| {
        let below = place.join(name);
        let is_directory = below.symlink_metadata().is_ok_and(|found| found.is_dir());
        is_directory && {
            let names = names_in(&below);
            let names: Vec<&OsStr> = names.iter().map(OsString::as_os_str).collect();
            names.iter().any(|name| *name == NAME) || leads_to_ejects(&below, &names, deepest - 1)
        }
    };
    deepest > 0 && (1..=MOST).contains(&names.len()) && names.iter().all(is_one)
}

/// What a directory holds; nothing where it cannot be listed, of which the walk that reads it tells.
fn names_in(directory: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.file_name()).collect()
}

/// The directory that goes with an eject which is to be written into `inside` of `root`: the highest
/// that will hold nothing else.
pub fn made_for<'i>(root: &Path, inside: &'i str) -> &'i str {
    let above = inside.match_indices('/').map(|(end, _)| &inside[..end]);
    let is_made = |path: &&str| {
        let place = root.join(path);
        let names = names_in(&place);
        let names: Vec<&OsStr> = names.iter().map(OsString::as_os_str).collect();
        names.is_empty() || leads_to_ejects(&place, &names, DEEPEST)
    };
    above.into_iter().find(is_made).unwrap_or(inside)
}

/// The directories at or below `root` that ejects were written into, or that were made for them, each
/// with what others have put there, by paths relative to `root`. What is below one of them may be one too.
pub fn ejects_below(root: &Path) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut own = Own::default();
    let mut ejects: Vec<Vec<u8>> = Vec::new();
    let mut waiting = vec![Vec::new()];
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        let place = crate::eject::manifest::below(root, &path);
        let names = names_in(&place);
        let before = own.files.len();
        own.enter(&path, &place, names.iter().map(OsString::as_os_str));
        own.look_below(&path, &place, names.iter().map(OsString::as_os_str));
        if own.files.len() > before || own.made(&path) && !ejects.iter().any(|it| is_within(it, &path)) {
            ejects.push(path.clone());
        }
        for name in names {
            let child = joined(&path, &name);
            if own.holds(&child) {
                continue;
            }
            let is_directory = place.join(&name).symlink_metadata().is_ok_and(|found| found.is_dir());
            if is_directory { waiting.push(child) } else { files.push(child) }
        }
    }
    ejects.sort();
    files.sort();
    let others = |eject: &Vec<u8>| files.iter().filter(|file| is_within(eject, file)).cloned().collect();
    ejects.iter().map(|eject| (eject.clone(), others(eject))).collect()
}

/// Whether a path is below another.
fn is_within(outer: &[u8], inner: &[u8]) -> bool {
    outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_eject_wrote_is_ours_and_what_lies_beside_it_is_not() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let eject = folder.path().join("deploy");
        fs::create_dir_all(eject.join("files/a")).expect("can be made");
        fs::write(eject.join("Dockerfile"), "FROM scratch\n").expect("can be written");
        let list = Manifest::of(&eject).expect("can be listed").to_text();
        fs::write(eject.join(NAME), list).expect("can be written");
        fs::write(eject.join("files/start.sh"), "").expect("can be written");
        let mut own = Own::default();
        let enter = |own: &mut Own, path: &str| {
            let place = folder.path().join(path);
            let entries = fs::read_dir(&place).expect("is there").map(|it| it.expect("is there").file_name());
            let names: Vec<_> = entries.collect();
            own.enter(path.as_bytes(), &place, names.iter().map(|name| name.as_os_str()));
            own.look_below(path.as_bytes(), &place, names.iter().map(|name| name.as_os_str()));
        };
        enter(&mut own, "");
        assert!(own.holds(b"deploy/.cog/records") && !own.holds(b"deploy/x.cog/records"));
        assert!(own.holds(b"deploy/.cog/images") && !own.holds(b"deploy/.cog/weights"));
        assert!(own.holds(b".cog") && !own.holds(b"deploy") && !own.made(b"deploy"));
        enter(&mut own, "deploy");
        assert!(own.holds(b"deploy/Dockerfile") && own.holds(b"deploy/.cogpackc-manifest"));
        assert!(own.made(b"deploy") && own.made(b"deploy/files/a"));
        assert!(!own.holds(b"deploy/files/start.sh") && !own.holds(b"deploy/.cog"));
        assert_eq!(
            ejects_below(folder.path()),
            [(b"deploy".to_vec(), vec![b"deploy/files/start.sh".to_vec()])]
        );
        fs::write(eject.join(NAME), "something else").expect("can be written");
        assert!(ejects_below(folder.path()).is_empty());
    }
}
