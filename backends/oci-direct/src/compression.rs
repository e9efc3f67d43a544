//! How layers are compressed: what is asked for, what a layer then has, and one block of it.
//!
//! A layer is cut into blocks of one size, and each is compressed by itself, so that several can
//! be at once. The bytes follow from the layer's bytes alone, whatever compressed them and when:
//! gzip is one member (RFC 1952) whose blocks each end at a byte boundary without a window into
//! the one before; Zstandard is one frame a block (RFC 8878, section 3: frames follow each other).

use std::io;

use flate2::{Compress, Compression as Level, Crc, FlushCompress, Status};

use crate::documents::media;

/// The bytes of a block. The window of gzip is 32 KiB, so that beginning anew costs 0.2 % of the
/// size of Python packages (measured with 390 MB of them).
pub const BLOCK: usize = 1 << 20;

/// The level of gzip: what other builders use, so that sizes compare.
const GZIP_LEVEL: u32 = 6;
/// The level of Zstandard, the default of its own tool.
const ZSTD_LEVEL: i32 = 3;

/// RFC 1952: magic, deflate, no flags, no time, no extra flags, "unknown" as the system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// RFC 1951: a last block that holds nothing but its end.
const GZIP_END: [u8; 2] = [3, 0];

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

    /// What a layer begins with.
    pub(crate) fn header(self) -> &'static [u8] {
        match self {
            Self::Gzip => &GZIP_HEADER,
            Self::Zstd | Self::Plain => &[],
        }
    }

    /// What a layer ends with, when this was its checksum and length.
    pub(crate) fn trailer(self, checksum: &Crc) -> Vec<u8> {
        match self {
            Self::Gzip => {
                let mut trailer = GZIP_END.to_vec();
                trailer.extend_from_slice(&checksum.sum().to_le_bytes());
                trailer.extend_from_slice(&checksum.amount().to_le_bytes());
                trailer
            }
            Self::Zstd | Self::Plain => Vec::new(),
        }
    }
}

/// A block as it is in a layer.
#[derive(Debug, Default)]
pub(crate) struct CodedBlock {
    pub(crate) bytes: Vec<u8>,
    /// Of the bytes before they were compressed, where the layer says it at its end.
    pub(crate) checksum: Crc,
}

/// Compresses blocks, one after the other, none depending on those before.
pub(crate) enum BlockCoder {
    Gzip(Box<Compress>),
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

impl BlockCoder {
    /// For layers that are compressed like that; nothing for those that are not.
    pub(crate) fn new(coding: Coding) -> io::Result<Option<Self>> {
        Ok(match coding {
            Coding::Gzip => Some(Self::Gzip(Box::new(Compress::new(Level::new(GZIP_LEVEL), false)))),
            Coding::Zstd => Some(Self::Zstd(Box::new(zstd::bulk::Compressor::new(ZSTD_LEVEL)?))),
            Coding::Plain => None,
        })
    }

    /// One block.
    pub(crate) fn code(&mut self, block: &[u8]) -> io::Result<CodedBlock> {
        match self {
            Self::Gzip(deflate) => {
                let mut checksum = Crc::new();
                checksum.update(block);
                Ok(CodedBlock { bytes: deflated(deflate, block)?, checksum })
            }
            Self::Zstd(compressor) => {
                Ok(CodedBlock { bytes: compressor.compress(block)?, checksum: Crc::new() })
            }
        }
    }
}

/// A block of deflate that ends at a byte boundary, and says that more may follow.
fn deflated(deflate: &mut Compress, block: &[u8]) -> io::Result<Vec<u8>> {
    deflate.reset();
    let mut bytes = Vec::with_capacity(block.len() / 2 + 1024);
    loop {
        let left = &block[deflate.total_in() as usize..];
        match deflate.compress_vec(left, &mut bytes, FlushCompress::Sync)? {
            // Only a flush that left room to spare has nothing more to say.
            Status::Ok | Status::BufError | Status::StreamEnd if bytes.len() < bytes.capacity() => {
                return Ok(bytes);
            }
            Status::Ok | Status::BufError | Status::StreamEnd => bytes.reserve(bytes.capacity()),
        }
    }
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
            let coded = blocks.map(|block| coder.code(block).expect("memory is enough").bytes);
            assert_eq!(coded[0], coded[2], "{coding:?}");
            assert!(coded[1].len() < 1_000, "{coding:?}");
        }
    }

    #[test]
    fn blocks_that_grow_are_whole() {
        // Bytes that follow no rule, of lengths around what is first set aside for them.
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .take(5_000)
        .collect();
        let mut deflate = Compress::new(Level::new(GZIP_LEVEL), false);
        for length in (0..noise.len()).filter(|length| length % 17 == 0 || (1_900..2_200).contains(length)) {
            let mut bytes = deflated(&mut deflate, &noise[..length]).expect("memory is enough");
            bytes.extend_from_slice(&GZIP_END);
            let mut plain = Vec::new();
            let mut reader = flate2::read::DeflateDecoder::new(&bytes[..]);
            io::Read::read_to_end(&mut reader, &mut plain).expect("is deflate");
            assert_eq!(plain, noise[..length], "{length}");
        }
    }
}
