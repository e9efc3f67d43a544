//! Lowers a resolved plan to OCI layers in this process, without a daemon.
//!
//! Three steps. [`OciDirect`] says whether a plan can become layers here at all, and gives a
//! [`Recipe`], which lists what must be read first. [`Recipe::assemble`] takes those facts
//! ([`Inputs`]) and gives an [`Assembly`]: layers as lists of entries, and the config. Writing
//! the layers ([`layer::Layer::write`]) gives their digests, with which
//! [`Assembly::documents`] makes manifest, config and index.
//!
//! A plan that runs programs becomes layers only for somebody who runs them ([`OciDirect::runs`]):
//! an [`Evaluation`] gives each away as data ([`program::Program`]), and goes on with what it left.
//!
//! Only plans on `scratch`, contexts and the images of layouts. Deliberately not here: any disk. Bytes come from a `ContentSource` and go to a `Write`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cogpack_backends_contract::content::ContentSource;
use cogpack_backends_contract::image_config::image_config;
use cogpack_backends_contract::inputs::{contexts, inputs};
use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_content::Platform;
use cogpack_ir::plan::export::without_places;
use cogpack_ir::plan::{Context, ContextKind, ImageConfig, Input, InputName};
use cogpack_ir::resolve::Resolved;

use crate::evaluate::Rootfs;

pub mod inputs;
pub mod support;

mod describe;
pub mod evaluate;
pub mod history;
pub mod merge;
pub mod problem;
pub mod program;

pub mod identity;
pub mod layer;

pub mod blob;
pub mod block;
pub mod compression;
mod first_names;
pub mod pack;
mod sample;
pub mod tar;

pub mod documents;
pub mod image;

pub mod listing;

#[cfg(test)]
mod tests;

pub use evaluate::Evaluation;
pub use image::Assembly;
pub use inputs::Inputs;
pub use problem::AssemblyProblem;
pub use support::differs_by_platform;

/// The backend's name, as `-o` takes it.
pub const NAME: &str = "oci";

/// Makes layers in this process.
#[derive(Debug, Clone, Default)]
pub struct OciDirect {
    /// The images of registries that are at hand all the same, because somebody has them as
    /// layouts on disk; they will be among [`Inputs::bases`].
    pub at_hand: BTreeSet<InputName>,
    /// Whether somebody runs the programs of the plan.
    pub runs: Runs,
    /// The platforms whose programs whoever runs them cannot run.
    pub foreign: BTreeSet<Platform>,
    /// What is known of what bases say.
    pub configs: Configs,
}

/// What is known of the configs of base images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Configs {
    /// All that will ever be: a variable of a base that is not known now cannot be leant on.
    #[default]
    Known,
    /// Images will be looked at before the plan is lowered again. A recipe made now says what must be
    /// read, and is not assembled.
    ToCome,
}

/// Whether somebody runs programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runs {
    /// Nobody does.
    #[default]
    Nothing,
    /// Somebody would, and has no runtime.
    WithoutRuntime,
    /// Somebody has a runtime.
    Programs,
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
        let mut unsupported = support::unsupported(plan, self);
        let config = match (image_config(plan, NAME), self.configs) {
            (Ok(config), _) => config,
            // All that can be said against it is that variables are not known.
            (Err(_), Configs::ToCome) => ImageConfig::default(),
            (Err(more), Configs::Known) => {
                unsupported.extend(more);
                return Err(unsupported);
            }
        };
        match unsupported.is_empty() {
            true => Ok(Recipe { plan: plan.clone(), config }),
            false => Err(unsupported),
        }
    }
}

impl Recipe {
    /// The `dir` contexts that must be walked.
    pub fn directories(&self) -> BTreeMap<&InputName, &Context> {
        self.contexts(|kind| matches!(kind, ContextKind::Directory(_)))
    }

    /// The sets of packages that must be installed.
    pub fn packages(&self) -> BTreeMap<&InputName, &Context> {
        self.contexts(|kind| matches!(kind, ContextKind::Wheels(_) | ContextKind::Debs(_)))
    }

    /// The commits of repositories that must be fetched; none but for a builder.
    pub fn repositories(&self) -> BTreeMap<&InputName, &Context> {
        self.contexts(|kind| matches!(kind, ContextKind::Git(_)))
    }

    /// The files that must be fetched from servers; none but for a builder.
    pub fn downloads(&self) -> BTreeMap<&InputName, &Context> {
        self.contexts(|kind| matches!(kind, ContextKind::Http(_)))
    }

    /// The platforms that the image is for.
    pub fn platforms(&self) -> Vec<Platform> {
        self.plan.plan().platforms.iter().map(|platform| platform.value.clone()).collect()
    }

    /// The `oci` contexts whose image must be read.
    pub fn layouts(&self) -> BTreeMap<&InputName, &Context> {
        self.contexts(|kind| matches!(kind, ContextKind::Oci(_)))
    }

    /// Makes the image of the plan and these facts. All files and documents are dated `time`,
    /// in seconds since 1970. Of `files` only those are read that say who an owner is.
    pub fn assemble(
        &self,
        inputs: &Inputs,
        files: &dyn ContentSource,
        time: u64,
    ) -> Result<Assembly, Vec<AssemblyProblem>> {
        let mut evaluation = self.evaluation(inputs, files);
        // Without somebody who runs programs there is none.
        drop(evaluation.advance());
        Ok(self.assembly(evaluation.finish()?, time))
    }

    /// Begins to evaluate the plan, for somebody who runs its programs.
    pub fn evaluation<'r>(&'r self, inputs: &'r Inputs, files: &'r dyn ContentSource) -> Evaluation<'r> {
        Evaluation::new(&self.plan, inputs, files)
    }

    /// The image that has this filesystem.
    pub fn assembly(&self, rootfs: Arc<Rootfs>, time: u64) -> Assembly {
        Assembly {
            rootfs,
            config: self.config.clone(),
            platforms: self.plan.plan().platforms.iter().map(|platform| platform.value.clone()).collect(),
            annotations: without_places(&self.plan.export().annotations),
            time,
        }
    }

    /// The plan.
    pub fn plan(&self) -> &Resolved {
        &self.plan
    }

    /// Whether a stage of the export starts from an image or context, copies from it or mounts it.
    pub fn uses(&self, name: &InputName) -> bool {
        inputs(&self.plan).into_iter().any(|input| match input {
            Input::Image(used) | Input::Context(used) => used == name,
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => false,
        })
    }

    /// Whether the plan runs programs.
    pub fn has_programs(&self) -> bool {
        support::has_programs(&self.plan)
    }

    fn contexts(&self, wanted: impl Fn(&ContextKind) -> bool) -> BTreeMap<&InputName, &Context> {
        contexts(&self.plan).into_iter().filter(|(_, context)| wanted(&context.kind)).collect()
    }
}
