//! How servers are asked over HTTP: with the certificates of the machine, through its proxy, and not for
//! ever.
//!
//! Deliberately not here: what is asked, and what is done about answers. `io/packages` and
//! `io/registry` each know that of theirs.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

/// A server that has not said anything for so long has gone.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// The certificates that are trusted, and how.
#[derive(Debug, Clone)]
pub struct Trust(TlsConfig);

impl Trust {
    /// Those of the machine: of `SSL_CERT_FILE` and `SSL_CERT_DIR`, where they are set.
    pub fn of_machine() -> Self {
        // What cannot be read of them is missed when a server's certificate is looked at.
        let trusted: Vec<_> = rustls_native_certs::load_native_certs()
            .certs
            .into_iter()
            .map(|certificate| Certificate::from_der(&certificate).to_owned())
            .collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&trusted))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        Self(tls)
    }

    /// What is the same for all that is asked: it goes through the machine's proxy (`HTTPS_PROXY` and
    /// the like), and an answer of any status is one.
    pub fn config(&self) -> ConfigBuilder<AgentScope> {
        Agent::config_builder()
            .tls_config(self.0.clone())
            .http_status_as_error(false)
            .timeout_connect(Some(LONGEST_SILENCE))
            .timeout_recv_response(Some(LONGEST_SILENCE))
            .timeout_per_read(Some(LONGEST_SILENCE))
            .user_agent(concat!("cogpackc/", env!("CARGO_PKG_VERSION")))
    }
}
