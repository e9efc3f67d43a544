//! Unpacks the members of packages, by the ending of their names.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

/// The bytes of the member `name`, whose packed ones are `packed`; nothing where the ending is none
/// that packages have.
pub fn unpacked<'r>(name: &str, packed: impl Read + 'r) -> io::Result<Option<Box<dyn Read + 'r>>> {
    let packed = BufReader::with_capacity(1 << 16, packed);
    Ok(match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("tar") => Some(Box::new(packed)),
        Some("gz") => Some(Box::new(MultiGzDecoder::new(packed))),
        Some("xz") => Some(Box::new(XzReader::new(packed, true))),
        Some("zst") => Some(Box::new(StreamingDecoder::new(packed).map_err(io::Error::other)?)),
        Some(_) | None => None,
    })
}
