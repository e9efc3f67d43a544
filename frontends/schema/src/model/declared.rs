//! Where a project's Python says something.

use std::ops::Range;

use cogpack_frontends_source::SourcePath;

/// A place in a file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The file.
    pub file: SourcePath,
    /// The bytes of it.
    pub at: Range<usize>,
}
