//! Between trees and the directories that parts of filesystems are on disk.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use cogpack_backends_contract::changes::{ChangeKind, each_between};
use cogpack_backends_contract::content::{Content, ContentSource, KeptContent, KeptFile};
use cogpack_backends_contract::overflow::lookup::{Key, Lookup};
use cogpack_backends_contract::overflow::{bytes_of, noted};
use cogpack_backends_contract::tree::{
    self, Directory, Ids, Node, PathProblem, SpecialKind, Tree, components,
};
use cogpack_content::Digest;
use cogpack_io_project::room::Room;
use cogpack_io_runtime::part::{self, Entry, Kind, PartError, Special, Writer};
use cogpack_ir::plan::Mode;

use super::later::Later;

/// Why a tree does not become a part, or a part no tree.
#[derive(Debug, thiserror::Error)]
pub enum PartProblem {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] PartError),
    /// A file cannot be opened.
    #[error("open what becomes `{path}`")]
    Open {
        /// Where it goes.
        path: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// A file changed since it was looked at.
    #[error("`{path}` had {expected} bytes when it was looked at, and has {found} now")]
    Changed {
        /// Where it goes.
        path: String,
        /// What it had.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// The part does not fit what it lies on.
    #[error("the part `{part}` does not fit what it lies on")]
    Misfit {
        /// The part.
        part: Digest,
        /// What is wrong.
        #[source]
        problem: PathProblem,
    },
}

/// Writes what turns `before` into `after` as the part in the empty directory `root`. All but
/// what is kept already is dated `time`. Files of layers that are packed are left out, and told to
/// `later`.
pub fn write(
    before: &Tree<Content>,
    after: &Tree<Content>,
    files: &dyn ContentSource,
    time: (i64, u32),
    root: &Path,
    later: &mut Later,
) -> Result<(), PartProblem> {
    let writer = Writer::new(root, attributes(after.root().attributes))?;
    let mut writing =
        Writing { writer, files, time, open: Vec::new(), after, first_names: Lookup::default() };
    each_between(before, after, &mut |path, kind| {
        let at = path.joined();
        writing.directories_above(at, after)?;
        match kind {
            ChangeKind::Removed => writing.writer.gone(at)?,
            ChangeKind::Written(Node::Directory(directory)) => {
                writing.writer.directory(at, attributes(directory.attributes))?;
                writing.open.push(at.to_vec());
            }
            ChangeKind::Written(Node::Symlink { ids, target }) => {
                writing.writer.symlink(at, target, ids.user, ids.group)?;
                writing.writer.date(at, time)?;
            }
            ChangeKind::Written(Node::Special { attributes: of_node, kind }) => {
                writing.writer.special(at, attributes(*of_node), special(*kind))?;
                writing.writer.date(at, time)?;
            }
            ChangeKind::Written(Node::File { attributes: of_node, content }) => match content {
                Content::Layer(file) => {
                    later.add(file.entry, at, attributes(*of_node));
                }
                Content::Inline(_) | Content::Context(_) | Content::Kept(_) => {
                    writing.file(at, *of_node, content)?;
                }
            },
        }
        Ok::<_, PartProblem>(())
    })?;
    writing.leave_all_but(b"")?;
    writing.writer.date(b"", time)?;
    Ok(())
}

struct Writing<'w> {
    writer: Writer<'w>,
    files: &'w dyn ContentSource,
    time: (i64, u32),
    /// The directories that were made and may get something more, each below the one before. They are
    /// dated when nothing more comes.
    open: Vec<Vec<u8>>,
    /// The filesystem that the part ends in.
    after: &'w Tree<Content>,
    /// The first name of each file that has several.
    first_names: Lookup,
}

impl Writing<'_> {
    /// Directories that the part changes nothing of, and something in.
    fn directories_above(&mut self, path: &[u8], after: &Tree<Content>) -> Result<(), PartProblem> {
        self.leave_all_but(path)?;
        let known = self.open.last().map_or(0, |above| above.len() + 1);
        let ends = path[known..].iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (end, _) in ends {
            let above = &path[..known + end];
            let there = after.directory(&components(above));
            let there = there.map_or(tree::Attributes::ON_THE_WAY, |found| found.attributes);
            self.writer.directory(above, attributes(there))?;
            self.open.push(above.to_vec());
        }
        Ok(())
    }

    /// Dates the directories that `path` is not in.
    fn leave_all_but(&mut self, path: &[u8]) -> Result<(), PartProblem> {
        let is_within = |above: &[u8]| path.strip_prefix(above).is_some_and(|rest| rest.starts_with(b"/"));
        while let Some(last) = self.open.pop_if(|last| !is_within(last)) {
            self.writer.date(&last, self.time)?;
        }
        Ok(())
    }

    fn file(&mut self, at: &[u8], of_node: tree::Attributes, content: &Content) -> Result<(), PartProblem> {
        let opening = |source| PartProblem::Open { path: String::from_utf8_lossy(at).into_owned(), source };
        let key = key_of_linked(content, of_node);
        if let Some(first) = key.as_ref().and_then(|key| self.first_names.get(key)) {
            return Ok(self.writer.hard_link(at, &first)?);
        }
        let ours = |bytes| KeptContent { bytes, modified: self.time, capability: None };
        let mut opened = match content {
            Content::Inline(bytes) => ours(Box::new(&bytes.0[..]) as Box<dyn Read>),
            Content::Context(file) => ours(self.files.open(&file.file()).map_err(opening)?),
            Content::Kept(file) => self.files.open_kept(file).map_err(opening)?,
            Content::Layer(_) => return Err(opening(io::Error::other("its layer is packed"))),
        };
        let capability = opened.capability.as_deref();
        let found = self.writer.file(at, attributes(of_node), &mut opened.bytes, capability)?;
        self.writer.date(at, opened.modified)?;
        if found != content.size() {
            let path = String::from_utf8_lossy(at).into_owned();
            return Err(PartProblem::Changed { path, expected: content.size(), found });
        }
        if let Some(key) = key {
            self.first_names.note(key, at, || bytes_of(self.after));
        }
        Ok(())
    }
}

/// What tells files apart that may have several names.
fn key_of_linked(content: &Content, attributes: tree::Attributes) -> Option<Key> {
    match content {
        Content::Context(file) if file.is_linked() => Some(noted::key_of_listed(file, Some(attributes))),
        Content::Kept(file) if file.linked => Some(noted::key_of_kept(file, attributes)),
        Content::Inline(_) | Content::Context(_) | Content::Kept(_) | Content::Layer(_) => None,
    }
}

/// Lays the part in the directory `root` over a tree. Where it has very many files, the room takes what
/// memory has none for.
pub fn lay(part: Digest, root: &Path, room: &Room, tree: &mut Tree<Content>) -> Result<(), PartProblem> {
    let mut names = Lookup::default();
    let mut count: usize = 0;
    let mut first_names = |(device, inode): (u64, u64), path: &[u8]| {
        let key = Key::of(&[device, inode].map(u64::to_le_bytes).concat());
        if let Some(first) = names.get(&key) {
            return first.into_owned();
        }
        names.note(key, path, || Some(room.bytes()));
        path.to_vec()
    };
    part::read(root, &mut first_names, &mut |entry| {
        count += 1;
        if count.is_multiple_of(room.most()) {
            room.take_tree(tree);
        }
        lay_entry(part, &entry, tree).map_err(|problem| PartProblem::Misfit { part, problem })
    })?;
    if count > room.most() {
        room.take_tree(tree);
    }
    Ok(())
}

fn lay_entry(part: Digest, entry: &Entry, tree: &mut Tree<Content>) -> Result<(), PathProblem> {
    let path = components(&entry.path);
    let ids = Ids { user: entry.attributes.user, group: entry.attributes.group };
    let mode = Mode::new(entry.attributes.mode).unwrap_or(Mode::FILE);
    let attributes = tree::Attributes { mode, ids };
    let node = match &entry.kind {
        Kind::Gone => {
            tree.remove(&path)?;
            return Ok(());
        }
        Kind::Directory { opaque } => {
            if let Some(there) = tree.directory(&path) {
                if there.attributes != attributes || *opaque {
                    // It is there, as was just seen.
                    if let Some(there) = tree.directory_mut(&path) {
                        match opaque {
                            true => *there = Directory::new(attributes),
                            false => there.attributes = attributes,
                        }
                    }
                }
                return Ok(());
            }
            Node::Directory(Arc::new(Directory::new(attributes)))
        }
        Kind::File { size, first_name } => {
            let path = first_name.as_ref().unwrap_or(&entry.path).clone();
            let file = KeptFile { part, path, size: *size, linked: first_name.is_some() };
            Node::File { attributes, content: Content::Kept(Arc::new(file)) }
        }
        Kind::Symlink(target) => Node::Symlink { ids, target: target.as_slice().into() },
        Kind::Special(kind) => Node::Special {
            attributes,
            kind: match *kind {
                Special::CharacterDevice(major, minor) => SpecialKind::CharacterDevice { major, minor },
                Special::BlockDevice(major, minor) => SpecialKind::BlockDevice { major, minor },
                Special::Pipe => SpecialKind::Pipe,
            },
        },
    };
    tree.insert(&path, node)?;
    Ok(())
}

fn attributes(of_tree: tree::Attributes) -> part::Attributes {
    part::Attributes { mode: of_tree.mode.bits(), user: of_tree.ids.user, group: of_tree.ids.group }
}

fn special(kind: SpecialKind) -> Special {
    match kind {
        SpecialKind::CharacterDevice { major, minor } => Special::CharacterDevice(major, minor),
        SpecialKind::BlockDevice { major, minor } => Special::BlockDevice(major, minor),
        SpecialKind::Pipe => Special::Pipe,
    }
}
