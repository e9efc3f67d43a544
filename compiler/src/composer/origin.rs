//! Who asked for something, and because of which line of the project.

use std::fmt;

use cogpack_frontends_source::SourcePath;
use cogpack_ir::plan::BlockName;

/// A block, and the place that made it ask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The block.
    pub block: BlockName,
    /// A file of the project and a line in it, counted from 1: the first one of the file that makes it a
    /// project, where the block would have asked for it in any. Where the command line asked, its option
    /// stands in place of the file.
    pub at: Option<(SourcePath, u32)>,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the block `{}`", self.block)?;
        match &self.at {
            Some((file, line)) => write!(out, " ({file}:{line})"),
            None => Ok(()),
        }
    }
}
