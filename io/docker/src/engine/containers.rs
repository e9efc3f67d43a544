//! Containers of an Engine that serve one question and go again: made, started, listened to, removed.

use std::collections::HashMap;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions,
};
use futures_util::{Stream, StreamExt as _};

use super::Engine;
use super::failure::EngineError;

/// What a container is made of. Its variables may be secrets, so nothing shows it.
pub struct Wanted<'w> {
    /// The image.
    pub image: &'w str,
    /// Variables beyond those of the image, as `NAME=VALUE`.
    pub environment: Vec<String>,
    /// The port that it listens on.
    pub port: u16,
    /// How that is reached.
    pub network: Reached,
    /// What marks it, as a label and its value.
    pub label: (&'w str, &'w str),
}

/// How a port of a container is reached from this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// By a free port of the loopback address, which the Engine chooses.
    Published,
    /// It is the machine's own: the container has no network for itself.
    Itself,
}

/// Where a container writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

impl Engine {
    /// Makes a container, which does not run yet, and gives its id.
    pub async fn create_container(&self, wanted: Wanted<'_>) -> Result<String, EngineError> {
        let Wanted { image, environment, port, network, label } = wanted;
        let inside = format!("{port}/tcp");
        let host = match network {
            Reached::Published => {
                // An empty port is a free one.
                let binding =
                    PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) };
                let ports = HashMap::from([(inside.clone(), Some(vec![binding]))]);
                HostConfig { port_bindings: Some(ports), ..HostConfig::default() }
            }
            Reached::Itself => HostConfig { network_mode: Some("host".to_owned()), ..HostConfig::default() },
        };
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            env: Some(environment),
            exposed_ports: (network == Reached::Published).then(|| vec![inside]),
            labels: Some(HashMap::from([(label.0.to_owned(), label.1.to_owned())])),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let attempt = self.attempt(|| format!("make a container of the image `{image}`"));
        let made =
            attempt.of_image(image, self.docker.create_container(None::<CreateContainerOptions>, body));
        Ok(made.await?.id)
    }

    /// Starts it.
    pub async fn start_container(&self, id: &str) -> Result<(), EngineError> {
        let attempt = self.attempt(|| "start a container".to_owned());
        attempt.within(self.docker.start_container(id, None::<StartContainerOptions>)).await
    }

    /// The port of this machine that leads to a port of it.
    pub async fn published_port(&self, id: &str, port: u16) -> Result<u16, EngineError> {
        let attempt = self.attempt(|| "ask for the port of a container".to_owned());
        let said = attempt.within(self.docker.inspect_container(id, None::<InspectContainerOptions>)).await?;
        let ports = said.network_settings.and_then(|network| network.ports).unwrap_or_default();
        let bound = ports.get(&format!("{port}/tcp")).cloned().flatten().unwrap_or_default();
        let found = bound.into_iter().find_map(|binding| binding.host_port?.parse().ok());
        found.ok_or_else(|| attempt.lacks("a port that was published"))
    }

    /// Its exit code, where it has ended.
    pub async fn exit_code(&self, id: &str) -> Result<Option<i64>, EngineError> {
        let attempt = self.attempt(|| "ask how a container ended".to_owned());
        let said = attempt.within(self.docker.inspect_container(id, None::<InspectContainerOptions>)).await?;
        let state = said.state.unwrap_or_default();
        Ok(state.exit_code.filter(|_| state.running == Some(false)))
    }

    /// All that it writes, as it comes, until it ends.
    pub fn output_of(
        &self,
        id: &str,
    ) -> impl Stream<Item = Result<(Written, Vec<u8>), EngineError>> + use<'_> {
        let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).build();
        let attempt = self.attempt(|| "listen to a container".to_owned());
        self.docker.logs(id, Some(options)).map(move |piece| {
            let piece = piece.map_err(|error| attempt.failed(error))?;
            let written = match piece {
                LogOutput::StdErr { .. } => Written::Errors,
                LogOutput::StdOut { .. } | LogOutput::StdIn { .. } | LogOutput::Console { .. } => {
                    Written::Output
                }
            };
            Ok((written, piece.into_bytes().to_vec()))
        })
    }

    /// Ends it if it runs, and takes it away with what it has written.
    pub async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let attempt = self.attempt(|| "remove a container".to_owned());
        attempt.within(self.docker.remove_container(id, Some(options))).await
    }

    /// The labels of an image.
    pub async fn labels(&self, name: &str) -> Result<HashMap<String, String>, EngineError> {
        let attempt = self.attempt(|| format!("look up the image `{name}`"));
        let said = attempt.of_image(name, self.docker.inspect_image(name)).await?;
        Ok(said.config.and_then(|config| config.labels).unwrap_or_default())
    }
}
