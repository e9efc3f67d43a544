//! What a `cog.yaml` says.

use cogpack_content::ImageReference;
use cogpack_frontends_source::Placed;

use crate::build::Build;
use crate::concurrency::Concurrency;
use crate::environment::Variable;
use crate::handler::Handler;
use crate::names::Model;
use crate::weights::Weight;

/// A `cog.yaml` without a mistake. What it does not say is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CogYaml {
    /// `build`; the default where there is none.
    pub build: Build,
    /// `image`: the name of the image.
    pub image: Option<Placed<ImageReference>>,
    /// `model`: the repository of the model.
    pub model: Option<Placed<Model>>,
    /// `run`, or `predict` as it was called before: what answers predictions.
    pub run: Option<Placed<Handler>>,
    /// `train`: what answers trainings.
    pub train: Option<Placed<Handler>>,
    /// `concurrency`.
    pub concurrency: Option<Concurrency>,
    /// `environment`, in order; no name is there twice.
    pub environment: Vec<Placed<Variable>>,
    /// `weights`, in order; no name is there twice, and no target is in another.
    pub weights: Vec<Weight>,
}
