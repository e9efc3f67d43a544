//! An eject is no part of what it gathers: what an earlier run has written into a context would be
//! gathered by the next, and grow from run to run.

use std::fs;
use std::path::Path;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{Name, Tree};
use cogpack_io_project::eject::manifest::{Entry, Manifest, NAME};

use crate::contexts::Walked;

/// Takes what an earlier run has written into `destination` out of the contexts that it lies in.
/// What others have put there stays.
pub fn leave_out(destination: &Path, walked: &mut Walked) {
    // What is not there yet, or cannot be looked at, is in no context.
    let Ok(destination) = fs::canonicalize(destination) else { return };
    let text = fs::read_to_string(destination.join(NAME)).unwrap_or_default();
    let written = Manifest::parse(&text).unwrap_or_default();
    for (name, root) in &walked.files.directories.directories {
        let Ok(root) = fs::canonicalize(root) else { continue };
        let (Ok(inside), Some(tree)) = (destination.strip_prefix(&root), walked.trees.get_mut(name)) else {
            continue;
        };
        let inside: Vec<Name> = inside.iter().map(|part| part.as_encoded_bytes().to_vec()).collect();
        remove(tree, &inside, &written);
    }
}

/// Takes what is listed out of the directory `inside` of a tree, and with it the directories that
/// hold nothing else.
fn remove(tree: &mut Tree<Content>, inside: &[Name], written: &Manifest) {
    let at = |path: &[u8]| -> Vec<Name> {
        let below = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec);
        inside.iter().cloned().chain(below).collect()
    };
    // Where a path leads through what is no directory there is nothing to take out.
    let _ = tree.remove(&at(NAME.as_bytes()));
    // From the last to the first, so that what is in a directory goes before it.
    for (path, entry) in written.entries.iter().rev() {
        let path = at(path);
        match entry {
            Entry::File(_) | Entry::Link(_) => {
                let _ = tree.remove(&path);
            }
            Entry::Directory => remove_empty(tree, &path),
        }
    }
    // With it the directories above that were made for it.
    (1..=inside.len()).rev().for_each(|depth| remove_empty(tree, &inside[..depth]));
}

fn remove_empty(tree: &mut Tree<Content>, path: &[Name]) {
    if !path.is_empty() && tree.directory(path).is_some_and(|directory| directory.children.is_empty()) {
        let _ = tree.remove(path);
    }
}
