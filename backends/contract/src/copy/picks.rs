//! What the rules of a copy take of a directory: the directories, each with what is taken below it. A
//! directory may have a million files, so of these it is asked again when they land.

use crate::paths::{Decision, Selection};
use crate::tree::{Directory, Name, Node};

/// What is taken of a directory.
pub(super) struct Picks {
    /// The directories, in order: those that the rules take, and those with something below that they
    /// take.
    pub(super) directories: Vec<Pick>,
    /// Whether that is anything, files among it.
    is_any: bool,
    /// The rule that decides over the directory itself.
    pub(super) decision: Decision,
}

/// A directory to land.
pub(super) struct Pick {
    pub(super) name: Name,
    /// Whether the rules take it, and not only what is below it.
    pub(super) taken: bool,
    /// What is picked of it.
    pub(super) below: Picks,
}

/// Picks from `directory`, which is at `path` below the root of what is copied.
pub(super) fn pick<C>(
    rules: &Selection,
    directory: &Directory<C>,
    path: &mut Vec<Name>,
    decision: Decision,
) -> Picks {
    let mut picks = Picks { directories: Vec::new(), is_any: false, decision };
    for entry in &directory.children {
        let (name, node) = entry.parts();
        path.push(name.to_vec());
        let decision = rules.decide(picks.decision, path);
        let taken = rules.is_taken(decision);
        picks.is_any |= taken;
        if let Node::Directory(below) = node
            && (taken || !rules.only_excludes())
        {
            let below = pick(rules, below, path, decision);
            if taken || below.is_any {
                picks.is_any = true;
                picks.directories.push(Pick { name: name.to_vec(), taken, below });
            }
        }
        path.pop();
    }
    picks
}
