//! A filesystem as a flat list of paths, which is slow and easy to look at.
//!
//! Nothing here knows of pages, of sharing or of limits: the trees that backends work on do
//! ([`Tree`](cogpack_backends_contract::tree::Tree)), and are compared with these.

use std::collections::BTreeMap;

use cogpack_backends_contract::tree::{Ids, Name};
use cogpack_ir::plan::Mode;

/// A path that leads through no link: the names from the root on, none for the root.
pub type Path = Vec<Name>;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory(Mode, Ids),
    /// A file with these bytes.
    File(Mode, Ids, Vec<u8>),
    /// A symbolic link to this.
    Symlink(Ids, Vec<u8>),
}

/// All that stands anywhere. There is always a root, everything else lies in a directory, and a
/// directory comes before what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filesystem {
    nodes: BTreeMap<Path, Node>,
}

/// Why an op cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// As in the kernel.
const MOST_LINKS: usize = 40;

impl Node {
    /// A directory that nobody has said anything of.
    pub const DIRECTORY: Self = Self::Directory(Mode::DIRECTORY, Ids::ROOT);

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self, Self::Directory(..))
    }
}

impl Default for Filesystem {
    fn default() -> Self {
        Self { nodes: BTreeMap::from([(Path::new(), Node::DIRECTORY)]) }
    }
}

impl Filesystem {
    /// What stands at a path.
    pub fn get(&self, path: &[Name]) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether a directory stands at a path.
    pub fn has_directory(&self, path: &[Name]) -> bool {
        self.get(path).is_some_and(Node::is_directory)
    }

    /// All of it: the root, and each directory before what is in it.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Node)> {
        self.nodes.iter()
    }

    /// What is below a path, with the path from there on, each directory before what is in it.
    pub fn below<'f>(&'f self, path: &'f [Name]) -> impl Iterator<Item = (&'f [Name], &'f Node)> {
        let all = self.nodes.iter().filter(move |(other, _)| other.len() > path.len());
        all.filter_map(move |(other, node)| Some((other.strip_prefix(path)?, node)))
    }

    /// What stands at a path with all that is below it, as a filesystem whose root it is; `None` where it is
    /// no directory.
    pub fn part(&self, path: &[Name]) -> Option<Self> {
        let root = self.get(path).filter(|node| node.is_directory())?;
        let below = self.below(path).map(|(path, node)| (path.to_vec(), node.clone()));
        Some(Self { nodes: below.chain([(Path::new(), root.clone())]).collect() })
    }

    /// Where a path leads: links on the way are followed, one at the end if `follow_last`. What is not
    /// there stands for itself.
    pub fn resolve(&self, path: &[u8], follow_last: bool) -> Result<Path, Failure> {
        let mut ahead: Vec<Name> = names(path).into_iter().rev().collect();
        let (mut real, mut links) = (Path::new(), 0);
        while let Some(name) = ahead.pop() {
            if name == b".." {
                real.pop();
                continue;
            }
            real.push(name);
            match self.get(&real) {
                Some(Node::Symlink(_, target)) if follow_last || !ahead.is_empty() => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Failure(format!("{} leads through more than 40 links", shown(&real))));
                    }
                    real.pop();
                    if target.starts_with(b"/") {
                        real.clear();
                    }
                    ahead.extend(names(target).into_iter().rev());
                }
                Some(Node::File(..)) if !ahead.is_empty() => return Err(not_a_directory(&real)),
                Some(_) | None => {}
            }
        }
        Ok(real)
    }

    /// Puts something at a path whose directory is there, in place of what was there. A directory that
    /// takes the place of a directory keeps what is in it.
    pub fn put(&mut self, path: &[Name], node: Node) {
        debug_assert!(path.is_empty() || self.has_directory(&path[..path.len() - 1]));
        if !(node.is_directory() && self.has_directory(path)) {
            self.remove(path);
        }
        self.nodes.insert(path.to_vec(), node);
    }

    /// Takes away what stands at a path, with all that is below it.
    pub fn remove(&mut self, path: &[Name]) {
        self.nodes.retain(|other, _| !other.starts_with(path));
    }

    /// Makes the directories of a path that are missing.
    pub fn make_directories(&mut self, path: &[Name], missing: &Node) -> Result<(), Failure> {
        for depth in 1..=path.len() {
            let path = &path[..depth];
            match self.get(path) {
                Some(Node::Directory(..)) => {}
                Some(Node::File(..) | Node::Symlink(..)) => return Err(not_a_directory(path)),
                None => self.put(path, missing.clone()),
            }
        }
        Ok(())
    }

    /// Makes the directories above a path that are missing, as those on the way to something are.
    pub fn make_way_to(&mut self, path: &[Name]) -> Result<(), Failure> {
        let above = path.len().saturating_sub(1);
        self.make_directories(&path[..above], &Node::DIRECTORY)
    }
}

/// The names of a path, without those that say nothing.
pub fn names(path: &[u8]) -> Vec<Name> {
    let parts = path.split(|byte| *byte == b'/');
    parts.filter(|part| !part.is_empty() && *part != b".").map(<[u8]>::to_vec).collect()
}

/// A path for people.
pub fn shown(path: &[Name]) -> String {
    cogpack_backends_contract::tree::text(path)
}

fn not_a_directory(path: &[Name]) -> Failure {
    Failure(format!("{} is not a directory", shown(path)))
}
