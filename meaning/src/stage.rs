//! What a stage means: the filesystem at its end, and what it has changed on the way.

use cogpack_backends_contract::tree::Name;

use crate::filesystem::{Failure, Filesystem, Node, Path, shown};

/// A change of one path: what stands there now, or nothing where it is gone.
pub type Change = (Path, Option<Node>);

/// A stage.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// What it leaves.
    pub filesystem: Filesystem,
    /// What it has changed since its start, layer by layer.
    pub changes: Vec<Change>,
}

impl Made {
    /// A stage at its start.
    pub fn on(filesystem: Filesystem) -> Self {
        Self { filesystem, changes: Vec::new() }
    }

    /// Puts a layer on it that leaves this.
    pub fn becomes(&mut self, after: Filesystem) {
        let before = &self.filesystem;
        let gone = before.iter().filter(|(path, _)| {
            let above = path.len().saturating_sub(1);
            // What is below something that is gone is gone with it.
            after.get(path).is_none() && after.has_directory(&path[..above])
        });
        let gone: Vec<Change> = gone.map(|(path, _)| (path.clone(), None)).collect();
        let new = after.iter().filter(|(path, node)| !path.is_empty() && before.get(path) != Some(*node));
        let new: Vec<Change> = new.map(|(path, node)| (path.clone(), Some(node.clone()))).collect();
        self.changes.extend(gone.into_iter().chain(new));
        self.filesystem = after;
    }

    /// Lays a layer over it that was made on nothing.
    pub fn takes(&mut self, alone: &Filesystem) {
        for (path, node) in alone.iter().filter(|(path, _)| !path.is_empty()) {
            self.filesystem.put(path, node.clone());
            self.changes.push((path.clone(), Some(node.clone())));
        }
    }
}

/// The stages of a parallel phase, which all started from `base`, side by side on it. No two may say
/// different things of one path, or one of them of something below what is no directory of the other.
pub fn side_by_side<'m>(
    base: &Filesystem,
    stages: impl IntoIterator<Item = &'m Made>,
) -> Result<Filesystem, Failure> {
    let mut merged = base.clone();
    let mut before: Vec<&Change> = Vec::new();
    for stage in stages {
        for change in &stage.changes {
            if let Some(other) = before.iter().find(|other| contradict(change, other)) {
                let (one, other) = (shown(&change.0), shown(&other.0));
                return Err(Failure(format!("two stages side by side change {one} and {other}")));
            }
            match change {
                (path, Some(node)) => merged.put(path, node.clone()),
                (path, None) => merged.remove(path),
            }
        }
        // Only now: a stage may well change a path of its own twice. What it says last counts.
        let last =
            stage.changes.iter().enumerate().filter(|(place, (path, _))| {
                stage.changes[place + 1..].iter().all(|(later, _)| later != path)
            });
        before.extend(last.map(|(_, change)| change));
    }
    Ok(merged)
}

fn contradict((path, node): &Change, (other_path, other): &Change) -> bool {
    let is_directory = |node: &Option<Node>| node.as_ref().is_some_and(Node::is_directory);
    if path == other_path {
        let agree = node == other && (node.is_none() || is_directory(node));
        return !agree;
    }
    is_below(path, other_path) && !is_directory(other) || is_below(other_path, path) && !is_directory(node)
}

fn is_below(path: &[Name], other: &[Name]) -> bool {
    path.len() > other.len() && path.starts_with(other)
}
