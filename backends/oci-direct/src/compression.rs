//! How layers are compressed: what is asked for, what a layer then has, and one block of it.
//!
//! A layer is cut into blocks of one size, and each is compressed by itself, so that several can
//! be at once. The bytes follow from the layer's bytes alone, whatever compressed them and when:
//! a block is a member of gzip (RFC 1952, section 2.2: members follow each other) or a frame of
//! Zstandard (RFC 8878, section 3: so do frames).

use std::io;

use libdeflater::{CompressionLvl, Compressor as Gzip};

use crate::documents::media;

/// The bytes of a block. The window of gzip is 32 KiB, so that beginning anew costs 0.2 % of the
/// size of Python packages (measured with 390 MB of them), header and checksum of a member included.
pub const BLOCK: usize = 1 << 20;

/// The level of gzip: the lowest of libdeflate's that makes layers as small as `gzip -6` does, the
/// default of that tool (measured with Python packages, and with a system's libraries).
const GZIP_LEVEL: i32 = 5;
/// The level of Zstandard, the default of its own tool.
const ZSTD_LEVEL: i32 = 3;

/// How the layers of an image are to be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// With gzip what compresses, and not at all what does not.
    #[default]
    Auto,
    /// All with gzip.
    Gzip,
    /// All with Zstandard.
    Zstd,
    /// None of them.
    None,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Gzip, Self::Zstd, Self::None];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::None => "none",
        }
    }

    /// The one that is called that. BuildKit says `uncompressed` for `none`.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "uncompressed" { "none" } else { name };
        Self::ALL.into_iter().find(|compression| compression.name() == name)
    }
}

/// How one layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// With gzip.
    Gzip,
    /// With Zstandard.
    Zstd,
    /// Not at all: the blob is the archive.
    Plain,
}

impl Coding {
    /// The media type of such a layer.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Gzip => media::LAYER_GZIP,
            Self::Zstd => media::LAYER_ZSTD,
            Self::Plain => media::LAYER,
        }
    }
}

/// Compresses blocks, one after the other, none depending on those before.
pub(crate) enum BlockCoder {
    Gzip { compressor: Box<Gzip>, room: Vec<u8> },
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

impl BlockCoder {
    /// For layers that are compressed like that; nothing for those that are not.
    pub(crate) fn new(coding: Coding) -> io::Result<Option<Self>> {
        Ok(match coding {
            Coding::Gzip => Some(Self::Gzip { compressor: Box::new(gzip(GZIP_LEVEL)), room: Vec::new() }),
            Coding::Zstd => Some(Self::Zstd(Box::new(zstd::bulk::Compressor::new(ZSTD_LEVEL)?))),
            Coding::Plain => None,
        })
    }

    /// One block.
    pub(crate) fn code(&mut self, block: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip { compressor, room } => {
                room.resize(compressor.gzip_compress_bound(block.len()), 0);
                let size = compressor.gzip_compress(block, room).map_err(io::Error::other)?;
                Ok(room[..size].to_vec())
            }
            Self::Zstd(compressor) => compressor.compress(block),
        }
    }
}

/// A compressor of that level; the fastest where the library has no such level.
pub(crate) fn gzip(level: i32) -> Gzip {
    Gzip::new(CompressionLvl::new(level).unwrap_or_else(|_| CompressionLvl::fastest()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known() {
        for compression in Compression::ALL {
            assert_eq!(Compression::named(compression.name()), Some(compression));
        }
        assert_eq!(Compression::named("uncompressed"), Some(Compression::None));
        assert_eq!(Compression::named("estargz"), None);
    }

    #[test]
    fn a_coder_forgets_the_blocks_before() {
        let blocks: [&[u8]; 3] = [b"one block", &[7; 70_000], b"one block"];
        for coding in [Coding::Gzip, Coding::Zstd] {
            let mut coder = BlockCoder::new(coding).expect("can be made").expect("compresses");
            let coded = blocks.map(|block| coder.code(block).expect("memory is enough"));
            assert_eq!(coded[0], coded[2], "{coding:?}");
            assert!(coded[1].len() < 1_000, "{coding:?}");
        }
    }

    #[test]
    fn blocks_that_grow_are_whole() {
        // Bytes that follow no rule.
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .take(70_000)
        .collect();
        let mut coder = BlockCoder::new(Coding::Gzip).expect("can be made").expect("compresses");
        for length in [0, 1, 2, 17, 1_000, 65_535, 65_536, 70_000] {
            let bytes = coder.code(&noise[..length]).expect("memory is enough");
            let mut plain = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
            io::Read::read_to_end(&mut reader, &mut plain).expect("is gzip");
            assert_eq!(plain, noise[..length], "{length}");
        }
    }
}
