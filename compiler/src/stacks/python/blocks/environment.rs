//! Variables of the image: `environment`.

use cogpack_ir::plan::EnvEdit;

use super::{PythonFacts, env, variable};
use crate::composer::{At, Desk, Origin, StageParts};
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
        let by_gpu = Origin { block: block.clone(), at: asks_for_gpu(facts) };
        let gpu = gpu.map(|(name, value)| (env(variable(name), EnvEdit::Set, value), Some(by_gpu.clone())));
        let gpu = gpu.into_iter().filter(|_| facts.fit.gpu);
        let ours = facts.cog().environment.iter().map(|set| {
            let origin = Origin { block: block.clone(), at: facts.at(set.place) };
            (env(set.value.name.clone(), EnvEdit::Set, &set.value.value), Some(origin))
        });
        let ops = std::iter::once(unbuffered).chain(gpu).chain(ours).collect();
        desk.stage("export.base", "environment", StageParts { ops, ..StageParts::default() });
    }
}

/// The line by which the model wants a GPU: a key of `build`, or the requirement of a build for one.
fn asks_for_gpu(facts: &PythonFacts) -> At {
    let build = &facts.cog().build;
    let key = build.gpu.as_ref().map(|said| said.place).or(build.cuda.as_ref().map(|said| said.place));
    let for_a_gpu = || facts.fit.frameworks.iter().find(|chosen| chosen.cuda.is_some());
    key.and_then(|place| facts.at(place)).or_else(|| for_a_gpu()?.by.clone())
}
