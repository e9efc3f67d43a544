//! Writes images as an archive of a layout.
//!
//! The layers come first, in the order in which the images have them, each once, and then all else by
//! name. So the order does not follow from digests, and the place of a layer is known as soon as those
//! before it are as long as they will be. A blob is named by its digest, and its name comes before its
//! bytes; but a layer that is not compressed is as long as its listing says. So where an archive is a
//! file, several of them are written to their places at once while they are hashed, and what comes
//! between afterwards. A stream takes one byte after the other: for that all digests are found out
//! first.
//!
//! Of layers that come out the same only the first stays: where nobody knew that before they were
//! written, all that follows moves up, and is made once more.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cogpack_backends_oci_direct::blob::LayerBlob;
use cogpack_backends_oci_direct::documents::{blob_path, media};
use cogpack_backends_oci_direct::image::WrittenLayer;
use cogpack_backends_oci_direct::layer::Layer;
use cogpack_backends_oci_direct::tar::{Entry, EntryKind, TarError, TarWriter};
use cogpack_content::Digest;

use crate::flowing::{Flowing, Gathering};
use crate::layers::{self, Ready};
use crate::packed;
use crate::recipe::Recipe;
use crate::told::{self, Counter, Told};
use crate::write::{Image, Named, WriteError, Written, documents, failed, temporary_in, written};

/// Writes an archive into the new file `made`. Blobs that cannot be made where they belong are made
/// below `scratch`.
pub fn into_file(images: &[Named<'_>], scratch: &Path, made: &Path) -> Result<Vec<Written>, WriteError> {
    let to = format!("`{}`", made.display());
    let temporary = temporary_in(scratch)?;
    let taken = Taken::of(images, &temporary.path().join("layout"))?;
    let places = taken.places().map_err(|source| WriteError::Archive { to: to.clone(), source })?;
    let file = Flowing::create(made, places.end).map_err(|source| failed("create", made, source))?;
    let blobs = layers::at_once(&taken.recipes, |number, recipe| {
        let place = places.of_recipes[number];
        recipe.make(file.at(place), place, &to)
    })?;
    let (written, file) = taken.write(&blobs, Gathering::new(file), &to, |sink, number| {
        sink.skip(places.of_recipes[number], taken.recipes[number].size)
    })?;
    file.finish().map_err(|source| failed("sync", made, source))?;
    Ok(written)
}

/// Writes an archive into what `sink` gives, which people know as `to`.
pub fn into_stream<W: Write + Send>(
    images: &[Named<'_>],
    scratch: &Path,
    sink: impl FnOnce() -> Result<W, WriteError>,
    to: &str,
) -> Result<Vec<Written>, WriteError> {
    let temporary = temporary_in(scratch)?;
    let taken = Taken::of(images, &temporary.path().join("layout"))?;
    let blobs = layers::at_once(&taken.recipes, |_, recipe| recipe.found_out(to))?;
    Ok(taken.write(&blobs, Gathering::new(sink()?), to, |_, _| Ok(false))?.0)
}

/// A layer that an archive takes.
enum Blob {
    /// It lies below the scratch directory.
    Here(WrittenLayer),
    /// It is made by the recipe with this number.
    Made(usize),
}

/// The layers of images that an archive takes.
struct Taken<'a> {
    images: &'a [Named<'a>],
    /// Of each image, of each of its parts, lowest first.
    layers: Vec<Vec<Vec<Blob>>>,
    recipes: Vec<Recipe<'a>>,
    /// Where the others lie.
    root: PathBuf,
}

/// Where layers are in an archive.
struct Places {
    of_recipes: Vec<u64>,
    /// Where the last one ends.
    end: u64,
}

/// Recipes, found again by what they make.
#[derive(Default)]
struct Recipes<'a> {
    all: Vec<Recipe<'a>>,
    by_digest: BTreeMap<Digest, usize>,
    /// By what they are made of, where their digests are not known yet.
    by_files: BTreeMap<Digest, usize>,
}

impl<'a> Recipes<'a> {
    fn known(&mut self, layer: &'a Layer, step: &'a str, image: Image<'a>, blob: LayerBlob) -> usize {
        let number = self.all.len();
        let found = *self.by_digest.entry(blob.blob.digest).or_insert(number);
        if found == number {
            self.all.push(Recipe::known(layer, step, image, blob));
        }
        found
    }

    fn unknown(&mut self, layer: &'a Layer, step: &'a str, image: Image<'a>) -> Result<usize, WriteError> {
        let number = self.all.len();
        let found = match packed::made_of(&layers::identity(layer, image)) {
            Some(files) => *self.by_files.entry(files).or_insert(number),
            None => number,
        };
        if found == number {
            self.all.push(Recipe::unknown(layer, step, image)?);
        }
        Ok(found)
    }
}

impl<'a> Taken<'a> {
    /// Makes what is not made by recipes, below the new directory `root`.
    fn of(images: &'a [Named<'a>], root: &Path) -> Result<Self, WriteError> {
        let blobs = root.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(|source| failed("create", &blobs, source))?;
        let (mut recipes, mut is_first) = (Recipes::default(), true);
        let mut of_images = Vec::with_capacity(images.len());
        for (named, ready) in images.iter().zip(layers::ready(images)?) {
            let mut of_named = Vec::with_capacity(ready.len());
            for (image, ready) in named.images.iter().zip(ready) {
                let ready = if is_first { ready } else { layers::again(ready, *image)? };
                is_first = false;
                let take = |ready| taken(ready, *image, root, &mut recipes);
                of_named.push(ready.into_iter().map(take).collect::<Result<Vec<_>, _>>()?);
            }
            of_images.push(of_named);
        }
        Ok(Self { images, layers: of_images, recipes: recipes.all, root: root.to_owned() })
    }

    /// The layers in their order, each as often as it comes.
    fn each(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().flatten().flatten()
    }

    /// When everything in the archive was changed.
    fn time(&self) -> u64 {
        self.first().map_or(0, |image| image.assembly.time)
    }

    fn first(&self) -> Option<&'a Image<'a>> {
        self.images.iter().flat_map(|named| named.images).next()
    }

    /// Where each layer will be, if no recipe makes what another one makes.
    fn places(&self) -> Result<Places, TarError> {
        let mut writer = TarWriter::new(Place(0), self.time());
        begin(&mut writer)?;
        let mut of_recipes = vec![None; self.recipes.len()];
        let mut here = BTreeSet::new();
        // All digests are equally long.
        let name = blob_path(&Digest::of(b""));
        for blob in self.each() {
            let size = match blob {
                Blob::Here(layer) if here.insert(layer.blob.blob.digest) => layer.blob.blob.size,
                Blob::Made(number) if of_recipes[*number].is_none() => self.recipes[*number].size,
                Blob::Here(_) | Blob::Made(_) => continue,
            };
            let go_past = |sink: &mut Place| {
                if let Blob::Made(number) = blob {
                    of_recipes[*number] = Some(sink.0);
                }
                sink.0 += size;
                Ok::<_, Infallible>(size)
            };
            match writer.append_made(&file(&name, size), None, go_past)? {
                Ok(()) => {}
                Err(never) => match never {},
            }
        }
        // Each of them was met in a layer.
        let of_recipes = of_recipes.into_iter().flatten().collect();
        Ok(Places { of_recipes, end: writer.finish()?.0 })
    }

    /// Writes the archive of these layers, whose recipes make these blobs; `skip` goes past one of them
    /// that is where it is to be.
    fn write<W: Write + Send>(
        &self,
        blobs: &[LayerBlob],
        sink: Gathering<W>,
        to: &str,
        mut skip: impl FnMut(&mut Gathering<W>, usize) -> io::Result<bool>,
    ) -> Result<(Vec<Written>, W), WriteError> {
        let archive = |source| WriteError::Archive { to: to.to_owned(), source };
        let made = |blob: &Blob| match blob {
            Blob::Here(layer) => layer.clone(),
            Blob::Made(number) => WrittenLayer { media_type: media::LAYER, blob: blobs[*number] },
        };
        let of_part = |part: &Vec<Blob>| part.iter().map(made).collect::<Vec<_>>();
        let of_named = |named: &Vec<Vec<Blob>>| named.iter().map(of_part).collect::<Vec<_>>();
        let layers: Vec<Vec<Vec<WrittenLayer>>> = self.layers.iter().map(of_named).collect();
        let documents = documents(self.images, &layers);

        let mut is_there = BTreeSet::new();
        let once: Vec<&Blob> = self.each().filter(|it| is_there.insert(made(it).blob.blob.digest)).collect();
        let copied = once.iter().map(|blob| made(blob).blob.blob.size);
        let told: &Told<'_> = self.first().map_or(&told::nobody, |image| image.told);
        let counter = Counter::new("the archive", copied.sum(), told);

        let mut writer = TarWriter::new(sink, self.time());
        begin(&mut writer).map_err(archive)?;
        for blob in once {
            let LayerBlob { blob: described, .. } = made(blob).blob;
            let path = blob_path(&described.digest);
            let entry = file(&path, described.size);
            match blob {
                Blob::Here(_) => {
                    let path = self.root.join(&path);
                    let content = File::open(&path).map_err(|source| failed("read", &path, source))?;
                    writer.append_file(&entry, &mut counter.reading(content)).map_err(archive)?;
                }
                Blob::Made(number) => {
                    let write = |sink: &mut Gathering<W>| {
                        if skip(sink, *number).map_err(|source| archive(TarError::Write(source)))? {
                            counter.count(described.size);
                            return Ok(described.size);
                        }
                        self.recipes[*number].make_again(&blobs[*number], &counter, sink, to)
                    };
                    writer.append_made(&entry, None, write).map_err(archive)??;
                }
            }
        }
        for (path, bytes) in &documents.files {
            writer.append_file(&file(path, bytes.len() as u64), &mut &bytes[..]).map_err(archive)?;
        }
        let sink = writer.finish().map_err(archive)?;
        let sink = sink.finish().map_err(|source| archive(TarError::Write(source)))?;
        counter.complete();
        Ok((written(documents.digests, layers), sink))
    }
}

/// Takes a layer for an archive.
fn taken<'a>(
    ready: Ready<'a>,
    image: Image<'a>,
    root: &Path,
    recipes: &mut Recipes<'a>,
) -> Result<Blob, WriteError> {
    Ok(match ready {
        Ready::Known(layer, step, blob) => Blob::Made(recipes.known(layer, step, image, blob)),
        Ready::Unpacked(layer, step) if layers::is_large_and_plain(layer, step, image, root)? => {
            Blob::Made(recipes.unknown(layer, step, image)?)
        }
        Ready::Unpacked(..) | Ready::Base(_) | Ready::Packed(..) => {
            Blob::Here(layers::put_one(ready, image, root)?)
        }
    })
}

/// The directories of a layout.
fn begin(writer: &mut TarWriter<impl Write>) -> Result<(), TarError> {
    ["blobs", "blobs/sha256"].into_iter().try_for_each(|path| {
        let kind = EntryKind::Directory;
        writer.append(&Entry { path: path.as_bytes(), kind, mode: 0o755, uid: 0, gid: 0 })
    })
}

fn file(path: &str, size: u64) -> Entry<'_> {
    Entry { path: path.as_bytes(), kind: EntryKind::File { size }, mode: 0o644, uid: 0, gid: 0 }
}

/// Counts bytes, to know where the next one goes.
struct Place(u64);

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
