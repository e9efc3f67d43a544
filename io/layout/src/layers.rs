//! The blobs of an image's layers: those of bases are taken over, those that were packed before are
//! found again, and all others are packed.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::ContentSource;
use cogpack_backends_oci_direct::blob::{Blob, LayerBlob};
use cogpack_backends_oci_direct::documents::blob_path;
use cogpack_backends_oci_direct::evaluate::ImageLayer;
use cogpack_backends_oci_direct::identity::Identity;
use cogpack_backends_oci_direct::image::WrittenLayer;
use cogpack_backends_oci_direct::inputs::BaseLayer;
use cogpack_backends_oci_direct::layer::Layer;
use cogpack_backends_oci_direct::pack::Packing;
use cogpack_content::Digest;

use crate::blobs::{self, HashingReader};
use crate::flowing::Flowing;
use crate::noting::Noting;
use crate::packed::{self, Packed};
use crate::read::Layout;
use crate::told::{Counter, Counting};
use crate::unchanged;
use crate::write::{Image, Named, WriteError, Written, documents, failed, written};

/// What is known of each layer before anything is written.
pub enum Ready<'a> {
    /// It is a base's.
    Base(&'a BaseLayer),
    /// It was packed before.
    Packed(Packed),
    /// It is to be packed.
    Unpacked(&'a Layer, &'a str),
}

/// What is known of the layers of images, of their parts, lowest first.
pub fn ready<'a>(images: &'a [Named<'a>]) -> Result<Vec<Vec<Vec<Ready<'a>>>>, WriteError> {
    let of_named = |named: &'a Named<'a>| named.images.iter().map(|image| of_image(*image)).collect();
    images.iter().map(of_named).collect()
}

fn of_image(image: Image<'_>) -> Result<Vec<Ready<'_>>, WriteError> {
    let mut ready = Vec::new();
    for step in image.assembly.rootfs.history.steps() {
        ready.push(match &step.layer {
            None => continue,
            Some(ImageLayer::Base(base)) => Ready::Base(base),
            Some(ImageLayer::Made(layer)) => {
                found(layer, image)?.map_or(Ready::Unpacked(layer, &step.created_by), Ready::Packed)
            }
        });
    }
    Ok(ready)
}

/// What is known once another image of the same layout is written: they may share layers.
pub fn again<'a>(ready: Vec<Ready<'a>>, image: Image<'_>) -> Result<Vec<Ready<'a>>, WriteError> {
    let look = |ready| match ready {
        Ready::Unpacked(layer, step) => {
            Ok(found(layer, image)?.map_or(Ready::Unpacked(layer, step), Ready::Packed))
        }
        Ready::Base(_) | Ready::Packed(_) => Ok(ready),
    };
    ready.into_iter().map(look).collect()
}

/// A layer that the store has packed.
fn found(layer: &Layer, image: Image<'_>) -> Result<Option<Packed>, WriteError> {
    Ok(match image.kept {
        Some(store) => packed::find(store, &identity(layer, image), image.files)?,
        None => None,
    })
}

fn identity<'l>(layer: &'l Layer, image: Image<'_>) -> Identity<'l> {
    layer.identity(image.assembly.time, image.compression.name())
}

/// Images that the destination holds already, and nothing else.
pub fn unchanged(
    images: &[Named<'_>],
    ready: &[Vec<Vec<Ready<'_>>>],
    destination: &Path,
) -> Option<Vec<Written>> {
    let mut blobs = Vec::new();
    let mut layers = Vec::with_capacity(images.len());
    for (named, ready) in images.iter().zip(ready) {
        let mut of_named = Vec::with_capacity(ready.len());
        for (image, ready) in named.images.iter().zip(ready) {
            let known = ready.iter().map(|layer| match layer {
                Ready::Base(base) => {
                    blobs.push(in_bases(&base.blob.blob.digest, image.bases)?);
                    Some(WrittenLayer { media_type: base.media_type, blob: base.blob })
                }
                Ready::Packed(packed) => {
                    blobs.push(packed.path.clone());
                    Some(packed.layer.clone())
                }
                Ready::Unpacked(..) => None,
            });
            of_named.push(known.collect::<Option<Vec<_>>>()?);
        }
        layers.push(of_named);
    }
    let documents = documents(images, &layers);
    let is_there = unchanged::is_there(&documents, &blobs, destination);
    is_there.then(|| written(documents.digests, layers))
}

/// Puts the blob of a layer where it is in the layout at `root`.
pub fn put(layer: Ready<'_>, image: Image<'_>, root: &Path) -> Result<WrittenLayer, WriteError> {
    match layer {
        Ready::Base(base) => take_over(base, image.bases, root),
        Ready::Packed(packed) => take_packed(packed, root),
        Ready::Unpacked(layer, step) => write_layer(layer, step, image, root),
    }
}

/// Takes a layer over that was packed before, by a link or a copy.
fn take_packed(packed: Packed, root: &Path) -> Result<WrittenLayer, WriteError> {
    let to = root.join(blob_path(&packed.layer.blob.blob.digest));
    // Two ops may make the same layer.
    if !to.exists() && fs::hard_link(&packed.path, &to).is_err() {
        copy_blob(&packed.path, &to, &packed.layer.blob)?;
    }
    Ok(packed.layer)
}

/// Packs a layer, and keeps it where there is a store.
fn write_layer(layer: &Layer, step: &str, image: Image<'_>, root: &Path) -> Result<WrittenLayer, WriteError> {
    let Some(store) = image.kept else { return pack(layer, step, image, image.files, root) };
    let work = store.work()?;
    let noting =
        Noting::new(image.files, &work).map_err(|source| failed("write notes in", work.path(), source))?;
    let written = pack(layer, step, image, &noting, root)?;
    let path = root.join(blob_path(&written.blob.blob.digest));
    packed::keep(store, &identity(layer, image), &noting, &written, &path)?;
    Ok(written)
}

/// Packs a layer, whose files are opened by `files`, each once and in their order.
fn pack(
    layer: &Layer,
    step: &str,
    image: Image<'_>,
    files: &dyn ContentSource,
    root: &Path,
) -> Result<WrittenLayer, WriteError> {
    let unnamed = root.join("blobs/unnamed");
    let file = File::create(&unnamed).map_err(|source| failed("create", &unnamed, source))?;
    let unwritten = |source| WriteError::Layer { step: step.to_owned(), path: unnamed.clone(), source };
    let coding = layer.coding(image.files, image.compression).map_err(unwritten)?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let packing = Packing { coding, threads };
    let counter = Counter::new(step, layer.read_for_it(), image.told);
    let files = Counting { files, counter: &counter };
    let (file, blob) =
        layer.write(&files, image.assembly.time, packing, Flowing::new(file)).map_err(unwritten)?;
    counter.complete();
    file.finish().map_err(|source| failed("write", &unnamed, source))?;
    let named = root.join(blob_path(&blob.blob.digest));
    fs::rename(&unnamed, &named).map_err(|source| failed("write", &named, source))?;
    Ok(WrittenLayer { media_type: coding.media_type(), blob })
}

/// Takes a blob over from a base's layout: by a link where that is possible, since blobs never
/// change, else by a copy that is checked.
fn take_over(base: &BaseLayer, bases: &[Layout], root: &Path) -> Result<WrittenLayer, WriteError> {
    let written = WrittenLayer { media_type: base.media_type, blob: base.blob };
    let digest = base.blob.blob.digest;
    let to = root.join(blob_path(&digest));
    if to.exists() {
        return Ok(written);
    }
    let from = in_bases(&digest, bases).ok_or(WriteError::MissingBase { digest })?;
    // Where the layout's blob is a link to elsewhere, what it leads to is meant.
    if fs::canonicalize(&from).and_then(|from| fs::hard_link(from, &to)).is_ok() {
        return Ok(written);
    }
    copy_blob(&from, &to, &base.blob)?;
    Ok(written)
}

/// Where the blob of a base is.
fn in_bases(digest: &Digest, bases: &[Layout]) -> Option<PathBuf> {
    let candidates = bases.iter().map(|layout| blobs::path_of(layout.root(), digest));
    candidates.into_iter().find(|path| path.is_file())
}

/// Copies a blob, and compares it with its digest.
fn copy_blob(from: &Path, to: &Path, expected: &LayerBlob) -> Result<(), WriteError> {
    let source = File::open(from).map_err(|source| failed("read", from, source))?;
    let mut reading = HashingReader::new(source);
    let copied = File::create(to).and_then(|mut file| {
        io::copy(&mut reading, &mut file)?;
        file.sync_all()
    });
    copied.map_err(|source| failed("copy a blob to", to, source))?;
    let (found, size) = reading.finish().map_err(|source| failed("read", from, source))?;
    let Blob { digest, size: expected } = &expected.blob;
    Ok(blobs::check(from.to_owned(), digest, Some(*expected), found, size)?)
}
