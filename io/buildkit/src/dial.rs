//! Plain and encrypted streams of bytes to where something listens.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::address::{Endpoint, Tls};
use crate::failure::Obstacle;

/// Bytes to and from somewhere.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for S {}

/// Bytes to and from a daemon, however they travel.
pub type Stream = Box<dyn Duplex>;

/// The protocols that can be agreed upon together with encryption.
#[derive(Debug, Clone, Copy)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Opens a stream. The caller sets the deadline.
pub async fn dial(endpoint: &Endpoint, protocol: Protocol) -> Result<Stream, Obstacle> {
    match endpoint {
        Endpoint::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(Obstacle::of_system)?;
            Ok(Box::new(stream))
        }
        Endpoint::Tcp { host, port, tls } => {
            let encryption = tls.as_ref().map(|tls| Encryption::read(tls, host, protocol)).transpose()?;
            let places: Vec<_> = tokio::net::lookup_host((host.as_str(), *port))
                .await
                .map_err(Obstacle::UnknownHost)?
                .collect();
            let stream = TcpStream::connect(places.as_slice()).await.map_err(Obstacle::of_system)?;
            // Small messages go to and fro all the time; none may wait for company.
            stream.set_nodelay(true).map_err(Obstacle::System)?;
            match encryption {
                None => Ok(Box::new(stream)),
                Some(encryption) => Ok(Box::new(encryption.agree(stream).await?)),
            }
        }
    }
}

/// What is needed to encrypt, read and understood.
struct Encryption {
    connector: TlsConnector,
    server_name: ServerName<'static>,
}

impl Encryption {
    fn read(tls: &Tls, host: &str, protocol: Protocol) -> Result<Self, Obstacle> {
        let mut authorities = RootCertStore::empty();
        for certificate in certificates(&tls.authorities)? {
            authorities.add(certificate).map_err(|error| unusable(&tls.authorities, &error))?;
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Obstacle::Encryption(io::Error::other(error)))?
            .with_root_certificates(authorities);
        let mut config = match &tls.identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let certificate = certificates(&identity.certificate)?;
                let key = PrivateKeyDer::from_pem_file(&identity.key)
                    .map_err(|error| unusable(&identity.key, &error))?;
                config
                    .with_client_auth_cert(certificate, key)
                    .map_err(|error| unusable(&identity.certificate, &error))?
            }
        };
        config.alpn_protocols = match protocol {
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
            Protocol::Http2 => vec![b"h2".to_vec()],
        };
        let name = tls.server_name.as_deref().unwrap_or(host).to_owned();
        let server_name = ServerName::try_from(name)
            .map_err(|error| Obstacle::Encryption(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), server_name })
    }

    async fn agree(self, stream: TcpStream) -> Result<impl Duplex, Obstacle> {
        self.connector.connect(self.server_name, stream).await.map_err(Obstacle::Encryption)
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Obstacle> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(path, &error))?;
    if certificates.is_empty() {
        return Err(unusable(path, &"it holds no certificate"));
    }
    Ok(certificates)
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> Obstacle {
    Obstacle::UnusableFile { path: path.to_owned(), reason: reason.to_string() }
}
