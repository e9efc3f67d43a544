//! Where the record of a plan is: `.cog/records/` in the directory that the plan's paths are relative
//! to, under the plan's name. No context takes it along ([`cogpack_io_project::own`]). So it is with the image
//! in `.cog/images/`, which nobody has named another place for.
//!
//! What is in it is nobody's source, so git is told there to leave it alone. It is written as a whole
//! or not at all, beside what was there: two builds at once leave the record of the later one, and one
//! that is killed leaves the record that was there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cogpack_io_project::files::{WriteError, write_file_atomically};
use cogpack_io_project::own::{IMAGES, RECORDS};

use crate::plan_file::PlanFile;

/// The record of one plan.
pub struct Home {
    directory: PathBuf,
    name: String,
}

/// What is planned of a project has no file to be called by.
const PROJECT: &str = "project";

/// What git reads: all of it stays out.
const IGNORED: &str = "*\n";

impl Home {
    /// That of a plan; `None` for standard input, which is no place to come back to.
    pub fn of(file: &PlanFile) -> Option<Self> {
        let name = match &file.path {
            Some(path) => path.file_name()?.to_str()?.to_owned(),
            None if file.shown == "<stdin>" => return None,
            None => PROJECT.to_owned(),
        };
        Some(Self { directory: file.directory.clone(), name })
    }

    /// The record.
    pub fn record(&self) -> PathBuf {
        self.directory.join(RECORDS).join(format!("{}.json", self.name))
    }

    /// What is known of files, so that the next build need not read them.
    pub fn seen(&self) -> PathBuf {
        self.directory.join(RECORDS).join(format!("{}.seen", self.name))
    }

    /// By what it is known that nothing has changed.
    pub fn unchanged(&self) -> PathBuf {
        self.directory.join(RECORDS).join(format!("{}.unchanged", self.name))
    }

    /// The layout of the image, where nobody has named another place and there is no Engine.
    pub fn image(&self) -> PathBuf {
        self.directory.join(IMAGES).join(&self.name)
    }

    /// Makes the directory of records.
    pub fn prepare(&self) -> Result<(), WriteError> {
        self.prepare_one(RECORDS)
    }

    /// Makes the directory of images.
    pub fn prepare_image(&self) -> Result<(), WriteError> {
        self.prepare_one(IMAGES)
    }

    fn prepare_one(&self, kept: &str) -> Result<(), WriteError> {
        let kept = self.directory.join(kept);
        self.make(&kept).map_err(|source| WriteError { path: kept.clone(), source })?;
        let ignored = kept.join(".gitignore");
        if !ignored.exists() {
            write_file_atomically(&ignored, IGNORED.as_bytes())?;
        }
        Ok(())
    }

    /// Makes the directory, but not where a link leads: that is somebody else's.
    fn make(&self, kept: &Path) -> io::Result<()> {
        let within = kept.ancestors().take_while(|path| *path != self.directory);
        for path in within {
            if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
                return Err(io::Error::other(format!("`{}` is a link", path.display())));
            }
        }
        fs::create_dir_all(kept)
    }
}
