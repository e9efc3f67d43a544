//! The first name in a layer of each file that has several: the others are links to it.

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::overflow::lookup::{Key, Lookup};
use cogpack_backends_contract::overflow::{bytes_of, noted};
use cogpack_backends_contract::tree::{Attributes, Tree};

use crate::layer::Bytes;

/// What was written of a layer so far.
pub(crate) struct FirstNames<'l> {
    tree: &'l Tree<Content>,
    names: Lookup,
}

impl<'l> FirstNames<'l> {
    /// Nothing yet of a layer that ends in this tree, which lies where its names go when they are many.
    pub(crate) fn new(tree: &'l Tree<Content>) -> Self {
        Self { tree, names: Lookup::default() }
    }

    /// The first name of a file that has come before, with the same mode and owner.
    pub(crate) fn of(&self, bytes: Bytes<'_>, attributes: Attributes) -> Option<Vec<u8>> {
        self.names.get(&key(bytes, attributes)?).map(|name| name.into_owned())
    }

    /// Notes the first name of a file, if it may have others.
    pub(crate) fn remember(&mut self, bytes: Bytes<'_>, attributes: Attributes, path: &[u8]) {
        if let Some(key) = key(bytes, attributes) {
            self.names.note(key, path, || bytes_of(self.tree));
        }
    }
}

fn key(bytes: Bytes<'_>, attributes: Attributes) -> Option<Key> {
    match bytes {
        Bytes::Context(file) if file.is_linked() => Some(noted::key_of_listed(file, Some(attributes))),
        Bytes::Kept(file) if file.linked => Some(noted::key_of_kept(file, attributes)),
        Bytes::Inline(_) | Bytes::Context(_) | Bytes::Kept(_) => None,
    }
}
