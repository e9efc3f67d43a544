//! Compresses a layer and takes both its digests, in one pass and in bounded memory.
//!
//! The compressed bytes follow from the layer's bytes alone: gzip level 6, no name, no time,
//! "unknown" as the system, and the compressor fed in blocks of one size however the layer
//! arrives.

use std::io::{self, Write};

use cogpack_content::Digest;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

/// The level of every layer: what other builders use, so sizes compare.
const LEVEL: u32 = 6;
/// RFC 1952's number for a system that is not told.
const UNKNOWN_SYSTEM: u8 = 255;
const BLOCK: usize = 64 * 1024;

/// What is known of a blob once it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
}

/// A layer's blob, and what it is uncompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerBlob {
    /// The compressed bytes.
    pub blob: Blob,
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
}

/// Passes bytes on, and hashes and counts them.
pub struct HashingWriter<W> {
    sink: W,
    hash: Sha256,
    size: u64,
}

impl<W: Write> HashingWriter<W> {
    /// In front of `sink`.
    pub fn new(sink: W) -> Self {
        Self { sink, hash: Sha256::new(), size: 0 }
    }

    /// The sink, and what went into it.
    pub fn finish(self) -> (W, Blob) {
        (self.sink, Blob { digest: Digest::from_sha256(self.hash.finalize().into()), size: self.size })
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.sink.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Takes an uncompressed layer and passes its gzip form on.
pub struct LayerWriter<W: Write> {
    compressor: GzEncoder<HashingWriter<W>>,
    diff: Sha256,
    block: Vec<u8>,
}

impl<W: Write> LayerWriter<W> {
    /// In front of `sink`.
    pub fn new(sink: W) -> Self {
        let compressor = GzBuilder::new()
            .operating_system(UNKNOWN_SYSTEM)
            .write(HashingWriter::new(sink), Compression::new(LEVEL));
        Self { compressor, diff: Sha256::new(), block: Vec::with_capacity(BLOCK) }
    }

    /// Ends the layer: the sink, and what went into it.
    pub fn finish(mut self) -> io::Result<(W, LayerBlob)> {
        self.pass_on()?;
        let (sink, blob) = self.compressor.finish()?.finish();
        let diff_id = Digest::from_sha256(self.diff.finalize().into());
        Ok((sink, LayerBlob { blob, diff_id }))
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.diff.update(&self.block);
        self.compressor.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

impl<W: Write> Write for LayerWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            self.pass_on()?;
        }
        let count = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// Does nothing: a flush in the middle would show in the compressed bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn layer(pieces: &[&[u8]]) -> (Vec<u8>, LayerBlob) {
        let mut writer = LayerWriter::new(Vec::new());
        for piece in pieces {
            writer.write_all(piece).expect("a vector takes all");
            writer.flush().expect("does nothing");
        }
        writer.finish().expect("a vector takes all")
    }

    #[test]
    fn both_digests_are_those_of_the_bytes() {
        let (bytes, layer) = layer(&[b"some ", b"layer"]);
        assert_eq!(layer.blob, Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 });
        assert_eq!(layer.diff_id, Digest::of(b"some layer"));
        let mut plain = Vec::new();
        GzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("is gzip");
        assert_eq!(plain, b"some layer");
    }

    #[test]
    fn the_bytes_do_not_depend_on_how_the_layer_arrives() {
        let content: Vec<u8> =
            (0..300_000u32).map(|number| (number.wrapping_mul(number) >> 7) as u8).collect();
        let whole = layer(&[&content]);
        for size in [1_000, 65_535, 65_537] {
            assert_eq!(layer(&content.chunks(size).collect::<Vec<_>>()), whole, "{size}");
        }
    }

    #[test]
    fn the_gzip_header_names_no_time_and_no_system() {
        let (bytes, _) = layer(&[b"x"]);
        assert_eq!(&bytes[..10], b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
    }
}
