//! Whether a layer is worth compressing, from a look at some of it.
//!
//! Weights of models do not compress, and a processor spends ten times as long on trying as on
//! hashing them. What is looked at is the same for the same layer: of the largest files a part that
//! is past their headers, and what the archive adds to files, which always compresses.

use std::cmp::Reverse;
use std::io::{self, Read};

use cogpack_backends_contract::content::{Content, ContentSource};

use crate::compression::gzip;
use crate::layer::{Bytes, EntryKind, Layer, LayerWriteError, open};
use crate::tar::TarError;

/// How many files are looked into at most.
const FILES: usize = 32;
/// What is read of a file; the last quarter of it is weighed. The header of a file of weights lists
/// its tensors as text, some hundred kilobytes of it.
const LOOK: u64 = 1024 * 1024;
/// The level at which it is weighed: whether it compresses, not how well.
const FAST: i32 = 1;
/// Saving less than one part in this many is not worth the time, here and wherever it is unpacked.
const WORTH: u64 = 20;
/// The header of an entry in an archive, and what its content is padded to.
const TAR_BLOCK: u64 = 512;

/// Whether compressing saves a twentieth of the layer.
pub fn compresses(layer: &Layer, source: &dyn ContentSource) -> Result<bool, LayerWriteError> {
    // The largest so far, of files of one size the first in the layer.
    let mut files: Vec<(Reverse<u64>, Content)> = Vec::new();
    let (mut total, mut saved) = (0, 0);
    layer.each(|entry| {
        let size = match entry.kind {
            EntryKind::File(_, bytes) => {
                let size = bytes.size();
                let place = files.partition_point(|(other, _)| *other <= Reverse(size));
                if place < FILES {
                    files.truncate(FILES - 1);
                    files.insert(place, (Reverse(size), bytes.into()));
                }
                size
            }
            EntryKind::Directory(_)
            | EntryKind::Symlink(..)
            | EntryKind::Special(..)
            | EntryKind::Whiteout => 0,
        };
        let around = TAR_BLOCK + size.next_multiple_of(TAR_BLOCK) - size;
        total += size + around;
        saved += around;
    });
    let (mut seen, mut seen_saved) = (0, 0);
    for (Reverse(size), bytes) in &files {
        if *size == 0 {
            continue;
        }
        let (looked_at, compressed) = look(bytes, *size, source)?;
        seen += size;
        // As much of all of it as of what was looked at.
        let spared = looked_at.saturating_sub(compressed);
        seen_saved += u64::try_from(u128::from(*size) * u128::from(spared) / u128::from(looked_at.max(1)))
            .unwrap_or(u64::MAX);
    }
    let content = total - saved;
    if seen > 0 {
        saved += u64::try_from(u128::from(content) * u128::from(seen_saved) / u128::from(seen))
            .unwrap_or(u64::MAX);
    }
    Ok(saved >= total / WORTH)
}

/// How many bytes of a file were weighed, and how many they are compressed. A file that changes
/// meanwhile is noticed when it is packed.
fn look(content: &Content, size: u64, source: &dyn ContentSource) -> Result<(u64, u64), LayerWriteError> {
    let bytes = match content {
        Content::Inline(content) => Bytes::Inline(content),
        Content::Context(file) => Bytes::Context(file),
        Content::Kept(file) => Bytes::Kept(file),
        // No layer that is made has one.
        Content::Layer(_) => return Ok((0, 0)),
    };
    let opened = open(source, bytes)?;
    weighed(opened.bytes, size.min(LOOK)).map_err(|source| {
        let path = match bytes {
            Bytes::Inline(_) => String::new(),
            Bytes::Context(file) => String::from_utf8_lossy(&file.path()).into_owned(),
            Bytes::Kept(file) => String::from_utf8_lossy(&file.path).into_owned(),
        };
        TarError::Read { path, source }.into()
    })
}

fn weighed(content: impl Read, most: u64) -> io::Result<(u64, u64)> {
    let mut head = Vec::new();
    content.take(most).read_to_end(&mut head)?;
    let weighed = &head[head.len() - head.len().div_ceil(4)..];
    let mut compressor = gzip(FAST);
    let mut compressed = vec![0; compressor.deflate_compress_bound(weighed.len())];
    let size = compressor.deflate_compress(weighed, &mut compressed).map_err(io::Error::other)?;
    Ok((weighed.len() as u64, size as u64))
}
