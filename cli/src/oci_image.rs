//! An image that this process makes itself: what must be read for it, and writing it.

use std::path::Path;

use cogpack_backends_oci_direct::{Assembly, Inputs, Recipe};
use cogpack_io_layout::read::Layout;
use cogpack_io_layout::write::{Image, write_archive, write_directory};
use cogpack_io_project::context_files::ContextFiles;

use crate::contexts;
use crate::emit::{Refusals, boxed};
use crate::failure::Failure;
use crate::front::Front;
use crate::plan_file::PlanFile;

/// An image, with all that is needed to write it.
pub struct OciImage {
    assembly: Assembly,
    files: ContextFiles,
    bases: Vec<Layout>,
}

impl OciImage {
    /// Walks the contexts, reads the bases, and makes the image of these.
    pub fn assemble(
        recipe: &Recipe,
        front: &Front,
        file: &PlanFile,
        time: u64,
    ) -> Result<Result<Self, Refusals>, Failure> {
        let walked = contexts::walk_all(recipe.directories(), file)?;
        let inputs = Inputs { directories: walked.trees, bases: front.bases.trees()? };
        Ok(match recipe.assemble(&inputs, time) {
            Ok(assembly) => Ok(Self { assembly, files: walked.files, bases: front.bases.layouts() }),
            Err(problems) => Err(boxed(problems)),
        })
    }

    /// Writes it as a layout; as a tar of one where the path ends in `.tar`.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let image = Image { assembly: &self.assembly, files: &self.files, bases: &self.bases, name: None };
        let written = match path.extension() {
            Some(extension) if extension == "tar" => write_archive(image, path),
            Some(_) | None => write_directory(image, path),
        };
        written.map(|_| ()).map_err(|error| Failure::of(&error))
    }
}
