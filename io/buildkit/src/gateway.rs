//! One build as the daemon sees it: a solve that waits for a result, and a second side that makes
//! the result. Both sides are us.
//!
//! The first call of a build names exporters and caches, and blocks. Meanwhile the second side asks
//! the daemon to solve graphs, and at last hands over a result, or an error. It must never hand over
//! neither: some daemons do not survive that.

use std::future::Future;
use std::time::Duration;

use bollard_buildkit_proto::fsutil::types::Stat;
use bollard_buildkit_proto::google::rpc;
use bollard_buildkit_proto::moby::buildkit::v1::frontend::llb_bridge_client::LlbBridgeClient;
use bollard_buildkit_proto::moby::buildkit::v1::frontend::{
    PingRequest, PongResponse, ReadDirRequest, ReadFileRequest, ResolveImageConfigRequest,
    ResolveImageConfigResponse, Result as GatewayResult, ReturnRequest, SolveRequest as BridgeSolveRequest,
    SolveResponse as BridgeSolveResponse,
};
use bollard_buildkit_proto::moby::buildkit::v1::{SolveRequest, SolveResponse};
use prost::Message;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::connection::{CALL_DEADLINE, Connection, LONGEST_MESSAGE};
use crate::details::Details;
use crate::failure::Failure;
use crate::news::News;
use crate::random_id::random_id;
use crate::session::{Services, Session};
use crate::update::Update;

/// For how long a daemon may take to end a build that we have told it to end.
const END_DEADLINE: Duration = Duration::from_secs(10);

/// The side that makes the result.
#[derive(Clone)]
pub(crate) struct Bridge {
    client: LlbBridgeClient<InterceptedService<Channel, BuildId>>,
}

/// Says to which build a call belongs.
#[derive(Clone)]
struct BuildId(MetadataValue<Ascii>);

impl Interceptor for BuildId {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("buildkit-controlapi-buildid", self.0.clone());
        Ok(request)
    }
}

impl Bridge {
    fn new(channel: Channel, build: &str) -> Result<Self, Failure> {
        let id = build
            .parse()
            .map_err(|_| Failure::Unsendable { reason: format!("`{build}` cannot stand in a header") })?;
        let client = LlbBridgeClient::with_interceptor(channel, BuildId(id))
            .max_decoding_message_size(LONGEST_MESSAGE)
            .max_encoding_message_size(LONGEST_MESSAGE);
        Ok(Self { client })
    }

    async fn ping(&mut self) -> Result<PongResponse, Status> {
        within(CALL_DEADLINE, "its abilities", self.client.ping(PingRequest {})).await
    }

    /// Solves one graph. This takes as long as the build does.
    pub(crate) async fn solve(&mut self, request: BridgeSolveRequest) -> Result<BridgeSolveResponse, Status> {
        Ok(self.client.solve(request).await?.into_inner())
    }

    /// Reads a file of what was solved.
    pub(crate) async fn read_file(&mut self, request: ReadFileRequest) -> Result<Vec<u8>, Status> {
        let read = self.client.read_file(request);
        within(CALL_DEADLINE, "a file", read).await.map(|answer| answer.data)
    }

    /// Lists a directory of what was solved.
    pub(crate) async fn read_dir(&mut self, request: ReadDirRequest) -> Result<Vec<Stat>, Status> {
        let read = self.client.read_dir(request);
        within(CALL_DEADLINE, "a directory", read).await.map(|answer| answer.entries)
    }

    /// Looks up an image, in a registry if need be: that takes what it takes, and can be cancelled.
    pub(crate) async fn resolve_image_config(
        &mut self,
        request: ResolveImageConfigRequest,
    ) -> Result<ResolveImageConfigResponse, Status> {
        Ok(self.client.resolve_image_config(request).await?.into_inner())
    }

    async fn hand_over(&mut self, request: ReturnRequest) -> Result<(), Status> {
        within(CALL_DEADLINE, "the result", self.client.r#return(request)).await.map(|_| ())
    }
}

async fn within<T>(
    deadline: Duration,
    what: &str,
    call: impl Future<Output = Result<tonic::Response<T>, Status>>,
) -> Result<T, Status> {
    match tokio::time::timeout(deadline, call).await {
        Ok(answer) => Ok(answer?.into_inner()),
        Err(_) => Err(Status::deadline_exceeded(format!(
            "the daemon did not answer within {} s when asked about {what}",
            deadline.as_secs()
        ))),
    }
}

/// What the second side has come to.
pub(crate) enum Made<T> {
    /// A result, which the daemon is to export.
    Result(Box<GatewayResult>, T),
    /// We know what we wanted to know, and nothing is to be built.
    Answer(T),
}

/// What has been built, and what the exporters say of it.
pub(crate) struct Built<T> {
    pub(crate) made: T,
    pub(crate) response: SolveResponse,
}

/// Runs one build: `request` says all but its ids, `make` is the second side.
pub(crate) async fn build<T, Work, Making>(
    connection: &Connection,
    mut request: SolveRequest,
    services: Services,
    updates: UnboundedSender<Update>,
    cancel: &CancellationToken,
    make: Work,
) -> Result<Built<T>, Failure>
where
    Work: FnOnce(Bridge, PongResponse) -> Making,
    Making: Future<Output = Result<Made<T>, Fault>>,
{
    let session = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(Failure::Cancelled),
        session = Session::open(connection, services) => session?,
    };
    request.r#ref = random_id()?;
    session.id().clone_into(&mut request.session);
    let news = News::follow(connection, &request.r#ref, updates);
    let bridge = Bridge::new(connection.channel(), &request.r#ref)?;
    let outcome = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::Cancelled),
        outcome = conduct(connection, request, bridge, make) => outcome,
        reason = session.lost() => Err(lost(connection, reason)),
    };
    // The daemon tells of the end of the build last: of what failed, and that a cancelled program
    // is gone. Until then it may still need the session.
    match outcome {
        Err(Failure::Build(mut failure)) => {
            news.the_end().await.failed.complete(&mut failure);
            Err(Failure::Build(failure))
        }
        Ok(_) => {
            news.the_end().await;
            outcome
        }
        Err(Failure::Cancelled | Failure::Unanswered) => Err(match news.the_end().await.ended {
            true => Failure::Cancelled,
            false => Failure::Unanswered,
        }),
        // Of what never began, or is out of reach, nothing more will be told.
        Err(
            Failure::Unreachable { .. }
            | Failure::NotBuildKit { .. }
            | Failure::Refused { .. }
            | Failure::Lost { .. }
            | Failure::Declined
            | Failure::Unsendable { .. },
        ) => outcome,
    }
}

/// Runs one build that builds nothing, in a session that others share, and gives what was learnt.
pub(crate) async fn ask<T, Work, Making>(
    connection: &Connection,
    session: &Session,
    mut request: SolveRequest,
    cancel: &CancellationToken,
    make: Work,
) -> Result<T, Failure>
where
    Work: FnOnce(Bridge, PongResponse) -> Making,
    Making: Future<Output = Result<Made<T>, Fault>>,
{
    request.r#ref = random_id()?;
    session.id().clone_into(&mut request.session);
    let bridge = Bridge::new(connection.channel(), &request.r#ref)?;
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::Cancelled),
        outcome = conduct(connection, request, bridge, make) => outcome.map(|built| built.made),
        reason = session.lost() => Err(lost(connection, reason)),
    }
}

fn lost(connection: &Connection, reason: String) -> Failure {
    Failure::Lost { address: Box::new(connection.address().clone()), attempted: "build".to_owned(), reason }
}

async fn conduct<T, Work, Making>(
    connection: &Connection,
    request: SolveRequest,
    mut bridge: Bridge,
    make: Work,
) -> Result<Built<T>, Failure>
where
    Work: FnOnce(Bridge, PongResponse) -> Making,
    Making: Future<Output = Result<Made<T>, Fault>>,
{
    let address = connection.address();
    let mut control = connection.control();
    let mut solving =
        std::pin::pin!(async move { control.solve(request).await.map(tonic::Response::into_inner) });
    let mut second_side = bridge.clone();
    let making = async move {
        let pong = second_side.ping().await.map_err(Fault::Greeting)?;
        make(second_side, pong).await
    };
    let made = tokio::select! {
        // When both have ended, the first call tells why there is nothing for the second side to do.
        biased;
        ended = &mut solving => return Err(match ended {
            Ok(_) => lost(connection, "it ended the build before there was a result".to_owned()),
            Err(status) => of_first_call(&status, connection),
        }),
        made = making => made,
    };
    match made {
        Ok(Made::Result(result, made)) => {
            let hand_over = bridge.hand_over(ReturnRequest { result: Some(*result), error: None });
            let handed_over = tokio::select! {
                biased;
                ended = &mut solving => return exported(made, ended, connection),
                handed_over = hand_over => handed_over,
            };
            let ended = match handed_over {
                // Exporting may take long, and is watched over by the session.
                Ok(()) => solving.await,
                // Without a result the daemon would wait for one as long as we are here.
                Err(status) => tokio::time::timeout(END_DEADLINE, solving).await.unwrap_or(Err(status)),
            };
            exported(made, ended, connection)
        }
        Ok(Made::Answer(made)) => {
            let nothing = Status::new(Code::Cancelled, "nothing was to be built");
            end(&mut bridge, &nothing, solving.as_mut()).await;
            Ok(Built { made, response: SolveResponse::default() })
        }
        Err(Fault::NotAble(message)) => {
            end(&mut bridge, &Status::unimplemented(&message), solving.as_mut()).await;
            Err(Failure::Refused { attempted: "build".to_owned(), message })
        }
        Err(Fault::Work(status)) => {
            end(&mut bridge, &status, solving.as_mut()).await;
            Err(Failure::of_build(&status, "build", address))
        }
        Err(Fault::Greeting(status)) => {
            // Why the build does not exist is known to the first call only.
            match end(&mut bridge, &status, solving.as_mut()).await {
                Some(Err(reason)) => Err(of_first_call(&reason, connection)),
                Some(Ok(_)) | None => Err(Failure::of_status(&status, "tell its abilities", address)),
            }
        }
    }
}

fn exported<T>(
    made: T,
    ended: Result<SolveResponse, Status>,
    connection: &Connection,
) -> Result<Built<T>, Failure> {
    let response = ended.map_err(|status| Failure::of_build(&status, "export", connection.address()))?;
    Ok(Built { made, response })
}

/// What has gone wrong on the second side.
pub(crate) enum Fault {
    /// The daemon did not let it begin.
    Greeting(Status),
    /// The daemon cannot do what is wanted.
    NotAble(String),
    /// The work itself failed.
    Work(Status),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Work(status)
    }
}

/// Ends a build with an error, and waits until the daemon has ended it too.
async fn end(
    bridge: &mut Bridge,
    status: &Status,
    solving: impl Future<Output = Result<SolveResponse, Status>>,
) -> Option<Result<SolveResponse, Status>> {
    let details = rpc::Status::decode(status.details()).map(|full| full.details).unwrap_or_default();
    let error = rpc::Status { code: status.code().into(), message: status.message().to_owned(), details };
    let ended = async {
        // A daemon that has already ended the build does not take this any more.
        let (_, solved) =
            tokio::join!(bridge.hand_over(ReturnRequest { result: None, error: Some(error) }), solving);
        solved
    };
    tokio::time::timeout(END_DEADLINE, ended).await.ok()
}

/// What it means when the first call fails before anything was made: mostly that it was asked for
/// something that this daemon does not have.
fn of_first_call(status: &Status, connection: &Connection) -> Failure {
    if Details::of(status).name_a_vertex() {
        Failure::of_build(status, "build", connection.address())
    } else {
        Failure::of_status(status, "build", connection.address())
    }
}
