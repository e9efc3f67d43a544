//! The files of `dir` contexts that ops take, with their digests.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::Node;
use cogpack_diff::files::{ContextFiles, Entry, Listing, used};
use cogpack_diff::keys::reads;
use cogpack_io_project::seen::SeenFiles;
use cogpack_ir::plan::{ContextKind, InputName};
use cogpack_ir::resolve::Resolved;

use crate::contexts::{Walked, root_of, walk_all};
use crate::failure::Failure;
use crate::plan_file::PlanFile;

/// Of directories with more entries, whether a context leaves them out or not, nothing is listed: that would take a build
/// longer than to find that nothing has changed.
const MOST_ENTRIES: usize = 10_000;

/// Directories that are not counted: they lie in many projects, and contexts leave them out.
const NOT_COUNTED: [&str; 3] = [".git", ".venv", "node_modules"];

/// More bytes are not read only to be compared.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Reads them; `None` where there are too many, or too large ones. Contexts are where the plan says, or where
/// `elsewhere` does.
pub fn read(
    plan: &Resolved,
    file: &PlanFile,
    elsewhere: &BTreeMap<InputName, PathBuf>,
    seen: &mut SeenFiles,
) -> Result<Option<ContextFiles>, Failure> {
    let is_read = |name: &InputName| !reads(plan, name).is_empty();
    let contexts = plan
        .plan()
        .contexts
        .iter()
        .filter(|(name, context)| matches!(context.kind, ContextKind::Directory(_)) && is_read(name));
    let mut left = MOST_ENTRIES;
    for (name, context) in contexts.clone() {
        if let Some(root) = root_of(name, context, file, elsewhere)
            && has_more_entries(root, &mut left)
        {
            return Ok(None);
        }
    }
    let Walked { trees, files: sources, .. } = walk_all(contexts, file, elsewhere)?;
    let used = used(plan, &trees);
    if used.values().flat_map(|used| &used.files).map(Content::size).sum::<u64>() > MOST_BYTES {
        return Ok(None);
    }
    let mut files = ContextFiles::default();
    for (name, used) in used {
        let mut digests = BTreeMap::new();
        for content in used.files {
            let Content::Context(listed) = content else { continue };
            let path = listed.path();
            if digests.contains_key(&path) {
                continue;
            }
            let digest = seen.digest(&listed, &sources).map_err(|error| {
                let mut failure = Failure::new(format!(
                    "read `{}` of the context `{name}`",
                    String::from_utf8_lossy(&path)
                ));
                failure.causes.push(error.to_string());
                failure
            })?;
            digests.insert(path, digest);
        }
        let mut entries = BTreeMap::new();
        for (path, node) in trees.get(name).map(|tree| tree.walk()).unwrap_or_default() {
            let entry = match node {
                Node::Directory(directory) if used.directories.contains(&path.join(&b'/')) => {
                    Entry::Directory { mode: directory.attributes.mode }
                }
                Node::Directory(_) => continue,
                // One may lead to what is taken.
                Node::Symlink { target, .. } => Entry::Link { target: target.into_vec() },
                Node::File { attributes, content: Content::Context(listed) } => {
                    // Of several names of a file one is its path.
                    let Some(content) = digests.get(&listed.path()) else { continue };
                    Entry::File { mode: attributes.mode, content: *content }
                }
                Node::File { .. } | Node::Special { .. } => continue,
            };
            entries.insert(path.join(&b'/'), entry);
        }
        let listing = Listing::new(entries).map_err(|problem| Failure::of(&problem))?;
        files.insert(name.clone(), listing);
    }
    Ok(Some(files))
}

/// Whether there is more below a directory than `left`, from which what is found is taken off. What cannot be
/// listed is told of where it is walked.
fn has_more_entries(root: PathBuf, left: &mut usize) -> bool {
    let mut waiting = vec![root];
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        for entry in entries.flatten() {
            let Some(fewer) = left.checked_sub(1) else { return true };
            *left = fewer;
            let is_counted = !NOT_COUNTED.iter().any(|name| entry.file_name() == *name);
            if is_counted && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
        }
    }
    false
}
