//! What the rules of a copy take of a directory, each path looked at once.

use crate::paths::{Decision, Selection};
use crate::tree::{Directory, Node};

/// An entry to land: one that the rules take, or a directory with such a one below it.
pub(super) struct Pick<'s, C> {
    pub(super) name: &'s [u8],
    pub(super) node: &'s Node<C>,
    /// Whether the rules take it, and not only what is below it.
    pub(super) taken: bool,
    /// What is picked of a directory.
    pub(super) below: Vec<Pick<'s, C>>,
}

/// Picks from `directory`, which is at `path` below the root of what is copied.
pub(super) fn pick<'s, C>(
    rules: &Selection,
    directory: &'s Directory<C>,
    path: &mut Vec<&'s [u8]>,
    above: Decision,
) -> Vec<Pick<'s, C>> {
    let mut picks = Vec::new();
    for (name, node) in &directory.children {
        path.push(name);
        let decision = rules.decide(above, path);
        let taken = rules.is_taken(decision);
        let below = match node {
            Node::Directory(below) if taken || !rules.only_excludes() => pick(rules, below, path, decision),
            Node::Directory(_) | Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => {
                Vec::new()
            }
        };
        path.pop();
        if taken || !below.is_empty() {
            picks.push(Pick { name, node, taken, below });
        }
    }
    picks
}
