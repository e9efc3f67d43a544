//! Pushing where the daemon cannot: the BuildKit inside an engine with a store of its own puts the
//! image there, and the engine sends it to the registry of each of its names, as with `docker push`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use cogpack_content::{Digest, ImageReference};
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_buildkit::auth::Logins;
use cogpack_io_docker::engine::Engine;
use cogpack_io_docker::engine::failure::EngineError;
use tokio_util::sync::CancellationToken;

use crate::failure::BuildError;
use crate::follow::Follower;
use crate::hints;
use crate::progress::{Amount, Progress, Progresses, Warning};

/// An image in an engine that is to be pushed.
pub struct Pushing<'a> {
    /// The engine.
    pub engine: &'a Endpoint,
    /// What the image is called there, and where it goes.
    pub names: &'a [ImageReference],
    /// The logins for where it goes.
    pub logins: &'a Arc<dyn Logins>,
    /// Who is told of it.
    pub progress: &'a Progresses,
    /// Ends it.
    pub cancel: &'a CancellationToken,
}

impl Pushing<'_> {
    /// Pushes under each name, one after the other, and gives the digest of the manifest behind the
    /// first; none where there is no name.
    pub async fn run(&self, follower: &mut Follower) -> Result<Option<Digest>, BuildError> {
        let engine = Engine::at(self.engine).map_err(|error| here("reach the engine", error))?;
        let mut pushed = Vec::new();
        for name in self.names {
            let title = format!("pushing {}", name.normalised(None));
            let step = follower.add(&title);
            let began = Instant::now();
            tell(self.progress, Progress::Added { name: title });
            tell(self.progress, Progress::Started(step));
            let moved = |done| {
                let (item, amount) = ("layers".to_owned(), Amount { done, total: None });
                tell(self.progress, Progress::Moved { step, item, amount, complete: false });
            };
            let ended = tokio::select! {
                biased;
                () = self.cancel.cancelled() => Err(BuildError::Cancelled),
                ended = self.push(&engine, name, moved) => ended,
            };
            match &ended {
                Ok(_) => tell(self.progress, Progress::Finished { step, took: began.elapsed() }),
                Err(BuildError::Cancelled) => tell(self.progress, Progress::Cancelled(step)),
                Err(error) => tell(self.progress, Progress::Failed { step, message: error.to_string() }),
            }
            pushed.push((name, ended?));
        }
        if let Some(warning) = differing(&pushed) {
            tell(self.progress, Progress::Warned(warning));
        }
        Ok(pushed.first().map(|(_, digest)| *digest))
    }

    async fn push(
        &self,
        engine: &Engine,
        name: &ImageReference,
        moved: impl FnMut(u64),
    ) -> Result<Digest, BuildError> {
        let registry = name.registry();
        let login = self.logins.login(registry).await;
        let login = login.map_err(|error| here(&format!("log in to `{registry}`"), error))?;
        engine.push(name, login, moved).await.map_err(|error| match &error {
            EngineError::Refused { message, .. } if hints::wants_login(message) => BuildError::Login {
                attempted: format!("push `{}`", name.as_str()),
                registry: registry.to_owned(),
                message: message.clone(),
            },
            EngineError::Refused { .. }
            | EngineError::Unreachable(_)
            | EngineError::NoImage { .. }
            | EngineError::Late { .. }
            | EngineError::Broken { .. }
            | EngineError::File { .. } => here("push the image, which is in the engine", error),
        })
    }
}

fn here(attempted: &str, error: impl std::error::Error + Send + Sync + 'static) -> BuildError {
    BuildError::Here { attempted: attempted.to_owned(), source: Box::new(error) }
}

/// What is to be said where an image has several digests. A layer that is in one registry already is
/// not sent there again, and where it is not the engine packs it anew.
fn differing(pushed: &[(&ImageReference, Digest)]) -> Option<Warning> {
    let digests: BTreeSet<_> = pushed.iter().map(|(_, digest)| digest).collect();
    (digests.len() > 1).then(|| Warning {
        message:
            "the engine has packed the image's layers otherwise for another registry: it has several digests"
                .to_owned(),
        details: pushed.iter().map(|(name, digest)| format!("{} has {digest}", name.as_str())).collect(),
        step: None,
    })
}

fn tell(progress: &Progresses, happened: Progress) {
    // That nobody listens any more stops no build.
    let _ = progress.send(happened);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_that_differ_are_told_by_name() {
        let names: Vec<ImageReference> =
            ["a.example/x:1", "b.example/x:1"].iter().map(|name| name.parse().expect("is a name")).collect();
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(differing(&[(&names[0], one), (&names[1], one)]), None);
        let warning = differing(&[(&names[0], one), (&names[1], two)]).expect("they differ");
        assert_eq!(warning.details, [format!("a.example/x:1 has {one}"), format!("b.example/x:1 has {two}")]);
    }
}
