//! Containerd's content service by hand, as far as a build needs it: the crate of messages lacks it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream, StreamExt as _};
use tonic::body::Body as AnswerBody;
use tonic::codegen::{Body, BoxFuture, StdError};
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::Layouts;
use super::ingest::{Ingest, Step, digest_of};
use super::messages::{
    Empty, Info, InfoRequest, InfoResponse, ReadContentRequest, ReadContentResponse, RefRequest,
    StatusResponse, WriteContentRequest, WriteContentResponse,
};
use super::stores::BlobError;

/// The request metadata in which the daemon says which layout it wants.
const STORE_KEY: &str = "buildkit-attachable-store-id";

/// How many bytes an answer carries at most: what containerd's own server sends.
const PIECE: usize = 1 << 20;

/// Daemons write up to 8 MiB at a time.
const LARGEST_REQUEST: usize = 16 << 20;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service, to be added to a session.
#[derive(Debug, Clone)]
pub struct ContentServer {
    pub(super) layouts: Layouts,
}

impl NamedService for ContentServer {
    const NAME: &'static str = "containerd.services.content.v1.Content";
}

impl<B> tower::Service<http::Request<B>> for ContentServer
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<AnswerBody>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let layouts = self.layouts.clone();
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Box::pin(async move {
            Ok(match method.as_str() {
                "Info" => {
                    let info = tower::service_fn(move |request| info(layouts.clone(), request));
                    Grpc::new(ProstCodec::default()).unary(info, request).await
                }
                "Read" => {
                    let read = tower::service_fn(move |request| read(layouts.clone(), request));
                    Grpc::new(ProstCodec::default()).server_streaming(read, request).await
                }
                "Write" => {
                    let write = tower::service_fn(move |request| write(layouts.clone(), request));
                    Grpc::new(ProstCodec::default())
                        .apply_max_message_size_config(Some(LARGEST_REQUEST), None)
                        .streaming(write, request)
                        .await
                }
                "Status" => Grpc::new(ProstCodec::default()).unary(tower::service_fn(status), request).await,
                "Abort" => Grpc::new(ProstCodec::default()).unary(tower::service_fn(abort), request).await,
                _ => {
                    let reason = format!("`{method}` is not among what this client does with blobs");
                    Status::unimplemented(reason).into_http()
                }
            })
        })
    }
}

fn store_id<T>(request: &Request<T>) -> Result<&str, Status> {
    let id = request.metadata().get(STORE_KEY).and_then(|id| id.to_str().ok());
    id.ok_or_else(|| Status::invalid_argument("the request names no layout"))
}

async fn info(layouts: Layouts, request: Request<InfoRequest>) -> Result<Response<InfoResponse>, Status> {
    let store = layouts.find(store_id(&request)?)?;
    let digest = digest_of(&request.into_inner().digest)?;
    let size = in_the_background(move || store.size_of(&digest)).await?;
    let size = size.try_into().unwrap_or(i64::MAX);
    Ok(Response::new(InfoResponse { info: Some(Info { digest: digest.to_string(), size }) }))
}

async fn read(
    layouts: Layouts,
    request: Request<ReadContentRequest>,
) -> Result<Response<Answers<ReadContentResponse>>, Status> {
    let store = layouts.find(store_id(&request)?)?;
    let request = request.into_inner();
    let digest = digest_of(&request.digest)?;
    // What is not above zero is "from the start" and "to the end".
    let offset = u64::try_from(request.offset).unwrap_or(0);
    let wanted = u64::try_from(request.size).ok().filter(|size| *size > 0);
    let reading = in_the_background(move || store.read(digest, offset, wanted)).await?;
    let pieces = stream::try_unfold(reading, |mut reading| async move {
        in_the_background(move || {
            let Some((offset, data)) = reading.next(PIECE)? else { return Ok(None) };
            let offset = offset.try_into().unwrap_or(i64::MAX);
            Ok(Some((ReadContentResponse { offset, data }, reading)))
        })
        .await
    });
    Ok(Response::new(pieces.boxed()))
}

/// How far a call of `Write` is.
enum Writing {
    Begin(Layouts, String, Streaming<WriteContentRequest>),
    Open(Box<Ingest>, Streaming<WriteContentRequest>),
    Done,
}

async fn write(
    layouts: Layouts,
    request: Request<Streaming<WriteContentRequest>>,
) -> Result<Response<Answers<WriteContentResponse>>, Status> {
    let id = store_id(&request)?.to_owned();
    let begin = Writing::Begin(layouts, id, request.into_inner());
    let answers = stream::try_unfold(begin, |writing| async move {
        let (ingest, requests, request) = match writing {
            Writing::Begin(layouts, id, mut requests) => {
                let Some(request) = requests.message().await? else { return Ok(None) };
                let store = layouts.find(&id)?;
                let (ingest, request) =
                    in_the_background(move || Ok((Box::new(Ingest::begin(&store, &request)?), request)))
                        .await?;
                (ingest, requests, request)
            }
            Writing::Open(ingest, mut requests) => {
                let Some(request) = requests.message().await? else { return Ok(None) };
                (ingest, requests, request)
            }
            Writing::Done => return Ok(None),
        };
        Ok(Some(match in_the_background(move || ingest.step(&request)).await? {
            Step::Open(ingest, answer) => (answer, Writing::Open(ingest, requests)),
            Step::Done(answer) => (answer, Writing::Done),
        }))
    });
    Ok(Response::new(answers.boxed()))
}

/// Nothing is ever half written: a writing ends with its call.
async fn status(request: Request<RefRequest>) -> Result<Response<StatusResponse>, Status> {
    Err(Status::not_found(format!("nothing is written as `{}`", request.into_inner().r#ref)))
}

async fn abort(_request: Request<RefRequest>) -> Result<Response<Empty>, Status> {
    Ok(Response::new(Empty {}))
}

/// Does what waits for a disk, or hashes, on a thread that may wait.
async fn in_the_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, Status> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Status::from),
        Err(error) => Err(Status::internal(format!("a thread of this client ended: {error}"))),
    }
}
