//! Compares bytes with what a `RECORD` says of them, while they pass.

use std::io::{self, Read};

use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// Passes bytes on; where they turn out not to be those that were promised, the end is an error.
pub struct Checked<R> {
    bytes: R,
    promised: Digest,
    hash: Sha256,
}

impl<R: Read> Checked<R> {
    /// Behind `bytes`.
    pub fn new(bytes: R, promised: Digest) -> Self {
        Self { bytes, promised, hash: Sha256::new() }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.bytes.read(buffer)?;
        self.hash.update(&buffer[..count]);
        if count == 0 {
            let found = Digest::from_sha256(self.hash.clone().finalize().into());
            if found != self.promised {
                let what = format!("`RECORD` says its digest is {}, and it is {found}", self.promised);
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_an_error_where_the_bytes_are_others() {
        let read = |promised: &[u8]| {
            let mut found = Vec::new();
            Checked::new(&b"text"[..], Digest::of(promised)).read_to_end(&mut found).map(|_| found)
        };
        assert_eq!(read(b"text").expect("is what was promised"), b"text");
        assert!(read(b"other").is_err());
    }
}
