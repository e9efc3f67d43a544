//! Layers that were packed before: found again by what they are made of, so that files which have
//! not changed are not read again.
//!
//! What a layer is made of is known by its structure (paths, modes, owners, sizes) and by its
//! files. A file that the disk says nothing new of is the one that was packed; one that it dates
//! otherwise is read and compared by its digest, which is still faster than packing it. A file that
//! had been changed just before it was looked at might have been changed again unseen, so nothing
//! is believed of it, and it is read once more next time: as git does it.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::{ContentSource, ContextFile, DiskStamp, Moment, Stamp};
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_oci_direct::blob::{Blob, LayerBlob};
use cogpack_backends_oci_direct::documents::media;
use cogpack_backends_oci_direct::identity::Identity;
use cogpack_backends_oci_direct::image::WrittenLayer;
use cogpack_content::Digest;
use cogpack_io_store::{Store, StoreError};
use sha2::{Digest as _, Sha256};

use crate::blobs::HashingReader;
use crate::noting::Noting;

/// The last line of what is known of a layer.
const END: &str = "end";

/// A layer that was packed before.
#[derive(Debug, Clone)]
pub struct Packed {
    /// What it was packed into.
    pub layer: WrittenLayer,
    /// Where that is; nowhere where the layer is not compressed, and can be made again as it was.
    pub path: Option<PathBuf>,
}

/// Looks for a layer. Files are read only where the disk says something new of them.
pub fn find(
    store: &Store,
    identity: &Identity<'_>,
    files: &dyn ContentSource,
) -> Result<Option<Packed>, StoreError> {
    let Some(text) = store.layer(&identity.structure, END) else { return Ok(None) };
    let Some(mut known) = Known::read(text.lines()) else { return Ok(None) };
    let Blob { digest, size } = known.layer.blob.blob;
    let path = store.blob_file(&digest, size)?;
    if path.is_none() && known.layer.media_type != media::LAYER {
        return Ok(None);
    }
    let packed = Packed { layer: known.layer.clone(), path };
    let stamps = stamps_of(identity);
    if stamps.is_some() && stamps == known.stamps {
        return Ok(Some(packed));
    }
    let again = |text: &mut dyn Write| {
        let digest_of = |file: &Listed| known.digest_now(file, files).ok_or(NotWritten::Changed);
        match write_known(text, &packed.layer, identity, digest_of) {
            Ok(()) => Ok(known.ends()),
            Err(NotWritten::Changed) => Ok(false),
            Err(NotWritten::By(error)) => Err(error),
        }
    };
    let is_same = store.keep_layer(&identity.structure, &store.work()?, again)?;
    Ok(is_same.then_some(packed))
}

/// Keeps a layer that was packed from files that were opened by `noting`. Its blob is at `path`.
pub fn keep(
    store: &Store,
    identity: &Identity<'_>,
    noting: &Noting<'_>,
    layer: &WrittenLayer,
    path: &Path,
) -> Result<(), StoreError> {
    store.keep_blob_beside(&layer.blob.blob.digest, path, noting.work)?;
    keep_recipe(store, identity, noting, layer)
}

/// Keeps what is known of a layer that is not compressed, without its blob.
pub fn keep_recipe(
    store: &Store,
    identity: &Identity<'_>,
    noting: &Noting<'_>,
    layer: &WrittenLayer,
) -> Result<(), StoreError> {
    let known = |text: &mut dyn Write| {
        let mut notes = noting.notes.borrow_mut();
        let mut notes = notes.read()?;
        write_known(text, layer, identity, |file| notes.of(file)).map(|()| true)
    };
    store.keep_layer(&identity.structure, noting.work, known).map(drop)
}

/// Why nothing is written of a layer.
enum NotWritten {
    /// A file is not what it was.
    Changed,
    /// The disk.
    By(io::Error),
}

impl From<io::Error> for NotWritten {
    fn from(error: io::Error) -> Self {
        Self::By(error)
    }
}

/// What was written of a layer. Of its files no more is read than is needed.
struct Known<L> {
    layer: WrittenLayer,
    /// A digest of what the disk said of all files; nothing where it was not to be believed of one.
    stamps: Option<Digest>,
    /// A line for each file, and the last one.
    files: L,
}

impl<L: Iterator<Item = io::Result<String>>> Known<L> {
    /// Nothing where it cannot be read.
    fn read(mut lines: L) -> Option<Self> {
        let mut line = || lines.next()?.ok();
        let digest = line()?.parse().ok()?;
        let size = line()?.parse().ok()?;
        let diff_id = line()?.parse().ok()?;
        let media_type = line()?;
        let media_type = MEDIA.into_iter().find(|known| *known == media_type)?;
        let stamps = line()?.parse().ok();
        let blob = LayerBlob { blob: Blob { digest, size }, diff_id };
        Some(Self { layer: WrittenLayer { media_type, blob }, stamps, files: lines })
    }

    /// The digest of the next file, if it is known, where it is what it was; nothing where it is not.
    fn digest_now(&mut self, file: &Listed, files: &dyn ContentSource) -> Option<Option<Digest>> {
        let line = self.files.next()?.ok()?;
        let (stamp, digest) = line.split_once(' ')?;
        let digest: Option<Digest> = digest.parse().ok();
        let is_unchanged = stamp != UNKNOWN && stamp == shown(file.stamp());
        let is_same = is_unchanged || (digest.is_some() && digest == hashed(&file.file(), files).ok());
        is_same.then_some(digest)
    }

    /// Whether there were as many files as there are now.
    fn ends(&mut self) -> bool {
        matches!(self.files.next(), Some(Ok(line)) if line == END) && self.files.next().is_none()
    }
}

const MEDIA: [&str; 3] = [media::LAYER_GZIP, media::LAYER_ZSTD, media::LAYER];
const UNKNOWN: &str = "-";

fn write_known<E: From<io::Error>>(
    text: &mut dyn Write,
    layer: &WrittenLayer,
    identity: &Identity<'_>,
    mut digest_of: impl FnMut(&Listed) -> Result<Option<Digest>, E>,
) -> Result<(), E> {
    let LayerBlob { blob, diff_id } = &layer.blob;
    let or_unknown = |digest: Option<Digest>| digest.map_or_else(|| UNKNOWN.to_owned(), |it| it.to_string());
    let stamps = or_unknown(stamps_of(identity));
    write!(text, "{}\n{}\n{diff_id}\n{}\n{stamps}\n", blob.digest, blob.size, layer.media_type)?;
    identity.try_each_file(|file| {
        let digest = or_unknown(digest_of(file)?);
        Ok::<_, E>(writeln!(text, "{} {digest}", shown(file.stamp()))?)
    })?;
    Ok(text.write_all(END.as_bytes())?)
}

/// A stamp as text, where it is to be believed.
fn shown(stamp: &Stamp) -> String {
    match stamp {
        Stamp::Digest(digest) => digest.to_string(),
        Stamp::Disk(stamp) if stamp.settled => {
            let Moment { seconds: modified, nanoseconds: fraction } = stamp.modified;
            let Moment { seconds: changed, nanoseconds: of_change } = stamp.changed;
            let (device, inode) = (stamp.device, stamp.inode);
            format!("{device}:{inode}:{modified}.{fraction}:{changed}.{of_change}")
        }
        Stamp::Disk(_) | Stamp::None => UNKNOWN.to_owned(),
    }
}

/// A digest of the stamps of all files, where all are to be believed.
fn stamps_of(identity: &Identity<'_>) -> Option<Digest> {
    digested(identity, Sha256::new(), |stamp| stamp.settled)
}

/// What layers have in common that are made at one time and come out the same: their structure, and
/// files of which the disk says the same, whenever that was written. Nothing where nobody says anything
/// of a file.
pub fn made_of(identity: &Identity<'_>) -> Option<Digest> {
    let structure = Sha256::new_with_prefix(identity.structure.hex());
    digested(identity, structure, |_| true)
}

/// A digest of the stamps of all files, where all are such as are asked for.
fn digested(
    identity: &Identity<'_>,
    mut hash: Sha256,
    is_asked_for: impl Fn(&DiskStamp) -> bool,
) -> Option<Digest> {
    let all = identity.try_each_file(|file| {
        match file.stamp() {
            Stamp::Digest(digest) => hash.update(digest.hex()),
            Stamp::Disk(stamp) if is_asked_for(stamp) => {
                hash.update(stamp.device.to_le_bytes());
                hash.update(stamp.inode.to_le_bytes());
                for Moment { seconds, nanoseconds } in [stamp.modified, stamp.changed] {
                    hash.update(seconds.to_le_bytes());
                    hash.update(nanoseconds.to_le_bytes());
                }
            }
            Stamp::Disk(_) | Stamp::None => return Err(()),
        }
        Ok(())
    });
    all.ok().map(|()| Digest::from_sha256(hash.finalize().into()))
}

fn hashed(file: &ContextFile, files: &dyn ContentSource) -> io::Result<Digest> {
    let (digest, _) = HashingReader::new(files.open(file)?).finish()?;
    Ok(digest)
}
