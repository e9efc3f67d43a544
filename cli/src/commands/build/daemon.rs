//! Which daemon builds.

use std::path::PathBuf;

use cogpack_io_buildkit::address::{Address, Endpoint, Identity, InvalidAddress, Tls};

use cogpack_io_docker::contexts::choose;
use cogpack_io_docker::logins::DockerLogins;
use cogpack_io_docker::settings::Settings;

use super::attributes::Attributes;
use crate::console::Console;
use crate::failure::Failure;

/// The BuildKit that was named, else the one inside the Docker Engine.
pub fn address(
    named: Option<&str>,
    certificates: Option<&str>,
    console: &Console<'_>,
) -> Result<Address, Failure> {
    let tls = certificates.map(|text| tls(text, console)).transpose()?;
    let named = named.or(console.environment.buildkit_host.as_deref());
    match named {
        Some(text) => Address::of_daemon(text, tls, &engine(console)?).map_err(|error| invalid(&error)),
        None if tls.is_some() => Err(Failure::new("`--buildkit-tls` needs `--buildkit tcp://HOST:PORT`")
            .with_hint("an engine's certificates are those of its docker context, or in DOCKER_CERT_PATH")),
        None => Ok(Address::Engine(engine(console)?)),
    }
}

/// What waits for daemons.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the threads of a build: {error}")))
}

/// The Docker Engine that the docker command would use.
pub fn engine(console: &Console<'_>) -> Result<Endpoint, Failure> {
    engine_of(&console.environment.docker)
}

/// The same, for what the environment says.
pub fn engine_of(settings: &Settings) -> Result<Endpoint, Failure> {
    let chosen = choose(settings).map_err(|error| {
        let failure = Failure::of(&error);
        match error.help() {
            Some(help) => failure.with_hint(help),
            None => failure,
        }
    })?;
    Ok(chosen.endpoint)
}

/// The logins that the docker command has.
pub fn logins(console: &Console<'_>) -> Result<DockerLogins, Failure> {
    DockerLogins::read(&console.environment.docker).map_err(|error| Failure::of(&error))
}

fn tls(text: &str, console: &Console<'_>) -> Result<Tls, Failure> {
    let mut attributes = Attributes::parse("--buildkit-tls", "ca", text)?;
    let full = |path: String| -> PathBuf { console.directory.join(path) };
    let authorities = full(attributes.need("ca")?);
    let identity = match (attributes.take("cert"), attributes.take("key")) {
        (Some(certificate), Some(key)) => Some(Identity { certificate: full(certificate), key: full(key) }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(attributes.failure("a certificate needs its key", "say `cert=FILE` and `key=FILE`"));
        }
    };
    let server_name = attributes.take("server-name");
    attributes.nothing_more("there are `ca`, `cert`, `key` and `server-name`")?;
    Ok(Tls { authorities, identity, server_name })
}

fn invalid(error: &InvalidAddress) -> Failure {
    Failure::of(error).with_hint(error.help)
}
