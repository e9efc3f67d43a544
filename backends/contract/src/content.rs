//! Where the bytes of a tree's files are, for backends that write them out.
//!
//! A plan's own trees hold no bytes, only these references; whoever has the disk opens them.

use std::io::{self, Read};
use std::sync::Arc;

use cogpack_content::Digest;
use cogpack_ir::plan::{FileContent, InputName};

use crate::listed::Listed;

/// Where the bytes of a file are. Equal references have equal bytes. There may be a million of them,
/// so none is larger than a pointer and a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In the plan itself.
    Inline(Arc<FileContent>),
    /// In a context that was walked.
    Context(Listed),
    /// In a layer of a base image.
    Layer(Arc<LayerFile>),
    /// In a filesystem that lies unpacked on disk: a base's, or what a program left.
    Kept(Arc<KeptFile>),
}

/// A file of a context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContextFile {
    /// The context.
    pub context: InputName,
    /// The path in it, `/` between components. Of several hard links to one file, the first.
    pub path: Vec<u8>,
    /// How many bytes it had when it was walked.
    pub size: u64,
    /// Whether other paths of the context are hard links to the same file.
    pub linked: bool,
    /// By what it is known again without being read.
    pub stamp: Stamp,
}

/// By what a file is known to have the bytes that it had another time, without being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stamp {
    /// By nothing.
    #[default]
    None,
    /// By the digest of its bytes, which whoever opens it compares.
    Digest(Digest),
    /// By what the disk says of it.
    Disk(DiskStamp),
}

/// What a disk says of a file. Whoever writes to a file changes it, unless that happens within
/// one tick of the clock by which the disk dates files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C, packed(4))]
pub struct DiskStamp {
    /// The disk.
    pub device: u64,
    /// The file.
    pub inode: u64,
    /// When its bytes changed.
    pub modified: Moment,
    /// When anything of it changed, which no program can set.
    pub changed: Moment,
    /// Whether that was long enough before the file was looked at: another change would be dated
    /// otherwise.
    pub settled: bool,
}

/// A time of a disk, which takes no more room than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C, packed(4))]
pub struct Moment {
    /// Since 1970.
    pub seconds: i64,
    /// And so much.
    pub nanoseconds: u32,
}

/// A file of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerFile {
    /// The uncompressed layer.
    pub layer: Digest,
    /// The place among the layer's entries, counted from 1.
    pub entry: u64,
    /// How many bytes it has.
    pub size: u64,
}

/// A file of a filesystem that lies unpacked on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptFile {
    /// The part of the filesystem, by whatever its keeper knows it by. What is kept never changes.
    pub part: Digest,
    /// The path in it, `/` between components. Of several hard links to one file, the first.
    pub path: Vec<u8>,
    /// How many bytes it has.
    pub size: u64,
    /// Whether other paths of the part are hard links to the same file.
    pub linked: bool,
}

/// A kept file, opened.
pub struct KeptContent<'s> {
    /// The bytes, from the start.
    pub bytes: Box<dyn Read + 's>,
    /// When it was changed: seconds since 1970, and nanoseconds. Layers do not say it, and programs
    /// that run on a copy may want to know.
    pub modified: (i64, u32),
    /// The extended attribute `security.capability`, which a program that has it needs to do its
    /// work. It is the only one that layers carry.
    pub capability: Option<Vec<u8>>,
}

impl Content {
    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(content) => content.0.len() as u64,
            Self::Context(file) => file.size(),
            Self::Layer(file) => file.size,
            Self::Kept(file) => file.size,
        }
    }

    /// The bytes, from the start.
    pub fn open<'s>(&'s self, source: &'s dyn ContentSource) -> io::Result<Box<dyn Read + 's>> {
        match self {
            Self::Inline(content) => Ok(Box::new(&content.0[..])),
            Self::Context(file) => source.open(&file.file()),
            Self::Layer(file) => source.open_layer(file),
            Self::Kept(file) => source.open_kept(file).map(|kept| kept.bytes),
        }
    }
}

/// Opens files whose bytes are elsewhere.
pub trait ContentSource {
    /// The bytes of a file of a context, from its start.
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>>;

    /// A file that is kept on disk. Sources that keep nothing need not know how.
    fn open_kept<'s>(&'s self, file: &KeptFile) -> io::Result<KeptContent<'s>> {
        let path = String::from_utf8_lossy(&file.path).into_owned();
        Err(io::Error::other(format!("nothing is kept here, and so not `{path}`")))
    }

    /// A file of a base's layer. Sources that have no layers need not know how.
    fn open_layer<'s>(&'s self, file: &LayerFile) -> io::Result<Box<dyn Read + 's>> {
        Err(io::Error::other(format!("the layer {} is not at hand", file.layer)))
    }
}

/// Opens nothing: for plans whose files all stand in the plan.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl ContentSource for NoFiles {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        Err(io::Error::other(format!("the context `{}` is not at hand", file.context)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Node;

    #[test]
    fn what_a_tree_has_a_million_of_is_small() {
        assert_eq!((size_of::<Content>(), size_of::<Node<Content>>(), size_of::<Stamp>()), (16, 32, 44));
    }
}
