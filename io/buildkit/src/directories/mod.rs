//! The session service that sends directories, of which the daemon asks for what it lacks.
//!
//! Nothing but the directories that a build names can be asked for, and of these only what their
//! ignore files leave.

mod failure;
mod filter;
mod follow;
pub(crate) mod mode;
mod progress;
mod reader;
mod request;
pub(crate) mod sender;
mod shared_key;
mod transfer;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::fsutil::types::Packet;
use bollard_buildkit_proto::moby::filesync::packet::file_sync_server::{FileSync, FileSyncServer};
use cogpack_io_project::ignore_file::{IgnoreError, IgnoreFile};
use tonic::{Request, Response, Status, Streaming};

pub use self::failure::{Change, DirectoryFailure};
pub use self::progress::{Sent, total};
pub use self::sender::ProtocolError;
pub use self::shared_key::Machine;

use self::progress::Counters;
use self::request::Wanted;
use crate::outgoing::Outgoing;

/// A directory that may be sent.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
    ignored: IgnoreFile,
    /// What tells it from others of its name.
    identity: PathBuf,
}

/// Why a directory cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not there, or cannot be looked at.
    #[error("look at the directory `{}`", path.display())]
    Read {
        /// Where it should be.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no directory", path.display())]
    NoDirectory {
        /// Where it is.
        path: PathBuf,
    },
    /// Its ignore file cannot be used.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
}

impl Directory {
    /// The directory at `path`, with the ignore file that is in it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Read { path: path.to_owned(), source };
        let root = fs::canonicalize(path).map_err(failed)?;
        if !fs::metadata(&root).map_err(failed)?.is_dir() {
            return Err(OpenError::NoDirectory { path: path.to_owned() });
        }
        let ignored = IgnoreFile::of_directory(&root)?;
        Ok(Self { identity: root.clone(), root, ignored })
    }

    /// The same where the name of each file says what is in it: wherever such a directory lies, what
    /// the daemon has of it by its name needs not be sent again.
    #[must_use]
    pub fn named_by_content(self) -> Self {
        Self { identity: PathBuf::new(), ..self }
    }
}

/// The directories of one build, each under the name that the graph asks for it by. Clones are
/// handles on the same directories.
#[derive(Debug, Clone)]
pub struct Directories {
    offered: Arc<BTreeMap<String, Arc<Offered>>>,
    shared: Arc<Shared>,
}

/// One directory, and what became of it so far.
#[derive(Debug)]
struct Offered {
    root: PathBuf,
    ignored: IgnoreFile,
    identity: PathBuf,
    counters: Counters,
}

/// What all transfers of a build share.
#[derive(Debug, Default)]
struct Shared {
    failure: Mutex<Option<DirectoryFailure>>,
}

impl Shared {
    /// Keeps a failure, unless there is one that came before, which is likelier the cause. That
    /// the daemon gave up or went away is none: it has a cause of its own to tell.
    fn record(&self, failure: DirectoryFailure) {
        if let DirectoryFailure::Protocol {
            reason: ProtocolError::Ended | ProtocolError::GaveUp(_), ..
        } = failure
        {
            return;
        }
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }
}

impl Directories {
    /// The methods that a session with this service advertises.
    pub const METHODS: &'static [&'static str] = &["/moby.filesync.v1.FileSync/DiffCopy"];

    /// Offers directories by name.
    pub fn new(directories: BTreeMap<String, Directory>) -> Self {
        let offered = directories.into_iter().map(|(name, Directory { root, ignored, identity })| {
            (name, Arc::new(Offered { root, ignored, identity, counters: Counters::default() }))
        });
        Self { offered: Arc::new(offered.collect()), shared: Arc::default() }
    }

    /// The service, for a session.
    pub fn to_server(&self) -> FileSyncServer<Self> {
        FileSyncServer::new(self.clone())
    }

    /// What a session must say as its shared key, so that the daemon keeps its copies for the
    /// next build of the same directories on the same machine.
    pub fn shared_key(&self, machine: &Machine) -> String {
        let directories = self.offered.iter().map(|(name, it)| (name.as_str(), it.identity.as_path()));
        shared_key::shared_key(machine, directories)
    }

    /// What has been sent so far, by name.
    pub fn sent(&self) -> BTreeMap<String, Sent> {
        self.offered.iter().map(|(name, offered)| (name.clone(), offered.counters.read())).collect()
    }

    /// Why a directory could not be sent, if so. What the daemon says of it may say less.
    pub fn failure(&self) -> Option<DirectoryFailure> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The directory that is wanted.
    fn offered(&self, wanted: &Wanted) -> Result<&Arc<Offered>, DirectoryFailure> {
        self.offered.get(&wanted.name).ok_or_else(|| DirectoryFailure::Unknown {
            asked: wanted.name.clone(),
            offered: self.offered.keys().cloned().collect(),
        })
    }
}

#[tonic::async_trait]
impl FileSync for Directories {
    type DiffCopyStream = Outgoing;
    type TarStreamStream = Outgoing;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let wanted = Wanted::of(request.metadata());
        let found = wanted.and_then(|wanted| Ok((Arc::clone(self.offered(&wanted)?), wanted)));
        let (offered, wanted) = found.map_err(|failure| {
            let status = failure.to_status();
            self.shared.record(failure);
            status
        })?;
        let outgoing = transfer::start(offered, wanted, request.into_inner(), Arc::clone(&self.shared));
        Ok(Response::new(outgoing))
    }

    async fn tar_stream(
        &self,
        _request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("directories are sent file by file"))
    }
}

#[cfg(test)]
impl Directories {
    /// What is sent of a directory to a peer that answers so.
    pub(crate) fn send_to_peer<S>(&self, name: &str, answers: S) -> Outgoing
    where
        S: tokio_stream::Stream<Item = Result<Packet, Status>> + Send + Unpin + 'static,
    {
        let wanted = Wanted { name: name.to_owned(), ..Wanted::default() };
        transfer::start(Arc::clone(&self.offered[name]), wanted, answers, Arc::clone(&self.shared))
    }
}
