//! What is in the contexts of a plan, file by file: by this it is known of each op whether what it
//! takes of a context is the same, and which file is not.
//!
//! What a copy takes is found by making it, onto nothing: so rules, wildcards and links mean here what
//! they mean to builders. Modes are those that the copy sets, but of what a wildcard finds those of the
//! source: BuildKit looks at these before it copies. Times and owners of a context are no part of it.

pub mod change;
mod taken;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::tree::{Attributes, Ids, Node, PathProblem, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::{InputName, Mode};
use cogpack_ir::resolve::Resolved;

use crate::keys::{Contents, Part, Taken, reads};

/// What stands at a path of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File {
        /// Its permission bits.
        mode: Mode,
        /// The digest of its bytes.
        content: Digest,
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

/// What is in a context, by path, `/` between components. A directory above something need not be
/// listed: it is 0755 then.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    entries: BTreeMap<Vec<u8>, Entry>,
    tree: Option<Tree<Known>>,
}

/// The files of a plan's contexts, as far as somebody has looked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextFiles {
    listings: BTreeMap<InputName, Listing>,
}

/// A file, where it stands in its context.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    path: Vec<u8>,
    content: Digest,
}

impl Listing {
    /// A context that holds this. That something lies below a file is an error.
    pub fn new(entries: BTreeMap<Vec<u8>, Entry>) -> Result<Self, PathProblem> {
        let mut tree = Tree::empty();
        for (path, entry) in &entries {
            let path = components(path);
            let attributes = |mode| Attributes { mode, ids: Ids::ROOT };
            let node = match entry {
                Entry::File { mode, content } => {
                    let content = Known { path: path.join(&b'/'), content: *content };
                    Node::File { attributes: attributes(*mode), content }
                }
                Entry::Directory { mode } => {
                    tree.make_directories(&path, attributes(*mode))?;
                    // One above it that is listed after it has been made for it.
                    if let Some(directory) = tree.directory_mut(&path) {
                        directory.attributes = attributes(*mode);
                    }
                    continue;
                }
                Entry::Link { target } => {
                    Node::Symlink { ids: Ids::ROOT, target: target.clone().into_boxed_slice() }
                }
            };
            let above = path.split_last().map_or(&[][..], |(_, above)| above);
            tree.make_directories(above, Attributes::ON_THE_WAY)?;
            tree.insert(&path, node)?;
        }
        Ok(Self { entries, tree: Some(tree) })
    }

    /// All that is in it.
    pub fn entries(&self) -> &BTreeMap<Vec<u8>, Entry> {
        &self.entries
    }
}

impl ContextFiles {
    /// Adds a context.
    pub fn insert(&mut self, name: InputName, listing: Listing) {
        self.listings.insert(name, listing);
    }

    /// The contexts that are known, each with what is in it.
    pub fn iter(&self) -> impl Iterator<Item = (&InputName, &Listing)> {
        self.listings.iter()
    }
}

impl Contents for ContextFiles {
    fn taken(&self, context: &InputName, taken: Taken<'_>) -> Option<Digest> {
        let tree = self.listings.get(context)?.tree.as_ref()?;
        taken::landed(tree, taken).map(|landed| taken::digest(&landed))
    }

    fn parts(&self, context: &InputName, taken: Taken<'_>) -> Option<BTreeMap<Part, Digest>> {
        let tree = self.listings.get(context)?.tree.as_ref()?;
        taken::landed(tree, taken).map(|landed| taken::parts(&landed, taken))
    }
}

/// What ops take of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used<C> {
    /// The contents of files, in the order of their paths; one may come several times.
    pub files: Vec<C>,
    /// Directories that are taken themselves, as far as the words of the ops tell.
    pub directories: BTreeSet<Vec<u8>>,
}

/// What the ops of a plan take of the contexts in `trees`: nobody need read anything else to know what
/// runs again.
pub fn used<'t, C: Clone>(
    plan: &Resolved,
    trees: &'t BTreeMap<InputName, Tree<C>>,
) -> BTreeMap<&'t InputName, Used<C>> {
    let mut found = BTreeMap::new();
    for (name, tree) in trees {
        let mut used = Used { files: Vec::new(), directories: BTreeSet::new() };
        for taken in reads(plan, name) {
            for (path, node) in taken::landed(tree, taken).into_iter().flatten() {
                match node {
                    Node::File { content, .. } => used.files.push(content),
                    Node::Directory(_) => drop(used.directories.insert(taken::origin(&path, taken))),
                    Node::Symlink { .. } | Node::Special { .. } => {}
                }
            }
        }
        found.insert(name, used);
    }
    found
}
