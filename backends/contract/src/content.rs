//! Where the bytes of a tree's files are, for backends that write them out.
//!
//! A plan's own trees hold no bytes, only these references; whoever has the disk opens them.

use std::io::{self, Read};
use std::sync::Arc;

use cogpack_content::Digest;
use cogpack_ir::plan::{FileContent, InputName};

/// Where the bytes of a file are. Equal references have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In the plan itself.
    Inline(FileContent),
    /// In a context that was walked.
    Context(Arc<ContextFile>),
    /// In a layer of a base image.
    Layer(LayerFile),
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

impl Content {
    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(content) => content.0.len() as u64,
            Self::Context(file) => file.size,
            Self::Layer(file) => file.size,
        }
    }
}

/// Opens the files of contexts.
pub trait ContentSource {
    /// The bytes of a file, from its start.
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>>;
}
