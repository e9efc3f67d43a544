//! A connection of gRPC through memory, for tests of services.

use std::convert::Infallible;

use hyper_util::rt::TokioIo;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint, Server};

/// A channel to a server of one service, which lives as long as the channel.
pub async fn connect<S>(service: S) -> Channel
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let incoming = tokio_stream::once(Ok::<_, std::io::Error>(theirs));
        // HTTP/2 bears as many small frames unread as fill half of this, each counted as 256 bytes:
        // about four thousand.
        let mut server = Server::builder().initial_connection_window_size(2 << 20);
        server.add_service(service).serve_with_incoming(incoming).await.expect("serves");
    });
    let mut ours = Some(ours);
    let connector = tower::service_fn(move |_| {
        let pipe = ours.take().ok_or_else(|| std::io::Error::other("there is one connection"));
        async move { pipe.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://in-memory");
    endpoint.connect_with_connector(connector).await.expect("connects")
}
