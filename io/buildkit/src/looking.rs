//! Looks into filesystems while a build goes on: files are read of what a daemon has made so far,
//! and whoever asked decides whether anything is handed over at its end.
//!
//! What is looked into is part of the same build, so nothing is made twice for it.

use bollard_buildkit_proto::moby::buildkit::v1::frontend::{CacheOptionsEntry, ReadFileRequest};
use bollard_buildkit_proto::pb;
use futures_util::future::try_join_all;
use prost::Message;
use tonic::Status;

use crate::failure::Failure;
use crate::gateway::Bridge;
use crate::solve::made_of;

/// A filesystem, and files of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// A `pb.Definition` of the filesystem.
    pub definition: Vec<u8>,
    /// Absolute paths of the files.
    pub files: Vec<String>,
}

/// What stands in the files of one [`Look`], in its order; `None` where there is no such file.
pub type Found = Vec<Option<Vec<u8>>>;

/// Is told of a round, counted from 0, what each of its looks has found, and says whether the
/// build goes on.
pub type Accept = Box<dyn Fn(usize, &[Found]) -> bool + Send + Sync>;

/// Looks in rounds, each of which begins when the one before was accepted.
pub struct Looks {
    /// Those of one round are done side by side.
    pub rounds: Vec<Vec<Look>>,
    /// Who decides.
    pub accept: Accept,
    /// Whether it is likely that all is accepted. Then a daemon that merges may make what depends on it
    /// meanwhile; nothing of that is handed over before all was accepted.
    pub is_likely: bool,
}

/// Looks that can be sent.
pub(crate) struct Prepared {
    rounds: Vec<Vec<(pb::Definition, Vec<String>)>>,
    accept: Accept,
    pub(crate) is_likely: bool,
}

impl Looks {
    /// Reads the definitions.
    pub(crate) fn prepared(self) -> Result<Prepared, Failure> {
        let read = |look: Look| Ok((read_definition(&look.definition)?, look.files));
        let rounds = self.rounds.into_iter().map(|round| round.into_iter().map(read).collect());
        let rounds = rounds.collect::<Result<_, _>>()?;
        Ok(Prepared { rounds, accept: self.accept, is_likely: self.is_likely })
    }
}

/// Reads the definition of what is to be looked into.
pub(crate) fn read_definition(bytes: &[u8]) -> Result<pb::Definition, Failure> {
    pb::Definition::decode(bytes).map_err(|error| Failure::Unsendable {
        reason: format!("the definition of what is to be looked into cannot be read: {error}"),
    })
}

impl Prepared {
    /// Looks, and says whether all was accepted.
    pub(crate) async fn are_accepted(
        self,
        bridge: &Bridge,
        cache_from: &[CacheOptionsEntry],
    ) -> Result<bool, Status> {
        for (number, round) in self.rounds.into_iter().enumerate() {
            let looking = round.into_iter().map(|(definition, files)| async move {
                let made = made_of(bridge, definition, cache_from.to_vec()).await?;
                try_join_all(files.into_iter().map(|file| read(bridge, &made.id, file))).await
            });
            if !(self.accept)(number, &try_join_all(looking).await?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Reads one file, through the links that lead to it in its own filesystem.
async fn read(bridge: &Bridge, made: &str, path: String) -> Result<Option<Vec<u8>>, Status> {
    let request = ReadFileRequest { r#ref: made.to_owned(), file_path: path, ..ReadFileRequest::default() };
    match bridge.clone().read_file(request).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(status) if is_missing(&status) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Whether a daemon says that there is no such file. It has no code for that.
pub(crate) fn is_missing(status: &Status) -> bool {
    status.message().ends_with("no such file or directory")
}
