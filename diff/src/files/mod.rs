//! What is in the contexts of a plan, file by file: by this it is known of each op whether what it
//! takes of a context is the same, and which file is not.
//!
//! What a copy takes is found by making it, onto nothing: so rules, wildcards and links mean here what
//! they mean to builders. Modes are those that the copy sets, but of what a wildcard finds those of the
//! source: BuildKit looks at these before it copies. Times and owners of a context are no part of it.
//!
//! A context may have a million files, so nothing here is a list of all of them: they are gone through,
//! of two contexts side by side. Reading order: [`Listing`] (how one comes about), `taken` (what is taken
//! of it), [`used`] (what of it counts at all), [`change`] (what is not as it was).

pub mod change;
mod taken;
#[cfg(test)]
mod tests;
pub mod used;

use std::collections::BTreeMap;

use cogpack_backends_contract::content::{Content, ContextFile, DiskStamp, Moment, Stamp};
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::tree::{Attributes, Ids, Node, PathProblem, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::{InputName, Mode};

pub use taken::Landed;

use crate::keys::{Contents, Taken};

/// What stands at a path of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File {
        /// Its permission bits.
        mode: Mode,
        /// What is known of its bytes.
        known: Known,
    },
    /// A directory.
    Directory {
        /// Its permission bits.
        mode: Mode,
    },
    /// A symbolic link.
    Link {
        /// What it says.
        target: Vec<u8>,
    },
}

/// By what the bytes of a file are known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// By their digest.
    Digest(Digest),
    /// By what the disk says of the file, which nobody has read: where that is the same, so are the bytes.
    Look(Look),
}

/// What a disk says of a file. The disk itself is no part of it: it has another number after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How many bytes it has.
    pub size: u64,
    /// The file.
    pub inode: u64,
    /// When its bytes changed.
    pub modified: Moment,
    /// When anything of it changed.
    pub changed: Moment,
}

impl Known {
    /// As a file of a walk carries it.
    pub fn stamp(self) -> (u64, Stamp) {
        match self {
            Self::Digest(digest) => (0, Stamp::Digest(digest)),
            Self::Look(Look { size, inode, modified, changed }) => {
                (size, Stamp::Disk(DiskStamp { device: 0, inode, modified, changed, settled: true }))
            }
        }
    }

    /// What is known of a file; `None` where that is nothing.
    pub fn of(file: &Listed) -> Option<Self> {
        match *file.stamp() {
            Stamp::None => None,
            Stamp::Digest(digest) => Some(Self::Digest(digest)),
            Stamp::Disk(stamp) => {
                let DiskStamp { device: _, inode, modified, changed, settled: _ } = stamp;
                Some(Self::Look(Look { size: file.size(), inode, modified, changed }))
            }
        }
    }
}

/// What is in a context, while it is being listed. A directory above something need not be listed: it is
/// 0755 then.
#[derive(Debug)]
pub struct Listing {
    context: InputName,
    tree: Tree<Content>,
}

impl Listing {
    /// An empty one.
    pub fn new(context: InputName) -> Self {
        Self { context, tree: Tree::empty() }
    }

    /// Adds what stands at a path, `/` between components. That something lies below a file, or stands where
    /// something else does, is an error.
    pub fn add(&mut self, path: &[u8], entry: Entry) -> Result<(), PathProblem> {
        let path = components(path);
        let above = path.split_last().map_or(&[][..], |(_, above)| above);
        self.tree.make_directories(above, Attributes::ON_THE_WAY)?;
        let attributes = |mode| Attributes { mode, ids: Ids::ROOT };
        let node = match entry {
            Entry::File { mode, known } => {
                let (context, (size, stamp)) = (self.context.clone(), known.stamp());
                let file = ContextFile { context, path: path.join(&b'/'), size, linked: false, stamp };
                Node::File { attributes: attributes(mode), content: Content::Context(file.into()) }
            }
            Entry::Directory { mode } => {
                self.tree.make_directories(&path, attributes(mode))?;
                // One above something that is listed before it has been made for that.
                if let Some(directory) = self.tree.directory_mut(&path) {
                    directory.attributes = attributes(mode);
                }
                return Ok(());
            }
            Entry::Link { target } => Node::Symlink { ids: Ids::ROOT, target: target.into_boxed_slice() },
        };
        match self.tree.insert(&path, node)? {
            None => Ok(()),
            Some(_) => Err(PathProblem::NotADirectory(path)),
        }
    }

    /// What is in it so far, for whoever lays aside what memory has no room for.
    pub fn tree(&mut self) -> &mut Tree<Content> {
        &mut self.tree
    }

    /// All that was added.
    pub fn done(self) -> Tree<Content> {
        self.tree
    }
}

/// The files of a plan's contexts, as far as somebody has looked: trees whose files carry by what their
/// bytes are [known](Known) again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextFiles {
    trees: BTreeMap<InputName, Tree<Content>>,
}

impl ContextFiles {
    /// Adds a context.
    pub fn insert(&mut self, name: InputName, tree: Tree<Content>) {
        self.trees.insert(name, tree);
    }

    /// What is in a context; `None` where nobody has looked.
    pub fn get(&self, name: &InputName) -> Option<&Tree<Content>> {
        self.trees.get(name)
    }

    /// The contexts that are known, each with what is in it.
    pub fn iter(&self) -> impl Iterator<Item = (&InputName, &Tree<Content>)> {
        self.trees.iter()
    }
}

impl Contents for ContextFiles {
    fn taken(&self, context: &InputName, taken: Taken<'_>) -> Option<Digest> {
        Some(Landed::of(self.trees.get(context)?, taken)?.digest())
    }

    fn landed(&self, context: &InputName, taken: Taken<'_>) -> Option<Landed> {
        Landed::of(self.trees.get(context)?, taken)
    }
}
