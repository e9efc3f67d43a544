//! One build, from the first call to the last.

use std::collections::{BTreeMap, HashMap};

use bollard_buildkit_proto::moby::buildkit::v1::frontend::{
    CacheOptionsEntry as BridgeCache, PongResponse, Ref, RefMap, Result as GatewayResult,
    SolveRequest as BridgeSolveRequest, result,
};
use bollard_buildkit_proto::moby::buildkit::v1::{
    CacheOptions, CacheOptionsEntry, Exporter as ExporterMessage, SolveRequest,
};
use bollard_buildkit_proto::pb;
use cogpack_content::Platform;
use futures_util::future::try_join_all;
use prost::Message;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::comparing::Comparisons;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::gateway::{self, Bridge, Fault, Made};
use crate::looking::{self, Looks};
use crate::session::Services;
use crate::update::Update;

/// The capability of a daemon that runs more than one exporter.
const MULTIPLE_EXPORTERS: &str = "exporter.multiple";

/// The capability of a daemon that merges filesystems.
const MERGES: &str = "mergeop";

/// What is to be built, and where it is to go.
#[derive(Default)]
pub struct Request {
    /// One graph for each platform.
    pub graphs: Vec<Graph>,
    /// What is done with the result. Without any it is only built.
    pub exporters: Vec<Exporter>,
    /// Where to look for what has been built already.
    pub cache_from: Vec<CacheSource>,
    /// Where to put what was built, for others.
    pub cache_to: Vec<CacheSource>,
    /// What the graphs want to do beyond the usual, such as `network.host`. The daemon must allow
    /// it as well.
    pub entitlements: Vec<String>,
    /// What is looked into before the graphs are solved.
    pub looks: Option<Looks>,
    /// What is compared when the graphs are solved.
    pub comparisons: Option<Comparisons>,
    /// Whether the daemon notes the build in its history, as daemons do from BuildKit 0.12 on.
    pub is_noted: bool,
    /// What we serve meanwhile.
    pub services: Services,
}

/// What gives the image of one platform.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The platform.
    pub platform: Platform,
    /// A `pb.Definition`; an empty one gives an empty image.
    pub definition: Vec<u8>,
    /// The config of the image as JSON; empty where no image is made.
    pub config: Vec<u8>,
    /// The config of the image that this one builds on, as it is in its registry; empty where
    /// there is none, or it is not known. A daemon that dates files anew leaves that image's
    /// layers and history as they are, so that both images share them.
    pub base_config: Vec<u8>,
}

/// Something that a daemon does with a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exporter {
    /// Which one, such as `image`.
    pub kind: String,
    /// What it is told.
    pub attributes: BTreeMap<String, String>,
}

/// A place for cached results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSource {
    /// Of what kind, such as `registry`.
    pub kind: String,
    /// What the daemon must know of it.
    pub attributes: BTreeMap<String, String>,
}

/// What came of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    /// What the exporters say of what they made, such as `containerimage.digest`.
    pub exporter_response: BTreeMap<String, String>,
}

/// Builds. `updates` hears what the daemon says meanwhile; nobody has to listen. When `cancel` is
/// cancelled the build is ended on the daemon, and this returns after the daemon has said so.
pub async fn solve(
    connection: &Connection,
    request: Request,
    updates: UnboundedSender<Update>,
    cancel: CancellationToken,
) -> Result<Solved, Failure> {
    let prepared = request.graphs.iter().map(Prepared::new);
    let graphs = prepared.collect::<Result<Vec<_>, _>>()?;
    if graphs.is_empty() {
        return Err(Failure::Unsendable { reason: "there is no graph to solve".to_owned() });
    }
    let exporters = request.exporters.len();
    let cache_from: Vec<BridgeCache> = request
        .cache_from
        .iter()
        .map(|cache| BridgeCache { r#type: cache.kind.clone(), attrs: attributes(&cache.attributes) })
        .collect();
    let first_call = first_call(&request);
    let looks = request.looks.map(Looks::prepared).transpose()?;
    let comparisons = request.comparisons.map(Comparisons::prepared).transpose()?;
    let make = |bridge: Bridge, pong: PongResponse| async move {
        let is_able = |to: &str| pong.llb_caps.iter().any(|cap| cap.enabled && cap.id == to);
        // An older daemon would run the first one, and say nothing of the others.
        if exporters > 1 && !is_able(MULTIPLE_EXPORTERS) {
            return Err(Fault::NotAble("this daemon runs one exporter at a time".to_owned()));
        }
        // One after the other: a daemon of Docker 20.10 has died of graphs that share ops and are solved
        // at once, one of them given up. Daemons with merges have not.
        let merges = is_able(MERGES);
        let (beside, first) = looks.into_iter().partition::<Vec<_>, _>(|looks| merges && looks.is_likely);
        let looking = async |looks: Vec<looking::Prepared>| {
            for looks in looks {
                if !looks.are_accepted(&bridge, &cache_from).await? {
                    return Ok::<_, Status>(false);
                }
            }
            Ok(true)
        };
        if !looking(first).await? {
            return Ok(Made::Answer(false));
        }
        let making = make(&bridge, graphs, cache_from.clone());
        let comparing = async {
            match comparisons {
                Some(comparisons) => comparisons.are_accepted(&bridge, &cache_from).await,
                None => Ok(true),
            }
        };
        // None is given up for another: whoever fails, of the graphs is told how.
        let (result, is_known, is_accepted) = match merges {
            true => tokio::join!(making, looking(beside), comparing),
            false => (Ok(making.await?), Ok(true), comparing.await),
        };
        if let Ok(false) = is_known {
            return Ok(Made::Answer(false));
        }
        let result = result?;
        Ok(match is_known? && is_accepted? {
            true => Made::Result(Box::new(result), true),
            false => Made::Answer(false),
        })
    };
    let built = gateway::build(connection, first_call, request.services, updates, &cancel, make).await?;
    if !built.made {
        return Err(Failure::Declined);
    }
    Ok(Solved { exporter_response: built.response.exporter_response.into_iter().collect() })
}

/// A graph that has been read.
struct Prepared {
    platform: Platform,
    /// None for an empty image.
    definition: Option<pb::Definition>,
    configs: Configs,
}

/// What is said about an image beside its files; empty where nothing is.
struct Configs {
    own: Vec<u8>,
    base: Vec<u8>,
}

impl Prepared {
    fn new(graph: &Graph) -> Result<Self, Failure> {
        let definition = match graph.definition.as_slice() {
            [] => None,
            bytes => Some(pb::Definition::decode(bytes).map_err(|error| Failure::Unsendable {
                reason: format!("the definition for {} cannot be read: {error}", graph.platform),
            })?),
        };
        let configs = Configs { own: graph.config.clone(), base: graph.base_config.clone() };
        Ok(Self { platform: graph.platform.clone(), definition, configs })
    }
}

/// The call that says where all goes. What older daemons read stands in fields of its own.
fn first_call(request: &Request) -> SolveRequest {
    let exporters: Vec<ExporterMessage> = request
        .exporters
        .iter()
        .map(|exporter| ExporterMessage {
            r#type: exporter.kind.clone(),
            attrs: attributes(&exporter.attributes),
        })
        .collect();
    let first = exporters.first().cloned().unwrap_or_default();
    let entries = |caches: &[CacheSource]| {
        caches
            .iter()
            .map(|cache| CacheOptionsEntry {
                r#type: cache.kind.clone(),
                attrs: attributes(&cache.attributes),
            })
            .collect()
    };
    SolveRequest {
        exporter_deprecated: first.r#type,
        exporter_attrs_deprecated: first.attrs,
        exporters,
        cache: Some(CacheOptions {
            imports: entries(&request.cache_from),
            exports: entries(&request.cache_to),
            ..CacheOptions::default()
        }),
        entitlements: request.entitlements.clone(),
        internal: !request.is_noted,
        ..SolveRequest::default()
    }
}

fn attributes(ours: &BTreeMap<String, String>) -> HashMap<String, String> {
    ours.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Solves every graph, at the same time, and puts the results together.
async fn make(
    bridge: &Bridge,
    graphs: Vec<Prepared>,
    cache_from: Vec<BridgeCache>,
) -> Result<GatewayResult, Status> {
    let solving = graphs.into_iter().map(|graph| {
        let cache_imports = cache_from.clone();
        async move {
            let made = match graph.definition {
                None => Ref::default(),
                Some(definition) => made_of(bridge, definition, cache_imports).await?,
            };
            Ok::<_, Status>((graph.platform, made, graph.configs))
        }
    });
    Ok(result(try_join_all(solving).await?))
}

/// Solves one graph.
pub(crate) async fn made_of(
    bridge: &Bridge,
    definition: pb::Definition,
    cache_imports: Vec<BridgeCache>,
) -> Result<Ref, Status> {
    let request = BridgeSolveRequest {
        definition: Some(definition),
        allow_result_return: true,
        allow_result_array_ref: true,
        exporter_attr: b"{}".to_vec(),
        // Errors then come with details, and before anything is exported.
        evaluate: true,
        cache_imports,
        ..BridgeSolveRequest::default()
    };
    the_one_ref(bridge.clone().solve(request).await?.result)
}

/// The reference in the result of one graph. An empty one stands for an empty image.
fn the_one_ref(result: Option<GatewayResult>) -> Result<Ref, Status> {
    match result.and_then(|result| result.result) {
        Some(result::Result::Ref(made)) => Ok(made),
        Some(result::Result::RefDeprecated(id)) => Ok(Ref { id, def: None }),
        Some(result::Result::Refs(_) | result::Result::RefsDeprecated(_)) => {
            Err(Status::new(Code::Internal, "the daemon gave several results for one graph"))
        }
        None => Ok(Ref::default()),
    }
}

/// One result of what the graphs gave: for one it is plain, for several it says which is which.
fn result(mut made: Vec<(Platform, Ref, Configs)>) -> GatewayResult {
    let mut metadata = HashMap::new();
    // A daemon takes an empty config for a broken one.
    let mut add_configs = |platform: &str, Configs { own, base }: Configs| {
        for (key, config) in [("containerimage.config", own), ("containerimage.base.config", base)] {
            if !config.is_empty() {
                metadata.insert(format!("{key}{platform}"), config);
            }
        }
    };
    if made.len() == 1
        && let Some((_, made, configs)) = made.pop()
    {
        add_configs("", configs);
        return GatewayResult {
            metadata,
            result: Some(result::Result::Ref(made)),
            ..GatewayResult::default()
        };
    }
    let platforms: Vec<_> = made.iter().map(|(platform, ..)| platform_entry(platform)).collect();
    let mut refs = HashMap::new();
    for (platform, made, configs) in made {
        add_configs(&format!("/{platform}"), configs);
        refs.insert(platform.to_string(), made);
    }
    metadata.insert(
        "refs.platforms".to_owned(),
        serde_json::json!({ "Platforms": platforms }).to_string().into(),
    );
    GatewayResult {
        metadata,
        result: Some(result::Result::Refs(RefMap { refs })),
        ..GatewayResult::default()
    }
}

fn platform_entry(platform: &Platform) -> serde_json::Value {
    let mut shown = serde_json::json!({ "architecture": platform.architecture(), "os": platform.os() });
    if let Some(variant) = platform.variant() {
        shown["variant"] = variant.into();
    }
    serde_json::json!({ "ID": platform.to_string(), "Platform": shown })
}
