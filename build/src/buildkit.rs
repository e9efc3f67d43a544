//! BuildKit as a builder: sends definitions, serves what they read, receives what comes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cogpack_backends_llb::{Limits, LlbImage};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_io_buildkit::abilities::Abilities;
use cogpack_io_buildkit::address::{Address, Endpoint};
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::directories::{Directories, Sent};
use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::solve::{Exporter, Graph, Request, Solved, solve};
use cogpack_io_buildkit::update::Update;
use cogpack_io_docker::engine::Engine;
use cogpack_ir::plan::InputName;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::builder::Builder;
use crate::caching::Blobs;
use crate::explained::{Told, explained};
use crate::exporting::{self, Export, Receive};
use crate::failure::BuildError;
use crate::follow::Follower;
use crate::order::{Destination, Order};
use crate::outcome::{Layer, Outcome};
use crate::outline::outline;
use crate::progress::{Progress, Progresses};
use crate::pushing::Pushing;
use crate::remembered::Note;
use crate::{engine_layers, layer_names, names, pushed_layers, receiving, serving, side_by_side};

/// What daemons call it when they put an image into their engine, and name it.
const EXPORT: &str = "exporting to image";

/// What the digest of an image's manifest is called among the answers of daemons.
const IMAGE_DIGEST: &str = "containerimage.digest";

/// How often is asked how much was sent.
const SENT_INTERVAL: Duration = Duration::from_millis(100);

/// A BuildKit that answers.
#[derive(Debug, Clone)]
pub struct BuildKit {
    connection: Connection,
    abilities: Abilities,
}

impl BuildKit {
    /// Reaches a daemon, and asks what it can do.
    pub async fn connect(address: &Address) -> Result<Self, Failure> {
        let connection = Connection::open(address).await?;
        let abilities = connection.abilities().await?;
        Ok(Self { connection, abilities })
    }

    /// A daemon that has said what it can do.
    pub fn able(connection: Connection, abilities: Abilities) -> Self {
        Self { connection, abilities }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What the daemon can do.
    pub fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    /// What of it matters to lowering.
    pub fn limits(&self) -> Limits {
        Limits::from_ids(self.abilities.capabilities.iter().map(String::as_str))
    }

    /// Whether it can put images into a Docker Engine, because it is part of one.
    pub fn is_of_an_engine(&self) -> bool {
        self.abilities.exporters.contains("moby")
    }
}

impl Builder for BuildKit {
    type Order = Order;

    fn name(&self) -> &'static str {
        "buildkit"
    }

    async fn build(
        &self,
        mut order: Order,
        progress: Progresses,
        cancel: CancellationToken,
    ) -> Result<Outcome, BuildError> {
        let (outline, vertices) = outline(&order.images);
        let mut follower = Follower::new(vertices, outline.steps.len());
        tell(&progress, Progress::Planned(outline.clone()));

        let address = self.connection.address().to_string();
        let image = exporting::Image {
            names: &order.names,
            annotations: &order.annotations,
            time: order.time,
            is_time_given: order.is_time_given,
            platforms: order.images.len(),
        };
        let daemon = exporting::Daemon {
            exporters: &self.abilities.exporters,
            address: &address,
            part_of: match self.connection.address() {
                Address::Engine(engine) => Some(engine),
                Address::Daemon(_) | Address::Container { .. } => None,
            },
            engine: match self.connection.address() {
                Address::Engine(_) => None,
                Address::Daemon(_) | Address::Container { .. } => order.engine.as_ref(),
            },
        };
        let exports = exporting::exports(&order.destinations, image, daemon)?;
        let directories = serving::directories(&order.served)?;
        let blobs = Blobs::new(&order)?;
        let services = blobs.serve(serving::services(&order.served, &directories));
        let standard_output = std::mem::replace(&mut order.standard_output, Box::new(std::io::sink()));
        let receiver = receiving::receiver(&exports, standard_output).await?;
        if !order.annotations.is_empty() {
            let keeps_manifests = receiver.keeps_manifests().await;
            let lost = exporting::lost_annotations(&exports, image, keeps_manifests);
            lost.into_iter().for_each(|warning| tell(&progress, Progress::Warned(warning)));
        }
        let (mut looks, unknown) = names::looks(&order.images).unzip();
        let (comparisons, meetings) = side_by_side::compared(&order.images).unzip();
        let note = looks.as_mut().and_then(|looks| Note::of(order.store.as_deref(), &address, looks));
        let request = Request {
            graphs: order.images.iter().map(|image| graph(image, &order)).collect(),
            exporters: exports.iter().map(|export| export.exporter.clone()).collect(),
            cache_from: blobs.cache_from(),
            cache_to: blobs.cache_to(),
            entitlements: order.allowed.iter().map(ToString::to_string).collect(),
            looks,
            comparisons,
            is_noted: order.is_noted,
            services: receiver.serve(services),
        };
        let (updates, news) = unbounded_channel();
        let kept_by = engine_of(self.connection.address(), &order, &exports);
        let (exported, failed) = (CancellationToken::new(), CancellationToken::new());
        let solving = async {
            let solved = solve(&self.connection, request, updates, cancel.clone()).await;
            // Where the daemon told of no export, this is the last moment to ask what it made.
            if solved.is_ok() {
                exported.cancel()
            } else {
                failed.cancel()
            }
            solved
        };
        let mut told = BTreeMap::new();
        let following = follow(&mut follower, news, &directories, &mut told, &progress, &exported);
        // What the engine has to say of the image it can say while the daemon writes its history.
        let asking = async {
            let Some(Kept { engine, name: Some(name) }) = &kept_by else { return None };
            tokio::select! {
                biased;
                () = failed.cancelled() => None,
                layers = async { exported.cancelled().await; layers_in(engine, name).await } => Some(layers),
            }
        };
        let (solved, (), asked) = tokio::join!(solving, following, asking);
        tell_sent(&directories, &mut told, &progress);
        let solved = match solved {
            Ok(solved) => solved,
            Err(failure) => {
                if let Some(failure) = receiver.failure() {
                    // It is the cause; what the daemon says is that it was not taken.
                    let attempted = "take the result".to_owned();
                    return Err(BuildError::Here { attempted, source: Box::new(failure) });
                }
                if matches!(failure, Failure::Declined) {
                    let unknown = unknown.map(|unknown| unknown.take()).unwrap_or_default();
                    return Err(match unknown.is_empty() {
                        false => BuildError::Names(unknown),
                        true => {
                            BuildError::Meetings(meetings.map(|meetings| meetings.take()).unwrap_or_default())
                        }
                    });
                }
                if let Some(failure) = directories.failure() {
                    // Here too: the daemon says that something did not come.
                    let attempted = "send a context".to_owned();
                    return Err(BuildError::Here { attempted, source: Box::new(failure) });
                }
                let told = Told {
                    address: self.connection.address(),
                    images: &order.images,
                    outline: &outline,
                    follower: &follower,
                    registries: &registries(&order),
                };
                return Err(explained(failure, told));
            }
        };
        if let Some(note) = note {
            note.keep();
        }
        blobs.finish(&solved.exporter_response)?;
        let platforms: Vec<Platform> = order.images.iter().map(|image| image.platform.clone()).collect();
        let layers = receiver.finish(&platforms).await?;
        let mut outcome = outcome(&order, &exports, solved);
        if let Some(engine) = exports.iter().find_map(|export| export.pushed_by.as_ref()) {
            let (names, logins) = (&order.names, &order.served.logins);
            let pushing = Pushing { engine, names, logins, progress: &progress, cancel: &cancel };
            if let Some(digest) = pushing.run(&mut follower).await? {
                // The engine has no manifest, and told what it has.
                outcome.digest = Some(digest);
                outcome.answers.insert(IMAGE_DIGEST.to_owned(), digest.to_string());
            }
        }
        outcome.layers = match (asked, kept_by) {
            (Some(asked), _) => asked,
            (None, Some(Kept { engine, .. })) if layers.is_empty() => {
                let id = outcome.digest.or(outcome.config_digest).map(|digest| digest.to_string());
                match outcome.names.first().or(id.as_ref()) {
                    Some(image) => layers_in(engine, image).await,
                    None => Vec::new(),
                }
            }
            (None, _) => layers,
        };
        // An engine tells of one of several images, and a registry of all.
        if outcome.layers.is_empty() || platforms.len() > 1 {
            let pushed = pushed(&order, &outcome, &platforms).await;
            outcome.layers = if pushed.is_empty() { outcome.layers } else { pushed };
        }
        if let [_] = platforms.as_slice() {
            outcome.layers.iter_mut().for_each(|layer| layer.platform = None);
        }
        for layers in outcome.layers.chunk_by_mut(|one, next| one.platform == next.platform) {
            let platform = layers.first().and_then(|layer| layer.platform.clone());
            let mut images = order.images.iter();
            let image = images.find(|image| platform.as_ref().is_none_or(|it| *it == image.platform));
            image.into_iter().for_each(|image| layer_names::name(layers, image));
        }
        tell(&progress, Progress::Done(outcome.clone()));
        Ok(outcome)
    }
}

fn tell(progress: &Progresses, happened: Progress) {
    // That nobody listens any more stops no build.
    let _ = progress.send(happened);
}

/// Passes on what the daemon tells, until it tells no more, and says when the image is in the engine.
async fn follow(
    follower: &mut Follower,
    mut news: UnboundedReceiver<Update>,
    directories: &Directories,
    told: &mut BTreeMap<String, Sent>,
    progress: &Progresses,
    exported: &CancellationToken,
) {
    let mut interval = tokio::time::interval(SENT_INTERVAL);
    loop {
        tokio::select! {
            update = news.recv() => match update {
                Some(update) => for happened in follower.on(update) {
                    if let Progress::Finished { step, .. } = happened
                        && follower.added(step) == Some(EXPORT)
                    {
                        exported.cancel();
                    }
                    tell(progress, happened);
                },
                None => return,
            },
            _ = interval.tick() => tell_sent(directories, told, progress),
        }
    }
}

/// Tells what was sent since `told`.
fn tell_sent(directories: &Directories, told: &mut BTreeMap<String, Sent>, progress: &Progresses) {
    let now = directories.sent();
    for (name, sent) in &now {
        let is_news = told.get(name).is_none_or(|before| before != sent) && sent.entries > 0;
        if let (true, Ok(context)) = (is_news, InputName::new(name)) {
            let happened = Progress::Sent {
                context,
                entries: sent.entries,
                files: sent.files,
                bytes: sent.bytes,
                complete: sent.is_complete,
            };
            tell(progress, happened);
        }
    }
    *told = now;
}

/// A definition and its config. The config is dated here, because daemons of before 0.11 date it
/// by what they find, whatever they are told. It begins with the base's history, to which daemons
/// add what made the layers above.
fn graph(image: &LlbImage, order: &Order) -> Graph {
    let base_config = order.base_configs.get(&image.platform).cloned().unwrap_or_default();
    let config = match serde_json::from_slice::<Value>(&image.config) {
        Ok(Value::Object(mut config)) => {
            config.insert("created".to_owned(), cogpack_content::time::rfc3339(order.time).into());
            config.extend(history(&base_config).map(|history| ("history".to_owned(), history)));
            Value::Object(config).to_string().into_bytes()
        }
        // It is JSON of our own; whatever else it is, the daemon will say so.
        Ok(_) | Err(_) => image.config.clone(),
    };
    Graph { platform: image.platform.clone(), definition: image.definition.to_bytes(), config, base_config }
}

/// The registries to which images go, and which hold caches.
fn registries(order: &Order) -> BTreeSet<String> {
    let caches = order.cache_from.iter().chain(&order.cache_to);
    let caches = caches.filter_map(|cache| cache.settings.get("ref")?.parse::<ImageReference>().ok());
    order.names.iter().cloned().chain(caches).map(|name| name.registry().to_owned()).collect()
}

/// The history in the config of an image.
fn history(config: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Value>(config).ok()?.as_object_mut()?.remove("history")
}

/// An engine that has the image afterwards.
struct Kept<'a> {
    engine: &'a Endpoint,
    /// What the image is called there as soon as the daemon has exported it.
    name: Option<String>,
}

fn engine_of<'a>(address: &'a Address, order: &'a Order, exports: &[Export]) -> Option<Kept<'a>> {
    // What an engine makes without pushing it, it keeps.
    let is_kept =
        |to: &Destination| matches!(to, Destination::Engine { .. } | Destination::Image { push: false, .. });
    if !order.destinations.iter().any(is_kept) {
        return None;
    }
    let is_loaded = exports.iter().any(|export| matches!(export.receive, Some(Receive::Load(_))));
    match address {
        Address::Engine(engine) => {
            Some(Kept { engine, name: order.names.first().map(|name| name.normalised(None)) })
        }
        // It has its name when we have loaded it.
        Address::Daemon(_) | Address::Container { .. } if is_loaded => {
            order.engine.as_ref().map(|engine| Kept { engine, name: None })
        }
        Address::Daemon(_) | Address::Container { .. } => None,
    }
}

/// The layers of images that were pushed.
async fn pushed(order: &Order, outcome: &Outcome, platforms: &[Platform]) -> Vec<Layer> {
    let is_pushed = |to: &Destination| matches!(to, Destination::Image { push: true, .. });
    match (outcome.digest, order.names.first()) {
        (Some(digest), Some(name)) if order.destinations.iter().any(is_pushed) => {
            let logins = Arc::clone(&order.served.logins);
            pushed_layers::layers(order.registries.clone(), logins, name, digest, platforms).await
        }
        (Some(_) | None, Some(_) | None) => Vec::new(),
    }
}

async fn layers_in(endpoint: &Endpoint, image: &str) -> Vec<Layer> {
    match Engine::at(endpoint) {
        Ok(engine) => engine_layers::layers(&engine, image).await,
        // The image is there; how large its layers are is good to know, and no more.
        Err(_) => Vec::new(),
    }
}

fn outcome(order: &Order, exports: &[Export], solved: Solved) -> Outcome {
    let digest = |key: &str| solved.exporter_response.get(key).and_then(|text| text.parse::<Digest>().ok());
    let takes_names = |Exporter { kind, .. }: &Exporter| !matches!(kind.as_str(), "local" | "tar");
    let is_named = exports.iter().any(|export| takes_names(&export.exporter));
    Outcome {
        digest: digest(IMAGE_DIGEST),
        config_digest: digest("containerimage.config.digest"),
        names: match is_named {
            true => order.names.iter().map(|name| name.normalised(None)).collect(),
            false => Vec::new(),
        },
        places: exports.iter().map(|export| export.place.clone()).collect(),
        layers: Vec::new(),
        answers: solved.exporter_response,
    }
}
