//! Layers that were packed before: found again by what they are made of, so that files which have
//! not changed are not read again.
//!
//! What a layer is made of is known by its structure (paths, modes, owners, sizes) and by its
//! files. A file that the disk says nothing new of is the one that was packed; one that it dates
//! otherwise is read and compared by its digest, which is still faster than packing it. A file that
//! had been changed just before it was looked at might have been changed again unseen, so nothing
//! is believed of it, and it is read once more next time: as git does it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::{ContentSource, ContextFile, KeptContent, KeptFile, Stamp};
use cogpack_backends_oci_direct::blob::{Blob, LayerBlob};
use cogpack_backends_oci_direct::documents::media;
use cogpack_backends_oci_direct::identity::Identity;
use cogpack_backends_oci_direct::image::WrittenLayer;
use cogpack_content::Digest;
use cogpack_io_store::{Store, StoreError};
use sha2::{Digest as _, Sha256};

use crate::blobs::HashingReader;

/// Larger files are known by what the disk says alone: to hash them while they are packed would
/// take a good part of the time that it might save.
const LARGEST_HASHED: u64 = 64 << 20;
/// The last line of what is known of a layer.
const END: &str = "end";

/// A layer that was packed before.
#[derive(Debug, Clone)]
pub struct Packed {
    /// What it was packed into.
    pub layer: WrittenLayer,
    /// Where that is.
    pub path: PathBuf,
}

/// Looks for a layer. Files are read only where the disk says something new of them.
pub fn find(
    store: &Store,
    identity: &Identity<'_>,
    files: &dyn ContentSource,
) -> Result<Option<Packed>, StoreError> {
    let Some(text) = store.layer(&identity.structure) else { return Ok(None) };
    let Some(known) = Known::read(&text) else { return Ok(None) };
    let Blob { digest, size } = known.layer.blob.blob;
    let Some(path) = store.blob_file(&digest, size) else { return Ok(None) };
    let packed = Packed { layer: known.layer.clone(), path };
    let stamps = stamps_of(&identity.files);
    if stamps.is_some() && stamps == known.stamps {
        return Ok(Some(packed));
    }
    let Some(digests) = known.digests_now(&identity.files, files) else { return Ok(None) };
    let text = text_of(&known.layer, &identity.files, &digests);
    store.keep_layer(&identity.structure, &text, &store.work()?)?;
    Ok(Some(packed))
}

/// Keeps a layer that was packed from files that were opened by `noting`. Its blob is at `path`.
pub fn keep(
    store: &Store,
    identity: &Identity<'_>,
    noting: &Noting<'_>,
    layer: &WrittenLayer,
    path: &Path,
) -> Result<(), StoreError> {
    let noted = noting.digests.borrow();
    let digests: Vec<_> = identity.files.iter().map(|file| noted.get(*file).copied()).collect();
    let work = store.work()?;
    store.keep_blob_beside(&layer.blob.blob.digest, path, &work)?;
    store.keep_layer(&identity.structure, &text_of(layer, &identity.files, &digests), &work)
}

/// What was written of a layer.
struct Known<'t> {
    layer: WrittenLayer,
    /// A digest of what the disk said of all files; nothing where it was not to be believed of one.
    stamps: Option<Digest>,
    /// A line for each file.
    files: std::str::Lines<'t>,
}

impl<'t> Known<'t> {
    /// Nothing where half of it is missing.
    fn read(text: &'t str) -> Option<Self> {
        let mut lines = text.strip_suffix(END)?.lines();
        let digest = lines.next()?.parse().ok()?;
        let size = lines.next()?.parse().ok()?;
        let diff_id = lines.next()?.parse().ok()?;
        let media_type = lines.next()?;
        let media_type = MEDIA.into_iter().find(|known| *known == media_type)?;
        let stamps = lines.next()?.parse().ok();
        let blob = LayerBlob { blob: Blob { digest, size }, diff_id };
        Some(Self { layer: WrittenLayer { media_type, blob }, stamps, files: lines })
    }

    /// The digests of the files where they are what they were; nothing where one is not.
    fn digests_now(&self, now: &[&ContextFile], files: &dyn ContentSource) -> Option<Vec<Option<Digest>>> {
        let mut lines = self.files.clone();
        let mut digests = Vec::with_capacity(now.len());
        for file in now {
            let (stamp, digest) = lines.next()?.split_once(' ')?;
            let digest: Option<Digest> = digest.parse().ok();
            let is_unchanged = stamp != UNKNOWN && stamp == shown(&file.stamp);
            if !is_unchanged && (digest.is_none() || digest != hashed(file, files).ok()) {
                return None;
            }
            digests.push(digest);
        }
        lines.next().is_none().then_some(digests)
    }
}

const MEDIA: [&str; 3] = [media::LAYER_GZIP, media::LAYER_ZSTD, media::LAYER];
const UNKNOWN: &str = "-";

fn text_of(layer: &WrittenLayer, files: &[&ContextFile], digests: &[Option<Digest>]) -> String {
    let LayerBlob { blob, diff_id } = &layer.blob;
    let or_unknown = |digest: Option<Digest>| digest.map_or_else(|| UNKNOWN.to_owned(), |it| it.to_string());
    let stamps = or_unknown(stamps_of(files));
    let mut text = format!("{}\n{}\n{diff_id}\n{}\n{stamps}\n", blob.digest, blob.size, layer.media_type);
    for (file, digest) in files.iter().zip(digests) {
        // A string takes whatever is written to it.
        let _ = writeln!(text, "{} {}", shown(&file.stamp), or_unknown(*digest));
    }
    text.push_str(END);
    text
}

/// A stamp as text, where it is to be believed.
fn shown(stamp: &Stamp) -> String {
    match stamp {
        Stamp::Digest(digest) => digest.to_string(),
        Stamp::Disk(stamp) if stamp.settled => {
            let ((modified, fraction), (changed, of_change)) = (stamp.modified, stamp.changed);
            format!("{}:{}:{modified}.{fraction}:{changed}.{of_change}", stamp.device, stamp.inode)
        }
        Stamp::Disk(_) | Stamp::None => UNKNOWN.to_owned(),
    }
}

/// A digest of the stamps of all files, where all are to be believed.
fn stamps_of(files: &[&ContextFile]) -> Option<Digest> {
    let mut hash = Sha256::new();
    for file in files {
        match &file.stamp {
            Stamp::Digest(digest) => hash.update(digest.hex()),
            Stamp::Disk(stamp) if stamp.settled => {
                hash.update(stamp.device.to_le_bytes());
                hash.update(stamp.inode.to_le_bytes());
                for (seconds, nanoseconds) in [stamp.modified, stamp.changed] {
                    hash.update(seconds.to_le_bytes());
                    hash.update(nanoseconds.to_le_bytes());
                }
            }
            Stamp::Disk(_) | Stamp::None => return None,
        }
    }
    Some(Digest::from_sha256(hash.finalize().into()))
}

fn hashed(file: &ContextFile, files: &dyn ContentSource) -> io::Result<Digest> {
    let (digest, _) = HashingReader::new(files.open(file)?).finish()?;
    Ok(digest)
}

/// Opens files, and notes the digests of those that are read to their end.
pub struct Noting<'s> {
    files: &'s dyn ContentSource,
    digests: RefCell<BTreeMap<ContextFile, Digest>>,
}

impl<'s> Noting<'s> {
    /// Opens the files of `files`.
    pub fn new(files: &'s dyn ContentSource) -> Self {
        Self { files, digests: RefCell::default() }
    }
}

impl ContentSource for Noting<'_> {
    fn open<'o>(&'o self, file: &ContextFile) -> io::Result<Box<dyn Read + 'o>> {
        let opened = self.files.open(file)?;
        if file.size > LARGEST_HASHED {
            return Ok(opened);
        }
        let hash = Some((Sha256::new(), file.clone()));
        Ok(Box::new(NotingReader { opened, hash, digests: &self.digests }))
    }

    fn open_kept<'o>(&'o self, file: &KeptFile) -> io::Result<KeptContent<'o>> {
        self.files.open_kept(file)
    }
}

struct NotingReader<'o> {
    opened: Box<dyn Read + 'o>,
    /// Until the end.
    hash: Option<(Sha256, ContextFile)>,
    digests: &'o RefCell<BTreeMap<ContextFile, Digest>>,
}

impl Read for NotingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.opened.read(buffer)?;
        if count > 0 {
            if let Some((hash, _)) = &mut self.hash {
                hash.update(&buffer[..count]);
            }
        } else if !buffer.is_empty()
            && let Some((hash, file)) = self.hash.take()
        {
            self.digests.borrow_mut().insert(file, Digest::from_sha256(hash.finalize().into()));
        }
        Ok(count)
    }
}
