//! Variables of the image: `environment`.

use cogpack_ir::plan::EnvEdit;

use super::{PythonFacts, env, variable};
use crate::composer::{Desk, Origin, StageParts};
use crate::stacks::block::{Block, Detected};

/// Sets what the project sets, and what Python wants in a container, before anything is run.
pub(super) struct Environment;

impl Block<PythonFacts> for Environment {
    fn name(&self) -> &'static str {
        "environment"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["environment"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["ca-certificates"]
    }

    fn detect(&self, _: &PythonFacts) -> Detected {
        Detected::Yes(Vec::new())
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        // What a program prints is read at once, and not when a buffer is full.
        let unbuffered = (env(variable("PYTHONUNBUFFERED"), EnvEdit::Set, "1"), None);
        let block = desk.origin().block;
        // NVIDIA's container runtime brings the driver into containers whose image asks for it.
        let gpu = [("NVIDIA_VISIBLE_DEVICES", "all"), ("NVIDIA_DRIVER_CAPABILITIES", "compute,utility")];
        let gpu = gpu.map(|(name, value)| (env(variable(name), EnvEdit::Set, value), None));
        let gpu = gpu.into_iter().filter(|_| facts.fit.gpu);
        let ours = facts.cog().environment.iter().map(|set| {
            let origin = Origin { block: block.clone(), at: facts.at(set.place) };
            (env(set.value.name.clone(), EnvEdit::Set, &set.value.value), Some(origin))
        });
        let ops = std::iter::once(unbuffered).chain(gpu).chain(ours).collect();
        desk.stage("export.base", "environment", StageParts { ops, ..StageParts::default() });
    }
}
