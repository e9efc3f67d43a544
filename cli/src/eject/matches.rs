//! What patterns of copies match in the user's directories, where a Dockerfile can say the pattern.
//!
//! A builder sees the directory with nothing left out but what an ignore file names. So a pattern is
//! told only if all that it matches on disk is a part of the context, and a file; and if it matches
//! nothing that an eject is about to write there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use cogpack_backends_contract::glob::Glob;
use cogpack_backends_contract::paths::Selection;
use cogpack_backends_dockerfile::patterns_of_copies;
use cogpack_io_project::eject::manifest;
use cogpack_io_project::own::Own;
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::Resolved;

use super::standings::{SET_IDS, Used, is_ignored};
use super::{DOCKERFILE, ignore_file, readme};

/// The names of what an eject writes.
const WRITTEN: [&str; 8] =
    [DOCKERFILE, ignore_file::NAME, readme::NAME, manifest::NAME, "files", "copies", "contexts", "packages"];

/// What the patterns match that a Dockerfile in the directory `eject` may say.
pub fn matches(
    plan: &Resolved,
    used: &BTreeMap<InputName, Used<'_>>,
    eject: Option<&Path>,
) -> BTreeMap<(InputName, String), BTreeSet<String>> {
    let patterns = patterns_of_copies(plan).into_iter();
    let told = patterns.filter_map(|(name, pattern)| {
        let files = files(used.get(&name)?, &pattern, eject)?;
        Some(((name, pattern), files))
    });
    told.collect()
}

/// The files that a pattern matches; `None` where it matches nothing, or something else.
fn files(used: &Used<'_>, pattern: &str, eject: Option<&Path>) -> Option<BTreeSet<String>> {
    let (above, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let glob = Glob::new(name).ok()?;
    let directory = used.path.join(above);
    // A link on the way is followed by some builders only.
    if directory.components().ne(directory.canonicalize().ok()?.components()) {
        return None;
    }
    if written(&directory, eject).iter().any(|name| glob.matches_name(name.as_encoded_bytes())) {
        return None;
    }
    let rules = Selection::new(&used.context.rules).ok()?;
    let own = own(&used.path, above)?;
    let mut files = BTreeSet::new();
    for name in names(&directory)? {
        if !glob.matches_name(name.as_encoded_bytes()) {
            continue;
        }
        let found = directory.join(&name).symlink_metadata().ok()?;
        let name = name.to_str()?;
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        let parts: Vec<&str> = path.split('/').collect();
        let is_part = rules.takes(&parts) && !is_ignored(&used.path, &path) && !own.holds(path.as_bytes());
        if !is_part || !found.is_file() || found.mode() & SET_IDS != 0 {
            return None;
        }
        files.insert(path);
    }
    (!files.is_empty()).then_some(files)
}

/// What an eject will have in a directory.
fn written(directory: &Path, eject: Option<&Path>) -> Vec<OsString> {
    let Some(below) = eject.and_then(|eject| eject.strip_prefix(directory).ok()) else { return Vec::new() };
    match below.components().next() {
        Some(Component::Normal(first)) => vec![first.to_owned()],
        Some(_) | None => WRITTEN.map(OsString::from).to_vec(),
    }
}

/// What is ours of a directory of a context, as its walk would know it.
fn own(root: &Path, directory: &str) -> Option<Own> {
    let mut own = Own::default();
    let ends = directory.match_indices('/').map(|(end, _)| end);
    let ends: BTreeSet<usize> = ends.chain([0, directory.len()]).collect();
    for end in ends {
        let path = &directory[..end];
        let place = root.join(path);
        let names = names(&place)?;
        own.enter(path.as_bytes(), &place, names.iter().map(OsString::as_os_str));
        own.look_below(path.as_bytes(), &place, names.iter().map(OsString::as_os_str));
    }
    Some(own)
}

fn names(directory: &Path) -> Option<Vec<OsString>> {
    fs::read_dir(directory).ok()?.map(|entry| entry.ok().map(|entry| entry.file_name())).collect()
}
