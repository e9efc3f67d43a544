//! The model itself: what its server is told, and what the image says of it.

use cogpack_ir::plan::image_config::Protocol;
use cogpack_ir::plan::{EnvEdit, Port};

use super::{PythonFacts, env, variable};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::python::labels;
use crate::stacks::python::start::Start;

/// Configures cog's server, and labels the image as a model.
pub(super) struct Model;

/// The port that the server listens on where nobody says another one.
const PORT: u16 = 5000;

impl Block<PythonFacts> for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn requires(&self) -> &'static [&'static str] {
        &["packages", "python", "source"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["weights"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match (&facts.cog().run, &facts.cog().train) {
            (None, None) => Detected::No("the project says neither `run` nor `train`"),
            (Some(_), _) | (None, Some(_)) => Detected::Yes(facts.evidence()),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let mut ops = Vec::new();
        let handler = facts.cog().run.as_ref().or(facts.cog().train.as_ref());
        desk.at(handler.and_then(|handler| facts.at(handler.place)));
        for (name, handler) in
            [("COG_PREDICT_TYPE_STUB", &facts.cog().run), ("COG_TRAIN_TYPE_STUB", &facts.cog().train)]
        {
            if let Some(handler) = handler {
                ops.push((env(variable(name), EnvEdit::Set, &handler.value.to_string()), None));
            }
        }
        if let Some(max) = facts.concurrency {
            ops.push((env(variable("COG_MAX_CONCURRENCY"), EnvEdit::Set, &max.to_string()), None));
        }
        desk.stage("export.config", "model", StageParts { ops, ..StageParts::default() });
        // Asked for predictions, the server of a model that is only trained would say that it has none, and end.
        let mode: &[&str] = if facts.cog().run.is_none() { &["--x-mode", "train"] } else { &[] };
        let words = ["python", "-m", "cog.server.http"].iter().chain(mode).map(|word| (*word).to_owned());
        let mut export = desk.export();
        if facts.start.value == Start::Server {
            export.cmd(words.collect());
        }
        export.port(Port { number: PORT, protocol: Protocol::Tcp });
        for (key, text) in labels::of(facts) {
            export.label(key, text);
        }
    }
}
