//! What of contexts counts at all: what ops take. Of everything else nobody need know anything.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::overflow::lookup::Key;
use cogpack_backends_contract::tree::{Node, Tree};
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::Resolved;

use super::Landed;
use super::taken::origin;
use crate::keys::reads;

/// What ops take of a context.
#[derive(Debug, Clone, Default)]
pub struct Used {
    files: BTreeSet<Key>,
    directories: BTreeSet<Key>,
    sizes: Sizes,
}

/// How many bytes files have, by the number of bits that their size takes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes([u64; 65]);

impl Default for Sizes {
    fn default() -> Self {
        Self([0; 65])
    }
}

/// What the ops of a plan take of the contexts in `trees`: nobody need read anything else to know what
/// runs again.
pub fn used(plan: &Resolved, trees: &BTreeMap<InputName, Tree<Content>>) -> BTreeMap<InputName, Used> {
    let mut found = BTreeMap::new();
    for (name, tree) in trees {
        let mut used = Used::default();
        for taken in reads(plan, name) {
            let Some(landed) = Landed::of(tree, taken) else { continue };
            landed.each(|path, node| match node {
                Node::File { content: Content::Context(file), .. } => {
                    if used.files.insert(Key::of(&file.path())) {
                        used.sizes.add(file.size());
                    }
                }
                Node::Directory(_) => drop(used.directories.insert(Key::of(&origin(path, taken)))),
                Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => {}
            });
        }
        found.insert(name.clone(), used);
    }
    found
}

impl Used {
    /// Whether a file is taken, by the path that stands for all its names.
    pub fn takes_file(&self, path: &[u8]) -> bool {
        self.files.contains(&Key::of(path))
    }

    /// Whether a directory is taken itself, as far as the words of the ops tell.
    pub fn takes_directory(&self, path: &[u8]) -> bool {
        self.directories.contains(&Key::of(path))
    }

    /// The sizes of the files that are taken.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }
}

impl Sizes {
    fn add(&mut self, size: u64) {
        let bits = (u64::BITS - size.leading_zeros()) as usize;
        self.0[bits] = self.0[bits].saturating_add(size);
    }

    /// The same with more.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(bytes, more)| *bytes = bytes.saturating_add(more));
        self
    }

    /// The largest size, one less than a power of two, up to which all files together have no more than
    /// `bytes`.
    pub fn most_within(&self, bytes: u64) -> u64 {
        let mut left = bytes;
        for (bits, all) in (0..).zip(self.0) {
            match left.checked_sub(all) {
                Some(less) => left = less,
                // All that take fewer bits. Nothing has no bytes.
                None => return (1_u64 << (bits - 1)) - 1,
            }
        }
        u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_come_first_and_those_of_one_size_together() {
        let most = |sizes: &[u64], bytes| {
            let mut all = Sizes::default();
            sizes.iter().for_each(|size| all.add(*size));
            all.most_within(bytes)
        };
        assert_eq!(most(&[], 0), u64::MAX);
        assert_eq!(most(&[0, 0], 0), u64::MAX);
        assert_eq!(most(&[1], 0), 0);
        assert_eq!(most(&[1, 3, 100], 103), 63);
        assert_eq!(most(&[1, 3, 100], 104), u64::MAX);
        assert_eq!(most(&[1, 3, 100, 101], 104), 63);
        assert_eq!(most(&[u64::MAX, 1], u64::MAX), (1 << 63) - 1);
    }
}
