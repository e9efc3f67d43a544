//! Who is asked for the images of a registry: its mirrors, where the machine names some, and then
//! itself.

use cogpack_io_web::Trust;
use ureq::Agent;
use ureq::config::RedirectAuthHeaders;
use url::Url;

use crate::settings::{Settings, is_loopback};

/// Who answers for docker.io, which is a name only.
const DOCKER_IO: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Somebody who is asked.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Below this is `v2/`.
    pub base: Url,
    /// The host, as people write it, by which logins are kept as well.
    pub host: String,
    /// How it is asked.
    pub agent: Agent,
}

/// How servers are asked.
#[derive(Debug)]
pub struct Agents {
    /// Encrypted, and never without, wherever a server sends one.
    encrypted: Agent,
    /// As the address says.
    plain: Agent,
    /// Likewise, without a proxy: this machine's own servers.
    here: Agent,
}

impl Agents {
    /// Some that trust the certificates of the machine.
    pub fn new() -> Self {
        let trust = Trust::of_machine();
        // Stores of blobs are elsewhere, and must not see the login.
        let config = || trust.config().redirect_auth_headers(RedirectAuthHeaders::SameHost);
        Self {
            encrypted: config().https_only(true).build().into(),
            plain: config().build().into(),
            here: config().proxy(None).build().into(),
        }
    }
}

impl Default for Agents {
    fn default() -> Self {
        Self::new()
    }
}

/// Who is asked for images of `registry`, in this order; nobody where that is no host.
pub fn endpoints(registry: &str, settings: &Settings, agents: &Agents) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    if registry == DOCKER_IO.0 {
        // The machine names them by address, and so says whether they are encrypted.
        endpoints.extend(settings.mirrors.iter().filter_map(|mirror| mirrored(mirror, agents)));
    }
    let server = if registry == DOCKER_IO.0 { DOCKER_IO.1 } else { registry };
    let scheme = match settings.may_be_plain(registry) {
        true if speaks_plain_http(server, agents) => "http",
        true | false => "https",
    };
    if let Ok(base) = Url::parse(&format!("{scheme}://{server}/")) {
        let agent = agent_for(scheme, registry, agents);
        endpoints.push(Endpoint { base, host: registry.to_owned(), agent });
    }
    endpoints
}

fn mirrored(mirror: &Url, agents: &Agents) -> Option<Endpoint> {
    let mut base = mirror.clone();
    // Below a path that does not end in a slash nothing could be joined.
    base.path_segments_mut().ok()?.pop_if_empty().push("");
    let host = match (base.host_str()?, base.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let agent = agent_for(base.scheme(), &host, agents);
    Some(Endpoint { base, host, agent })
}

fn agent_for(scheme: &str, host: &str, agents: &Agents) -> Agent {
    match scheme {
        _ if is_loopback(host) => agents.here.clone(),
        "http" => agents.plain.clone(),
        _ => agents.encrypted.clone(),
    }
}

/// Whether a server that may speak plain HTTP does. One that wants to be spoken to in another way
/// answers 400, or not at all.
fn speaks_plain_http(server: &str, agents: &Agents) -> bool {
    let agent = agent_for("http", server, agents);
    let asked = agent.get(format!("http://{server}/v2/")).config().max_redirects(0).build().call();
    asked.is_ok_and(|answer| answer.status() != 400)
}
