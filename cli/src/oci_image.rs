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

use crate::bases::Bases;
use crate::contexts::{self, ContextContents};
use crate::emit::{Emission, Refusals, boxed};
use crate::failure::Failure;

/// An image, with all that is needed to write it.
pub struct OciImage {
    /// One for all platforms, or one for each where these have layers of their own.
    parts: Vec<OciPart>,
    names: Vec<ImageReference>,
}

/// An image for some platforms.
pub struct OciPart {
    assembly: Assembly,
    files: ContextContents,
    bases: Vec<Layout>,
    kept: Option<Store>,
    compression: Compression,
}

impl OciPart {
    /// Walks the contexts, reads the bases, and makes the image of these.
    pub fn assemble(
        recipe: &Recipe,
        bases: &Bases,
        emission: &Emission<'_>,
    ) -> Result<Result<Self, Refusals>, Failure> {
        let mut walked = contexts::walk_all(recipe.directories(), emission.file, &BTreeMap::new())?;
        if let Err(refused) =
            emission.packages.install(recipe.packages(), &recipe.platforms(), &mut walked)?
        {
            return Ok(Err(refused));
        }
        let inputs = Inputs { directories: walked.trees, layers: walked.layers, bases: bases.trees()? };
        let files = BaseFiles::new(bases.images(), &walked.files);
        let assembled = recipe.assemble(&inputs, &files, emission.time);
        let machine = emission.packages;
        let kept = machine.names_store().then(|| machine.store()).transpose()?;
        Ok(match assembled {
            Ok(assembly) => Ok(Self {
                assembly,
                files: walked.files,
                bases: bases.layouts(),
                kept,
                compression: emission.compression,
            }),
            Err(problems) => Err(boxed(problems)),
        })
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

impl OciImage {
    /// The image that has these parts.
    pub fn new(parts: Vec<OciPart>, names: &[ImageReference]) -> Self {
        Self { parts, names: names.to_vec() }
    }

    /// Writes them as a layout; as a tar of one where the path ends in `.tar`.
    pub fn write(all: &[Self], path: &Path) -> Result<(), Failure> {
        let images = all.iter().map(|it| it.parts.iter().map(OciPart::image).collect());
        let images: Vec<Vec<Image<'_>>> = images.collect();
        let named = all.iter().zip(&images).map(|(it, images)| Named { images, names: &it.names });
        let named: Vec<Named<'_>> = named.collect();
        let written = match path.extension() {
            Some(extension) if extension == "tar" => write_archive(&named, path),
            Some(_) | None => write_directory(&named, path),
        };
        written.map(drop).map_err(|error| Failure::of(&error))
    }
}
