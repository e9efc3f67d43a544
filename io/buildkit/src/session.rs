//! The session: this side serves, the daemon asks.
//!
//! The daemon is the client here, although we opened the stream. It calls only what we said we
//! serve, and asks every few seconds whether we are still well; that it goes on asking is also how
//! we know that it is.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use bollard_buildkit_proto::health::health_check_response::ServingStatus;
use bollard_buildkit_proto::health::health_server::{Health, HealthServer};
use bollard_buildkit_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use bollard_buildkit_proto::moby::buildkit::v1::BytesMessage;
use futures_util::StreamExt;
use http_body_util::Full;
use hyper::server::conn::http2;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::codegen::Service;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::address::Address;
use crate::connection::{
    CALL_WINDOW, CONNECT_DEADLINE, CONNECTION_WINDOW, Connection, before, stream_of_engine,
};
use crate::failure::Failure;
use crate::random_id::random_id;
use crate::upgrade;

/// How much of the tunnel's bytes may wait in it, and how many travel in one message.
const TUNNEL_BUFFER: usize = 256 << 10;
const TUNNEL_CHUNK: usize = 64 << 10;

/// For how long a daemon that has asked for our health may not ask again. Its own patience is a
/// fraction of that, so whoever is silent for so long has stopped.
const LONGEST_SILENCE: Duration = Duration::from_secs(120);

const UUID: &str = "x-docker-expose-session-uuid";
const NAME: &str = "x-docker-expose-session-name";
const SHARED_KEY: &str = "x-docker-expose-session-sharedkey";
const METHOD: &str = "x-docker-expose-session-grpc-method";

/// What a service becomes part of.
type AddService = Box<dyn FnOnce(Routes) -> Routes + Send>;

/// What we serve the daemon during a build.
#[derive(Default)]
pub struct Services {
    services: BTreeMap<&'static str, (AddService, Vec<String>)>,
    shared_key: String,
}

impl Services {
    /// Serves nothing, apart from saying that we are well.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves one more service. `methods` are those that the daemon shall know of, each written
    /// `/package.Service/Method`: it never calls another one. A second service of one name replaces
    /// the first.
    #[must_use]
    pub fn add<S>(mut self, server: S, methods: &[&str]) -> Self
    where
        S: Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<tonic::body::Body>,
                Error = Infallible,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let add: AddService = Box::new(move |routes| routes.add_service(server));
        let methods = methods.iter().map(|method| (*method).to_owned()).collect();
        self.services.insert(S::NAME, (add, methods));
        self
    }

    /// Says which earlier transfers of directories the daemon may build on: those of sessions with
    /// the same key. It travels in a header, so letters and digits are best.
    #[must_use]
    pub fn with_shared_key(mut self, key: impl Into<String>) -> Self {
        self.shared_key = key.into();
        self
    }

    /// The methods that are served.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.services.values().flat_map(|(_, methods)| methods).map(String::as_str)
    }

    /// What a daemon must be told of the session.
    fn headers(&self, id: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (UUID, id.to_owned()),
            // Only the daemon's own messages ever show a session's name.
            (NAME, "cogpackc".to_owned()),
            (SHARED_KEY, self.shared_key.clone()),
        ];
        headers.extend(self.methods().map(|method| (METHOD, method.to_owned())));
        headers
    }

    fn into_routes(self) -> Routes {
        self.services.into_values().fold(Routes::default(), |routes, (add, _)| add(routes)).prepare()
    }
}

/// A session that is open. It ends when this is dropped.
pub(crate) struct Session {
    id: String,
    ended: CancellationToken,
    heard: watch::Receiver<Option<Instant>>,
    _server: AbortOnDropHandle<()>,
}

impl Session {
    pub(crate) async fn open(connection: &Connection, services: Services) -> Result<Self, Failure> {
        before(CONNECT_DEADLINE, connection.address(), Self::opened(connection, services)).await
    }

    async fn opened(connection: &Connection, services: Services) -> Result<Self, Failure> {
        let id = random_id()?;
        let (health, heard) = Attention::new();
        let services = services.add(
            HealthServer::new(health),
            &["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"],
        );
        let headers = services.headers(&id);
        let routes = services.into_routes();
        let ended = CancellationToken::new();
        let server = match connection.address() {
            Address::Engine(endpoint) => {
                let request = headers
                    .iter()
                    .fold(upgrade::post_for_stream("/session", "h2c"), |request, (name, value)| {
                        request.header(*name, value)
                    })
                    .body(Full::default());
                let stream = stream_of_engine(connection.address(), endpoint, request).await?;
                tokio::spawn(until_over(ended.clone(), serve(stream, routes, ended.clone())))
            }
            Address::Daemon(_) | Address::Container { .. } => {
                let (ours, theirs) = tokio::io::duplex(TUNNEL_BUFFER);
                let (theirs_out, theirs_in) = tokio::io::split(theirs);
                let incoming = open_tunnel(connection, theirs_out, &headers).await?;
                let ended_with = ended.clone();
                tokio::spawn(until_over(ended.clone(), async move {
                    tokio::join!(pump(incoming, theirs_in), serve(ours, routes, ended_with));
                }))
            }
        };
        Ok(Self { id, ended, heard, _server: AbortOnDropHandle::new(server) })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Waits until the session is of no use any more, and says why. Without trouble this never
    /// comes to an end.
    pub(crate) async fn lost(&self) -> String {
        lost(self.ended.clone(), self.heard.clone()).await
    }
}

async fn lost(ended: CancellationToken, mut heard: watch::Receiver<Option<Instant>>) -> String {
    loop {
        let last = *heard.borrow_and_update();
        let silence = async {
            match last {
                Some(last) => tokio::time::sleep_until(last + LONGEST_SILENCE).await,
                // Whether this daemon asks at all is not known yet.
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ended.cancelled() => return "it closed the session".to_owned(),
            () = silence => return format!("it was silent for {} s", LONGEST_SILENCE.as_secs()),
            changed = heard.changed() => if changed.is_err() {
                return "it closed the session".to_owned();
            },
        }
    }
}

/// Says when work has ended, whether it came to its end or was dropped.
async fn until_over(ended: CancellationToken, work: impl Future<Output = ()>) {
    let _says = ended.drop_guard();
    work.await;
}

/// Answers the daemon's calls until the stream ends. Calls that are still being answered then end
/// with it.
async fn serve(stream: impl crate::dial::Duplex, routes: Routes, ended: CancellationToken) {
    let mut settings = http2::Builder::new(Until(ended.child_token()));
    settings.initial_connection_window_size(CONNECTION_WINDOW).initial_stream_window_size(CALL_WINDOW);
    let connection = settings.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    // How the stream ends says nothing: the daemon just hangs up when it needs us no more.
    let _ = pin!(connection).await;
    ended.cancel();
}

/// Runs the parts of a connection, and ends them together with it.
#[derive(Clone)]
struct Until(CancellationToken);

impl<F> hyper::rt::Executor<F> for Until
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, work: F) {
        let over = self.0.clone();
        tokio::spawn(async move { over.run_until_cancelled(work).await });
    }
}

/// Opens the call that carries the session, and gives what comes in over it.
async fn open_tunnel(
    connection: &Connection,
    outgoing: impl tokio::io::AsyncRead + Send + 'static,
    headers: &[(&'static str, String)],
) -> Result<Streaming<BytesMessage>, Failure> {
    // A stream that cannot be read has ended: the other half of it tells why.
    let messages = ReaderStream::with_capacity(outgoing, TUNNEL_CHUNK)
        .take_while(|chunk| std::future::ready(chunk.is_ok()))
        .filter_map(|chunk| std::future::ready(chunk.ok()))
        .map(|chunk| BytesMessage { data: chunk.into() });
    let mut request = Request::new(messages);
    for (name, value) in headers {
        let value: MetadataValue<Ascii> = value
            .parse()
            .map_err(|_| Failure::Unsendable { reason: format!("`{value}` cannot stand in a header") })?;
        request.metadata_mut().append(MetadataKey::from_static(name), value);
    }
    let opened = connection.control().session(request).await;
    Ok(opened
        .map_err(|status| Failure::of_status(&status, "open a session", connection.address()))?
        .into_inner())
}

async fn pump(mut incoming: Streaming<BytesMessage>, mut into: impl tokio::io::AsyncWrite + Unpin) {
    while let Ok(Some(message)) = incoming.message().await {
        if into.write_all(&message.data).await.is_err() {
            break;
        }
    }
    // The server reads an end of its stream now, and ends.
    let _ = into.shutdown().await;
}

/// Answers that we are well, and remembers when it was asked.
struct Attention(watch::Sender<Option<Instant>>);

impl Attention {
    fn new() -> (Self, watch::Receiver<Option<Instant>>) {
        let (sender, receiver) = watch::channel(None);
        (Self(sender), receiver)
    }
}

fn well() -> HealthCheckResponse {
    HealthCheckResponse { status: ServingStatus::Serving.into() }
}

#[tonic::async_trait]
impl Health for Attention {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.send_replace(Some(Instant::now()));
        Ok(Response::new(well()))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Ok(Response::new(HealthListResponse { statuses: [(String::new(), well())].into() }))
    }

    type WatchStream = std::pin::Pin<
        Box<dyn futures_util::Stream<Item = Result<HealthCheckResponse, Status>> + Send + 'static>,
    >;

    /// That we are well never changes as long as we can say it.
    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let first = futures_util::stream::once(std::future::ready(Ok(well())));
        Ok(Response::new(Box::pin(first.chain(futures_util::stream::pending()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_daemon_is_lost_when_it_ceases_to_ask() {
        let (asked, heard) = watch::channel(None);
        let begun = Instant::now();
        let watching = tokio::spawn(lost(CancellationToken::new(), heard));
        // It asks for an hour, every now and then, and then no more.
        for _ in 0..36 {
            tokio::time::sleep(Duration::from_secs(100)).await;
            asked.send_replace(Some(Instant::now()));
        }
        assert_eq!(watching.await.unwrap(), "it was silent for 120 s");
        assert_eq!(begun.elapsed().as_secs(), 3600 + 120);
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_never_asks_is_not_lost_until_it_hangs_up() {
        let (_asked, heard) = watch::channel(None);
        let ended = CancellationToken::new();
        let watching = tokio::spawn(lost(ended.clone(), heard));
        tokio::time::sleep(Duration::from_secs(36_000)).await;
        assert!(!watching.is_finished());
        ended.cancel();
        assert_eq!(watching.await.unwrap(), "it closed the session");
    }

    #[test]
    fn the_daemon_hears_of_every_method_and_a_later_service_replaces_an_earlier() {
        let serving = |services: Services, methods: &[&str]| {
            services.add(HealthServer::new(Attention::new().0), methods)
        };
        let services = serving(Services::new().with_shared_key("k"), &["/a.B/C", "/a.B/D"]);
        let shown = |services: &Services| services.methods().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(shown(&services), ["/a.B/C", "/a.B/D"]);
        let services = serving(services, &["/a.B/E"]);
        assert_eq!(shown(&services), ["/a.B/E"]);
        let headers = services.headers("id");
        assert!(headers.contains(&(UUID, "id".to_owned())), "{headers:?}");
        assert!(headers.contains(&(SHARED_KEY, "k".to_owned())), "{headers:?}");
        assert!(headers.contains(&(METHOD, "/a.B/E".to_owned())), "{headers:?}");
    }
}
