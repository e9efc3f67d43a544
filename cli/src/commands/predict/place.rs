//! Where a container runs, whatever runs it: the port of its server, what it writes, how it ends, and a
//! way to take it away.

use std::sync::Arc;

use cogpack_build::direct::Programs;
use cogpack_build::direct::container::Container;
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_docker::engine::Engine;
use cogpack_io_docker::engine::containers::{Reached, Wanted, Written};
use cogpack_io_docker::engine::failure::EngineError;
use cogpack_io_layout::read::{Layout, StoredImage};
use cogpack_io_model_server::client::Server;
use cogpack_io_runtime::job::{Ended, Stream};
use cogpack_io_runtime::run::Cancel;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::arguments::ContainerNetwork;
use super::chatter::Said;
use crate::commands::build::watch::failure_of;
use crate::failure::Failure;

/// The port that a model's server listens on where nobody says another.
const PORT: u16 = 5000;
/// What marks a container, for whoever finds one that was left by a kill.
const LABEL: (&str, &str) = ("run.cogpack.predict", "true");

/// A container that runs.
pub struct Running {
    /// The model's server.
    pub server: Server,
    /// What it writes; closed when it has ended.
    pub said: UnboundedReceiver<Said>,
    /// How it has ended, once it has.
    pub ended: watch::Receiver<Option<String>>,
    by: By,
}

enum By {
    Engine { engine: Arc<Engine>, id: String, listening: JoinHandle<()> },
    Runtime { cancel: Cancel, running: JoinHandle<()> },
}

impl Running {
    /// Takes the container away.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        match &mut self.by {
            By::Engine { engine, id, listening } => {
                let removed = engine.remove_container(id).await;
                // What it wrote last is on its way still.
                let _ = listening.await;
                removed.map_err(|error| engine_failure(&error))
            }
            By::Runtime { cancel, running } => {
                cancel.cancel();
                let _ = running.await;
                Ok(())
            }
        }
    }
}

/// Where a model runs: its container can be started, and started again.
pub enum Place<'p> {
    /// In the Engine.
    Engine {
        /// The Engine.
        engine: Arc<Engine>,
        /// The image.
        image: &'p str,
        /// What network the container gets.
        network: ContainerNetwork,
        /// What the model is told.
        variables: &'p [(String, String)],
    },
    /// By an OCI runtime of this machine.
    Runtime {
        /// The image, unpacked.
        container: Arc<Container>,
        /// What the model is told.
        variables: &'p [(String, String)],
    },
}

impl<'p> Place<'p> {
    /// An OCI runtime of this machine, and an image that is unpacked for it.
    pub async fn runtime(
        programs: Programs,
        layout: Layout,
        image: StoredImage,
        variables: &'p [(String, String)],
    ) -> Result<Self, Failure> {
        let unpacking = tokio::task::spawn_blocking(move || Container::unpack(programs, &layout, &image));
        let unpacked = unpacking.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let container = Arc::new(unpacked.map_err(|error| failure_of(&error))?);
        Ok(Self::Runtime { container, variables })
    }

    /// Whether containers have the network of the machine, with all that others bind there.
    pub fn is_on_the_machines_network(&self) -> bool {
        match self {
            Self::Engine { network, .. } => match network {
                ContainerNetwork::Default => false,
                ContainerNetwork::Host => true,
            },
            Self::Runtime { .. } => true,
        }
    }

    /// Starts a container.
    pub async fn start(&self) -> Result<Running, Failure> {
        match self {
            Self::Engine { engine, image, network, variables } => {
                in_engine(Arc::clone(engine), image, *network, variables).await
            }
            Self::Runtime { container, variables } => in_runtime(Arc::clone(container), variables),
        }
    }
}

/// Starts a container in the Engine.
async fn in_engine(
    engine: Arc<Engine>,
    image: &str,
    network: ContainerNetwork,
    variables: &[(String, String)],
) -> Result<Running, Failure> {
    let failed = |error: EngineError| engine_failure(&error);
    if let Endpoint::Tcp { host, .. } = engine.endpoint()
        && !matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1")
    {
        let what = format!("the Docker Engine at {} is on another machine", engine.endpoint());
        return Err(Failure::new(what).with_hint(
            "a model is asked on the loopback address: choose an Engine of this machine by DOCKER_HOST, or \
             `--builder direct`",
        ));
    }
    let given = variables.iter().rev().find(|(name, _)| name == "PORT");
    let port = match (given, network) {
        (Some((_, text)), _) => port_of(text)?,
        (None, ContainerNetwork::Default) => PORT,
        (None, ContainerNetwork::Host) => free_port()?,
    };
    let mut environment: Vec<String> =
        variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    environment.push(format!("PORT={port}"));
    let reached = match network {
        ContainerNetwork::Default => Reached::Published,
        ContainerNetwork::Host => Reached::Itself,
    };
    let id = engine
        .create_container(Wanted { image, environment, port, network: reached, label: LABEL })
        .await
        .map_err(failed)?;
    let started = async {
        engine.start_container(&id).await?;
        match reached {
            Reached::Published => engine.published_port(&id, port).await,
            Reached::Itself => Ok(port),
        }
    };
    let port = match started.await {
        Ok(port) => port,
        Err(error) => {
            // The first failure is the one to be told.
            let _ = engine.remove_container(&id).await;
            return Err(failed(error));
        }
    };
    let (say, said) = unbounded_channel();
    let (tell, ended) = watch::channel(None);
    let listening = tokio::spawn(listen(Arc::clone(&engine), id.clone(), say, tell));
    Ok(Running { server: Server { port }, said, ended, by: By::Engine { engine, id, listening } })
}

async fn listen(
    engine: Arc<Engine>,
    id: String,
    say: UnboundedSender<Said>,
    tell: watch::Sender<Option<String>>,
) {
    let mut pieces = std::pin::pin!(engine.output_of(&id));
    while let Some(Ok((written, bytes))) = pieces.next().await {
        let stream = match written {
            Written::Output => Stream::Output,
            Written::Errors => Stream::Errors,
        };
        // Whoever does not listen any more needs nothing more.
        let _ = say.send(Said { stream, bytes });
    }
    if let Ok(Some(code)) = engine.exit_code(&id).await {
        let _ = tell.send(Some(format!("ended with exit code {code}")));
    }
}

/// Starts an image by an OCI runtime of this machine.
fn in_runtime(container: Arc<Container>, variables: &[(String, String)]) -> Result<Running, Failure> {
    let given = variables.iter().rev().find(|(name, _)| name == "PORT");
    let port = given.map_or_else(free_port, |(_, text)| port_of(text))?;
    let mut environment = variables.to_vec();
    environment.push(("PORT".to_owned(), port.to_string()));
    let (say, said) = unbounded_channel();
    let (tell, ended) = watch::channel(None);
    let cancel = Cancel::default();
    let stop = cancel.clone();
    let running = tokio::task::spawn_blocking(move || {
        let output = |stream, bytes: &[u8]| {
            let _ = say.send(Said { stream, bytes: bytes.to_vec() });
        };
        let how = match container.run(&environment, &output, &stop) {
            Ok(Ended::Exited(code)) => format!("ended with exit code {code}"),
            Ok(Ended::NotStarted(why)) => format!("did not start: {why}"),
            Ok(Ended::Cancelled) => "was ended".to_owned(),
            Err(error) => {
                let Failure { message, causes, .. } = Failure::of(&error);
                let causes = causes.iter().map(|cause| format!(": {cause}")).collect::<String>();
                format!("did not run: {message}{causes}")
            }
        };
        let _ = tell.send(Some(how));
    });
    Ok(Running { server: Server { port }, said, ended, by: By::Runtime { cancel, running } })
}

/// A failure of the Engine, with its way out.
pub fn engine_failure(error: &EngineError) -> Failure {
    let failure = Failure::of(error);
    let out = match error {
        EngineError::NoImage { .. } => Some("build it, or fetch it with `docker pull`"),
        EngineError::Unreachable(_)
        | EngineError::Refused { .. }
        | EngineError::Late { .. }
        | EngineError::Broken { .. }
        | EngineError::File { .. } => error.help(),
    };
    match out {
        Some(help) => failure.with_hint(help),
        None => failure,
    }
}

fn port_of(text: &str) -> Result<u16, Failure> {
    text.parse().map_err(|_| {
        Failure::new("the variable PORT, given by `-e`, is no port")
            .with_hint("leave it out: the model is told one by itself")
    })
}

/// A port of the loopback address that nobody uses now.
fn free_port() -> Result<u16, Failure> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
    port.map(|address| address.port())
        .map_err(|error| Failure::new(format!("there is no free port on this machine: {error}")))
}
