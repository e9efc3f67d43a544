//! The name that a shared library says it has.

use std::io;

/// What is asked of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// The machine's number in ELF.
    pub machine: u16,
    /// The name under which programs ask for it; nothing where it does not say one.
    pub soname: Option<Vec<u8>>,
}

const SHARED: u16 = 3;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const NEEDED_TABLE: u64 = 5;
const SONAME: u64 = 14;
/// Real ones have a dozen segments, and some hundred entries.
const MOST_SEGMENTS: usize = 1 << 10;
const LONGEST_DYNAMIC: u64 = 1 << 20;
const LONGEST_NAME: usize = 1 << 10;

/// Reads a library by `read`, which is asked for bytes from an offset on and gives fewer at the
/// file's end. Nothing for what is no shared library of a 64-bit machine whose low byte comes first.
pub fn library(read: impl Fn(u64, usize) -> io::Result<Vec<u8>>) -> io::Result<Option<Library>> {
    let header = read(0, 64)?;
    let is_known = header.len() == 64 && header[..6] == *b"\x7fELF\x02\x01";
    if !is_known || short(&header, 16) != Some(SHARED) {
        return Ok(None);
    }
    let (Some(machine), Some(table), Some(count)) =
        (short(&header, 18), long(&header, 32), short(&header, 56))
    else {
        return Ok(None);
    };
    let count = usize::from(count).min(MOST_SEGMENTS);
    let segments = read(table, count * 56)?;
    let segments: Vec<Segment> = segments.chunks_exact(56).filter_map(Segment::read).collect();
    let Some(dynamic) = segments.iter().find(|segment| segment.kind == DYNAMIC) else {
        return Ok(None);
    };
    let length = usize::try_from(dynamic.size.min(LONGEST_DYNAMIC)).unwrap_or(0);
    let (mut names, mut soname) = (None, None);
    for entry in read(dynamic.offset, length)?.chunks_exact(16) {
        match long(entry, 0) {
            Some(0) => break,
            Some(NEEDED_TABLE) => names = long(entry, 8),
            Some(SONAME) => soname = long(entry, 8),
            Some(_) | None => {}
        }
    }
    let place = names.zip(soname).and_then(|(names, at)| {
        let holds = |segment: &&Segment| {
            segment.kind == LOAD && names >= segment.address && names - segment.address < segment.size
        };
        let segment = segments.iter().find(holds)?;
        (names - segment.address).checked_add(segment.offset)?.checked_add(at)
    });
    let soname = match place {
        Some(place) => {
            let bytes = read(place, LONGEST_NAME)?;
            let end = bytes.iter().position(|byte| *byte == 0);
            end.filter(|end| *end > 0).map(|end| bytes[..end].to_vec())
        }
        None => None,
    };
    Ok(Some(Library { machine, soname }))
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

impl Segment {
    fn read(bytes: &[u8]) -> Option<Self> {
        let kind = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
        Some(Self { kind, offset: long(bytes, 8)?, address: long(bytes, 16)?, size: long(bytes, 32)? })
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
