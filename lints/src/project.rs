//! The files of a plan's directories, where whoever lints can see them. Lints read no disk.

use cogpack_ir::plan::context::DirectoryContext;

/// Who can see them.
pub trait Project {
    /// What a context has at a path, which is relative to its root; rules and ignore file are heeded.
    fn look(&self, directory: &DirectoryContext, path: &str) -> Seen;
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nobody could look.
    Unknown,
    /// Nothing that the context takes.
    Nothing,
    /// A file of this text.
    Text(String),
    /// Something else: a directory, a link, a file that is no text or a large one.
    Other,
}

/// Where nobody can look.
#[derive(Debug, Clone, Copy)]
pub struct OutOfSight;

impl Project for OutOfSight {
    fn look(&self, _: &DirectoryContext, _: &str) -> Seen {
        Seen::Unknown
    }
}
