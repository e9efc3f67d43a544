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

/// The usual level of gzip: the lowest of libdeflate's that makes layers as small as `gzip -6` does, the
/// default of that tool (measured with Python packages, and with a system's libraries).
const GZIP_LEVEL: i32 = 5;
/// The usual level of Zstandard, the default of its own tool.
const ZSTD_LEVEL: i32 = 3;

/// By what the layers of an image are to be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
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

impl Method {
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
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Its lowest, its usual and its highest level, as the compressor counts them: the higher, the
    /// smaller the layers, and the longer they take. Nothing where nothing is compressed.
    pub fn levels(self) -> Option<[i32; 3]> {
        match self {
            Self::Auto | Self::Gzip => Some([1, GZIP_LEVEL, 12]),
            Self::Zstd => Some([1, ZSTD_LEVEL, 22]),
            Self::None => None,
        }
    }
}

/// How the layers of an image are to be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    method: Method,
    /// Always one that the method has.
    level: i32,
}

/// Why layers cannot be compressed at a level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchLevel {
    /// It is out of the method's range, or no number.
    #[error("`{}` has no level `{asked}`: it has those from {lowest} to {highest}", method.name())]
    Range {
        /// The method.
        method: Method,
        /// What was asked for.
        asked: String,
        /// The lowest that there is.
        lowest: i32,
        /// The highest.
        highest: i32,
    },
    /// Nothing is compressed.
    #[error("`none` has no level, because it compresses nothing")]
    Uncompressed,
}

impl Compression {
    /// At the level that is written there.
    pub fn at(method: Method, asked: &str) -> Result<Self, NoSuchLevel> {
        let [lowest, _, highest] = method.levels().ok_or(NoSuchLevel::Uncompressed)?;
        match asked.parse() {
            Ok(level) if (lowest..=highest).contains(&level) => Ok(Self { method, level }),
            Ok(_) | Err(_) => Err(NoSuchLevel::Range { method, asked: asked.to_owned(), lowest, highest }),
        }
    }

    /// What the bytes of a layer depend on, beside what is in it.
    pub fn packing(self) -> String {
        format!("{} {}", self.method.name(), self.level)
    }

    /// How a layer is compressed, of which it may be asked whether gzip makes it smaller.
    pub fn coding<E>(self, compresses: impl FnOnce() -> Result<bool, E>) -> Result<Coding, E> {
        let level = self.level;
        Ok(match self.method {
            Method::Gzip => Coding::Gzip { level },
            Method::Zstd => Coding::Zstd { level },
            Method::None => Coding::Plain,
            Method::Auto if compresses()? => Coding::Gzip { level },
            Method::Auto => Coding::Plain,
        })
    }
}

/// At the usual level.
impl From<Method> for Compression {
    fn from(method: Method) -> Self {
        let level = method.levels().map_or(0, |[_, usual, _]| usual);
        Self { method, level }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Method::default().into()
    }
}

/// How one layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// With gzip.
    Gzip {
        /// How hard.
        level: i32,
    },
    /// With Zstandard.
    Zstd {
        /// How hard.
        level: i32,
    },
    /// Not at all: the blob is the archive.
    Plain,
}

impl Coding {
    /// The media type of such a layer.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Gzip { .. } => media::LAYER_GZIP,
            Self::Zstd { .. } => media::LAYER_ZSTD,
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
            Coding::Gzip { level } => {
                Some(Self::Gzip { compressor: Box::new(gzip(level)), room: Vec::new() })
            }
            Coding::Zstd { level } => Some(Self::Zstd(Box::new(zstd::bulk::Compressor::new(level)?))),
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
        for method in Method::ALL {
            assert_eq!(Method::named(method.name()), Some(method));
        }
        assert_eq!(Method::named("uncompressed"), Some(Method::None));
        assert_eq!(Method::named("estargz"), None);
    }

    #[test]
    fn each_level_is_another_packing_and_its_layers_are_what_went_in() {
        // Words that come again, in no order.
        let mut state = 1u64;
        let words = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) % 900 * 7_919).to_string().into_bytes()
        });
        let text = words.take(40_000).collect::<Vec<_>>().concat();
        let mut packings = Vec::new();
        for method in Method::ALL {
            let Some([lowest, usual, highest]) = method.levels() else { continue };
            for none in [lowest - 1, highest + 1] {
                let refused = Compression::at(method, &none.to_string()).expect_err("is no level");
                assert!(refused.to_string().contains(&format!("from {lowest} to {highest}")), "{refused}");
            }
            assert!(Compression::at(method, "fast").is_err());
            let mut sizes = Vec::new();
            for level in lowest..=highest {
                let compression = Compression::at(method, &level.to_string()).expect("is a level");
                assert_eq!(compression == method.into(), level == usual, "{compression:?}");
                packings.push(compression.packing());
                let coding = compression.coding(|| Ok::<_, io::Error>(true)).expect("does not fail");
                let mut coder = BlockCoder::new(coding).expect("can be made").expect("compresses");
                let bytes = coder.code(&text).expect("memory is enough");
                let mut plain = Vec::new();
                match coding {
                    Coding::Gzip { .. } => {
                        let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
                        io::Read::read_to_end(&mut reader, &mut plain).expect("is gzip");
                    }
                    Coding::Zstd { .. } => {
                        plain = zstd::stream::decode_all(&bytes[..]).expect("is Zstandard")
                    }
                    Coding::Plain => panic!("{compression:?} compresses"),
                }
                assert!(plain == text, "{compression:?}");
                sizes.push(bytes.len());
            }
            assert!(sizes.last() < sizes.first(), "{method:?}: {sizes:?}");
        }
        assert_eq!(Compression::at(Method::None, "1"), Err(NoSuchLevel::Uncompressed));
        let count = packings.len();
        packings.sort();
        packings.dedup();
        assert_eq!(packings.len(), count);
    }

    #[test]
    fn a_coder_forgets_the_blocks_before() {
        let blocks: [&[u8]; 3] = [b"one block", &[7; 70_000], b"one block"];
        for coding in [Coding::Gzip { level: GZIP_LEVEL }, Coding::Zstd { level: ZSTD_LEVEL }] {
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
        let mut coder =
            BlockCoder::new(Coding::Gzip { level: GZIP_LEVEL }).expect("can be made").expect("compresses");
        for length in [0, 1, 2, 17, 1_000, 65_535, 65_536, 70_000] {
            let bytes = coder.code(&noise[..length]).expect("memory is enough");
            let mut plain = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
            io::Read::read_to_end(&mut reader, &mut plain).expect("is gzip");
            assert_eq!(plain, noise[..length], "{length}");
        }
    }
}
