//! What the environment says about Docker, as values.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the environment says. What is not set, and what is set to nothing, is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `HOME`: below it is the configuration, where nothing else is said.
    pub home: Option<PathBuf>,
    /// `DOCKER_CONFIG`: the directory of the configuration.
    pub config: Option<PathBuf>,
    /// `DOCKER_HOST`: where the Engine listens.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`: the name of the context to use.
    pub context: Option<String>,
    /// `DOCKER_CERT_PATH`: the directory of the certificates for `DOCKER_HOST`.
    pub certificates: Option<PathBuf>,
    /// Whether `DOCKER_TLS_VERIFY` is set: encrypt the connection to `DOCKER_HOST`.
    pub verified_tls: bool,
    /// Whether `DOCKER_TLS` is set: the same without knowing who is there, which we refuse.
    pub unverified_tls: bool,
    /// `PATH`: where credential helpers are looked for.
    pub path: Option<OsString>,
}

impl Settings {
    /// The directory of the configuration; none where the environment has not even a home.
    pub fn directory(&self) -> Option<PathBuf> {
        self.config.clone().or_else(|| self.home.as_ref().map(|home| home.join(".docker")))
    }
}
