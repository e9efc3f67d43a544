//! Unpacks the members of packages, by the ending of their names, and tells how much memory that takes.

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

/// The most that a member may have its reader keep: `xz -9` asks for as much, and no level of what makes packages
/// for more.
pub const LARGEST_WINDOW: u64 = 64 << 20;

/// How many bytes of what it has unpacked a reader of the member `name` keeps, since what follows may repeat
/// them: by what its first bytes say of its first block or frame, of which there is but one as a rule. Nothing
/// where they say nothing that is known, or cannot be read.
pub fn window_of(name: &str, packed: impl Read) -> Option<u64> {
    // Headers of blocks and frames with all that they may say are no longer.
    const HEAD: u64 = 64;
    let mut head = Vec::new();
    packed.take(HEAD).read_to_end(&mut head).ok()?;
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("xz") => xz_window(&head),
        Some("zst") => zstd_window(&head),
        // DEFLATE looks back 32 KiB (RFC 1951, section 2).
        Some("gz") => Some(32 << 10),
        Some(_) | None => None,
    }
}

/// The dictionary of LZMA2, the last filter of the first block (the .xz file format 1.2.1, sections 3.1 and 5.3.1).
fn xz_window(head: &[u8]) -> Option<u64> {
    const STREAM_HEADER: usize = 12;
    const LZMA2: u64 = 0x21;
    let block = head.get(STREAM_HEADER..)?;
    let (flags, mut rest) = (*block.get(1)?, block.get(2..)?);
    for is_there in [flags & 0x40, flags & 0x80] {
        if is_there != 0 {
            xz_number(&mut rest)?;
        }
    }
    for _ in 0..=flags & 3 {
        let (filter, length) = (xz_number(&mut rest)?, xz_number(&mut rest)?);
        let (properties, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        rest = behind;
        if filter == LZMA2 {
            let bits = *properties.first()?;
            return match bits {
                0..=39 => Some(u64::from(2 | bits & 1) << (bits / 2 + 11)),
                40 => Some(u64::from(u32::MAX)),
                _ => None,
            };
        }
    }
    None
}

/// A number in groups of seven bits, the lowest first (section 1.2).
fn xz_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for group in 0..9 {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The window of a frame, or all of its content where that is one segment (RFC 8878, section 3.1.1.1).
fn zstd_window(head: &[u8]) -> Option<u64> {
    const MAGIC: usize = 4;
    const IS_ONE_SEGMENT: u8 = 0x20;
    let (descriptor, rest) = head.get(MAGIC..)?.split_first()?;
    if descriptor & IS_ONE_SEGMENT == 0 {
        let window = rest.first()?;
        let base = 1u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let (length, more) = [(1, 0), (2, 256), (4, 0), (8, 0)][usize::from(descriptor >> 6)];
    let size = rest.get(dictionary..dictionary + length)?;
    let number = size.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    number.checked_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What begins a file that `xz` made with these filters: the flags of a block, and what follows them.
    fn xz(flags: u8, filters: &[u8]) -> Vec<u8> {
        [b"\xfd7zXZ\0\0\x04\0\0\0\0", &[2, flags][..], filters].concat()
    }

    #[test]
    fn what_is_kept_to_look_back_at_is_told_by_the_first_bytes() {
        let mib = |many: u64| Some(many << 20);
        for (name, head, expected) in [
            // `xz -6`, `-9`, `-0` with sizes in its block, and behind the filter for x86.
            ("data.tar.xz", xz(0, &[0x21, 1, 22]), mib(8)),
            ("data.tar.xz", xz(0, &[0x21, 1, 28]), mib(64)),
            ("data.tar.xz", xz(0xc0, &[0x80, 0x01, 0x80, 0x80, 0x01, 0x21, 1, 12]), Some(256 << 10)),
            ("data.tar.xz", xz(1, &[4, 0, 0x21, 1, 23]), mib(12)),
            ("data.tar.xz", xz(0, &[0x21, 1, 40]), Some(0xffff_ffff)),
            ("data.tar.xz", xz(0, &[0x21, 1, 41]), None),
            ("data.tar.xz", xz(0, &[3, 1]), None),
            ("data.tar.xz", xz(0, &[0x80; 12]), None),
            ("data.tar.xz", Vec::new(), None),
            // `zstd -19`, and one of which the size stands there.
            ("data.tar.zst", b"\x28\xb5\x2f\xfd\x04\x68".to_vec(), mib(8)),
            ("data.tar.zst", b"\x28\xb5\x2f\xfd\x60\x00\x01".to_vec(), Some(512)),
            (
                "data.tar.zst",
                b"\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
                Some(u64::MAX),
            ),
            ("data.tar.zst", b"\x28\xb5".to_vec(), None),
            ("data.tar.gz", Vec::new(), Some(32 << 10)),
            ("data.tar", Vec::new(), None),
        ] {
            assert_eq!(window_of(name, &head[..]), expected, "{name}: {head:x?}");
        }
    }
}
