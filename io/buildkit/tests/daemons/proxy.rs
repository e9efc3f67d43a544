//! Something between us and a daemon, which can be cut.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_io_buildkit::address::{Address, Endpoint};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::found::{Found, socket_of};

/// Passes on connections as long as it lives and nobody cuts it.
pub struct Proxy {
    pub endpoint: Endpoint,
    cut: CancellationToken,
    _directory: Option<tempfile::TempDir>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut.cancel();
    }
}

impl Proxy {
    /// Ends all connections, and takes no more.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// The daemon's address, by way of this.
    pub fn address(&self, found: &Found) -> Address {
        match found.address {
            Address::Daemon(_) => Address::Daemon(self.endpoint.clone()),
            Address::Engine(_) => Address::Engine(self.endpoint.clone()),
            Address::Container { .. } => panic!("no proxy is needed for a container"),
        }
    }

    pub async fn unix(found: &Found) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("proxy.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let cut = CancellationToken::new();
        let target = socket_of(found);
        tokio::spawn(cut.clone().run_until_cancelled_owned({
            let cut = cut.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    pass_on(stream, &target, &cut);
                }
            }
        }));
        Self { endpoint: Endpoint::Unix(path), cut, _directory: Some(directory) }
    }

    /// Listens on a port. `tls` is for the endpoint, `acceptor` for what listens.
    pub async fn tcp(
        found: &Found,
        tls: Option<cogpack_io_buildkit::address::Tls>,
        acceptor: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = CancellationToken::new();
        let target = socket_of(found);
        tokio::spawn(cut.clone().run_until_cancelled_owned({
            let cut = cut.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    match &acceptor {
                        None => pass_on(stream, &target, &cut),
                        Some(acceptor) => {
                            let (acceptor, target, cut) =
                                (TlsAcceptor::from(acceptor.clone()), target.clone(), cut.clone());
                            tokio::spawn(async move {
                                // Who is not let in is told so by the handshake itself.
                                if let Ok(stream) = acceptor.accept(stream).await {
                                    pass_on(stream, &target, &cut);
                                }
                            });
                        }
                    }
                }
            }
        }));
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, tls };
        Self { endpoint, cut, _directory: None }
    }
}

fn pass_on(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Path,
    cut: &CancellationToken,
) {
    let target: PathBuf = target.to_owned();
    let passing_on = async move {
        let mut daemon = UnixStream::connect(target).await.unwrap();
        // However the one side ends, the other one ends with it.
        let _ = copy_bidirectional(&mut stream, &mut daemon).await;
    };
    tokio::spawn(cut.clone().run_until_cancelled_owned(passing_on));
}
