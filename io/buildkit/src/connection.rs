//! A connection to a daemon, and how it came to be.
//!
//! All calls of one connection share one stream. When that ends, the connection is over: it is not
//! opened again behind anybody's back, because a daemon that was started anew knows nothing of our
//! build.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{InfoRequest, ListWorkersRequest};
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint as ChannelSettings};
use tonic::{Code, Status};
use tower::service_fn;

use crate::address::{Address, Endpoint};
use crate::attached::{Attached, Complaints};
use crate::dial::{Protocol, Stream, dial};
use crate::failure::{Failure, Obstacle};
use crate::upgrade::{self, Answer};

/// The longest message that we take or send. The usual limit of 4 MiB is too little for a large
/// definition, and for what a daemon says about one.
pub(crate) const LONGEST_MESSAGE: usize = 16 << 20;

/// How much may be under way to us in all, and for one call. The first is far above the second,
/// because a daemon asks for files in many messages of a few bytes, each of which counts against
/// half of the first until it is read.
pub(crate) const CONNECTION_WINDOW: u32 = 32 << 20;
pub(crate) const CALL_WINDOW: u32 = 2 << 20;

/// For how long a daemon may keep us waiting before anything else is asked of it.
pub(crate) const CONNECT_DEADLINE: Duration = Duration::from_secs(20);

/// For how long a call may take that does nothing but ask.
pub(crate) const CALL_DEADLINE: Duration = Duration::from_secs(30);

const ENGINE_TOO_OLD: &str =
    "update the Docker Engine to 18.09 or newer, or name a BuildKit daemon with `BUILDKIT_HOST`";
const NOT_HTTP: &str = "give the address of a BuildKit daemon with `BUILDKIT_HOST`, and that of a Docker Engine with `DOCKER_HOST`";
const NEEDS_TLS: &str = "name the certificates: the daemon wants an encrypted connection";
const NO_CONTAINER: &str =
    "start the container, or name another one; it must hold `buildctl` and run `buildkitd`";

/// A daemon that answers.
#[derive(Debug, Clone)]
pub struct Connection {
    address: Address,
    channel: Channel,
}

impl Connection {
    /// Opens a connection, and makes sure that a BuildKit is at its other end.
    pub async fn open(address: &Address) -> Result<Self, Failure> {
        before(CONNECT_DEADLINE, address, Self::opened(address)).await
    }

    async fn opened(address: &Address) -> Result<Self, Failure> {
        let (stream, complaints) = stream_for_calls(address).await?;
        let channel = channel_over(stream).await.map_err(|error| Failure::Lost {
            address: Box::new(address.clone()),
            attempted: "open a connection".to_owned(),
            reason: deepest(&error),
        })?;
        greet(channel.clone()).await.map_err(|status| not_greeted(&status, address, &complaints))?;
        Ok(Self { address: address.clone(), channel })
    }

    /// Where the daemon is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What calls go through.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A client of the service that builds.
    pub(crate) fn control(&self) -> ControlClient<Channel> {
        control(self.channel.clone())
    }
}

fn control(channel: Channel) -> ControlClient<Channel> {
    ControlClient::new(channel)
        .max_decoding_message_size(LONGEST_MESSAGE)
        .max_encoding_message_size(LONGEST_MESSAGE)
}

/// A stream on which the daemon answers gRPC.
async fn stream_for_calls(address: &Address) -> Result<(Stream, Complaints), Failure> {
    match address {
        Address::Daemon(endpoint) => {
            let stream =
                dial(endpoint, Protocol::Http2).await.map_err(|obstacle| unreachable(address, obstacle))?;
            Ok((stream, Complaints::default()))
        }
        Address::Engine(endpoint) => {
            let request = upgrade::post_for_stream("/grpc", "h2c").body(Full::default());
            Ok((stream_of_engine(address, endpoint, request).await?, Complaints::default()))
        }
        Address::Container { name, engine } => {
            let (attached, complaints) = Attached::new(program_in_container(address, name, engine).await?);
            Ok((Box::new(attached), complaints))
        }
    }
}

/// Runs the program in the container that joins its own two streams with the daemon there.
async fn program_in_container(address: &Address, name: &str, engine: &Endpoint) -> Result<Stream, Failure> {
    #[derive(serde::Deserialize)]
    struct Created {
        #[serde(rename = "Id")]
        id: String,
    }
    let create = serde_json::json!({
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Cmd": ["buildctl", "dial-stdio"],
    });
    let request = upgrade::json(upgrade::post(&format!("/containers/{name}/exec")), &create);
    let created = match answer_of_engine(address, engine, request).await? {
        Answer::Plain { status: StatusCode::CREATED, body } => serde_json::from_slice::<Created>(&body)
            .map_err(|error| {
                not_buildkit(address, format!("the Engine answers oddly: {error}"), NO_CONTAINER)
            })?,
        Answer::Plain { status, body } => {
            return Err(not_buildkit(address, upgrade::message(status, &body), NO_CONTAINER));
        }
        Answer::Stream(_) => {
            return Err(not_buildkit(address, "the Engine gives a stream unasked".to_owned(), NO_CONTAINER));
        }
    };
    let start = serde_json::json!({ "Detach": false, "Tty": false });
    let path = format!("/exec/{}/start", created.id);
    match answer_of_engine(address, engine, upgrade::json(upgrade::post_for_stream(&path, "tcp"), &start))
        .await?
    {
        Answer::Stream(stream) => Ok(stream),
        Answer::Plain { status, body } => {
            Err(not_buildkit(address, upgrade::message(status, &body), NO_CONTAINER))
        }
    }
}

/// Has an Engine turn a connection into a stream.
pub(crate) async fn stream_of_engine(
    address: &Address,
    endpoint: &Endpoint,
    request: Result<http::Request<Full<Bytes>>, http::Error>,
) -> Result<Stream, Failure> {
    match answer_of_engine(address, endpoint, request).await? {
        Answer::Stream(stream) => Ok(stream),
        Answer::Plain { status, body } => {
            let message = upgrade::message(status, &body);
            let help = match status {
                StatusCode::BAD_REQUEST if String::from_utf8_lossy(&body).contains("HTTPS") => NEEDS_TLS,
                _ => ENGINE_TOO_OLD,
            };
            Err(not_buildkit(address, format!("the Engine there has none to offer: {message}"), help))
        }
    }
}

async fn answer_of_engine(
    address: &Address,
    endpoint: &Endpoint,
    request: Result<http::Request<Full<Bytes>>, http::Error>,
) -> Result<Answer, Failure> {
    let unsendable = |error: http::Error| Failure::Unsendable { reason: error.to_string() };
    let mut request = request.map_err(unsendable)?;
    let host = match endpoint {
        // There the Engine wants a name, and does not care which.
        Endpoint::Unix(_) => "docker".to_owned(),
        Endpoint::Tcp { host, port, tls: _ } if host.contains(':') => format!("[{host}]:{port}"),
        Endpoint::Tcp { host, port, tls: _ } => format!("{host}:{port}"),
    };
    let host = HeaderValue::try_from(host).map_err(|error| unsendable(error.into()))?;
    request.headers_mut().insert(HOST, host);
    let stream = dial(endpoint, Protocol::Http1).await.map_err(|obstacle| unreachable(address, obstacle))?;
    upgrade::call(stream, request).await.map_err(|error| {
        let reason = deepest(&error);
        if is_refusal_of_encryption(&reason) {
            return unreachable(address, Obstacle::Encryption(std::io::Error::other(reason)));
        }
        not_buildkit(
            address,
            format!("whoever listens does not speak as a Docker Engine does: {reason}"),
            NOT_HTTP,
        )
    })
}

/// Lets calls go over a stream, as long as that lasts.
async fn channel_over(stream: Stream) -> Result<Channel, tonic::transport::Error> {
    let once = Arc::new(Mutex::new(Some(stream)));
    let connector = service_fn(move |_| {
        let stream = once.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            match stream {
                Some(stream) => Ok(TokioIo::new(stream)),
                None => {
                    Err(std::io::Error::new(std::io::ErrorKind::NotConnected, "the connection has ended"))
                }
            }
        }
    });
    // The authority names nobody: the stream leads where it leads.
    ChannelSettings::from_static("http://localhost")
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(CALL_WINDOW)
        .connect_with_connector(connector)
        .await
}

/// Asks something that every BuildKit can answer, the quickest first: to list their workers, newer
/// ones run programs of all architectures, which takes tens of milliseconds; older ones know no other.
async fn greet(channel: Channel) -> Result<(), Status> {
    let mut control = control(channel);
    match control.info(InfoRequest::default()).await {
        Err(status) if status.code() == Code::Unimplemented => {
            control.list_workers(ListWorkersRequest::default()).await.map(drop)
        }
        greeted => greeted.map(drop),
    }
}

fn not_greeted(status: &Status, address: &Address, complaints: &Complaints) -> Failure {
    let failure = Failure::of_status(status, "say what it is", address);
    let reason = match (&failure, status.code()) {
        (Failure::Lost { reason, .. }, _) => reason.clone(),
        (_, Code::Unimplemented) => "it answers, and knows nothing of builds".to_owned(),
        // What is no gRPC has its own way to say that it does not understand.
        (_, Code::Unknown | Code::Internal) => status.message().to_owned(),
        _ => return failure,
    };
    if is_refusal_of_encryption(&reason) {
        return unreachable(address, Obstacle::Encryption(std::io::Error::other(reason)));
    }
    match (complaints.text(), address) {
        (Some(complaint), _) => not_buildkit(address, complaint, NO_CONTAINER),
        (None, Address::Container { .. }) => not_buildkit(address, reason, NO_CONTAINER),
        (None, Address::Daemon(_) | Address::Engine(_)) => not_buildkit(
            address,
            format!("whoever listens does not speak as BuildKit does: {reason}"),
            NOT_HTTP,
        ),
    }
}

/// Whether the other side did not take our certificate. With version 1.3 of TLS that is only told
/// after the connection has been agreed upon, and the layers above keep nothing of it but its text.
fn is_refusal_of_encryption(reason: &str) -> bool {
    reason.contains("fatal alert")
}

fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn unreachable(address: &Address, obstacle: Obstacle) -> Failure {
    Failure::Unreachable { address: Box::new(address.clone()), obstacle }
}

fn not_buildkit(address: &Address, found: String, help: &'static str) -> Failure {
    Failure::NotBuildKit { address: Box::new(address.clone()), found, help }
}

/// Waits for something that must come before a deadline.
pub(crate) async fn before<T>(
    deadline: Duration,
    address: &Address,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(deadline, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(unreachable(address, Obstacle::NoAnswer { seconds: deadline.as_secs() })),
    }
}
