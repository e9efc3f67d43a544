//! A blob that a daemon writes into a layout: bytes in order, checked, and named last.
//!
//! Nothing of it outlives its call: what was not committed is gone, and is written again from the
//! start by whoever wants it.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use cogpack_content::Digest;
use cogpack_io_project::aside::Aside;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::messages::{WriteAction, WriteContentRequest, WriteContentResponse};
use super::stores::{BlobError, Store};

/// A blob in the making.
#[derive(Debug)]
pub struct Ingest {
    store: Arc<Store>,
    file: NamedTempFile,
    /// The directory that the file is in until it has its name.
    _aside: Aside,
    hash: Sha256,
    written: u64,
    expected: Option<Digest>,
    total: Option<u64>,
    _name: Claim,
}

/// What a step of writing led to.
#[derive(Debug)]
pub enum Step {
    /// There is more to come.
    Open(Box<Ingest>, WriteContentResponse),
    /// The blob has its name.
    Done(WriteContentResponse),
}

/// A name that nobody else may write under, until this is dropped.
#[derive(Debug)]
struct Claim {
    name: String,
    names: Arc<Mutex<BTreeSet<String>>>,
}

impl Claim {
    fn new(name: &str, names: &Arc<Mutex<BTreeSet<String>>>) -> Result<Self, BlobError> {
        if !names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned()) {
            return Err(BlobError::Busy { name: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), names: Arc::clone(names) })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl Ingest {
    /// Begins, as the first request of a call says.
    pub fn begin(store: &Arc<Store>, first: &WriteContentRequest) -> Result<Self, BlobError> {
        store.check_writable()?;
        if first.r#ref.is_empty() {
            return Err(BlobError::Protocol {
                reason: "a blob is to be written, and has no name yet".to_owned(),
            });
        }
        let expected = expected_of(first)?;
        check_is_new(store, expected)?;
        let claim = Claim::new(&first.r#ref, &store.writing)?;
        let folder = store.root().join("ingest");
        let make = || {
            fs::create_dir_all(&folder)?;
            let aside = Aside::within(&folder)?;
            let mut builder = tempfile::Builder::new();
            let file = builder.permissions(Permissions::from_mode(0o644)).tempfile_in(aside.path())?;
            Ok::<_, io::Error>((file, aside))
        };
        let (file, aside) = make().map_err(|error| store.system("begin a blob".to_owned(), error))?;
        let hash = Sha256::new();
        Ok(Self {
            store: Arc::clone(store),
            file,
            hash,
            written: 0,
            expected,
            total: None,
            _aside: aside,
            _name: claim,
        })
    }

    /// Does what a request says.
    pub fn step(mut self, request: &WriteContentRequest) -> Result<Step, BlobError> {
        let action = WriteAction::try_from(request.action).map_err(|_| BlobError::Protocol {
            reason: format!("{} is no action of writing", request.action),
        })?;
        self.total = u64::try_from(request.total).ok().filter(|total| *total > 0).or(self.total);
        self.expected = expected_of(request)?.or(self.expected);
        match action {
            WriteAction::Stat => {}
            WriteAction::Write => self.write(request)?,
            WriteAction::Commit => {
                if !request.data.is_empty() {
                    self.write(request)?;
                }
                return self.commit();
            }
        }
        let answer = self.answer(action, String::new());
        Ok(Step::Open(Box::new(self), answer))
    }

    fn answer(&self, action: WriteAction, digest: String) -> WriteContentResponse {
        WriteContentResponse {
            action: action.into(),
            offset: self.written.try_into().unwrap_or(i64::MAX),
            total: self.total.unwrap_or(0).try_into().unwrap_or(i64::MAX),
            digest,
        }
    }

    fn write(&mut self, request: &WriteContentRequest) -> Result<(), BlobError> {
        if request.offset == 0 && self.written > 0 {
            let store = Arc::clone(&self.store);
            self.rewind().map_err(|error| store.system("begin a blob again".to_owned(), error))?;
        }
        if u64::try_from(request.offset).ok() != Some(self.written) {
            return Err(BlobError::Protocol {
                reason: format!(
                    "{} bytes are written, and the next are for {}",
                    self.written, request.offset
                ),
            });
        }
        self.file
            .write_all(&request.data)
            .map_err(|error| self.store.system("write a blob".to_owned(), error))?;
        self.hash.update(&request.data);
        self.written += request.data.len() as u64;
        Ok(())
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.file.as_file().set_len(0)?;
        self.file.rewind()?;
        self.hash = Sha256::new();
        self.written = 0;
        Ok(())
    }

    fn commit(self) -> Result<Step, BlobError> {
        if let Some(total) = self.total.filter(|total| *total != self.written) {
            return Err(BlobError::Protocol {
                reason: format!("a blob of {total} bytes was to be written, and {} came", self.written),
            });
        }
        let found = Digest::from_sha256(self.hash.clone().finalize().into());
        if let Some(expected) = self.expected.filter(|expected| *expected != found) {
            return Err(BlobError::Protocol {
                reason: format!("the blob {expected} was to be written, and {found} came"),
            });
        }
        let answer = self.answer(WriteAction::Commit, found.to_string());
        let Self { store, file, .. } = self;
        check_is_new(&store, Some(found))?;
        let path = store.path_of(&found);
        let folder = store.root().join("blobs").join("sha256");
        let keep = || {
            fs::create_dir_all(folder)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        };
        keep().map_err(|error| store.system(format!("keep the blob {found}"), error))?;
        Ok(Step::Done(answer))
    }
}

fn expected_of(request: &WriteContentRequest) -> Result<Option<Digest>, BlobError> {
    if request.expected.is_empty() {
        return Ok(None);
    }
    digest_of(&request.expected).map(Some)
}

/// Reads the digest that a daemon names.
pub fn digest_of(text: &str) -> Result<Digest, BlobError> {
    text.parse()
        .map_err(|error: cogpack_content::InvalidDigest| BlobError::Protocol { reason: error.to_string() })
}

fn check_is_new(store: &Store, digest: Option<Digest>) -> Result<(), BlobError> {
    let Some(digest) = digest else { return Ok(()) };
    match store.size_of(&digest) {
        Ok(_) => Err(BlobError::Present { layout: store.root().to_owned(), digest }),
        Err(BlobError::Missing { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
