//! By what a layer is known to be one that was packed before, without reading what is in it.

use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::overflow::lookup::Lookup;
use cogpack_backends_contract::overflow::{bytes_of, noted};
use cogpack_backends_contract::tree::{Attributes, Ids, SpecialKind};
use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

use crate::layer::{Bytes, EntryKind, Layer};

/// What the bytes of a packed layer depend on: `structure`, and the bytes of its files.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'l> {
    /// A digest of all but the bytes of files of contexts.
    pub structure: Digest,
    layer: &'l Layer,
}

impl<'l> Identity<'l> {
    /// Gives the files of contexts away, each once, in the order in which the layer first names them,
    /// until one is not taken.
    pub fn try_each_file<E>(&self, mut take: impl FnMut(&Listed) -> Result<(), E>) -> Result<(), E> {
        let mut files = Files::of(self.layer);
        self.layer.try_each(|entry| match entry.kind {
            EntryKind::File(_, Bytes::Context(file)) if files.place(file).is_first => take(file),
            EntryKind::File(..)
            | EntryKind::Directory(_)
            | EntryKind::Symlink(..)
            | EntryKind::Special(..)
            | EntryKind::Whiteout => Ok(()),
        })
    }
}

/// What changes with the meaning of what is hashed, and with what is written for it.
const KIND: &[u8] = b"layer 4";

impl Layer {
    /// What the layer depends on when every entry is dated `time`, and it is packed as `packing`
    /// says.
    pub fn identity(&self, time: u64, packing: &str) -> Identity<'_> {
        let (mut key, mut files) = (Hash(Sha256::new()), Files::of(self));
        key.bytes(KIND);
        key.bytes(packing.as_bytes());
        key.number(time);
        self.each(|entry| {
            key.number(entry.names().count() as u64);
            for name in entry.names() {
                key.bytes(name);
            }
            match entry.kind {
                EntryKind::Directory(attributes) => {
                    key.bytes(b"directory");
                    key.attributes(attributes);
                }
                EntryKind::Symlink(ids, target) => {
                    key.bytes(b"link");
                    key.ids(ids);
                    key.bytes(target);
                }
                EntryKind::Special(attributes, kind) => {
                    key.special(kind);
                    key.attributes(attributes);
                }
                EntryKind::Whiteout => key.bytes(b"whiteout"),
                EntryKind::File(attributes, bytes) => {
                    key.bytes(b"file");
                    key.attributes(attributes);
                    match bytes {
                        Bytes::Inline(content) => {
                            key.bytes(b"inline");
                            key.bytes(&content.0);
                        }
                        Bytes::Kept(file) => {
                            key.bytes(b"kept");
                            key.bytes(file.part.hex().as_bytes());
                            key.bytes(&file.path);
                            key.number(u64::from(file.linked));
                        }
                        Bytes::Context(file) => {
                            key.bytes(b"context");
                            key.number(file.size());
                            key.number(u64::from(file.is_linked()));
                            key.number(files.place(file).number);
                        }
                    }
                }
            }
        });
        Identity { structure: Digest::from_sha256(key.0.finalize().into()), layer: self }
    }
}

/// Files by their places in the order in which they are first named.
struct Files<'l> {
    layer: &'l Layer,
    count: u64,
    /// Those that may be named again.
    linked: Lookup,
}

struct Place {
    number: u64,
    is_first: bool,
}

impl<'l> Files<'l> {
    fn of(layer: &'l Layer) -> Self {
        Self { layer, count: 0, linked: Lookup::default() }
    }

    fn place(&mut self, file: &Listed) -> Place {
        let next = self.count;
        if file.is_linked() {
            let key = noted::key_of_listed(file, None);
            if let Some(number) = self.linked.get(&key).and_then(|number| (*number).try_into().ok()) {
                return Place { number: u64::from_le_bytes(number), is_first: false };
            }
            self.linked.note(key, &next.to_le_bytes(), || bytes_of(self.layer.after()));
        }
        self.count += 1;
        Place { number: next, is_first: true }
    }
}

/// Hashes texts with their lengths, so that no two lists read alike.
struct Hash(Sha256);

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn ids(&mut self, ids: Ids) {
        self.number(ids.user.into());
        self.number(ids.group.into());
    }

    fn attributes(&mut self, attributes: Attributes) {
        self.number(attributes.mode.bits().into());
        self.ids(attributes.ids);
    }

    fn special(&mut self, kind: SpecialKind) {
        let (name, major, minor) = match kind {
            SpecialKind::CharacterDevice { major, minor } => (&b"character"[..], major, minor),
            SpecialKind::BlockDevice { major, minor } => (&b"block"[..], major, minor),
            SpecialKind::Pipe => (&b"pipe"[..], 0, 0),
        };
        self.bytes(name);
        self.number(major.into());
        self.number(minor.into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cogpack_backends_contract::content::{Content, ContextFile, Stamp};
    use cogpack_backends_contract::tree::{Directory, Node, Tree, components};
    use cogpack_ir::plan::{FileContent, InputName, Mode};

    use super::*;

    const FILE: Attributes = Attributes { mode: Mode::FILE, ids: Ids::ROOT };

    fn file(path: &str, size: u64, linked: bool) -> Listed {
        let context = InputName::new("source").expect("is a name");
        ContextFile { context, path: path.into(), size, linked, stamp: Stamp::None }.into()
    }

    fn files(identity: &Identity<'_>) -> Vec<Listed> {
        let mut files = Vec::new();
        let all = identity.try_each_file(|file| {
            files.push(file.clone());
            Ok::<_, ()>(())
        });
        assert_eq!(all, Ok(()));
        files
    }

    fn tree(entries: &[(&str, Node<Content>)]) -> Tree<Content> {
        let mut tree = Tree::empty();
        for (path, node) in entries {
            tree.insert(&components(path.as_bytes()), node.clone()).expect("is free");
        }
        tree
    }

    fn layer(entries: &[(&str, Node<Content>)]) -> Layer {
        Layer::of_tree(&tree(entries)).expect("fits a layer")
    }

    /// What takes away the last of these.
    fn without(entries: &[(&str, Node<Content>)]) -> Layer {
        let (_, rest) = entries.split_last().expect("there is one");
        Layer::between(&tree(entries), &tree(rest)).expect("fits a layer")
    }

    #[test]
    fn all_that_a_layer_is_made_of_tells_it_apart() {
        let owned_by =
            |attributes, file: &Listed| Node::File { attributes, content: Content::Context(file.clone()) };
        let of = |file: &Listed| owned_by(FILE, file);
        let (one, other, linked) = (file("one", 3, false), file("other", 3, false), file("linked", 3, true));
        let again = file("again", 3, true);
        let inline = |text: &str| Node::File {
            attributes: FILE,
            content: Content::Inline(Arc::new(FileContent(text.as_bytes().to_vec().into()))),
        };
        let special = |kind| Node::Special { attributes: FILE, kind };
        let directory = || Node::Directory(Arc::new(Directory::new(FILE)));
        let owned = Attributes { ids: Ids { user: 7, group: 0 }, ..FILE };
        let layers = [
            layer(&[("a", of(&one))]),
            layer(&[("b", of(&one))]),
            layer(&[("a", of(&file("one", 4, false)))]),
            layer(&[("a", of(&one)), ("b", of(&other))]),
            layer(&[("a", of(&linked)), ("b", of(&linked))]),
            layer(&[("a", of(&linked)), ("b", of(&again))]),
            layer(&[("a", owned_by(owned, &one))]),
            layer(&[("a", inline("one"))]),
            layer(&[("a", inline("two"))]),
            layer(&[("a", directory())]),
            layer(&[("a", Node::Symlink { ids: Ids::ROOT, target: b"b"[..].into() })]),
            layer(&[("a", special(SpecialKind::Pipe))]),
            layer(&[("a", special(SpecialKind::BlockDevice { major: 1, minor: 2 }))]),
            without(&[("a", inline("one"))]),
            without(&[("a", directory()), ("a/b", inline("one"))]),
        ];
        let mut structures: Vec<Digest> = layers.iter().map(|it| it.identity(0, "gzip").structure).collect();
        structures.push(layers[0].identity(1, "gzip").structure);
        structures.push(layers[0].identity(0, "none").structure);
        let count = structures.len();
        structures.sort();
        structures.dedup();
        assert_eq!(structures.len(), count);
        // Where the bytes come from is no part of it, what they are is.
        let elsewhere = layer(&[("a", of(&other))]);
        let (one, other) = (layers[0].identity(0, "gzip"), elsewhere.identity(0, "gzip"));
        assert!(one.structure == other.structure && files(&one) != files(&other));
        assert_eq!(files(&layers[4].identity(0, "gzip")).len(), 1);
    }
}
