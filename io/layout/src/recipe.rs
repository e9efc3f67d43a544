//! Blobs that lie nowhere: large layers that are not compressed are known by their digest, and made
//! again from the files that they are of when an archive takes them. So an archive of an image is
//! the only copy of its weights that is written.
//!
//! What is made again is compared with the digest, so that no archive that is whole holds other bytes
//! than it says; a file that has changed between is an error that names it.

use std::io::{self, Write};

use cogpack_backends_contract::content::ContentSource;
use cogpack_backends_oci_direct::blob::LayerBlob;
use cogpack_backends_oci_direct::compression::Coding;
use cogpack_backends_oci_direct::documents::media;
use cogpack_backends_oci_direct::image::WrittenLayer;
use cogpack_backends_oci_direct::layer::{Layer, LayerWriteError};
use cogpack_backends_oci_direct::pack::Packing;
use cogpack_backends_oci_direct::tar::TarError;

use crate::layers;
use crate::packed;
use crate::told::{Counter, Counting};
use crate::write::{Image, WriteError};

/// How to make a blob.
pub struct Recipe<'a> {
    layer: &'a Layer,
    step: &'a str,
    image: Image<'a>,
    /// What is made.
    pub blob: LayerBlob,
}

impl<'a> Recipe<'a> {
    /// The recipe of a layer of which this is known.
    pub fn known(layer: &'a Layer, step: &'a str, image: Image<'a>, blob: LayerBlob) -> Self {
        Self { layer, step, image, blob }
    }

    /// Finds out what a layer is that is not compressed, and keeps that where there is a store.
    pub fn of(layer: &'a Layer, step: &'a str, image: Image<'a>) -> Result<Self, WriteError> {
        let counter = Counter::new(step, layer.read_for_it(), image.told);
        let hashed = |files: &dyn ContentSource| {
            let made = made(layer, image, &Counting { files, counter: &counter }, io::sink());
            made.map_err(|source| WriteError::Recipe { step: step.to_owned(), source })
        };
        let blob = match image.kept {
            None => hashed(image.files)?,
            Some(store) => {
                let work = store.work()?;
                let noting = layers::noting(image.files, &work)?;
                let blob = hashed(&noting)?;
                let written = WrittenLayer { media_type: media::LAYER, blob };
                packed::keep_recipe(store, &layers::identity(layer, image), &noting, &written)?;
                blob
            }
        };
        counter.complete();
        Ok(Self { layer, step, image, blob })
    }

    /// What an image says of it.
    pub fn written(&self) -> WrittenLayer {
        WrittenLayer { media_type: media::LAYER, blob: self.blob }
    }

    /// Makes it for an archive, which people know as `to`, and counts the bytes of its files; how many
    /// bytes it has.
    pub fn write(&self, counter: &Counter<'_>, sink: impl Write + Send, to: &str) -> Result<u64, WriteError> {
        let Self { layer, step, image, blob } = self;
        let again = match made(layer, *image, &Counting { files: image.files, counter }, sink) {
            Ok(again) => again,
            Err(LayerWriteError::Finish(source) | LayerWriteError::Tar(TarError::Write(source))) => {
                return Err(WriteError::Archive { to: to.to_owned(), source: TarError::Write(source) });
            }
            Err(source) => return Err(WriteError::Recipe { step: (*step).to_owned(), source }),
        };
        if again == *blob {
            return Ok(again.blob.size);
        }
        let (found, expected) = (again.blob.digest, blob.blob.digest);
        Err(WriteError::MadeOtherwise { step: (*step).to_owned(), found, expected })
    }
}

fn made(
    layer: &Layer,
    image: Image<'_>,
    files: &dyn ContentSource,
    sink: impl Write + Send,
) -> Result<LayerBlob, LayerWriteError> {
    let packing = Packing { coding: Coding::Plain, threads: layers::threads() };
    Ok(layer.write(files, image.assembly.time, packing, sink)?.1)
}
