//! What a daemon can do, and what it knows of an image: asked in builds that build nothing, all of
//! them in one session.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::moby::buildkit::v1::apicaps::ApiCap;
use bollard_buildkit_proto::moby::buildkit::v1::frontend::{PongResponse, ResolveImageConfigRequest};
use bollard_buildkit_proto::moby::buildkit::v1::{CacheOptions, Exporter, SolveRequest};
use bollard_buildkit_proto::pb;
use cogpack_content::Platform;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::gateway::{self, Bridge, Fault, Made};
use crate::session::{Services, Session};

/// Every exporter that some daemon has.
const EXPORTERS: [&str; 6] = ["docker", "image", "local", "moby", "oci", "tar"];

/// What a daemon can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    /// The ids of what may stand in a definition, such as `mergeop`.
    pub capabilities: BTreeSet<String>,
    /// The ids of what may be asked for beside a definition, such as `gateway.solve.metadata`.
    pub frontend_capabilities: BTreeSet<String>,
    /// The platforms it can build for, each once, its own first.
    pub platforms: Vec<Platform>,
    /// The exporters it has.
    pub exporters: BTreeSet<String>,
    /// What its workers tell of themselves.
    pub labels: BTreeMap<String, String>,
}

/// An image as a daemon sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedImage {
    /// The digest that the reference stands for; none where the daemon took an image of its own
    /// that came from no registry.
    pub digest: Option<String>,
    /// The config as JSON.
    pub config: Vec<u8>,
}

/// A session in which a daemon is asked things, as many as one likes and at the same time.
pub struct Inquiry {
    connection: Connection,
    session: Session,
}

impl Connection {
    /// Begins to ask. `services` may hold credentials for registries.
    pub async fn inquire(&self, services: Services) -> Result<Inquiry, Failure> {
        Ok(Inquiry { connection: self.clone(), session: Session::open(self, services).await? })
    }

    /// What the daemon can do, where nothing else is asked.
    pub async fn abilities(&self) -> Result<Abilities, Failure> {
        self.inquire(Services::new()).await?.abilities().await
    }
}

impl Inquiry {
    /// What the daemon can do. This leaves no trace on it.
    pub async fn abilities(&self) -> Result<Abilities, Failure> {
        // There is no list of exporters to ask for, so each is asked for by itself, and all at once.
        let asked = EXPORTERS.map(|kind| async move { (kind, self.ask(Some(kind)).await) });
        let (pong, answers) = tokio::join!(self.ask(None), join_all(asked));
        let pong = pong?;
        let mut exporters = BTreeSet::new();
        for (kind, answer) in answers {
            match answer {
                Ok(_) => {
                    exporters.insert(kind.to_owned());
                }
                Err(Failure::Refused { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        let mut platforms: Vec<Platform> = Vec::new();
        for platform in pong.workers.iter().flat_map(|worker| &worker.platforms).filter_map(known_platform) {
            if !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        let labels = pong.workers.into_iter().flat_map(|worker| worker.labels).collect();
        Ok(Abilities {
            capabilities: enabled(pong.llb_caps),
            frontend_capabilities: enabled(pong.frontend_api_caps),
            platforms,
            exporters,
            labels,
        })
    }

    /// Begins a build with this exporter, and ends it as soon as the daemon answers.
    async fn ask(&self, exporter: Option<&str>) -> Result<PongResponse, Failure> {
        let answer = |_: Bridge, pong: PongResponse| async { Ok(Made::Answer(pong)) };
        self.in_no_build(exporter, &CancellationToken::new(), answer).await
    }

    /// Looks up an image for a platform, as a build would.
    pub async fn resolve_image_config(
        &self,
        reference: &str,
        platform: &Platform,
        cancel: &CancellationToken,
    ) -> Result<ResolvedImage, Failure> {
        let request = ResolveImageConfigRequest {
            r#ref: reference.to_owned(),
            platform: Some(pb::Platform {
                os: platform.os().to_owned(),
                architecture: platform.architecture().to_owned(),
                variant: platform.variant().unwrap_or_default().to_owned(),
                ..pb::Platform::default()
            }),
            resolve_mode: "default".to_owned(),
            log_name: format!("look up {reference}"),
            ..ResolveImageConfigRequest::default()
        };
        let look_up = |mut bridge: Bridge, _: PongResponse| async move {
            Ok(Made::Answer(bridge.resolve_image_config(request).await?))
        };
        let found = self.in_no_build(None, cancel, look_up).await?;
        let digest = Some(found.digest).filter(|digest| !digest.is_empty());
        Ok(ResolvedImage { digest, config: found.config })
    }

    async fn in_no_build<T, Work, Making>(
        &self,
        exporter: Option<&str>,
        cancel: &CancellationToken,
        work: Work,
    ) -> Result<T, Failure>
    where
        Work: FnOnce(Bridge, PongResponse) -> Making,
        Making: Future<Output = Result<Made<T>, Fault>>,
    {
        let kind = exporter.unwrap_or_default().to_owned();
        let exporters = exporter
            .map(|kind| Exporter { r#type: kind.to_owned(), ..Exporter::default() })
            .into_iter()
            .collect();
        let request = SolveRequest {
            exporter_deprecated: kind,
            exporters,
            cache: Some(CacheOptions::default()),
            // It is no build that anybody wants to find in a history.
            internal: true,
            ..SolveRequest::default()
        };
        gateway::ask(&self.connection, &self.session, request, cancel, work).await
    }
}

fn enabled(capabilities: Vec<ApiCap>) -> BTreeSet<String> {
    capabilities.into_iter().filter(|capability| capability.enabled).map(|capability| capability.id).collect()
}

/// A platform in our words; none where it has none, such as that of a daemon which leaves it out.
fn known_platform(platform: &pb::Platform) -> Option<Platform> {
    let mut text = format!("{}/{}", platform.os, platform.architecture);
    if !platform.variant.is_empty() {
        text = format!("{text}/{}", platform.variant);
    }
    text.parse().ok()
}
