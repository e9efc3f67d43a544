//! Copies what comes from elsewhere to a file, and tells which of the two has failed: that a disk is full is
//! no fault of whoever sends.

use std::io::{self, Read, Write};
use std::path::Path;

use crate::failure::{StoreError, disk};

/// Why a copy is not whole.
#[derive(Debug)]
pub enum Halted {
    /// Nothing more comes, and it was not all.
    Read(io::Error),
    /// What came cannot be written.
    Write(StoreError),
}

/// Copies all that comes to a file that is at `path`. Gives how many bytes that were.
pub fn copy(from: &mut dyn Read, to: &mut dyn Write, path: &Path) -> Result<u64, Halted> {
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(length),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Halted::Read(error)),
        };
        to.write_all(&buffer[..count]).map_err(disk("write", path)).map_err(Halted::Write)?;
        length += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs::File;

    use super::*;

    /// Gives some bytes, and then fails.
    struct Broken(&'static [u8]);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn whichever_side_has_failed_is_told() {
        let mut copied = Vec::new();
        let whole = copy(&mut &b"text"[..], &mut copied, Path::new("file"));
        assert!(matches!(whole, Ok(4)) && copied == b"text", "{whole:?}");
        let read = copy(&mut Broken(b"text"), &mut Vec::new(), Path::new("file"));
        assert!(
            matches!(&read, Err(Halted::Read(error)) if error.kind() == io::ErrorKind::ConnectionReset),
            "{read:?}"
        );
        // Linux has a disk that is always full.
        let mut full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let Err(Halted::Write(error)) = copy(&mut Broken(b"text"), &mut full, Path::new("a/file")) else {
            panic!("nothing goes there");
        };
        assert_eq!(error.to_string(), "write `a/file`");
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::StorageFull));
    }
}
