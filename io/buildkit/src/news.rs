//! Follows what a daemon says about one build, to its end.

use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::{StatusRequest, StatusResponse};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Status, Streaming};

use crate::connection::Connection;
use crate::details::exit_code_in;
use crate::failure::BuildFailure;
use crate::update::{Update, updates};

/// For how long a daemon may say nothing after a build is over, before we stop listening.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What an error of a vertex says that was only stopped because another one had failed.
const STOPPED: &str = "context canceled";

/// Somebody who listens.
pub(crate) struct News {
    over: CancellationToken,
    listener: AbortOnDropHandle<Heard>,
}

/// What a daemon has told of a build.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The vertices that failed.
    pub(crate) failed: Failed,
    /// Whether the daemon said that there is no more to tell, or no such build.
    pub(crate) ended: bool,
}

/// The vertices that failed, in the order in which it was told.
#[derive(Debug, Default)]
pub(crate) struct Failed(Vec<(String, String)>);

impl News {
    /// Passes on what the daemon says about a build. That the receiver is gone stops nothing.
    pub(crate) fn follow(connection: &Connection, build: &str, updates: UnboundedSender<Update>) -> Self {
        let over = CancellationToken::new();
        let request = StatusRequest { r#ref: build.to_owned() };
        let mut control = connection.control();
        let listening = listen(over.clone(), updates, async move {
            control.status(request).await.map(tonic::Response::into_inner)
        });
        Self { over, listener: AbortOnDropHandle::new(tokio::spawn(listening)) }
    }

    /// Waits for the last words after the build is over.
    pub(crate) async fn the_end(self) -> Heard {
        self.over.cancel();
        // The listener fails only if it panics, and then it has heard nothing.
        self.listener.await.unwrap_or_default()
    }
}

async fn listen(
    over: CancellationToken,
    updates_to: UnboundedSender<Update>,
    opening: impl Future<Output = Result<Streaming<StatusResponse>, Status>>,
) -> Heard {
    let mut heard = Heard::default();
    let mut stream = match until_last_words(&over, opening).await {
        Some(Ok(stream)) => stream,
        // A build that failed at once is not known any more when we ask about it.
        Some(Err(status)) => return Heard { ended: status.code() != Code::Unavailable, ..heard },
        None => return heard,
    };
    loop {
        let message = match until_last_words(&over, stream.message()).await {
            Some(Ok(Some(message))) => message,
            Some(Ok(None)) => return Heard { ended: true, ..heard },
            Some(Err(_)) | None => return heard,
        };
        for vertex in &message.vertexes {
            heard.failed.add(&vertex.digest, &vertex.error);
        }
        for update in updates(message) {
            // Nobody needs to listen to us for the build to go on.
            let _ = updates_to.send(update);
        }
    }
}

/// Waits for something, without end as long as the build runs.
async fn until_last_words<T>(over: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    let patience = async {
        over.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        biased;
        outcome = work => Some(outcome),
        () = patience => None,
    }
}

impl Failed {
    fn add(&mut self, digest: &str, error: &str) {
        if !error.is_empty() && !self.0.iter().any(|(known, _)| known == digest) {
            self.0.push((digest.to_owned(), error.to_owned()));
        }
    }

    /// Says which vertex failed, where the daemon's answer did not: that whose error is in the
    /// answer, else the first that was not merely stopped.
    pub(crate) fn complete(&self, failure: &mut BuildFailure) {
        if failure.vertex.is_some() {
            return;
        }
        let quoted = self.0.iter().find(|(_, error)| failure.message.contains(error.as_str()));
        let genuine = || self.0.iter().find(|(_, error)| !error.contains(STOPPED));
        if let Some((digest, error)) = quoted.or_else(genuine) {
            failure.vertex = Some(digest.clone());
            failure.exit_code = failure.exit_code.or_else(|| exit_code_in(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(message: &str, failed: &[(&str, &str)]) -> BuildFailure {
        let mut all = Failed::default();
        for (digest, error) in failed {
            all.add(digest, error);
        }
        let mut failure = BuildFailure { message: message.to_owned(), ..BuildFailure::default() };
        all.complete(&mut failure);
        failure
    }

    #[test]
    fn the_vertex_whose_error_is_in_the_answer_is_the_one() {
        let failed = [("sha256:1", "oh"), ("sha256:2", "process failed: exit code: 7")];
        let failure = completed("failed to solve: process failed: exit code: 7", &failed);
        assert_eq!((failure.vertex.as_deref(), failure.exit_code), (Some("sha256:2"), Some(7)));
    }

    #[test]
    fn who_was_only_stopped_is_not_guilty() {
        let failed = [("sha256:1", "context canceled"), ("sha256:2", "no space left"), ("sha256:2", "later")];
        assert_eq!(completed("failed", &failed).vertex.as_deref(), Some("sha256:2"));
        assert_eq!(completed("failed", &failed[..1]).vertex, None);
        assert_eq!(completed("failed", &[("sha256:1", "")]).vertex, None);
    }
}
