//! Encrypted connections, in which both sides show who they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_io_buildkit::address::{Identity, Tls};
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::failure::{Failure, Obstacle};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use crate::building::{built, printed, script};
use crate::found::daemons;
use crate::proxy::Proxy;

/// An authority, with a certificate for a daemon of this name and one for us.
struct Authority {
    directory: tempfile::TempDir,
}

impl Authority {
    fn new(server_name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).unwrap();
        for (file, name) in [("server", server_name), ("client", "us")] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            std::fs::write(directory.path().join(format!("{file}.pem")), certificate.pem()).unwrap();
            std::fs::write(directory.path().join(format!("{file}.key")), key.serialize_pem()).unwrap();
        }
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What a daemon listens with that wants to know us.
    fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(crypto::ring::default_provider());
        let mut authorities = RootCertStore::empty();
        authorities.add(certificate(&self.path("ca.pem"))).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider.clone())
            .build()
            .unwrap();
        let key = PrivateKeyDer::from_pem_file(self.path("server.key")).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate(&self.path("server.pem"))], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    fn client(&self) -> Tls {
        Tls {
            authorities: self.path("ca.pem"),
            identity: Some(Identity { certificate: self.path("client.pem"), key: self.path("client.key") }),
            server_name: None,
        }
    }
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

#[tokio::test]
async fn both_sides_know_each_other_and_build() {
    let authority = Authority::new("127.0.0.1");
    for found in daemons() {
        let proxy = Proxy::tcp(&found, Some(authority.client()), Some(authority.server())).await;
        let connection = Connection::open(&proxy.address(&found)).await.unwrap();
        let (outcome, news) = built(&connection, script("echo in secret")).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        assert_eq!(printed(&news), "in secret\n", "{}", found.name);
    }
}

#[tokio::test]
async fn a_connection_over_a_plain_port_builds() {
    for found in daemons() {
        let proxy = Proxy::tcp(&found, None, None).await;
        let connection = Connection::open(&proxy.address(&found)).await.unwrap();
        let (outcome, news) = built(&connection, script("echo in the open")).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        assert_eq!(printed(&news), "in the open\n", "{}", found.name);
    }
}

#[tokio::test]
async fn nobody_is_trusted_who_is_not_who_he_should_be() {
    let (authority, stranger, elsewhere) =
        (Authority::new("127.0.0.1"), Authority::new("127.0.0.1"), Authority::new("builder.example"));
    let nobody = Tls { identity: None, ..authority.client() };
    let unknown = Tls { identity: stranger.client().identity, ..authority.client() };
    let renamed = Tls { server_name: Some("builder.example".to_owned()), ..elsewhere.client() };
    for found in daemons() {
        for (what, server, client, lets_in) in [
            ("the daemon's certificate is a stranger's", &stranger, authority.client(), false),
            ("the daemon's certificate is for another host", &elsewhere, elsewhere.client(), false),
            ("the daemon's certificate is for the host we name", &elsewhere, renamed.clone(), true),
            ("we show no certificate", &authority, nobody.clone(), false),
            ("we show a stranger's certificate", &authority, unknown.clone(), false),
        ] {
            let proxy = Proxy::tcp(&found, Some(client), Some(server.server())).await;
            let outcome = Connection::open(&proxy.address(&found)).await;
            let refused =
                matches!(outcome, Err(Failure::Unreachable { obstacle: Obstacle::Encryption(_), .. }));
            assert_eq!(
                (outcome.is_ok(), refused),
                (lets_in, !lets_in),
                "{}: {what}: {outcome:?}",
                found.name
            );
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_certificate_is_named() {
    let authority = Authority::new("127.0.0.1");
    for (name, text) in [("gone.pem", None), ("key.pem", Some("not PEM at all")), ("empty.pem", Some(""))] {
        let path = authority.path(name);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let tls = Tls { authorities: path.clone(), ..authority.client() };
        let endpoint = cogpack_io_buildkit::address::Endpoint::Tcp {
            host: "127.0.0.1".to_owned(),
            port: 1,
            tls: Some(tls),
        };
        let address = cogpack_io_buildkit::address::Address::Engine(endpoint);
        let failure = Connection::open(&address).await.unwrap_err();
        assert!(failure.to_string().contains(name), "{failure}");
        assert!(
            matches!(failure, Failure::Unreachable { obstacle: Obstacle::UnusableFile { .. }, .. }),
            "{failure:?}"
        );
    }
}
