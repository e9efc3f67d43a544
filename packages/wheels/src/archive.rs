//! A wheel as a list of files that can be read one by one, wherever their bytes are.

use std::io::{self, Read};

/// A file of a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: relative, `/` between components, none of which is empty, `.` or `..`.
    pub name: String,
    /// How many bytes it says it has.
    pub size: u64,
    /// Whether somebody may execute it.
    pub is_executable: bool,
}

/// A wheel whose files can be read.
pub trait Archive {
    /// Its files, each name once.
    fn entries(&self) -> &[Entry];

    /// The bytes of the file at that place of [`Archive::entries`]. A file that is longer or
    /// shorter than it says ends in an error.
    fn open(&self, index: usize) -> io::Result<Box<dyn Read + '_>>;
}

/// Reads a whole file of at most `limit` bytes.
pub fn read_whole(archive: &dyn Archive, index: usize, limit: u64) -> io::Result<Vec<u8>> {
    let size = archive.entries().get(index).map_or(0, |entry| entry.size);
    if size > limit {
        return Err(io::Error::other(format!("it has {size} bytes, and {limit} are the most")));
    }
    let mut bytes = Vec::new();
    archive.open(index)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
