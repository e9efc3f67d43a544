//! The blobs of a layout on disk: reading them with their digests checked.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cogpack_backends_oci_direct::documents::blob_path;
use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// Why a blob cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It could not be read.
    #[error("read the blob `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is too large for what it should be.
    #[error("the blob `{}` has more than the {limit} bytes that a document may have", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most there may be.
        limit: u64,
    },
    /// It has another length than was said.
    #[error("the blob `{}` has {found} bytes, and not {expected}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The length that its descriptor says.
        expected: u64,
        /// The length it has.
        found: u64,
    },
    /// It has another digest than its name.
    #[error("the blob `{}` is damaged: its digest is {found}", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// The digest it has.
        found: Digest,
    },
}

/// Where the blob with this digest is in the layout at `root`.
pub fn path_of(root: &Path, digest: &Digest) -> PathBuf {
    root.join(blob_path(digest))
}

/// Reads a small blob whole. `size` is what its descriptor says, if there is one.
pub fn read_document(
    root: &Path,
    digest: &Digest,
    size: Option<u64>,
    limit: u64,
) -> Result<Vec<u8>, BlobError> {
    let path = path_of(root, digest);
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    if let Err(source) = read {
        return Err(BlobError::Read { path, source });
    }
    let found = bytes.len() as u64;
    if found > limit {
        return Err(BlobError::TooLarge { path, limit });
    }
    check(path, digest, size, Digest::of(&bytes), found)?;
    Ok(bytes)
}

/// Compares what was found of a blob with what was said of it.
pub fn check(
    path: PathBuf,
    digest: &Digest,
    size: Option<u64>,
    found: Digest,
    found_size: u64,
) -> Result<(), BlobError> {
    match size {
        Some(expected) if expected != found_size => {
            Err(BlobError::Size { path, expected, found: found_size })
        }
        Some(_) | None if found != *digest => Err(BlobError::Digest { path, found }),
        Some(_) | None => Ok(()),
    }
}

/// Passes bytes on, and hashes and counts them.
pub struct HashingReader<R> {
    source: R,
    hash: Sha256,
    size: u64,
}

impl<R: Read> HashingReader<R> {
    /// Behind `source`.
    pub fn new(source: R) -> Self {
        Self { source, hash: Sha256::new(), size: 0 }
    }

    /// The digest and length of what has been read, after reading what is left.
    pub fn finish(mut self) -> io::Result<(Digest, u64)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((Digest::from_sha256(self.hash.finalize().into()), self.size))
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }
}
