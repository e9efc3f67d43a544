//! Ops that make or remove one path of the stage's filesystem. Paths are absolute; directories
//! on the way are made with mode 0755, owned by root.

use std::sync::Arc;

use super::owner::{Mode, Owner};
use super::span::Spanned;
use super::template::Template;

/// The bytes of a small file, cheap to clone. Printed as text where they are UTF-8, else in base64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileContent(pub Arc<[u8]>);

/// `file PATH [mode M] [owner U:G] = "text"`: makes a file, or replaces the one that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeFile {
    /// The file.
    pub path: Spanned<Template>,
    /// 0644 where nothing is said.
    pub mode: Option<Spanned<Mode>>,
    /// Root where nothing is said.
    pub owner: Option<Spanned<Owner>>,
    /// The bytes; nothing in them is expanded.
    pub content: FileContent,
}

/// `mkdir PATH [mode M] [owner U:G]`: makes a directory; one that is there stays, with its
/// content, and takes the mode and owner that are said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeDirectory {
    /// The directory.
    pub path: Spanned<Template>,
    /// 0755 where nothing is said.
    pub mode: Option<Spanned<Mode>>,
    /// Root where nothing is said.
    pub owner: Option<Spanned<Owner>>,
}

/// `symlink TARGET at PATH`: makes a symbolic link, or replaces the file or link that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeSymlink {
    /// What the link says; relative to the link's directory, or absolute. It need not exist.
    pub target: Spanned<Template>,
    /// The link.
    pub path: Spanned<Template>,
}

/// `remove PATH [optional]`: removes a file, a link, or a directory with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remove {
    /// What is removed; no wildcards.
    pub path: Spanned<Template>,
    /// Whether it is fine that nothing is there.
    pub optional: bool,
}
