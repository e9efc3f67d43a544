//! Lowers a resolved plan to BuildKit's LLB: a `Definition` that `buildctl build` takes on its
//! standard input, and the image config that goes with it.
//!
//! Reading order: [`lower`] (what becomes of each op), [`graph`] and [`wire`] (how that becomes
//! bytes), [`check`] (what BuildKit takes for granted), [`listing`] (the same for people).
//!
//! Not here: talking to a daemon. What it is able to do comes in as [`Abilities`].

mod capability;
pub mod check;
mod graph;
pub mod listing;
mod lower;
pub mod source_map;
mod wire;

#[cfg(test)]
mod tests;

use cogpack_backends_contract::config_json;
use cogpack_backends_contract::image_config::image_config;
use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_content::{Digest, Platform};
use cogpack_ir::plan::Span;
use cogpack_ir::resolve::Resolved;

pub use listing::listing;
pub use source_map::SourceText;

/// This backend's name, as `-o` takes it.
pub const NAME: &str = "llb";

/// The backend, with what it needs to know beside the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Llb {
    /// The text the plan was read from, so that a daemon's errors can show its lines.
    pub source: SourceText,
    /// What the daemon can do.
    pub abilities: Abilities,
    /// Part of the identity of every directory that is sent. Two builds that run on one daemon
    /// at the same time and have different directories under one name must differ here, or the
    /// daemon takes one for the other.
    pub unique: String,
}

/// What a daemon can do, where lowering depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Merges and diffs: BuildKit 0.10 and newer, Docker with the containerd image store.
    pub merge: bool,
}

/// A plan for a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlbImage {
    /// What it is built for.
    pub platform: Platform,
    /// A serialised `pb.Definition`.
    pub definition: Vec<u8>,
    /// The digests of its vertices in order, the terminal one last.
    pub digests: Vec<Digest>,
    /// The image config in JSON, without what only the daemon knows (layers and history).
    pub config: Vec<u8>,
}

impl Abilities {
    /// A current daemon.
    pub const CURRENT: Self = Self { merge: true };

    /// What a daemon's list of capabilities comes to.
    pub fn of<'a>(capabilities: impl IntoIterator<Item = &'a str>) -> Self {
        let [mut merge, mut diff] = [false; 2];
        for capability in capabilities {
            merge |= capability == capability::Capability::Merge.id();
            diff |= capability == capability::Capability::Diff.id();
        }
        Self { merge: merge && diff }
    }
}

impl Llb {
    /// For a current daemon, with the text of the plan.
    pub fn new(source: SourceText) -> Self {
        Self { source, abilities: Abilities::CURRENT, unique: "cogpack".to_owned() }
    }
}

impl Backend for Llb {
    type Artifact = LlbImage;

    fn name(&self) -> &'static str {
        NAME
    }

    fn lower(&self, plan: &Resolved) -> Result<LlbImage, Vec<Unsupported>> {
        let platform = the_platform(plan).map_err(|gap| vec![gap])?;
        let config = image_config(plan, NAME);
        let finished = lower::lower(plan, self, platform);
        match (finished, config) {
            (Ok(finished), Ok(config)) => Ok(LlbImage {
                platform: platform.clone(),
                definition: finished.definition,
                digests: finished.digests,
                config: config_json::to_json(&config, platform, None),
            }),
            (finished, config) => {
                let mut gaps = finished.err().unwrap_or_default();
                gaps.extend(config.err().unwrap_or_default());
                Err(gaps)
            }
        }
    }
}

/// The one platform of a plan: a definition is for one, and an index of several is put together
/// by whoever solves them.
fn the_platform(plan: &Resolved) -> Result<&Platform, Unsupported> {
    let mut platforms = plan.plan().platforms.iter();
    let refuse = |what: String, span: Span, help: &str| Unsupported {
        backend: NAME,
        code: "cpk::unsupported::platform",
        what,
        span,
        help: help.to_owned(),
    };
    match (platforms.next(), platforms.next()) {
        (Some(one), None) => Ok(one),
        (_, Some(second)) => Err(refuse(
            "several platforms in one definition".to_owned(),
            second.span,
            "leave one `platform` line, and compile once for each platform",
        )),
        (None, None) => {
            Err(refuse("a plan without a platform".to_owned(), Span::NOWHERE, "write `platform linux/amd64`"))
        }
    }
}
