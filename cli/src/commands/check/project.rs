//! The files of a plan's directories, as lints see them: what a build of the plan would take of them.

use std::path::Path;

use cogpack_io_project::files::read_limited;
use cogpack_io_project::ignore_file::IgnoreFile;
use cogpack_io_project::look::file_type;
use cogpack_io_project::would_take::would_take;
use cogpack_ir::plan::context::DirectoryContext;
use cogpack_lints::{Project, Seen};

/// What files that name dependencies have at most: lock files of large projects come to a few megabytes.
const LARGEST: u64 = 32 << 20;

/// The directories of one plan.
pub struct PlanDirectories<'p> {
    /// What their paths are relative to.
    pub of: &'p Path,
}

impl Project for PlanDirectories<'_> {
    fn look(&self, directory: &DirectoryContext, path: &str) -> Seen {
        let root = self.of.join(&directory.path.value);
        if !root.is_dir() || IgnoreFile::of_directory(&root).is_err() {
            return Seen::Unknown;
        }
        let parts: Vec<Vec<u8>> = path.split('/').map(|part| part.as_bytes().to_vec()).collect();
        let Some(found) = file_type(&root, path).filter(|_| would_take(&root, &directory.rules, &parts))
        else {
            return Seen::Nothing;
        };
        if !found.is_file() {
            return Seen::Other;
        }
        match read_limited(&root.join(path), LARGEST) {
            Ok(Some(bytes)) => String::from_utf8(bytes).map_or(Seen::Other, Seen::Text),
            Ok(None) => Seen::Other,
            Err(_) => Seen::Unknown,
        }
    }
}
