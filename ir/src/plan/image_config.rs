//! The part of an image's config that a plan knows, in the words of the OCI image
//! specification's `config` object (and Docker's `Healthcheck` and `Shell` beside it).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::names::EnvName;

/// What a base image's config says. Nothing here is expanded: a base's values stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageConfig {
    /// Variables, in the order of the config, because the order is part of every cache key of
    /// a BuildKit exec. Names are unique.
    pub env: Vec<(EnvName, String)>,
    /// The working directory; `None` means `/`.
    pub workdir: Option<String>,
    /// The user, as `name-or-id[:group-or-id]`; `None` means root.
    pub user: Option<String>,
    /// The entry point.
    pub entrypoint: Option<Vec<String>>,
    /// The command, or the arguments of the entry point.
    pub cmd: Option<Vec<String>>,
    /// The shell of `run` (Docker's `Shell`); `None` means `/bin/sh -c`.
    pub shell: Option<Vec<String>>,
    /// Ports that the image listens on.
    pub ports: BTreeSet<Port>,
    /// Directories that a runtime should make volumes of.
    pub volumes: BTreeSet<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The signal that asks the main program to stop, for instance `SIGTERM`.
    pub stop_signal: Option<String>,
    /// How a runtime finds out whether the container is well.
    pub healthcheck: Option<Healthcheck>,
}

/// A port and its protocol, written `5000/tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// 1 to 65535.
    pub number: u16,
    /// What is spoken below the application.
    pub protocol: Protocol,
}

/// The transport of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
    /// `sctp`
    Sctp,
}

/// A text that is not a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a port: it must read `NUMBER/tcp`, `NUMBER/udp` or `NUMBER/sctp`, with 1 to 65535")]
pub struct InvalidPort {
    /// The refused text.
    pub text: String,
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number, self.protocol)
    }
}

impl FromStr for Port {
    type Err = InvalidPort;

    /// Reads `5000/tcp`; a number alone means tcp, as in every tool that takes ports.
    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        let invalid = || InvalidPort { text: text.to_owned() };
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return Err(invalid()),
        };
        let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        match number.parse() {
            Ok(number) if is_plain && number > 0 => Ok(Self { number, protocol }),
            Ok(_) | Err(_) => Err(invalid()),
        }
    }
}

/// How a runtime finds out whether the container is well (Docker's extension of the config).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthcheck {
    /// What is run.
    pub test: HealthcheckTest,
    /// Seconds between two checks; `None` is the runtime's default.
    pub interval: Option<u64>,
    /// Seconds after which a check has failed.
    pub timeout: Option<u64>,
    /// Seconds in which failures do not count.
    pub start_period: Option<u64>,
    /// Failures in a row that make the container unhealthy.
    pub retries: Option<u32>,
}

/// What a health check runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthcheckTest {
    /// Nothing: the check of a base is switched off.
    None,
    /// A program with its arguments.
    Exec(Vec<String>),
    /// A script for the image's shell.
    Shell(String),
}
