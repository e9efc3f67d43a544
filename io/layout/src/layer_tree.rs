//! Lays the layers of an image over each other, as names only: nothing is ever unpacked.
//!
//! The rules are those of the image specification and of the tools that unpack layers: links in
//! the directories of an entry are followed, inside the root; a directory merges with one that
//! is there, everything else replaces; `.wh.NAME` takes away NAME, `.wh..wh..opq` what layers
//! below put into its directory.

use std::io::Read;
use std::sync::Arc;

use cogpack_backends_contract::content::{Content, LayerFile};
use cogpack_backends_contract::overflow::lookup::{Key, Lookup};
use cogpack_backends_contract::tree::{
    Attributes, Directory, Ids, Name, Node, PathProblem, SpecialKind, Tree, components,
};
use cogpack_content::Digest;
use cogpack_io_project::room::Room;
use cogpack_ir::plan::Mode;

use crate::allowance::{Allowance, TooMuch};
use crate::tar_reader::{Entry, EntryKind, TarError, TarReader};

/// Why a layer cannot be laid over others.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The archive is broken or hostile.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// The same, behind an entry that could be read.
    #[error("behind `{path}`")]
    Behind {
        /// That entry.
        path: String,
        /// What is wrong with the rest.
        #[source]
        source: Box<TarError>,
    },
    /// An image may not hold so much.
    #[error("with `{path}`")]
    TooMuch {
        /// The entry that is too much.
        path: String,
        /// Of what.
        #[source]
        source: TooMuch,
    },
    /// A name that no filesystem takes.
    #[error("`{start}…` has {what}")]
    Long {
        /// How the path begins.
        start: String,
        /// What is too long.
        what: &'static str,
    },
    /// A path leads nowhere.
    #[error("`{path}` cannot be placed")]
    Path {
        /// The path in the archive.
        path: String,
        /// What is wrong with it.
        #[source]
        problem: PathProblem,
    },
    /// A hard link to what is not there.
    #[error("`{path}` is a hard link to `{target}`, which is no file")]
    LinkToNothing {
        /// The link.
        path: String,
        /// What it names.
        target: String,
    },
    /// A kind of entry that has no meaning in a layer.
    #[error("`{path}` is of a kind that no layer may hold")]
    UnknownKind {
        /// The entry.
        path: String,
    },
    /// Something else than a directory at the root.
    #[error("an entry replaces the root by something that is no directory")]
    Root,
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// As in the kernel, in bytes: a name, a path, and what a link says.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 4095;
/// So much of a path is enough to know it by.
const SHOWN: usize = 60;

/// Lays the layer that `archive` holds, uncompressed, over `tree`. Reads the archive to its end.
pub fn lay_over(
    tree: &mut Tree<Content>,
    layer: Digest,
    allowance: &Allowance,
    archive: &mut dyn Read,
) -> Result<(), LayerError> {
    let mut reader = TarReader::new(allowance.counting(archive));
    let room = Room::default();
    let mut laying = Laying { tree, layer, allowance, room: &room, written: Lookup::default(), count: 0 };
    let mut last = None;
    loop {
        let entry = match reader.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(source) => return Err(behind(last.as_ref(), source)),
        };
        laying.entry(&entry)?;
        last = Some(entry);
        if laying.count.is_multiple_of(room.most() as u64) {
            room.take_tree(laying.tree);
        }
    }
    if laying.count > room.most() as u64 {
        room.take_tree(laying.tree);
    }
    reader.drain().map_err(|source| behind(last.as_ref(), source))
}

/// What is wrong behind the last entry that could be read, where there is one.
fn behind(last: Option<&Entry>, source: TarError) -> LayerError {
    match (last, source) {
        (_, source @ TarError::Escapes { .. }) | (None, source) => source.into(),
        (Some(last), source) => LayerError::Behind { path: shown(&last.path), source: Box::new(source) },
    }
}

struct Laying<'t> {
    tree: &'t mut Tree<Content>,
    layer: Digest,
    allowance: &'t Allowance,
    /// For what memory has no room for.
    room: &'t Room,
    /// Where this layer has put something, and the directories above, for opaque marks, which hide only
    /// what is below it. Files of which the tree itself says so are left out.
    written: Lookup,
    count: u64,
}

impl Laying<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), LayerError> {
        let problem = |problem| LayerError::Path { path: shown(&entry.path), problem };
        self.count += 1;
        check_lengths(entry)?;
        let attributes = Attributes {
            mode: Mode::new(entry.mode & 0o7777).unwrap_or(Mode::FILE),
            ids: Ids { user: entry.uid, group: entry.gid },
        };
        let names = components(&entry.path);
        let Some((name, above)) = names.split_last() else {
            return match (&entry.kind, self.tree.directory_mut(&[])) {
                (EntryKind::Directory, Some(root)) => {
                    root.attributes = attributes;
                    Ok(())
                }
                _ => Err(LayerError::Root),
            };
        };
        let mut path = self.tree.resolve(&above.join(&b'/'), true).map_err(problem)?;
        if name == OPAQUE {
            self.hide_below(&path);
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            path.push(hidden.to_vec());
            self.tree.remove(&path).map_err(problem)?;
            return Ok(());
        }
        let there = (0..=path.len()).rev().find(|depth| self.tree.get(&path[..*depth]).is_some());
        let unnamed = path.len() - there.unwrap_or_default();
        let too_much = |source| LayerError::TooMuch { path: shown(&entry.path), source };
        self.allowance.entry(unnamed).map_err(too_much)?;
        self.tree.make_directories(&path, Attributes::ON_THE_WAY).map_err(problem)?;
        path.push(name.clone());
        let node = match &entry.kind {
            EntryKind::Directory => {
                if let Some(there) = self.tree.directory_mut(&path) {
                    there.attributes = attributes;
                    self.note(&path);
                    return Ok(());
                }
                Node::Directory(Arc::new(Directory::new(attributes)))
            }
            EntryKind::File { size } => {
                let file = LayerFile { layer: self.layer, entry: self.count, size: *size };
                Node::File { attributes, content: Content::Layer(Arc::new(file)) }
            }
            EntryKind::Symlink(target) => {
                Node::Symlink { ids: attributes.ids, target: target.as_slice().into() }
            }
            EntryKind::HardLink(target) => self.linked(&entry.path, target)?,
            EntryKind::CharacterDevice(major, minor) => {
                let kind = SpecialKind::CharacterDevice { major: *major, minor: *minor };
                Node::Special { attributes, kind }
            }
            EntryKind::BlockDevice(major, minor) => {
                let kind = SpecialKind::BlockDevice { major: *major, minor: *minor };
                Node::Special { attributes, kind }
            }
            EntryKind::Pipe => Node::Special { attributes, kind: SpecialKind::Pipe },
            EntryKind::Unknown { .. } => return Err(LayerError::UnknownKind { path: shown(&entry.path) }),
        };
        let says_so = self.has_written(&node);
        self.tree.insert(&path, node).map_err(problem)?;
        if !says_so {
            self.note(&path);
        }
        Ok(())
    }

    /// Notes that this layer has put something there.
    fn note(&mut self, path: &[Name]) {
        // What is above a path that is noted is noted as well.
        for depth in (1..=path.len()).rev() {
            let key = key_of(&path[..depth]);
            if self.written.get(&key).is_some() {
                return;
            }
            self.written.note(key, b"", || Some(self.room.bytes()));
        }
    }

    /// Whether this layer has put something there or below, other than files of which the tree says so.
    fn is_noted(&self, path: &[Name]) -> bool {
        self.written.get(&key_of(path)).is_some()
    }

    /// Whether this is a file of this layer.
    fn has_written(&self, node: &Node<Content>) -> bool {
        matches!(node, Node::File { content: Content::Layer(file), .. } if file.layer == self.layer)
    }

    /// What a hard link stands for: what is at its target, a link there not followed.
    fn linked(&self, path: &[u8], target: &[u8]) -> Result<Node<Content>, LayerError> {
        let problem = |problem| LayerError::Path { path: shown(target), problem };
        let real = self.tree.resolve(target, false).map_err(problem)?;
        match self.tree.get(&real) {
            Some(Node::Directory(_)) | None => {
                Err(LayerError::LinkToNothing { path: shown(path), target: shown(target) })
            }
            Some(node) => Ok(node.clone()),
        }
    }

    /// Takes away what layers below put into a directory.
    fn hide_below(&mut self, directory: &[Name]) {
        let Some(there) = self.tree.directory(directory) else { return };
        let (mut hidden, mut partly) = (Vec::new(), Vec::new());
        for entry in &there.children {
            let (name, node) = entry.parts();
            let child: Vec<Name> = directory.iter().cloned().chain([name.to_vec()]).collect();
            match node {
                Node::Directory(below) if self.keeps_some(&child, below) => partly.push(child),
                Node::Directory(_) => hidden.push(name.to_vec()),
                Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => {
                    if !self.has_written(node) && !self.is_noted(&child) {
                        hidden.push(name.to_vec());
                    }
                }
            }
        }
        drop(there);
        for child in partly {
            self.hide_below(&child);
        }
        if let Some(there) = self.tree.directory_mut(directory) {
            for name in hidden {
                there.children.remove(&name);
            }
        }
    }

    /// Whether this layer has put a directory there, or something into it.
    fn keeps_some(&self, path: &[Name], directory: &Directory<Content>) -> bool {
        self.is_noted(path) || self.has_files_in(directory)
    }

    /// Whether files of this layer are in a directory.
    fn has_files_in(&self, directory: &Directory<Content>) -> bool {
        directory.children.iter().any(|entry| match &*entry {
            Node::Directory(below) => self.has_files_in(below),
            node @ (Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) => {
                self.has_written(node)
            }
        })
    }
}

fn key_of(path: &[Name]) -> Key {
    Key::of(&path.join(&b'/'))
}

/// What no filesystem takes is refused before any is asked: each of them would say it of a part of the
/// path, and only where something is unpacked.
fn check_lengths(entry: &Entry) -> Result<(), LayerError> {
    let link = if let EntryKind::Symlink(target) = &entry.kind { target.len() } else { 0 };
    let what = if entry.path.len() > LONGEST_PATH {
        "a path of more than 4095 bytes"
    } else if link > LONGEST_PATH {
        "a link's target of more than 4095 bytes"
    } else if components(&entry.path).iter().any(|name| name.len() > LONGEST_NAME) {
        "a name of more than 255 bytes"
    } else {
        return Ok(());
    };
    let start = &entry.path[..entry.path.len().min(SHOWN)];
    Err(LayerError::Long { start: shown(start), what })
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

#[cfg(test)]
mod tests {
    use cogpack_backends_contract::tree::text;
    use cogpack_backends_oci_direct::tar::{self, TarWriter};

    use super::*;

    /// Entries as `path/`, `path`, `path->target` and `path=>hard-link-target`.
    fn layer(entries: &str) -> Vec<u8> {
        let mut writer = TarWriter::new(Vec::new(), 0);
        for entry in entries.split_whitespace() {
            let (path, kind, mode) = if let Some((path, target)) = entry.split_once("=>") {
                (path, tar::EntryKind::HardLink { target: target.as_bytes() }, 0o644)
            } else if let Some((path, target)) = entry.split_once("->") {
                (path, tar::EntryKind::Symlink { target: target.as_bytes() }, 0o777)
            } else if let Some(path) = entry.strip_suffix('/') {
                (path, tar::EntryKind::Directory, 0o755)
            } else {
                (entry, tar::EntryKind::File { size: 0 }, 0o644)
            };
            let entry = tar::Entry { path: path.as_bytes(), kind, mode, uid: 0, gid: 0 };
            writer.append(&entry).expect("a vector takes all");
        }
        writer.finish().expect("a vector takes all")
    }

    fn tree(layers: &[&str]) -> Result<String, LayerError> {
        let mut tree = Tree::empty();
        for entries in layers {
            let allowance = Allowance::of(&[]);
            lay_over(&mut tree, Digest::of(entries.as_bytes()), &allowance, &mut &layer(entries)[..])?;
        }
        let drawn = tree.walk().into_iter().map(|(path, node)| match node {
            Node::Directory(_) => format!("{}/", text(&path)),
            Node::File { .. } | Node::Special { .. } => text(&path),
            Node::Symlink { target, .. } => format!("{}->{}", text(&path), String::from_utf8_lossy(&target)),
        });
        Ok(drawn.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn layers_lie_over_each_other() {
        for (layers, expected) in [
            (&["a/ a/b", "a/c"][..], "/a/ /a/b /a/c"),
            (&["a/ a/b", "a/.wh.b a/c"], "/a/ /a/c"),
            (&["a/ a/b", ".wh.a"], ""),
            (&["a/ a/b a/d/ a/d/e", "a/c a/d/ a/d/f a/.wh..wh..opq"], "/a/ /a/c /a/d/ /a/d/f"),
            (&["a/ a/b", "a"], "/a"),
            (&["a", "a/ a/b"], "/a/ /a/b"),
            (&["usr/lib/ lib->usr/lib", "lib/x"], "/lib->usr/lib /usr/ /usr/lib/ /usr/lib/x"),
            (&["usr/lib/ lib->usr/lib", "lib/ lib/x"], "/lib/ /lib/x /usr/ /usr/lib/"),
            (&["a b=>a"], "/a /b"),
            (&["out->../../etc/passwd", "out"], "/out"),
        ] {
            assert_eq!(tree(layers).expect("can be laid"), expected, "{layers:?}");
        }
    }

    #[test]
    fn links_out_of_the_root_stay_inside_it() {
        let laid = tree(&["etc/ out->../../../etc abs->/etc", "out/x abs/y"]).expect("can be laid");
        assert_eq!(laid, "/abs->/etc /etc/ /etc/x /etc/y /out->../../../etc");
    }

    #[test]
    fn hostile_layers_are_refused() {
        assert!(matches!(tree(&["a/../../b"]), Err(LayerError::Tar(TarError::Escapes { .. }))));
        assert!(matches!(tree(&["a=>../b"]), Err(LayerError::Tar(TarError::Escapes { .. }))));
        assert!(matches!(tree(&["a=>b"]), Err(LayerError::LinkToNothing { .. })));
        assert!(matches!(tree(&["a/ b=>a"]), Err(LayerError::LinkToNothing { .. })));
        assert!(matches!(tree(&["a a/b"]), Err(LayerError::Path { .. })));
        assert!(matches!(tree(&["a->b b->a a/c"]), Err(LayerError::Path { .. })));
        assert!(matches!(tree(&["."]), Err(LayerError::Root)));
    }
}
