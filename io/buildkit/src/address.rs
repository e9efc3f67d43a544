//! Where a daemon is: the texts people know from `BUILDKIT_HOST` and `DOCKER_HOST`, as values.
//!
//! The environment is not read here. The caller passes what it found there, so that a test or a
//! flag can say something else.

use std::fmt;
use std::path::PathBuf;

/// A daemon that builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A BuildKit daemon that listens by itself.
    Daemon(Endpoint),
    /// A Docker Engine, for the BuildKit inside it.
    Engine(Endpoint),
    /// A BuildKit daemon in a container, reached by a program that the Engine runs in there.
    Container {
        /// The container's name or id.
        name: String,
        /// The Engine that runs it.
        engine: Endpoint,
    },
}

/// Where something listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket on this machine.
    Unix(PathBuf),
    /// A port of some machine.
    Tcp {
        /// A name, or an address of IP; one of IP version 6 stands without brackets.
        host: String,
        /// The port.
        port: u16,
        /// How to encrypt; without it nothing is.
        tls: Option<Tls>,
    },
}

/// The files that encryption needs, all in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificates that the daemon's must come from.
    pub authorities: PathBuf,
    /// Who we are, where the daemon wants to know.
    pub identity: Option<Identity>,
    /// The name that the daemon's certificate must bear, where it is not the host's.
    pub server_name: Option<String>,
}

/// A certificate of ours, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// A text that says no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address of {what}: {rule}")]
pub struct InvalidAddress {
    /// The text.
    pub text: String,
    /// Of what it should be one.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: String,
    /// A way out.
    pub help: &'static str,
}

const BUILDKIT: &str = "a BuildKit daemon";
const BUILDKIT_FORMS: &str =
    "write `unix:///run/buildkit/buildkitd.sock`, `tcp://HOST:PORT` or `docker-container://NAME`";
const ENGINE: &str = "a Docker Engine";
const ENGINE_FORMS: &str = "write `unix:///var/run/docker.sock` or `tcp://HOST:PORT`";
const SSH_FORMS: &str = "forward the daemon's socket with `ssh -L /tmp/daemon.sock:/var/run/docker.sock HOST`, and write \
     `unix:///tmp/daemon.sock`";

/// The ports that a Docker Engine has by custom, without and with encryption.
const ENGINE_PORTS: (u16, u16) = (2375, 2376);

impl Address {
    /// Reads the address of a BuildKit daemon, in the forms that `BUILDKIT_HOST` has. `engine` is
    /// the Engine to ask where the daemon turns out to live in a container; `tls` is used for a
    /// `tcp://` address.
    pub fn of_daemon(text: &str, tls: Option<Tls>, engine: &Endpoint) -> Result<Self, InvalidAddress> {
        let form = Form { text, what: BUILDKIT, forms: BUILDKIT_FORMS };
        match form.split()? {
            ("unix", path) => Ok(Self::Daemon(form.unix(path)?)),
            ("tcp", place) => Ok(Self::Daemon(form.tcp(place, tls, None)?)),
            ("docker-container", name) => {
                let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
                if name.is_empty() || !name.bytes().all(sound) {
                    return Err(form.broken("a container's name has letters, digits, `_`, `.` and `-` only"));
                }
                Ok(Self::Container { name: name.to_owned(), engine: engine.clone() })
            }
            (scheme, _) => Err(form.unknown(scheme)),
        }
    }

    /// Reads the address of a Docker Engine, in the forms that `DOCKER_HOST` has.
    pub fn of_engine(text: &str, tls: Option<Tls>) -> Result<Self, InvalidAddress> {
        Endpoint::of_engine(text, tls).map(Self::Engine)
    }
}

impl Endpoint {
    /// Reads where a Docker Engine is, in the forms that `DOCKER_HOST` has.
    pub fn of_engine(text: &str, tls: Option<Tls>) -> Result<Self, InvalidAddress> {
        let form = Form { text, what: ENGINE, forms: ENGINE_FORMS };
        let port = if tls.is_some() { ENGINE_PORTS.1 } else { ENGINE_PORTS.0 };
        match form.split()? {
            ("unix", path) => form.unix(path),
            ("tcp", place) => form.tcp(place, tls, Some(port)),
            (scheme, _) => Err(form.unknown(scheme)),
        }
    }

    /// Where a Docker Engine listens when nobody says anything else.
    pub fn of_local_engine() -> Self {
        Self::Unix(PathBuf::from("/var/run/docker.sock"))
    }
}

/// A text on its way to being an address.
struct Form<'a> {
    text: &'a str,
    what: &'static str,
    forms: &'static str,
}

impl<'a> Form<'a> {
    fn split(&self) -> Result<(&'a str, &'a str), InvalidAddress> {
        self.text.split_once("://").ok_or_else(|| self.broken("it does not begin with a scheme and `://`"))
    }

    fn unix(&self, path: &str) -> Result<Endpoint, InvalidAddress> {
        if !path.starts_with('/') {
            return Err(self.broken("the path of a socket must be absolute"));
        }
        Ok(Endpoint::Unix(PathBuf::from(path)))
    }

    fn tcp(
        &self,
        place: &str,
        tls: Option<Tls>,
        usual_port: Option<u16>,
    ) -> Result<Endpoint, InvalidAddress> {
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = if let Some(rest) = place.strip_prefix('[') {
            let (host, after) =
                rest.split_once(']').ok_or_else(|| self.broken("a `[` is never closed by `]`"))?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(self.broken("what stands in brackets must be an address of IP version 6"));
            }
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err(self.broken("only `:PORT` may follow the brackets")),
            }
        } else {
            match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            }
        };
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-:".contains(&byte);
        if host.is_empty() || !host.bytes().all(sound) {
            return Err(self.broken("a host is a name or an address of IP, without user, path or query"));
        }
        let port = match (port, usual_port) {
            (Some(port), _) => port
                .parse::<u16>()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| self.broken("the port must be a number from 1 to 65535"))?,
            (None, Some(usual)) => usual,
            (None, None) => return Err(self.broken("it names no port")),
        };
        Ok(Endpoint::Tcp { host: host.to_owned(), port, tls })
    }

    fn unknown(&self, scheme: &str) -> InvalidAddress {
        let mut invalid = self.broken(&format!("nothing is known of the scheme `{scheme}`"));
        if scheme == "ssh" {
            invalid.help = SSH_FORMS;
        }
        invalid
    }

    fn broken(&self, rule: &str) -> InvalidAddress {
        InvalidAddress {
            text: self.text.to_owned(),
            what: self.what,
            rule: rule.to_owned(),
            help: self.forms,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon(endpoint) | Self::Engine(endpoint) => endpoint.fmt(out),
            Self::Container { name, engine: _ } => write!(out, "docker-container://{name}"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(out, "unix://{}", path.display()),
            Self::Tcp { host, port, tls: _ } if host.contains(':') => write!(out, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port, tls: _ } => write!(out, "tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon(text: &str) -> Result<Address, InvalidAddress> {
        Address::of_daemon(text, None, &Endpoint::of_local_engine())
    }

    #[test]
    fn addresses_are_shown_as_they_are_written() {
        for text in
            ["unix:///run/x y.sock", "tcp://builder:1234", "tcp://[::1]:1234", "docker-container://b_0.x-1"]
        {
            assert_eq!(daemon(text).unwrap().to_string(), text);
        }
        assert_eq!(Address::of_engine("tcp://10.0.0.1:99/", None).unwrap().to_string(), "tcp://10.0.0.1:99");
    }

    #[test]
    fn an_engine_has_a_usual_port_and_a_daemon_has_none() {
        let tls = Tls { authorities: PathBuf::from("ca.pem"), identity: None, server_name: None };
        let shown = |tls| Endpoint::of_engine("tcp://far", tls).unwrap().to_string();
        assert_eq!(shown(None), "tcp://far:2375");
        assert_eq!(shown(Some(tls)), "tcp://far:2376");
        assert_eq!(daemon("tcp://far").unwrap_err().rule, "it names no port");
    }

    #[test]
    fn broken_texts_are_told_the_rule_they_break() {
        for (text, rule) in [
            ("/run/x.sock", "it does not begin with a scheme and `://`"),
            ("unix://run/x.sock", "the path of a socket must be absolute"),
            ("tcp://:1", "a host is a name or an address of IP, without user, path or query"),
            ("tcp://me@far:1", "a host is a name or an address of IP, without user, path or query"),
            ("tcp://far:0", "the port must be a number from 1 to 65535"),
            ("tcp://far:65536", "the port must be a number from 1 to 65535"),
            ("tcp://far:1/path", "the port must be a number from 1 to 65535"),
            ("tcp://::1:1", "a host is a name or an address of IP, without user, path or query"),
            ("tcp://[::1", "a `[` is never closed by `]`"),
            ("tcp://[far]:1", "what stands in brackets must be an address of IP version 6"),
            ("tcp://[::1]1", "only `:PORT` may follow the brackets"),
            ("docker-container://", "a container's name has letters, digits, `_`, `.` and `-` only"),
            ("docker-container://a/b", "a container's name has letters, digits, `_`, `.` and `-` only"),
            ("kube-pod://x", "nothing is known of the scheme `kube-pod`"),
        ] {
            let invalid = daemon(text).unwrap_err();
            assert_eq!((invalid.rule.as_str(), invalid.help), (rule, BUILDKIT_FORMS), "{text}");
        }
    }

    #[test]
    fn who_writes_ssh_is_told_how_to_forward_a_socket() {
        let invalid = Endpoint::of_engine("ssh://far", None).unwrap_err();
        assert_eq!(
            invalid.to_string(),
            "`ssh://far` is no address of a Docker Engine: nothing is known of the scheme `ssh`"
        );
        assert!(invalid.help.contains("ssh -L"), "{}", invalid.help);
    }
}
