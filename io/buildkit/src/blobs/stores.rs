//! One image layout on this machine, as a store of blobs.
//!
//! No path comes from the daemon: it names blobs by digest, and a digest has hexadecimal digits only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

/// Why a blob cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It is not there.
    #[error("the layout `{}` has no blob {digest}", layout.display())]
    Missing {
        /// Where.
        layout: PathBuf,
        /// Which.
        digest: Digest,
    },
    /// It is there already.
    #[error("the layout `{}` has the blob {digest} already", layout.display())]
    Present {
        /// Where.
        layout: PathBuf,
        /// Which.
        digest: Digest,
    },
    /// It is not what its name says.
    #[error("the blob {digest} of the layout `{}` is damaged: its digest is {found}", layout.display())]
    Damaged {
        /// Where.
        layout: PathBuf,
        /// Which.
        digest: Digest,
        /// The digest it has.
        found: Digest,
    },
    /// It ended too early, because somebody changed it meanwhile.
    #[error("the blob {digest} of the layout `{}` became shorter while it was read", layout.display())]
    Shrunk {
        /// Where.
        layout: PathBuf,
        /// Which.
        digest: Digest,
    },
    /// The system said no.
    #[error("{attempted} in the layout `{}`: {source}", layout.display())]
    System {
        /// What was tried.
        attempted: String,
        /// Where.
        layout: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// What was asked for breaks the protocol.
    #[error("{reason}")]
    Protocol {
        /// How.
        reason: String,
    },
    /// The layout is only for reading.
    #[error("the layout `{}` is not for writing", layout.display())]
    ReadOnly {
        /// Which.
        layout: PathBuf,
    },
    /// Another call writes under the same name.
    #[error("`{name}` is being written by another call")]
    Busy {
        /// The name.
        name: String,
    },
}

impl From<BlobError> for tonic::Status {
    /// Daemons go by the code: what is present need not be written, what is busy is tried again.
    fn from(error: BlobError) -> Self {
        let code = match &error {
            BlobError::Missing { .. } => tonic::Code::NotFound,
            BlobError::Present { .. } => tonic::Code::AlreadyExists,
            BlobError::Damaged { .. } | BlobError::Shrunk { .. } => tonic::Code::DataLoss,
            BlobError::System { .. } => tonic::Code::Unknown,
            BlobError::Protocol { .. } => tonic::Code::InvalidArgument,
            BlobError::ReadOnly { .. } => tonic::Code::FailedPrecondition,
            BlobError::Busy { .. } => tonic::Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}

/// A layout on disk.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    writable: bool,
    /// The blobs that are being read from their beginning on. Daemons read a large blob by many
    /// calls; so its digest is known at its end all the same.
    hashes: Mutex<BTreeMap<Digest, Prefix>>,
    /// The names under which blobs are being written.
    pub(super) writing: Arc<Mutex<BTreeSet<String>>>,
}

/// The hash of the first bytes of a blob.
#[derive(Debug, Clone, Default)]
struct Prefix {
    length: u64,
    hash: Sha256,
}

impl Store {
    /// The layout in a directory.
    pub fn new(root: &Path, writable: bool) -> Self {
        Self { root: root.to_owned(), writable, hashes: Mutex::default(), writing: Arc::default() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Refuses what would change a layout that is only for reading.
    pub fn check_writable(&self) -> Result<(), BlobError> {
        if self.writable { Ok(()) } else { Err(BlobError::ReadOnly { layout: self.root.clone() }) }
    }

    /// Where a blob is, or would be.
    pub fn path_of(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join("sha256").join(digest.hex())
    }

    /// How many bytes a blob has.
    pub fn size_of(&self, digest: &Digest) -> Result<u64, BlobError> {
        self.open(digest).map(|(_, size)| size)
    }

    fn open(&self, digest: &Digest) -> Result<(File, u64), BlobError> {
        let missing = || BlobError::Missing { layout: self.root.clone(), digest: *digest };
        let file = match File::open(self.path_of(digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
            Err(error) => return Err(self.system(format!("open the blob {digest}"), error)),
        };
        let metadata =
            file.metadata().map_err(|error| self.system(format!("look at the blob {digest}"), error))?;
        if metadata.is_file() { Ok((file, metadata.len())) } else { Err(missing()) }
    }

    /// Begins to read a blob, from `offset` on; `wanted` bytes, or all that are left.
    pub fn read(
        self: &Arc<Self>,
        digest: Digest,
        offset: u64,
        wanted: Option<u64>,
    ) -> Result<Reading, BlobError> {
        let (file, size) = self.open(&digest)?;
        let left = size.checked_sub(offset).ok_or_else(|| BlobError::Protocol {
            reason: format!("the blob {digest} has {size} bytes, and was to be read from {offset} on"),
        })?;
        let end = offset + wanted.map_or(left, |wanted| wanted.min(left));
        let prefix = if offset == 0 {
            Some(Prefix::default())
        } else {
            let mut hashes = self.hashes();
            let continues = hashes.get(&digest).is_some_and(|prefix| prefix.length == offset);
            if continues { hashes.remove(&digest) } else { None }
        };
        Ok(Reading { store: Arc::clone(self), digest, file, size, position: offset, end, prefix })
    }

    fn hashes(&self) -> MutexGuard<'_, BTreeMap<Digest, Prefix>> {
        // A hash is put in whole or not at all, so a thread that panicked has left no half of one.
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the system said to something that was tried here.
    pub fn system(&self, attempted: String, source: io::Error) -> BlobError {
        BlobError::System { attempted, layout: self.root.clone(), source }
    }
}

/// A blob that is being read.
#[derive(Debug)]
pub struct Reading {
    store: Arc<Store>,
    digest: Digest,
    file: File,
    size: u64,
    position: u64,
    end: u64,
    prefix: Option<Prefix>,
}

impl Reading {
    /// The next bytes and where they begin; `None` after the last ones. The last bytes of a blob that
    /// was read from its beginning are given only if its digest is right.
    pub fn next(&mut self, most: usize) -> Result<Option<(u64, Bytes)>, BlobError> {
        let offset = self.position;
        let left = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; left.min(most)];
        self.file.read_exact_at(&mut bytes, offset).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                BlobError::Shrunk { layout: self.store.root.clone(), digest: self.digest }
            } else {
                self.store.system(format!("read the blob {}", self.digest), error)
            }
        })?;
        self.position += bytes.len() as u64;
        self.check(&bytes)?;
        Ok(Some((offset, Bytes::from(bytes))))
    }

    fn check(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let Some(mut prefix) = self.prefix.take() else { return Ok(()) };
        prefix.hash.update(bytes);
        prefix.length = self.position;
        if self.position == self.size {
            let found = Digest::from_sha256(prefix.hash.finalize().into());
            if found != self.digest {
                return Err(BlobError::Damaged {
                    layout: self.store.root.clone(),
                    digest: self.digest,
                    found,
                });
            }
        } else if self.position == self.end {
            self.store.hashes().insert(self.digest, prefix);
        } else {
            self.prefix = Some(prefix);
        }
        Ok(())
    }
}
