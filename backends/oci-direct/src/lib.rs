//! Lowers a resolved plan to OCI layers in this process, without a daemon.
//!
//! Three steps. [`OciDirect`] says whether a plan can become layers here at all, and gives a
//! [`Recipe`], which lists what must be read first. [`Recipe::assemble`] takes those facts
//! ([`Inputs`]) and gives an [`Assembly`]: layers as lists of entries, and the config. Writing
//! the layers ([`layer::Layer::write`]) gives their digests, with which
//! [`Assembly::documents`] makes manifest, config and index.
//!
//! Only plans without `run` and `exec`, on `scratch`, contexts and the images of layouts.
//! Deliberately not here: any disk. Bytes come from a `ContentSource` and go to a `Write`.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::image_config::image_config;
use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_ir::plan::{Context, ContextKind, ImageConfig, Input, InputName, OpKind};
use cogpack_ir::resolve::Resolved;

pub mod inputs;
pub mod support;

pub mod describe;
pub mod evaluate;
pub mod history;
pub mod merge;

pub mod layer;

pub mod blob;
pub mod tar;

pub mod documents;
pub mod image;

pub mod listing;

#[cfg(test)]
mod tests;

pub use evaluate::AssemblyProblem;
pub use image::Assembly;
pub use inputs::Inputs;

/// The backend's name, as `-o` takes it.
pub const NAME: &str = "oci";

/// Makes layers in this process.
#[derive(Debug, Clone, Default)]
pub struct OciDirect {
    /// The images of registries that are at hand all the same, because somebody has them as
    /// layouts on disk; they will be among [`Inputs::bases`].
    pub at_hand: BTreeSet<InputName>,
}

/// A plan that can become layers here.
#[derive(Debug, Clone)]
pub struct Recipe {
    plan: Resolved,
    config: ImageConfig,
}

impl Backend for OciDirect {
    type Artifact = Recipe;

    fn name(&self) -> &'static str {
        NAME
    }

    fn lower(&self, plan: &Resolved) -> Result<Recipe, Vec<Unsupported>> {
        let mut unsupported = support::unsupported(plan, &self.at_hand);
        match image_config(plan, NAME) {
            Ok(config) if unsupported.is_empty() => return Ok(Recipe { plan: plan.clone(), config }),
            Ok(_) => {}
            Err(more) => unsupported.extend(more),
        }
        Err(unsupported)
    }
}

impl Recipe {
    /// The `dir` contexts that must be walked.
    pub fn directories(&self) -> BTreeMap<&InputName, &Context> {
        self.contexts(|kind| matches!(kind, ContextKind::Directory(_)))
    }

    /// The `oci` contexts whose image must be read.
    pub fn layouts(&self) -> BTreeMap<&InputName, &Context> {
        self.contexts(|kind| matches!(kind, ContextKind::Oci(_)))
    }

    /// Makes the image of the plan and these facts. All files and documents are dated `time`,
    /// in seconds since 1970.
    pub fn assemble(&self, inputs: &Inputs, time: u64) -> Result<Assembly, Vec<AssemblyProblem>> {
        let rootfs = evaluate::evaluate(&self.plan, inputs)?;
        Ok(Assembly {
            rootfs,
            config: self.config.clone(),
            platforms: self.plan.plan().platforms.iter().map(|platform| platform.value.clone()).collect(),
            annotations: self.plan.export().annotations.clone(),
            time,
        })
    }

    fn contexts(&self, wanted: impl Fn(&ContextKind) -> bool) -> BTreeMap<&InputName, &Context> {
        let mut inputs: Vec<&Input> = vec![&self.plan.export().from.value];
        for id in self.plan.order() {
            inputs.extend(self.plan.stage(*id).from.iter().map(|from| &from.value));
            for step in self.plan.steps(*id) {
                if let OpKind::Copy(copy) = &step.op.kind {
                    inputs.push(&copy.from.value);
                }
            }
        }
        let mut used: BTreeSet<&InputName> = BTreeSet::new();
        for input in inputs {
            if let Input::Context(name) = input {
                used.insert(name);
            }
        }
        let contexts = self.plan.plan().contexts.iter();
        contexts.filter(|(name, context)| wanted(&context.kind) && used.contains(name)).collect()
    }
}
