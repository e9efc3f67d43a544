//! Images that this process makes itself: what must be read for them, and writing them as one layout.

use std::collections::BTreeMap;
use std::path::Path;

use cogpack_backends_oci_direct::compression::Compression;
use cogpack_backends_oci_direct::{Assembly, Inputs, Recipe};
use cogpack_content::ImageReference;
use cogpack_io_layout::base_files::BaseFiles;
use cogpack_io_layout::read::Layout;
use cogpack_io_layout::told;
use cogpack_io_layout::write::{Image, Named, write_archive, write_directory};
use cogpack_io_store::Store;

use crate::contexts::{self, ContextContents};
use crate::emit::{Emission, Refusals, boxed};
use crate::failure::Failure;

/// An image, with all that is needed to write it.
pub struct OciImage {
    assembly: Assembly,
    files: ContextContents,
    bases: Vec<Layout>,
    names: Vec<ImageReference>,
    kept: Option<Store>,
    compression: Compression,
}

impl OciImage {
    /// Walks the contexts, reads the bases, and makes the image of these.
    pub fn assemble(recipe: &Recipe, emission: &Emission<'_>) -> Result<Result<Self, Refusals>, Failure> {
        let mut walked = contexts::walk_all(recipe.directories(), emission.file, &BTreeMap::new())?;
        if let Err(refused) =
            emission.packages.install(recipe.packages(), &recipe.platforms(), &mut walked)?
        {
            return Ok(Err(refused));
        }
        let inputs =
            Inputs { directories: walked.trees, layers: walked.layers, bases: emission.front.bases.trees()? };
        let files = BaseFiles::new(emission.front.bases.images(), &walked.files);
        let assembled = recipe.assemble(&inputs, &files, emission.time);
        let machine = emission.packages;
        let kept = machine.names_store().then(|| machine.store()).transpose()?;
        Ok(match assembled {
            Ok(assembly) => Ok(Self {
                assembly,
                files: walked.files,
                bases: emission.front.bases.layouts(),
                names: emission.names.to_vec(),
                kept,
                compression: emission.compression,
            }),
            Err(problems) => Err(boxed(problems)),
        })
    }

    /// Writes them as a layout; as a tar of one where the path ends in `.tar`.
    pub fn write(all: &[Self], path: &Path) -> Result<(), Failure> {
        let images: Vec<Image<'_>> = all.iter().map(Self::image).collect();
        let named = all.iter().zip(&images);
        let named = named.map(|(it, image)| Named { images: std::slice::from_ref(image), names: &it.names });
        let named: Vec<Named<'_>> = named.collect();
        let written = match path.extension() {
            Some(extension) if extension == "tar" => write_archive(&named, path),
            Some(_) | None => write_directory(&named, path),
        };
        written.map(drop).map_err(|error| Failure::of(&error))
    }

    fn image(&self) -> Image<'_> {
        Image {
            assembly: &self.assembly,
            files: &self.files,
            bases: &self.bases,
            kept: self.kept.as_ref(),
            compression: self.compression,
            told: &told::nobody,
        }
    }
}
