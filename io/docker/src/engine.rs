//! A Docker Engine, as far as images are concerned: what it is, what images it has, and how they get
//! into it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, ImportImageOptionsBuilder, RemoveContainerOptions, RemoveImageOptions,
    TagImageOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_io_buildkit::address::Endpoint;
use futures_util::{Stream, StreamExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;

use self::failure::{Attempt, EngineError};
use crate::transport::transport_to;

pub mod containers;
pub mod failure;
mod push;

/// For how long nothing may happen while an image is loaded.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// Beyond all of our own deadlines, which tell what was late.
const LIBRARY_DEADLINE_SECONDS: u64 = 7 * 24 * 3600;

/// What an Engine that keeps images in containerd's store says of its driver.
const CONTAINERD_STORE: &str = "io.containerd.snapshotter.v1";

const PIECE: usize = 1 << 18;

/// What an Engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineVersion {
    /// Its version.
    pub version: String,
    /// The newest version of the interface that it speaks.
    pub interface: String,
    /// The operating system of its containers, as images write it.
    pub os: String,
    /// Their architecture, as images write it.
    pub architecture: String,
}

/// An image that an Engine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineImage {
    /// By what the Engine knows it: the digest of its config, or of its manifest where the Engine
    /// keeps images in containerd's store.
    pub id: Digest,
    /// How many bytes it takes, by the Engine's own count.
    pub size: u64,
    /// What its layers unpack to, lowest first.
    pub layers: Vec<Digest>,
    /// What it is called.
    pub names: Vec<String>,
    /// What it runs on, if the Engine says so in words that are known.
    pub platform: Option<Platform>,
}

/// One step in the making of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryStep {
    /// What made it.
    pub created_by: String,
    /// How many bytes it added, unpacked.
    pub size: u64,
}

/// An Engine that answers.
pub struct Engine {
    docker: Docker,
    endpoint: Endpoint,
}

impl fmt::Debug for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the Docker Engine at {}", self.endpoint)
    }
}

impl Engine {
    /// An Engine that was not asked anything yet. No version of the interface is agreed upon: the
    /// calls name none, so an Engine takes them as its own version has them.
    pub fn at(endpoint: &Endpoint) -> Result<Self, EngineError> {
        let docker = Docker::connect_with_custom_transport(
            transport_to(endpoint),
            Some("http://docker"),
            LIBRARY_DEADLINE_SECONDS,
            API_DEFAULT_VERSION,
        );
        let attempt = Attempt { endpoint, attempted: || "connect".to_owned() };
        Ok(Self { docker: docker.map_err(|error| attempt.failed(error))?, endpoint: endpoint.clone() })
    }

    /// The same, after it has answered.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, EngineError> {
        let engine = Self::at(endpoint)?;
        engine.ping().await?;
        Ok(engine)
    }

    /// Where it is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Makes sure that it still answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        self.attempt(|| "ask whether it is well".to_owned()).within(self.docker.ping()).await.map(drop)
    }

    /// What it says of itself.
    pub async fn version(&self) -> Result<EngineVersion, EngineError> {
        let attempt = self.attempt(|| "ask for its version".to_owned());
        let said = attempt.within(self.docker.version()).await?;
        let known = |text: Option<String>, what| text.ok_or_else(|| attempt.lacks(what));
        Ok(EngineVersion {
            version: known(said.version, "a version")?,
            interface: known(said.api_version, "a version of the interface")?,
            os: known(said.os, "an operating system")?,
            architecture: known(said.arch, "an architecture")?,
        })
    }

    /// Whether it keeps images with their manifests, in containerd's store. One with a store of its
    /// own keeps a config and layers of each, and makes a manifest anew where one is wanted.
    pub async fn keeps_manifests(&self) -> Result<bool, EngineError> {
        let attempt = self.attempt(|| "ask how it keeps images".to_owned());
        let said = attempt.within(self.docker.info()).await?;
        let driver = said.driver_status.unwrap_or_default();
        Ok(driver.iter().flatten().any(|word| word == CONTAINERD_STORE))
    }

    /// What it has under a name or an id.
    pub async fn image(&self, name: &str) -> Result<EngineImage, EngineError> {
        let attempt = self.attempt(|| format!("look up the image `{name}`"));
        let said = attempt.of_image(name, self.docker.inspect_image(name)).await?;
        let id =
            said.id.and_then(|id| id.parse().ok()).ok_or_else(|| attempt.lacks("a digest for its id"))?;
        let words = [said.os, said.architecture, said.variant.filter(|variant| !variant.is_empty())];
        let platform = words.into_iter().flatten().collect::<Vec<_>>().join("/").parse().ok();
        let layers = said.root_fs.and_then(|files| files.layers).unwrap_or_default();
        let layers =
            layers.iter().map(|layer| layer.parse().map_err(|_| attempt.lacks("digests for its layers")));
        Ok(EngineImage {
            id,
            size: count(said.size),
            layers: layers.collect::<Result<_, _>>()?,
            names: said.repo_tags.unwrap_or_default(),
            platform,
        })
    }

    /// How an image came to be, the oldest step first.
    pub async fn history(&self, name: &str) -> Result<Vec<HistoryStep>, EngineError> {
        let attempt = self.attempt(|| format!("ask how the image `{name}` came to be"));
        let said = attempt.of_image(name, self.docker.image_history(name)).await?;
        let step = |step: bollard::models::ImageHistoryResponseItem| HistoryStep {
            created_by: step.created_by,
            size: count(Some(step.size)),
        };
        Ok(said.into_iter().rev().map(step).collect())
    }

    /// Has the Engine unpack an image that it has only packed, as it would for the first container
    /// of it: by making one, which is never started and goes again at once.
    pub async fn unpack(&self, image: &str) -> Result<(), EngineError> {
        let attempt = self.attempt(|| format!("unpack the image `{image}`"));
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // An image need not say what it runs, and a container must.
            cmd: Some(vec!["true".to_owned()]),
            network_disabled: Some(true),
            ..ContainerCreateBody::default()
        };
        let making = self.docker.create_container(None::<CreateContainerOptions>, body);
        let made = match tokio::time::timeout(LONGEST_SILENCE, making).await {
            Ok(made) => made.map_err(|error| attempt.failed(error))?,
            Err(_) => return Err(attempt.late(LONGEST_SILENCE)),
        };
        attempt.within(self.docker.remove_container(&made.id, None::<RemoveContainerOptions>)).await
    }

    /// Gives an image one more name.
    pub async fn tag(&self, image: &str, name: &ImageReference) -> Result<(), EngineError> {
        let options = TagImageOptionsBuilder::new()
            .repo(&format!("{}/{}", name.registry(), name.repository()))
            .tag(name.tag().unwrap_or("latest"))
            .build();
        let attempt = self.attempt(|| format!("call the image `{image}` `{}`", name.as_str()));
        attempt.of_image(image, self.docker.tag_image(image, Some(options))).await
    }

    /// Takes away a name, and the image with its last name.
    pub async fn remove(&self, name: &str) -> Result<(), EngineError> {
        let attempt = self.attempt(|| format!("remove the image `{name}`"));
        let removing = self.docker.remove_image(name, None::<RemoveImageOptions>, None);
        attempt.of_image(name, removing).await.map(drop)
    }

    /// Writes an image to a file, as `docker save` does.
    pub async fn save(&self, name: &str, to: &Path) -> Result<(), EngineError> {
        // What there is not is told by its name, and not by an empty archive.
        self.image(name).await?;
        let attempt = self.attempt(|| format!("save the image `{name}`"));
        let unwritable = |source| EngineError::File { attempt: "write", path: to.to_owned(), source };
        let mut file = tokio::fs::File::create(to).await.map_err(unwritable)?;
        let mut pieces = std::pin::pin!(self.docker.export_image(name));
        loop {
            let Ok(piece) = tokio::time::timeout(LONGEST_SILENCE, pieces.next()).await else {
                return Err(attempt.late(LONGEST_SILENCE));
            };
            let Some(piece) = piece else { break };
            let piece = piece.map_err(|error| attempt.failed(error))?;
            file.write_all(&piece).await.map_err(unwritable)?;
        }
        file.flush().await.map_err(unwritable)
    }

    /// Loads the images of a tar file, and gives what the Engine calls them: names, or ids of those
    /// that have none.
    pub async fn load(&self, archive: &Path) -> Result<Vec<String>, EngineError> {
        let unreadable = |source| EngineError::File { attempt: "read", path: archive.to_owned(), source };
        let file = tokio::fs::File::open(archive).await.map_err(unreadable)?;
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let pieces = ReaderStream::with_capacity(file, PIECE).inspect(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        let answers = self.docker.import_image_stream(options, pieces, None);
        self.loaded(archive, answers, &sent).await
    }

    async fn loaded(
        &self,
        archive: &Path,
        answers: impl Stream<Item = Result<bollard::models::BuildInfo, bollard::errors::Error>>,
        sent: &AtomicU64,
    ) -> Result<Vec<String>, EngineError> {
        let attempt = self.attempt(|| format!("load the image in `{}`", archive.display()));
        let mut answers = std::pin::pin!(answers);
        let mut names = Vec::new();
        let mut before = 0;
        loop {
            let Ok(answer) = tokio::time::timeout(LONGEST_SILENCE, answers.next()).await else {
                // While bytes leave, the Engine has nothing to say.
                let now = sent.load(Ordering::Relaxed);
                if now == before {
                    return Err(attempt.late(LONGEST_SILENCE));
                }
                before = now;
                continue;
            };
            let Some(answer) = answer else { return Ok(names) };
            let said = answer.map_err(|error| attempt.failed(error))?.stream.unwrap_or_default();
            names.extend(said.lines().filter_map(loaded_name).map(str::to_owned));
        }
    }

    fn attempt<'a, F: Fn() -> String>(&'a self, attempted: F) -> Attempt<'a, F> {
        Attempt { endpoint: &self.endpoint, attempted }
    }
}

/// The name in a line such as `Loaded image: app:latest` or `Loaded image ID: sha256:…`.
fn loaded_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("Loaded image")?;
    rest.strip_prefix(" ID").unwrap_or(rest).strip_prefix(": ").map(str::trim)
}

fn count(said: Option<i64>) -> u64 {
    said.and_then(|said| u64::try_from(said).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_what_engines_say() {
        assert_eq!(loaded_name("Loaded image: me/app:1\n"), Some("me/app:1"));
        assert_eq!(loaded_name("Loaded image ID: sha256:00"), Some("sha256:00"));
        assert_eq!(loaded_name("The image me/app:1 already exists, renaming the old one"), None);
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_told_in_the_words_of_builds() {
        let directory = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::Unix(directory.path().join("none.sock"));
        let error = Engine::connect(&endpoint).await.unwrap_err();
        assert_eq!(error.to_string(), format!("connect to {endpoint}: there is no such socket"));
        assert!(error.is_retryable());
        assert_eq!(error.help(), Some("start Docker, or say with `DOCKER_HOST` where it listens"));
    }

    #[tokio::test]
    async fn who_hangs_up_at_a_plain_port_may_want_encryption() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hanging_up = async {
            loop {
                drop(listener.accept().await);
            }
        };
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, tls: None };
        let error = tokio::select! {
            connected = Engine::connect(&endpoint) => connected.unwrap_err(),
            () = hanging_up => unreachable!("it never ends"),
        };
        let expected = format!("ask whether it is well: talk with the Docker Engine at {endpoint}");
        assert_eq!(error.to_string(), expected);
        assert!(error.help().is_some_and(|help| help.contains("DOCKER_TLS_VERIFY")), "{error:?}");
    }
}
