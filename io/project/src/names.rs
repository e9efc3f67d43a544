//! The names in a directory, sorted: one piece of memory for all of them, since there may be a million.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Names in their order.
pub struct Names {
    bytes: Vec<u8>,
    /// From where to where each is.
    places: Vec<(u32, u32)>,
}

impl Names {
    /// What is in a directory.
    pub fn of(directory: &Path) -> io::Result<Self> {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(directory)? {
            let start = place(bytes.len())?;
            bytes.extend_from_slice(entry?.file_name().as_bytes());
            places.push((start, place(bytes.len())?));
        }
        let mut names = Self { bytes, places };
        let bytes = &names.bytes;
        names.places.sort_unstable_by(|one, other| at(bytes, *one).cmp(at(bytes, *other)));
        Ok(names)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| at(&self.bytes, *place))
    }
}

fn place(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::Error::other("its names are longer than 4 GiB"))
}

fn at(bytes: &[u8], (start, end): (u32, u32)) -> &[u8] {
    &bytes[start as usize..end as usize]
}
