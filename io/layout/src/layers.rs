//! The blobs of an image's layers: those of bases are taken over, those that were packed before are
//! found again, and all others are packed.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cogpack_backends_contract::content::ContentSource;
use cogpack_backends_oci_direct::blob::LayerBlob;
use cogpack_backends_oci_direct::compression::Coding;
use cogpack_backends_oci_direct::documents::blob_path;
use cogpack_backends_oci_direct::evaluate::ImageLayer;
use cogpack_backends_oci_direct::identity::Identity;
use cogpack_backends_oci_direct::image::WrittenLayer;
use cogpack_backends_oci_direct::inputs::BaseLayer;
use cogpack_backends_oci_direct::layer::{Layer, LayerWriteError};
use cogpack_backends_oci_direct::pack::Packing;
use cogpack_content::Digest;
use cogpack_content::threads::joined;
use cogpack_io_store::work::Work;

use crate::blobs;
use crate::flowing::Flowing;
use crate::noting::Noting;
use crate::packed::{self, Packed};
use crate::read::Layout;
use crate::take::{Keeper, take};
use crate::told::{Counter, Counting};
use crate::unchanged;
use crate::write::{Image, Named, WriteError, Written, documents, failed, written};

/// What is known of each layer before anything is written.
pub enum Ready<'a> {
    /// It is a base's.
    Base(&'a BaseLayer),
    /// It was packed before, and its blob is here.
    Packed(WrittenLayer, PathBuf),
    /// It was packed before, and has to be again where its blob is needed.
    Known(&'a Layer, &'a str, LayerBlob),
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
            Some(ImageLayer::Made(layer)) => found(layer, &step.created_by, image)?,
        });
    }
    Ok(ready)
}

/// What is known once another image of the same layout is written: they may share layers.
pub fn again<'a>(ready: Vec<Ready<'a>>, image: Image<'_>) -> Result<Vec<Ready<'a>>, WriteError> {
    let look = |ready| match ready {
        Ready::Unpacked(layer, step) => found(layer, step, image),
        Ready::Base(_) | Ready::Packed(..) | Ready::Known(..) => Ok(ready),
    };
    ready.into_iter().map(look).collect()
}

/// What the store knows of a layer.
fn found<'a>(layer: &'a Layer, step: &'a str, image: Image<'_>) -> Result<Ready<'a>, WriteError> {
    let found = match image.kept {
        Some(store) => packed::find(store, &identity(layer, image), image.files)?,
        None => None,
    };
    Ok(match found {
        Some(Packed { layer, path: Some(path) }) => Ready::Packed(layer, path),
        Some(Packed { layer: WrittenLayer { blob, .. }, path: None }) => Ready::Known(layer, step, blob),
        None => Ready::Unpacked(layer, step),
    })
}

/// What the store knows a layer by.
pub(crate) fn identity<'l>(layer: &'l Layer, image: Image<'_>) -> Identity<'l> {
    layer.identity(image.assembly.time, &image.compression.packing())
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
                    blobs.push(in_bases(&base.blob.blob.digest, image.bases)?.0);
                    Some(WrittenLayer { media_type: base.media_type, blob: base.blob })
                }
                Ready::Packed(layer, path) => {
                    blobs.push(path.clone());
                    Some(layer.clone())
                }
                Ready::Known(..) | Ready::Unpacked(..) => None,
            });
            of_named.push(known.collect::<Option<Vec<_>>>()?);
        }
        layers.push(of_named);
    }
    let documents = documents(images, &layers);
    let is_there = unchanged::is_there(&documents, &blobs, destination);
    is_there.then(|| written(documents.digests, layers))
}

/// Layers that are not compressed and at least this large are packed several at once: each keeps one
/// processor busy, which hashes. What is compressed keeps all of them busy by itself.
const LARGE: u64 = 16 << 20;
/// How many of them at most, since each has room for some blocks.
const MOST_AT_ONCE: usize = 4;

/// Puts the blobs of an image's layers where they are in the layout at `root`.
pub fn put(layers: Vec<Ready<'_>>, image: Image<'_>, root: &Path) -> Result<Vec<WrittenLayer>, WriteError> {
    let mut large = Vec::new();
    for (place, layer) in layers.iter().enumerate() {
        if let Ready::Known(layer, step, _) | Ready::Unpacked(layer, step) = layer
            && is_large_and_plain(layer, step, image, root)?
        {
            large.push((place, *layer, *step));
        }
    }
    let written = at_once(&large, |_, (place, layer, step)| {
        write_layer(layer, step, image, root, &format!("unnamed-{place}"))
    })?;
    let mut ahead: BTreeMap<usize, WrittenLayer> =
        large.iter().map(|(place, ..)| *place).zip(written).collect();
    let put = |(place, layer)| ahead.remove(&place).map_or_else(|| put_one(layer, image, root), Ok);
    layers.into_iter().enumerate().map(put).collect()
}

/// Puts the blob of one layer where it is in the layout at `root`.
pub(crate) fn put_one(layer: Ready<'_>, image: Image<'_>, root: &Path) -> Result<WrittenLayer, WriteError> {
    match layer {
        Ready::Base(base) => take_over(base, image.bases, root),
        Ready::Packed(layer, path) => take_packed(layer, &path, root),
        Ready::Known(layer, step, _) | Ready::Unpacked(layer, step) => {
            write_layer(layer, step, image, root, "unnamed")
        }
    }
}

/// Whether a layer is one of those of which several are made at once.
pub(crate) fn is_large_and_plain(
    layer: &Layer,
    step: &str,
    image: Image<'_>,
    root: &Path,
) -> Result<bool, WriteError> {
    Ok(layer.read_for_it() >= LARGE && coding(layer, step, image, root)? == Coding::Plain)
}

/// Makes something of each of these layers, of several at once. Once one has failed, none is begun; of
/// several errors it is the one of the lowest layer.
pub(crate) fn at_once<T: Sync, M: Send>(
    layers: &[T],
    make: impl Fn(usize, &T) -> Result<M, WriteError> + Sync,
) -> Result<Vec<M>, WriteError> {
    let workers = threads().get().min(MOST_AT_ONCE).min(layers.len());
    let next = Mutex::new(layers.iter().enumerate());
    let work = || {
        let mut made = BTreeMap::new();
        loop {
            let taken = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((number, layer)) = taken else { break made };
            let one = make(number, layer);
            if one.is_err() {
                // Nobody begins another.
                next.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
            }
            made.insert(number, one);
        }
    };
    let made: BTreeMap<_, _> = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut made = work();
        workers.into_iter().for_each(|worker| made.extend(joined(worker)));
        made
    });
    made.into_values().collect()
}

/// Takes a layer over that was packed before, by a link or a copy.
fn take_packed(layer: WrittenLayer, path: &Path, root: &Path) -> Result<WrittenLayer, WriteError> {
    let to = root.join(blob_path(&layer.blob.blob.digest));
    // Two ops may make the same layer.
    if !to.exists() {
        take(path, Keeper::Store, &to, &layer.blob.blob)?;
    }
    Ok(layer)
}

/// Packs a layer, and keeps it where there is a store.
fn write_layer(
    layer: &Layer,
    step: &str,
    image: Image<'_>,
    root: &Path,
    unnamed: &str,
) -> Result<WrittenLayer, WriteError> {
    let unnamed = &unnamed_at(root, unnamed);
    let Some(store) = image.kept else { return pack(layer, step, image, image.files, root, unnamed) };
    let work = store.work()?;
    let noting = noting(image.files, &work)?;
    let written = pack(layer, step, image, &noting, root, unnamed)?;
    let path = root.join(blob_path(&written.blob.blob.digest));
    packed::keep(store, &identity(layer, image), &noting, &written, &path)?;
    Ok(written)
}

/// Opens files, and notes what was read of them.
pub(crate) fn noting<'s>(files: &'s dyn ContentSource, work: &'s Work) -> Result<Noting<'s>, WriteError> {
    Noting::new(files, work).map_err(|source| failed("write notes in", work.path(), source))
}

/// Where a blob is before its name is known.
fn unnamed_at(root: &Path, name: &str) -> PathBuf {
    root.join("blobs").join(name)
}

pub(crate) fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn unwritten(step: &str, path: &Path, source: LayerWriteError) -> WriteError {
    WriteError::Layer { step: step.to_owned(), path: path.to_owned(), source }
}

/// How a layer is compressed.
fn coding(layer: &Layer, step: &str, image: Image<'_>, root: &Path) -> Result<Coding, WriteError> {
    let coding = layer.coding(image.files, image.compression);
    coding.map_err(|source| unwritten(step, &unnamed_at(root, "unnamed"), source))
}

/// Packs a layer, whose files are opened by `files`, each once and in their order.
fn pack(
    layer: &Layer,
    step: &str,
    image: Image<'_>,
    files: &dyn ContentSource,
    root: &Path,
    unnamed: &Path,
) -> Result<WrittenLayer, WriteError> {
    let coding = coding(layer, step, image, root)?;
    let read = layer.read_for_it();
    // Nobody knows how small what is compressed becomes.
    let least = if coding == Coding::Plain { read } else { 0 };
    let file = Flowing::create(unnamed, least).map_err(|source| failed("create", unnamed, source))?;
    let packing = Packing { coding, threads: threads(), place: 0 };
    let counter = Counter::new(step, read, image.told);
    let files = Counting { files, counter: &counter };
    let written = layer.write(&files, image.assembly.time, packing, file);
    let (file, blob) = written.map_err(|source| unwritten(step, unnamed, source))?;
    counter.complete();
    file.finish().map_err(|source| failed("write", unnamed, source))?;
    let named = root.join(blob_path(&blob.blob.digest));
    fs::rename(unnamed, &named).map_err(|source| failed("write", &named, source))?;
    Ok(WrittenLayer { media_type: coding.media_type(), blob })
}

/// Takes a blob over from a base's layout.
fn take_over(base: &BaseLayer, bases: &[Layout], root: &Path) -> Result<WrittenLayer, WriteError> {
    let written = WrittenLayer { media_type: base.media_type, blob: base.blob };
    let digest = base.blob.blob.digest;
    let to = root.join(blob_path(&digest));
    if to.exists() {
        return Ok(written);
    }
    let (from, keeper) = in_bases(&digest, bases).ok_or(WriteError::MissingBase { digest })?;
    take(&from, keeper, &to, &base.blob.blob)?;
    Ok(written)
}

/// Where the blob of a base is, and who keeps it.
fn in_bases(digest: &Digest, bases: &[Layout]) -> Option<(PathBuf, Keeper)> {
    let candidates = bases.iter().map(|layout| (blobs::path_of(layout.root(), digest), layout.keeper()));
    candidates.into_iter().find(|(path, _)| path.is_file())
}
