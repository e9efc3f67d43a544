//! What differs between two plans, and what of the one must be built again for the other.
//!
//! Reading order: [`keys`] (what decides what an op leaves), [`Difference`] (what is told), then how
//! it is found: `stages` and `ops` (what is the same under another name or in another place), `why`
//! (what leads to what), [`edits`] (the difference for programs).
//!
//! The files of contexts are taken to be the same in both, unless the caller knows more of them
//! ([`files`]).

pub mod chains;
pub mod changes;
pub mod edits;
pub mod files;
mod image;
pub mod keys;
mod layers;
mod ops;
mod seen;
mod sequence;
mod settings;
mod side;
mod spared;
mod stages;
pub mod why;
pub mod words;

#[cfg(test)]
mod tests;

use cogpack_ir::plan::{Plan, Span, StageName};
use cogpack_ir::resolve::Resolved;
use serde_json::Value;

pub use changes::{OpChange, OpChangeKind, StageChange};
pub use image::layers_of_stages;
use keys::Contents;
pub use layers::{Layer, LayerState};
pub use settings::SettingChange;
use side::Side;
pub use spared::OnlyIf;
pub use why::{Cause, What};

/// A plan that is compared.
#[derive(Clone, Copy)]
pub struct Compared<'p> {
    /// As it was written.
    pub written: &'p Plan,
    /// The same, resolved.
    pub resolved: &'p Resolved,
    /// What is known of the files of its contexts.
    pub contents: &'p dyn Contents,
}

/// What differs between two plans.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Stages that are new, gone, renamed, elsewhere, or of which ops have changed.
    pub stages: Vec<StageChange>,
    /// Declarations and what the image says, likewise.
    pub settings: Vec<SettingChange>,
    /// Whether the plans differ in something that neither of these tells, which changes nothing
    /// of what is built: names of layers, `by`, `provides`, an order without a meaning.
    pub rest: bool,
    /// The ops that run again, in the order in which they stand.
    pub runs: Vec<Rerun>,
    /// How many ops of the new plan run at all, where nothing was built before.
    pub ops: usize,
    /// The layers of the new image, lowest first; all of a base are one.
    pub layers: Vec<Layer>,
    /// How many layers of the old image there were, that are no base's.
    pub old_layers: usize,
    /// The layers of the old image that the new one has not, in a few words each.
    pub gone: Vec<String>,
    /// What turns the old plan into the new one.
    pub edits: Vec<Value>,
}

/// An op that runs again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rerun {
    /// Its stage.
    pub stage: StageName,
    /// The op in a few words.
    pub op: String,
    /// Where it is written in the new plan.
    pub span: Span,
    /// What was changed that makes it.
    pub cause: Cause,
    /// The op that led to it, where it is not what was changed itself.
    pub led_to_by: Option<chains::Link>,
    /// What decides whether it runs, where only what it reads is new, or what it stands on for that
    /// reason; `None` where it runs whatever files there are.
    pub only_if: Option<OnlyIf>,
    /// Whether its stage is part of the image, and not only read by one that is.
    pub in_image: bool,
}

impl Difference {
    /// Compares two plans.
    pub fn between(old: Compared<'_>, new: Compared<'_>) -> Self {
        let [old, new] = [old, new].map(|it| Side::new(it.written, it.resolved, it.contents));
        let pairs = stages::pairs(&old, &new);
        let ops = ops::ops(&old, &new, &pairs);
        let made = why::Made::of(&old);
        let causes = why::causes(&old, &new, &pairs, &ops, &made);
        let names = ops::Names { old: &old, new: &new, pairs: &pairs };
        let stages = changes::stages(&names, &ops);
        let settings = settings::settings(old.written, new.written);
        let image = layers::layers(&old, &new, &ops, &made, &causes);
        let differs = old.written != new.written;
        Self {
            rest: differs && stages.is_empty() && settings.is_empty(),
            runs: chains::runs(&new, &causes, &spared::spared(&old, &new, &made), &image.stages),
            ops: new.ids.iter().flat_map(|id| new.keys.steps(*id)).flatten().count(),
            layers: image.layers,
            old_layers: image.old_layers,
            gone: image.gone,
            edits: match differs {
                true => edits::between(old.written, new.written, &pairs.all()),
                false => Vec::new(),
            },
            stages,
            settings,
        }
    }

    /// Whether the plans are the same.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty() && self.settings.is_empty() && !self.rest
    }
}
