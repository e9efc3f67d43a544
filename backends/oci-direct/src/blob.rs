//! What is known of a blob: its digest and its length.

use std::io::{self, Write};

use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// What is known of a blob once it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
}

/// A layer's blob, and what it is uncompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerBlob {
    /// The compressed bytes.
    pub blob: Blob,
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
}

/// Passes bytes on, and hashes and counts them.
pub struct HashingWriter<W> {
    sink: W,
    hash: Sha256,
    size: u64,
}

impl<W: Write> HashingWriter<W> {
    /// In front of `sink`.
    pub fn new(sink: W) -> Self {
        Self { sink, hash: Sha256::new(), size: 0 }
    }

    /// The sink, and what went into it.
    pub fn finish(self) -> (W, Blob) {
        (self.sink, Blob { digest: Digest::from_sha256(self.hash.finalize().into()), size: self.size })
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.sink.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
