//! What planning may want to know of a project.

use crate::path::SourcePath;

/// A question about one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// What is there; links are followed as long as they stay in the project.
    Kind(SourcePath),
    /// The text of a file.
    Text(SourcePath),
    /// What a directory holds.
    Names(SourcePath),
    /// The digest of a file's bytes.
    Digest(SourcePath),
}

impl Question {
    /// What is asked about.
    pub fn path(&self) -> &SourcePath {
        match self {
            Self::Kind(path) | Self::Text(path) | Self::Names(path) | Self::Digest(path) => path,
        }
    }
}
