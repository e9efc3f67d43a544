//! What the image starts, where that is no model's server.

use super::PythonFacts;
use crate::composer::Desk;
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::python::start::Start;

/// Makes the project's command the image's.
pub(super) struct Command;

impl Block<PythonFacts> for Command {
    fn name(&self) -> &'static str {
        "command"
    }

    fn requires(&self) -> &'static [&'static str] {
        &["python", "source"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["weights"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match &facts.start.value {
            Start::Server => Detected::No("cog's server is started"),
            Start::OfBase => Detected::No("`cog.yaml` says neither `run` nor `train`"),
            Start::Command(_) => Detected::Yes(
                facts
                    .start
                    .at
                    .iter()
                    .map(|(file, _)| Evidence { weight: Weight::Declaration, file: file.clone() })
                    .collect(),
            ),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let Start::Command(words) = &facts.start.value else { return };
        desk.at(facts.start.at.clone());
        desk.export().cmd(words.clone());
    }
}
