//! Blobs that lie nowhere: large layers that are not compressed are made from their files where an
//! archive has its place for them. So an archive of an image is the only copy of its weights that is
//! written.
//!
//! What is made for the second time is compared with the first, so that no archive that is whole holds
//! other bytes than it says; a file that has changed between is an error that names it.

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
    /// How many bytes it has.
    pub size: u64,
    /// What it is, where it was made before.
    known: Option<LayerBlob>,
}

impl<'a> Recipe<'a> {
    /// The recipe of a layer of which this is known.
    pub fn known(layer: &'a Layer, step: &'a str, image: Image<'a>, blob: LayerBlob) -> Self {
        Self { layer, step, image, size: blob.blob.size, known: Some(blob) }
    }

    /// The recipe of a layer of which nobody knows the digest.
    pub fn unknown(layer: &'a Layer, step: &'a str, image: Image<'a>) -> Result<Self, WriteError> {
        let size = layer
            .plain_size(image.files, image.assembly.time)
            .map_err(|source| WriteError::Recipe { step: step.to_owned(), source })?;
        Ok(Self { layer, step, image, size, known: None })
    }

    /// What it makes. Its files are read for that where nobody knows.
    pub fn found_out(&self, to: &str) -> Result<LayerBlob, WriteError> {
        self.known.map_or_else(|| self.make(io::sink(), 0, to), Ok)
    }

    /// Makes it where the archive that people know as `to` has its place for it, and keeps what is known
    /// of it then where there is a store.
    pub fn make(&self, sink: impl Write + Send, place: u64, to: &str) -> Result<LayerBlob, WriteError> {
        let Self { layer, step, image, .. } = *self;
        let counter = Counter::new(step, layer.read_for_it(), image.told);
        let made = |files: &dyn ContentSource| {
            let made = self.written(&Counting { files, counter: &counter }, sink, place);
            made.map_err(|source| self.failed(source, to))
        };
        let blob = match (self.known, image.kept) {
            (Some(expected), _) => {
                let blob = made(image.files)?;
                self.compare(&blob, &expected)?;
                blob
            }
            (None, None) => made(image.files)?,
            (None, Some(store)) => {
                let work = store.work()?;
                let noting = layers::noting(image.files, &work)?;
                let blob = made(&noting)?;
                let written = WrittenLayer { media_type: media::LAYER, blob };
                packed::keep_recipe(store, &layers::identity(layer, image), &noting, &written)?;
                blob
            }
        };
        counter.complete();
        Ok(blob)
    }

    /// Makes again what was `expected`, for an archive that people know as `to`, and counts the bytes of
    /// its files; how many bytes it has.
    pub fn make_again(
        &self,
        expected: &LayerBlob,
        counter: &Counter<'_>,
        sink: impl Write + Send,
        to: &str,
    ) -> Result<u64, WriteError> {
        let files = Counting { files: self.image.files, counter };
        let again = self.written(&files, sink, 0).map_err(|source| self.failed(source, to))?;
        self.compare(&again, expected)?;
        Ok(again.blob.size)
    }

    fn compare(&self, made: &LayerBlob, expected: &LayerBlob) -> Result<(), WriteError> {
        if made == expected {
            return Ok(());
        }
        let (found, expected) = (made.blob.digest, expected.blob.digest);
        Err(WriteError::MadeOtherwise { step: self.step.to_owned(), found, expected })
    }

    fn written(
        &self,
        files: &dyn ContentSource,
        sink: impl Write + Send,
        place: u64,
    ) -> Result<LayerBlob, LayerWriteError> {
        let packing = Packing { coding: Coding::Plain, threads: layers::threads(), place };
        let blob = self.layer.write(files, self.image.assembly.time, packing, sink)?.1;
        let (found, expected) = (blob.blob.size, self.size);
        if found == expected {
            return Ok(blob);
        }
        let relation = if found > expected { "more" } else { "fewer" };
        Err(TarError::SizeChanged { path: self.step.to_owned(), expected, relation }.into())
    }

    fn failed(&self, source: LayerWriteError, to: &str) -> WriteError {
        match source {
            LayerWriteError::Finish(source) | LayerWriteError::Tar(TarError::Write(source)) => {
                WriteError::Archive { to: to.to_owned(), source: TarError::Write(source) }
            }
            source @ (LayerWriteError::Open { .. } | LayerWriteError::Tar(_)) => {
                WriteError::Recipe { step: self.step.to_owned(), source }
            }
        }
    }
}
