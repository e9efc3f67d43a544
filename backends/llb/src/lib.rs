//! Lowers a resolved plan to BuildKit's LLB: a `Definition` that `buildctl build` takes on its
//! standard input, and the image config that goes with it.
//!
//! Reading order: [`lower`] (what becomes of each op), [`graph`], [`definition`], [`annotations`] and [`wire`] (how
//! that becomes bytes), [`check`] (what BuildKit takes for granted), [`listing`] (the same for people).
//!
//! Not here: talking to a daemon. What it is able to do comes in as [`Limits`]; what it will ask
//! for comes out as [`Needs`], and what its reports mean as [`origins`].

mod annotations;
mod capability;
pub mod check;
mod definition;
pub mod definition_bytes;
mod graph;
pub mod installed;
pub mod known;
pub mod layers;
pub mod limits;
pub mod listing;
mod lower;
pub mod needs;
pub mod origins;
pub mod owners;
mod part;
pub mod side_by_side;
pub mod source_map;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_backends_contract::config_json;
use cogpack_backends_contract::image_config::image_config;
use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_content::{Digest, Platform};
use cogpack_ir::plan::{ImageConfig, InputName, Span};
use cogpack_ir::resolve::Resolved;

pub use definition_bytes::DefinitionBytes;
use installed::InstalledContext;
use known::Known;
pub use layers::{Layers, layers};
pub use limits::Limits;
pub use listing::listing;
pub use needs::{Entitlement, Needs};
pub use origins::{Origin, origins};
use owners::OwnersByName;
use side_by_side::SideBySide;
pub use source_map::SourceText;

/// This backend's name, as `-o` takes it.
pub const NAME: &str = "llb";

/// The backend, with what it needs to know beside the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Llb {
    /// The text the plan was read from, so that a daemon's errors can show its lines.
    pub source: SourceText,
    /// What the daemon can do.
    pub limits: Limits,
    /// Part of the identity of every directory that is sent. Two builds that run on one daemon
    /// at the same time and have different directories under one name must differ here, or the
    /// daemon takes one for the other.
    pub unique: String,
    /// What is known of directories.
    pub known: Known,
    /// What the names of images and the tags of layouts stand for that the plan does not pin, where
    /// it has been looked up: the daemon then need not look it up again, and takes the image whose
    /// config was read.
    pub digests: BTreeMap<InputName, Digest>,
    /// The sets of packages that are installed. Others are refused.
    pub installed: BTreeMap<InputName, InstalledContext>,
    /// Whether everything is made anew, whatever the daemon has made already. It stands beside the
    /// vertices, so their digests stay what they are.
    pub ignores_caches: bool,
}

/// A plan for a daemon and one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlbImage {
    /// What it is built for.
    pub platform: Platform,
    /// A serialised `pb.Definition`.
    pub definition: DefinitionBytes,
    /// The digests of its vertices in order, the terminal one last.
    pub digests: Arc<Vec<Digest>>,
    /// The image config in JSON, without what only the daemon knows (layers and history).
    pub config: Vec<u8>,
    /// What the client that sends it must serve and ask for.
    pub needs: Needs,
    /// The owners that are written by name, by the filesystem that they are looked up in.
    pub owners: Vec<OwnersByName>,
    /// The parallel phases whose stages may write one path.
    pub side_by_side: Vec<SideBySide>,
}

impl LlbImage {
    /// Whether its config says more than what the image is built for.
    pub fn has_config(&self) -> bool {
        self.config != config_json::to_json(&ImageConfig::default(), &self.platform, None)
    }
}

impl Llb {
    /// For a current daemon, with the text of the plan.
    pub fn new(source: SourceText) -> Self {
        Self {
            source,
            limits: Limits::all(),
            unique: "cogpack".to_owned(),
            known: Known::default(),
            digests: BTreeMap::new(),
            installed: BTreeMap::new(),
            ignores_caches: false,
        }
    }

    fn image(&self, plan: &Resolved, platform: &Platform) -> Result<LlbImage, Vec<Unsupported>> {
        let config = image_config(plan, NAME);
        let finished = lower::lower(plan, self, platform);
        match (finished, config) {
            (Ok(lowered), Ok(config)) => Ok(LlbImage {
                platform: platform.clone(),
                definition: lowered.finished.definition,
                digests: lowered.finished.digests,
                config: config_json::to_json(&config, platform, None),
                needs: lowered.needs,
                owners: lowered.owners,
                side_by_side: lowered.side_by_side,
            }),
            (finished, config) => {
                let mut gaps = finished.err().unwrap_or_default();
                // A variable that an execution misses is told there; the config misses the same one.
                let of_config = config.err().unwrap_or_default();
                let told: Vec<_> = of_config
                    .into_iter()
                    .filter(|gap| !gaps.iter().any(|told| told.what == gap.what))
                    .collect();
                gaps.extend(told);
                Err(gaps)
            }
        }
    }
}

impl Backend for Llb {
    /// One image for each platform of the plan, in the plan's order; never none.
    type Artifact = Vec<LlbImage>;

    fn name(&self) -> &'static str {
        NAME
    }

    fn lower(&self, plan: &Resolved) -> Result<Vec<LlbImage>, Vec<Unsupported>> {
        let platforms = &plan.plan().platforms;
        if platforms.is_empty() {
            return Err(vec![no_platform()]);
        }
        let mut images = Vec::with_capacity(platforms.len());
        for platform in platforms {
            // What one platform cannot have, no other can: the gaps of the first are all.
            images.push(self.image(plan, &platform.value)?);
        }
        Ok(images)
    }
}

fn no_platform() -> Unsupported {
    Unsupported {
        backend: NAME,
        code: "cpk::unsupported::platform",
        what: "a plan without a platform".to_owned(),
        span: Span::NOWHERE,
        help: "write `platform linux/amd64`".to_owned(),
    }
}
