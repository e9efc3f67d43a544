//! Builds a plan with the library, as `cogpackc build` does, and keeps the root filesystem that
//! comes out of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::moby::filesync::v1::BytesMessage;
use bollard_buildkit_proto::moby::filesync::v1::file_send_server::{FileSend, FileSendServer};
use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_backends_llb::{Limits, Llb, LlbImage, SourceText};
use cogpack_build::known::known;
use cogpack_build::names;
use cogpack_build::side_by_side::compared;
use cogpack_io_buildkit::address::Address;
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::directories::{Directories, Directory};
use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::secrets::{self, Secrets};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::{Exporter, Graph, Request, solve};
use cogpack_io_buildkit::update::Update;
use cogpack_ir::plan::{ContextKind, InputName};
use cogpack_ir::resolve::Resolved;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status, Streaming};

use crate::engines::Engine;
use crate::plans::resolved;

/// Why there is no filesystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbuilt {
    /// The backend says what the daemon cannot do, code and words of each; or the plan names whom
    /// nobody knows.
    Refused(Vec<String>),
    /// The daemon says this.
    Failed(String),
}

/// Where a plan stands that is built.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its contexts are relative to this.
    pub folder: &'a Path,
    /// Tells builds of this process apart that run at the same time.
    pub unique: &'a str,
}

/// A connection to an engine, with what it can do.
pub struct Builder {
    connection: Connection,
    limits: Limits,
    looks: Looking,
}

/// What is looked at before a plan is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looking {
    /// What is in its contexts, and what the daemon has made, as `cogpackc build` does.
    AtAll,
    /// Nothing but the plan, as for `-o llb`.
    AtThePlan,
}

impl Builder {
    /// Connects to the BuildKit inside an engine.
    pub async fn connect(engine: &Engine, looks: Looking) -> Self {
        let address = Address::of_engine(&engine.host, None).expect("the rig's address is one");
        let connection = Connection::open(&address).await.expect("the rig's engine is up");
        let abilities = connection.abilities().await.expect("an engine says what it can do");
        let limits = Limits::from_ids(abilities.capabilities.iter().map(String::as_str));
        Self { connection, limits, looks }
    }

    /// Builds a plan whose contexts are relative to `folder`, and gives the tar of its files.
    /// `unique` tells builds of this process apart that run at the same time.
    pub async fn files(&self, plan: &str, folder: &Path, unique: &str) -> Result<Vec<u8>, Unbuilt> {
        let source = SourceText { name: "plan.cpk".to_owned(), text: Arc::new(plan.to_owned()) };
        let kept = Kept::default();
        let services =
            Services::new().add(FileSendServer::new(kept.clone()), &["/moby.filesync.v1.FileSend/DiffCopy"]);
        let exporters = vec![Exporter { kind: "tar".to_owned(), attributes: BTreeMap::new() }];
        let request = Request { exporters, services, ..Request::default() };
        let (updates, _) = tokio::sync::mpsc::unbounded_channel();
        self.build(&resolved(plan), source, Place { folder, unique }, request, updates).await?;
        Ok(kept.take())
    }

    /// Builds a plan for nothing but having built it, and gives its graph with what the daemon told
    /// of it. Secrets are what is given.
    pub async fn told(
        &self,
        plan: &Resolved,
        text: &str,
        place: Place<'_>,
        secrets: Secrets,
    ) -> Result<(LlbImage, Vec<Update>), Unbuilt> {
        let source = SourceText { name: "plan.cpk".to_owned(), text: Arc::new(text.to_owned()) };
        let services = Services::new().add(secrets.into_server(), secrets::METHODS);
        let request = Request { services, ..Request::default() };
        let (updates, mut news) = tokio::sync::mpsc::unbounded_channel();
        let image = self.build(plan, source, place, request, updates).await?;
        let mut told = Vec::new();
        while let Some(update) = news.recv().await {
            told.push(update);
        }
        Ok((image, told))
    }

    async fn build(
        &self,
        plan: &Resolved,
        source: SourceText,
        place: Place<'_>,
        request: Request,
        updates: UnboundedSender<Update>,
    ) -> Result<LlbImage, Unbuilt> {
        let Place { folder, unique } = place;
        let places: BTreeMap<_, _> = contexts_of(plan, folder).collect();
        let known = match self.looks {
            Looking::AtAll => known(plan, self.limits, &places, &BTreeMap::new()),
            Looking::AtThePlan => Default::default(),
        };
        let backend = Llb { limits: self.limits, unique: unique.to_owned(), known, ..Llb::new(source) };
        let refused = |gaps: Vec<Unsupported>| {
            Unbuilt::Refused(gaps.iter().map(|gap| format!("{} {}", gap.code, gap.what)).collect())
        };
        let images = backend.lower(plan).map_err(refused)?;
        let opened = places.iter().map(|(name, place)| {
            (name.as_str().to_owned(), Directory::open(place).expect("the context is a directory"))
        });
        let directories = Directories::new(opened.collect());
        let asking = self.looks == Looking::AtAll;
        let (looks, unknown) = asking.then(|| names::looks(&images)).flatten().unzip();
        let (comparisons, meetings) = asking.then(|| compared(&images)).flatten().unzip();
        let image = images.into_iter().next().expect("a plan has a platform");
        let request = Request {
            graphs: vec![Graph {
                platform: image.platform.clone(),
                definition: image.definition.to_bytes(),
                config: image.config.clone(),
                base_config: Vec::new(),
            }],
            looks,
            comparisons,
            services: request
                .services
                .with_shared_key(unique)
                .add(directories.to_server(), Directories::METHODS),
            ..request
        };
        match solve(&self.connection, request, updates, CancellationToken::new()).await {
            Ok(_) => Ok(image),
            Err(Failure::Build(failure)) => Err(Unbuilt::Failed(failure.message)),
            Err(Failure::Declined) => {
                let unknown = unknown.map(|unknown| unknown.take()).unwrap_or_default();
                let meetings = meetings.map(|meetings| meetings.take()).unwrap_or_default();
                let unknown = unknown.iter().map(ToString::to_string);
                Err(Unbuilt::Refused(unknown.chain(meetings.iter().map(ToString::to_string)).collect()))
            }
            Err(other) => panic!("the engine did not even build: {other}"),
        }
    }
}

/// Where the `dir` contexts of a plan are.
fn contexts_of(plan: &Resolved, folder: &Path) -> impl Iterator<Item = (InputName, PathBuf)> {
    plan.plan().contexts.iter().filter_map(|(name, context)| match &context.kind {
        ContextKind::Directory(it) => Some((name.clone(), folder.join(&it.path.value))),
        ContextKind::Http(_)
        | ContextKind::Git(_)
        | ContextKind::Oci(_)
        | ContextKind::Files(_)
        | ContextKind::Wheels(_)
        | ContextKind::Debs(_) => None,
    })
}

/// Takes one stream of bytes.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tonic::async_trait]
impl FileSend for Kept {
    type DiffCopyStream = tokio_stream::Empty<Result<BytesMessage, Status>>;

    async fn diff_copy(
        &self,
        request: tonic::Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let mut stream = request.into_inner();
        let mut bytes = Vec::new();
        while let Some(message) = stream.message().await? {
            bytes.extend_from_slice(&message.data);
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        Ok(Response::new(tokio_stream::empty()))
    }
}
