//! Which Engine the `docker` command would talk to: one named by the environment, or by a context,
//! or the one of this machine.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use cogpack_content::Digest;
use cogpack_io_buildkit::address::{Endpoint, Identity, InvalidAddress, Tls};
use serde::Deserialize;

use crate::config_file::{ConfigError, ConfigFile, read_json};
use crate::settings::Settings;

/// The context that is always there, and stands in no file.
const DEFAULT_CONTEXT: &str = "default";

const LOCAL_ENGINE: &str = "unix:///var/run/docker.sock";

/// An Engine, and who says that it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Who says so.
    pub by: ChosenBy,
}

impl Chosen {
    /// Whether it is the one of this machine, and there is none: nothing is at its address, or
    /// nobody listens there any more. One that somebody has named is never absent: that it does
    /// not answer is a mistake then.
    pub fn is_absent(&self) -> bool {
        let (ChosenBy::Default, Endpoint::Unix(path)) = (&self.by, &self.endpoint) else { return false };
        is_absent(path)
    }
}

fn is_absent(socket: &Path) -> bool {
    UnixStream::connect(socket).is_err_and(|error| {
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
    })
}

/// Who says which Engine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenBy {
    /// The variable `DOCKER_HOST`.
    Host,
    /// A context of this name.
    Context(String),
    /// Nobody: it is the one of this machine.
    Default,
}

impl fmt::Display for ChosenBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => out.write_str("DOCKER_HOST"),
            Self::Context(name) => write!(out, "the docker context `{name}`"),
            Self::Default => out.write_str("default"),
        }
    }
}

/// Why it is not known which Engine it is.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// A file of the configuration is broken.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no such context.
    #[error("there is no docker context `{name}`: `{}` is missing", path.display())]
    UnknownContext {
        /// Its name.
        name: String,
        /// The file that would tell of it.
        path: PathBuf,
    },
    /// The context leads to no Engine.
    #[error("the docker context `{name}` names no Docker Engine")]
    NoEngine {
        /// Its name.
        name: String,
    },
    /// The connection would be encrypted, and nobody would know with whom.
    #[error("{by} asks for encryption without looking at the Engine's certificate, which is no protection")]
    Unverified {
        /// Who asks for it.
        by: String,
    },
    /// The address is none.
    #[error("{by} names an Engine: {source}")]
    Address {
        /// Who names it.
        by: ChosenBy,
        /// What is wrong with it.
        #[source]
        source: InvalidAddress,
    },
    /// There is only one half of what proves who we are.
    #[error("`{}` is missing beside `{}`", missing.display(), present.display())]
    HalfIdentity {
        /// The file that is not there.
        missing: PathBuf,
        /// The file that is.
        present: PathBuf,
    },
}

impl ChoiceError {
    /// A way out, where one can be told.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::UnknownContext { .. } => Some(
                "`docker context ls` lists them; `docker context use default` goes back to this machine's Engine",
            ),
            Self::NoEngine { .. } => {
                Some("choose another one with DOCKER_CONTEXT, or an Engine with DOCKER_HOST")
            }
            Self::Unverified { .. } => Some(
                "set DOCKER_TLS_VERIFY, or give the context the authority that the Engine's certificate comes from",
            ),
            Self::Address { source, .. } => Some(source.help),
            Self::Config(_) | Self::HalfIdentity { .. } => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    #[serde(default)]
    endpoints: BTreeMap<String, ContextEndpoint>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContextEndpoint {
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    unverified: bool,
}

/// Finds the Engine. `DOCKER_HOST` goes before `DOCKER_CONTEXT`, and that before what was chosen
/// with `docker context use`.
pub fn choose(settings: &Settings) -> Result<Chosen, ChoiceError> {
    if let Some(host) = &settings.host {
        return by_host(settings, host);
    }
    let Some(directory) = settings.directory() else { return default_engine() };
    let name = match &settings.context {
        Some(name) => Some(name.clone()),
        None => ConfigFile::read(&directory)?.current_context,
    };
    match name.filter(|name| !name.is_empty() && name != DEFAULT_CONTEXT) {
        Some(name) => by_context(&directory, &name),
        None => default_engine(),
    }
}

fn default_engine() -> Result<Chosen, ChoiceError> {
    parse(LOCAL_ENGINE, None, ChosenBy::Default)
}

fn parse(host: &str, tls: Option<Tls>, by: ChosenBy) -> Result<Chosen, ChoiceError> {
    match Endpoint::of_engine(host, tls) {
        Ok(endpoint) => Ok(Chosen { endpoint, by }),
        Err(source) => Err(ChoiceError::Address { by, source }),
    }
}

fn by_host(settings: &Settings, host: &str) -> Result<Chosen, ChoiceError> {
    let tls = if settings.verified_tls {
        let directory = settings.certificates.clone().or_else(|| settings.directory());
        directory.map(|directory| tls_in(&directory)).transpose()?
    } else if settings.unverified_tls {
        return Err(ChoiceError::Unverified { by: "DOCKER_TLS".to_owned() });
    } else {
        None
    };
    parse(host, tls, ChosenBy::Host)
}

fn by_context(directory: &Path, name: &str) -> Result<Chosen, ChoiceError> {
    let folder = Digest::of(name.as_bytes()).hex();
    let path = directory.join("contexts/meta").join(&folder).join("meta.json");
    let Some(context) = read_json::<Context>(&path)? else {
        return Err(ChoiceError::UnknownContext { name: name.to_owned(), path });
    };
    let endpoint = context.endpoints.get("docker").filter(|endpoint| !endpoint.host.is_empty());
    let Some(endpoint) = endpoint else { return Err(ChoiceError::NoEngine { name: name.to_owned() }) };
    let by = ChosenBy::Context(name.to_owned());
    if endpoint.unverified {
        return Err(ChoiceError::Unverified { by: by.to_string() });
    }
    let certificates = directory.join("contexts/tls").join(&folder).join("docker");
    let tls = if certificates.is_dir() { Some(tls_in(&certificates)?) } else { None };
    parse(&endpoint.host, tls, by)
}

/// The files of a directory of certificates, which have the same names everywhere.
fn tls_in(directory: &Path) -> Result<Tls, ChoiceError> {
    let [authorities, certificate, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| directory.join(name));
    let identity = match (certificate.exists(), key.exists()) {
        (true, true) => Some(Identity { certificate, key }),
        (false, false) => None,
        (true, false) => return Err(ChoiceError::HalfIdentity { missing: key, present: certificate }),
        (false, true) => return Err(ChoiceError::HalfIdentity { missing: certificate, present: key }),
    };
    Ok(Tls { authorities, identity, server_name: None })
}

#[cfg(test)]
mod tests;
