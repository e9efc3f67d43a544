//! The files of a directory on the way from the walk into lists.

use std::time::SystemTime;

use cogpack_backends_contract::content::{Content, Stamp};
use cogpack_backends_contract::entries::Entries;
use cogpack_backends_contract::listed::{Listed, Lister};
use cogpack_backends_contract::overflow::lookup::{Key, Lookup};
use cogpack_backends_contract::overflow::noted;
use cogpack_backends_contract::tree::{Attributes, Name, Node};
use cogpack_ir::plan::InputName;

use super::{Look, attributes, stamp};
use crate::room::Room;

/// A file by its device and inode.
type Inode = (u64, u64);

/// The first names of files with several.
pub(super) struct Links<'r> {
    room: &'r Room,
    context: &'r InputName,
    names: Lookup,
}

impl<'r> Links<'r> {
    pub(super) fn new(room: &'r Room, context: &'r InputName) -> Self {
        Self { room, context, names: Lookup::default() }
    }

    fn get(&self, inode: Inode) -> Option<Listed> {
        let found = self.names.get(&key(inode))?;
        Some(noted::read(self.context, &found))
    }

    fn note(&mut self, inode: Inode, file: &Listed) {
        self.names.note(key(inode), &noted::written(file), || Some(self.room.bytes()));
    }
}

fn key((device, inode): Inode) -> Key {
    Key::of(&[device, inode].map(u64::to_le_bytes).concat())
}

/// Files of a directory that are listed together, and get their entries when that list is made.
pub(super) struct Files {
    lister: Lister,
    /// Their names, and where they have several the file.
    waiting: Vec<(Name, Attributes, Option<Inode>)>,
}

impl Files {
    pub(super) fn new(lister: Lister) -> Self {
        Self { lister, waiting: Vec::new() }
    }

    /// Adds a file, or another name of one that was there before.
    pub(super) fn add(
        &mut self,
        name: &[u8],
        look: &Look,
        began: SystemTime,
        links: &mut Links<'_>,
        children: &mut Entries<Node<Content>>,
    ) {
        let attributes = attributes(look);
        let inode = (look.names > 1).then_some((look.device, look.inode));
        if let Some(inode) = inode {
            if self.waiting.iter().any(|(.., other)| *other == Some(inode)) {
                self.settle(links, children);
            }
            if let Some(first) = links.get(inode) {
                let content = Content::Context(first);
                children.insert(name, Node::File { attributes, content });
                return;
            }
        }
        let stamp = Stamp::Disk(stamp(look, began));
        self.lister.add(name, look.size, inode.is_some(), stamp);
        self.waiting.push((name.to_vec(), attributes, inode));
        if self.lister.is_full() {
            self.settle(links, children);
        }
    }

    /// Makes the list of the files so far, and their entries.
    pub(super) fn settle(&mut self, links: &mut Links<'_>, children: &mut Entries<Node<Content>>) {
        if self.waiting.is_empty() {
            return;
        }
        for ((name, attributes, inode), file) in self.waiting.drain(..).zip(self.lister.take()) {
            if let Some(inode) = inode {
                links.note(inode, &file);
            }
            children.insert(&name, Node::File { attributes, content: Content::Context(file) });
        }
    }
}
