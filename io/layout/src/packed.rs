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
use std::io::{self, BufRead, Read, Write};
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
    let Some(text) = store.layer(&identity.structure, END) else { return Ok(None) };
    let Some(known) = Known::read(text.lines()) else { return Ok(None) };
    let Blob { digest, size } = known.layer.blob.blob;
    let Some(path) = store.blob_file(&digest, size) else { return Ok(None) };
    let packed = Packed { layer: known.layer.clone(), path };
    let stamps = stamps_of(&identity.files);
    if stamps.is_some() && stamps == known.stamps {
        return Ok(Some(packed));
    }
    let Some(digests) = known.digests_now(&identity.files, files) else { return Ok(None) };
    let known = |text: &mut dyn Write| write_known(text, &packed.layer, &identity.files, digests.into_iter());
    store.keep_layer(&identity.structure, &store.work()?, known)?;
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
    let digests = identity.files.iter().map(|file| noted.get(&Noted::of(file)).copied());
    let work = store.work()?;
    store.keep_blob_beside(&layer.blob.blob.digest, path, &work)?;
    let known = |text: &mut dyn Write| write_known(text, layer, &identity.files, digests);
    store.keep_layer(&identity.structure, &work, known)
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

    /// The digests of the files where they are what they were; nothing where one is not.
    fn digests_now(mut self, now: &[&ContextFile], files: &dyn ContentSource) -> Option<Vec<Option<Digest>>> {
        let mut digests = Vec::with_capacity(now.len());
        for file in now {
            let line = self.files.next()?.ok()?;
            let (stamp, digest) = line.split_once(' ')?;
            let digest: Option<Digest> = digest.parse().ok();
            let is_unchanged = stamp != UNKNOWN && stamp == shown(&file.stamp);
            if !is_unchanged && (digest.is_none() || digest != hashed(file, files).ok()) {
                return None;
            }
            digests.push(digest);
        }
        (self.files.next()?.ok()? == END && self.files.next().is_none()).then_some(digests)
    }
}

const MEDIA: [&str; 3] = [media::LAYER_GZIP, media::LAYER_ZSTD, media::LAYER];
const UNKNOWN: &str = "-";

fn write_known(
    text: &mut dyn Write,
    layer: &WrittenLayer,
    files: &[&ContextFile],
    digests: impl Iterator<Item = Option<Digest>>,
) -> io::Result<()> {
    let LayerBlob { blob, diff_id } = &layer.blob;
    let or_unknown = |digest: Option<Digest>| digest.map_or_else(|| UNKNOWN.to_owned(), |it| it.to_string());
    let stamps = or_unknown(stamps_of(files));
    write!(text, "{}\n{}\n{diff_id}\n{}\n{stamps}\n", blob.digest, blob.size, layer.media_type)?;
    for (file, digest) in files.iter().zip(digests) {
        writeln!(text, "{} {}", shown(&file.stamp), or_unknown(digest))?;
    }
    text.write_all(END.as_bytes())
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
    digests: RefCell<BTreeMap<Noted, Digest>>,
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
        let hash = Some((Sha256::new(), Noted::of(file)));
        Ok(Box::new(NotingReader { opened, hash, digests: &self.digests }))
    }

    fn open_kept<'o>(&'o self, file: &KeptFile) -> io::Result<KeptContent<'o>> {
        self.files.open_kept(file)
    }
}

/// What a file is noted by: as little as tells it from all others, since there may be a million.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Noted {
    /// The disk and the number that it has there.
    Disk(u64, u64),
    /// All that is known of it.
    Named(Box<ContextFile>),
}

impl Noted {
    fn of(file: &ContextFile) -> Self {
        match &file.stamp {
            Stamp::Disk(stamp) => Self::Disk(stamp.device, stamp.inode),
            Stamp::Digest(_) | Stamp::None => Self::Named(Box::new(file.clone())),
        }
    }
}

struct NotingReader<'o> {
    opened: Box<dyn Read + 'o>,
    /// Until the end.
    hash: Option<(Sha256, Noted)>,
    digests: &'o RefCell<BTreeMap<Noted, Digest>>,
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
