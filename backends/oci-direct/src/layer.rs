//! One layer that we make: its entries, and writing them as a compressed archive.
//!
//! Entries come directory by directory, sorted by name, parents first; what a layer takes away
//! from those below is a whiteout in its directory. Directories that a layer does not change are
//! no part of it. A layer keeps no list of them, only the trees that it lies between: a list would
//! take more room than these.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;

use cogpack_backends_contract::changes::{ChangeKind, Path, each_between};
use cogpack_backends_contract::content::{Content, ContentSource, KeptContent, KeptFile};
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::replay::{Touch, replay, touch};
use cogpack_backends_contract::tree::{Attributes, Ids, Name, Node, PathProblem, SpecialKind, Tree, text};
use cogpack_content::Digest;
use cogpack_ir::plan::{FileContent, Mode};

use crate::blob::{HashingWriter, LayerBlob};
use crate::compression::{Coding, Compression};
use crate::first_names::FirstNames;
use crate::pack::{Packing, pack};
use crate::sample;
use crate::tar::{self, TarError, TarWriter};

/// What a layer says of one path.
#[derive(Debug, Clone, Copy)]
pub struct LayerEntry<'e> {
    /// Where, `/` between components.
    path: &'e [u8],
    /// What.
    pub kind: EntryKind<'e>,
}

impl<'e> LayerEntry<'e> {
    /// Where, `/` between components.
    pub fn path(&self) -> &'e [u8] {
        self.path
    }

    /// The components of where that is.
    pub fn names(&self) -> impl Iterator<Item = &'e [u8]> + use<'e> {
        self.path.split(|byte| *byte == b'/')
    }

    /// The same, as trees take them.
    pub fn components(&self) -> Vec<Name> {
        self.names().map(<[u8]>::to_vec).collect()
    }
}

/// What a layer may say of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind<'l> {
    /// A directory; what is in it follows.
    Directory(Attributes),
    /// A file.
    File(Attributes, Bytes<'l>),
    /// A symbolic link.
    Symlink(Ids, &'l [u8]),
    /// A device or a named pipe.
    Special(Attributes, SpecialKind),
    /// What layers below have here is gone.
    Whiteout,
}

/// Where the bytes of a file that we write are: anywhere but in a base image that is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytes<'l> {
    /// In the plan itself.
    Inline(&'l Arc<FileContent>),
    /// In a context that was walked.
    Context(&'l Listed),
    /// In a filesystem that lies unpacked on disk.
    Kept(&'l Arc<KeptFile>),
}

/// A layer that we make: what turns one tree into another.
#[derive(Debug, Clone)]
pub struct Layer {
    before: Tree<Content>,
    after: Tree<Content>,
    is_empty: bool,
}

/// What keeps a change from becoming part of a layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayerProblem {
    /// A name that means something else in a layer.
    #[error("`{0}` starts with `.wh.`, by which layers mark what is removed")]
    WhiteoutName(String),
    /// The bytes are in a base image's layer, which is not unpacked.
    #[error("`{0}` would be copied out of the layers of a base image")]
    InBaseLayer(String),
}

impl LayerProblem {
    /// What helps where ops put it there.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::WhiteoutName(_) => {
                "give it another name, or leave it out of what is copied: the OCI image specification keeps \
                 names that start so for what a layer removes, so no image can have it"
            }
            Self::InBaseLayer(_) => {
                "name another path, or use `-o llb` or `-o dockerfile`, whose builders unpack base images"
            }
        }
    }

    /// What helps where a program has left it.
    pub fn way_out_of_program(&self) -> &'static str {
        match self {
            Self::WhiteoutName(_) => {
                "have the program give it another name, or remove it before it ends: the OCI image \
                 specification keeps names that start so for what a layer removes, so no image can have it"
            }
            Self::InBaseLayer(_) => self.way_out(),
        }
    }
}

/// Why a layer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LayerWriteError {
    /// A file could not be opened.
    #[error("open `{path}` of {place}")]
    Open {
        /// Where it is: a context, or what is kept on disk.
        place: String,
        /// The file.
        path: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The archive.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// The stream that takes it, packed.
    #[error("write its bytes")]
    Finish(#[from] io::Error),
}

const WHITEOUT: &[u8] = b".wh.";
/// What the kernel shows for every symbolic link.
const LINK: u32 = 0o777;

impl Layer {
    /// What turns `before` into `after`.
    pub fn between(before: &Tree<Content>, after: &Tree<Content>) -> Result<Self, LayerProblem> {
        let mut is_empty = true;
        each_between(before, after, &mut |path, change| {
            is_empty = false;
            match change {
                ChangeKind::Removed => Ok(()),
                ChangeKind::Written(node) => written(path, node).map(drop),
            }
        })?;
        Ok(Self { before: before.clone(), after: after.clone(), is_empty })
    }

    /// All of a tree.
    pub fn of_tree(tree: &Tree<Content>) -> Result<Self, LayerProblem> {
        Self::between(&Tree::empty(), tree)
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The tree that it ends in.
    pub(crate) fn after(&self) -> &Tree<Content> {
        &self.after
    }

    /// Gives its entries away, one after the other, until one is not taken.
    pub fn try_each<E>(&self, mut take: impl FnMut(LayerEntry<'_>) -> Result<(), E>) -> Result<(), E> {
        each_between(&self.before, &self.after, &mut |path, change| {
            let kind = match change {
                ChangeKind::Removed => EntryKind::Whiteout,
                // What has no place in a layer was refused when this was made.
                ChangeKind::Written(node) => match written(path, node) {
                    Ok(kind) => kind,
                    Err(_) => return Ok(()),
                },
            };
            take(LayerEntry { path: path.joined(), kind })
        })
    }

    /// Gives its entries away, one after the other.
    pub fn each(&self, mut take: impl FnMut(LayerEntry<'_>)) {
        let all = self.try_each(|entry| {
            take(entry);
            Ok::<_, Infallible>(())
        });
        match all {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Lays the layer over a tree that has the directories that it was made for.
    pub fn lay_over(&self, tree: &mut Tree<Content>) -> Result<(), PathProblem> {
        replay(&self.before, &self.after, tree)
    }

    /// What the layer has to do with a path.
    pub fn touch(&self, path: &[Name]) -> Touch {
        touch(&self.before, &self.after, path)
    }

    /// How the layer is to be compressed; files are read for it only where that depends on them.
    pub fn coding(
        &self,
        source: &dyn ContentSource,
        compression: Compression,
    ) -> Result<Coding, LayerWriteError> {
        compression.coding(|| sample::compresses(self, source))
    }

    /// Writes the layer packed, every entry changed at `time`.
    pub fn write<W: Write + Send>(
        &self,
        source: &dyn ContentSource,
        time: u64,
        packing: Packing,
        sink: W,
    ) -> Result<(W, LayerBlob), LayerWriteError> {
        pack(packing, sink, |packer| {
            let append = |archive: &mut TarWriter<_>, entry: &tar::Entry<'_>, bytes: Bytes<'_>| {
                let mut opened = open(source, bytes)?;
                Ok(archive.append_read(entry, &mut opened.bytes, opened.capability.as_deref())?)
            };
            self.entries(time, packer, append).map(drop)
        })
    }

    /// The diff id: what the layer has as an archive that is not compressed.
    pub fn diff_id(&self, source: &dyn ContentSource, time: u64) -> Result<Digest, LayerWriteError> {
        let append = |archive: &mut TarWriter<_>, entry: &tar::Entry<'_>, bytes: Bytes<'_>| {
            let mut opened = open(source, bytes)?;
            Ok(archive.append_capable(entry, &mut opened.bytes, opened.capability.as_deref())?)
        };
        let (_, blob) = self.entries(time, HashingWriter::new(io::sink()), append)?.finish();
        Ok(blob.digest)
    }

    /// How many bytes of files are read to write it.
    pub fn read_for_it(&self) -> u64 {
        let mut first_names = FirstNames::new(&self.after);
        let mut sum = 0;
        self.each(|entry| {
            let EntryKind::File(attributes, bytes) = entry.kind else { return };
            if first_names.of(bytes, attributes).is_none() {
                first_names.remember(bytes, attributes, b"");
                sum += match bytes {
                    Bytes::Inline(_) => 0,
                    Bytes::Context(file) => file.size(),
                    Bytes::Kept(file) => file.size,
                };
            }
        });
        sum
    }

    /// How many bytes the layer has that is not compressed. Of files that are kept on disk it is looked
    /// whether they have capabilities; none is read.
    pub fn plain_size(&self, source: &dyn ContentSource, time: u64) -> Result<u64, LayerWriteError> {
        let counted = self.entries(time, Counted(0), |archive, entry, bytes| {
            let capability = match bytes {
                Bytes::Inline(_) | Bytes::Context(_) => None,
                Bytes::Kept(_) => open(source, bytes)?.capability,
            };
            let skip = |counted: &mut Counted| {
                counted.0 += bytes.size();
                Ok::<_, LayerWriteError>(bytes.size())
            };
            archive.append_made(entry, capability.as_deref(), skip)?
        })?;
        Ok(counted.0)
    }

    /// Writes the entries of the layer as an archive, every one changed at `time`; `append` those that
    /// are files.
    fn entries<W: Write>(
        &self,
        time: u64,
        sink: W,
        mut append: impl FnMut(&mut TarWriter<W>, &tar::Entry<'_>, Bytes<'_>) -> Result<(), LayerWriteError>,
    ) -> Result<W, LayerWriteError> {
        let mut archive = TarWriter::new(sink, time);
        let mut first_names = FirstNames::new(&self.after);
        self.try_each(|entry| {
            let path = entry.path();
            match entry.kind {
                EntryKind::Directory(attributes) => {
                    archive.append(&with(path, tar::EntryKind::Directory, attributes))?;
                }
                EntryKind::Symlink(ids, target) => {
                    let kind = tar::EntryKind::Symlink { target };
                    archive.append(&tar::Entry { path, kind, mode: LINK, uid: ids.user, gid: ids.group })?;
                }
                EntryKind::Special(attributes, kind) => {
                    archive.append(&with(path, special(kind), attributes))?;
                }
                EntryKind::Whiteout => {
                    let path = whiteout(path);
                    let attributes = Attributes { mode: Mode::FILE, ids: Ids::ROOT };
                    archive.append(&with(&path, tar::EntryKind::File { size: 0 }, attributes))?;
                }
                EntryKind::File(attributes, bytes) => {
                    // Names of one file are names of one file again.
                    if let Some(first) = first_names.of(bytes, attributes) {
                        let kind = tar::EntryKind::HardLink { target: &first };
                        archive.append(&with(path, kind, attributes))?;
                        return Ok(());
                    }
                    let kind = tar::EntryKind::File { size: bytes.size() };
                    append(&mut archive, &with(path, kind, attributes), bytes)?;
                    first_names.remember(bytes, attributes, path);
                }
            }
            Ok::<_, LayerWriteError>(())
        })?;
        Ok(archive.finish()?)
    }
}

/// Counts bytes, and has room for none.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bytes<'_> {
    /// How many there are.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::Inline(content) => content.0.len() as u64,
            Self::Context(file) => file.size(),
            Self::Kept(file) => file.size,
        }
    }
}

impl From<Bytes<'_>> for Content {
    fn from(bytes: Bytes<'_>) -> Self {
        match bytes {
            Bytes::Inline(content) => Self::Inline(content.clone()),
            Bytes::Context(file) => Self::Context(file.clone()),
            Bytes::Kept(file) => Self::Kept(file.clone()),
        }
    }
}

fn with<'a>(path: &'a [u8], kind: tar::EntryKind<'a>, attributes: Attributes) -> tar::Entry<'a> {
    let Attributes { mode, ids } = attributes;
    tar::Entry { path, kind, mode: mode.bits(), uid: ids.user, gid: ids.group }
}

/// The name that marks a path as gone.
fn whiteout(path: &[u8]) -> Vec<u8> {
    let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    [&path[..name], WHITEOUT, &path[name..]].concat()
}

/// The bytes of a file.
pub(crate) fn open<'s>(
    source: &'s dyn ContentSource,
    bytes: Bytes<'s>,
) -> Result<KeptContent<'s>, LayerWriteError> {
    let plain = |bytes| KeptContent { bytes, modified: (0, 0), capability: None };
    let (opened, place, path) = match bytes {
        Bytes::Inline(content) => return Ok(plain(Box::new(&content.0[..]))),
        Bytes::Context(listed) => {
            let file = listed.file();
            let opened = source.open(&file).map(plain);
            (opened, format!("the context `{}`", file.context), file.path)
        }
        Bytes::Kept(file) => (source.open_kept(file), "what is kept on disk".to_owned(), file.path.clone()),
    };
    let path = String::from_utf8_lossy(&path).into_owned();
    opened.map_err(|source| LayerWriteError::Open { place, path, source })
}

fn special(kind: SpecialKind) -> tar::EntryKind<'static> {
    match kind {
        SpecialKind::CharacterDevice { major, minor } => {
            tar::EntryKind::CharacterDevice { numbers: (major, minor) }
        }
        SpecialKind::BlockDevice { major, minor } => tar::EntryKind::BlockDevice { numbers: (major, minor) },
        SpecialKind::Pipe => tar::EntryKind::Pipe,
    }
}

fn written<'l>(path: &Path, node: &'l Node<Content>) -> Result<EntryKind<'l>, LayerProblem> {
    if path.last().starts_with(WHITEOUT) {
        return Err(LayerProblem::WhiteoutName(text(&path.names())));
    }
    Ok(match node {
        Node::Directory(directory) => EntryKind::Directory(directory.attributes),
        Node::File { attributes, content: Content::Inline(content) } => {
            EntryKind::File(*attributes, Bytes::Inline(content))
        }
        Node::File { attributes, content: Content::Context(file) } => {
            EntryKind::File(*attributes, Bytes::Context(file))
        }
        Node::File { attributes, content: Content::Kept(file) } => {
            EntryKind::File(*attributes, Bytes::Kept(file))
        }
        Node::Symlink { ids, target } => EntryKind::Symlink(*ids, target),
        Node::Special { attributes, kind } => EntryKind::Special(*attributes, *kind),
        Node::File { content: Content::Layer(_), .. } => {
            return Err(LayerProblem::InBaseLayer(text(&path.names())));
        }
    })
}
