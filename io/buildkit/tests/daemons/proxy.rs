//! Something between us and a daemon, which can be cut.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_io_buildkit::address::{Address, Endpoint};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::found::{Found, socket_of};

/// Passes on connections as long as it lives and nobody cuts it.
pub struct Proxy {
    pub endpoint: Endpoint,
    cut: CancellationToken,
    frozen: watch::Sender<bool>,
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

    /// Keeps all connections, and passes on nothing more.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
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
        let (frozen, passes) = watch::channel(false);
        let target = socket_of(found);
        tokio::spawn(cut.clone().run_until_cancelled_owned({
            let cut = cut.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    pass_on(stream, &target, &cut, &passes);
                }
            }
        }));
        Self { endpoint: Endpoint::Unix(path), cut, frozen, _directory: Some(directory) }
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
        let (frozen, passes) = watch::channel(false);
        let target = socket_of(found);
        tokio::spawn(cut.clone().run_until_cancelled_owned({
            let cut = cut.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    match &acceptor {
                        None => pass_on(stream, &target, &cut, &passes),
                        Some(acceptor) => {
                            let (acceptor, target, cut, passes) = (
                                TlsAcceptor::from(acceptor.clone()),
                                target.clone(),
                                cut.clone(),
                                passes.clone(),
                            );
                            tokio::spawn(async move {
                                // Who is not let in is told so by the handshake itself.
                                if let Ok(stream) = acceptor.accept(stream).await {
                                    pass_on(stream, &target, &cut, &passes);
                                }
                            });
                        }
                    }
                }
            }
        }));
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, tls };
        Self { endpoint, cut, frozen, _directory: None }
    }
}

fn pass_on(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    target: &Path,
    cut: &CancellationToken,
    frozen: &watch::Receiver<bool>,
) {
    let (target, one, other): (PathBuf, _, _) = (target.to_owned(), frozen.clone(), frozen.clone());
    let passing_on = async move {
        let (from_daemon, to_daemon) = tokio::io::split(UnixStream::connect(target).await.unwrap());
        let (from_us, to_us) = tokio::io::split(stream);
        // However the one direction ends, the other one ends with it.
        tokio::select! {
            () = copy(from_daemon, to_us, one) => {}
            () = copy(from_us, to_daemon, other) => {}
        }
    };
    tokio::spawn(cut.clone().run_until_cancelled_owned(passing_on));
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut frozen: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        // The sender lives as long as anything is passed on.
        if frozen.wait_for(|frozen| !frozen).await.is_err() || to.write_all(&bytes[..length]).await.is_err() {
            break;
        }
    }
}
