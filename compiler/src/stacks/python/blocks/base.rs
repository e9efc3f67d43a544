//! What everything stands on: an image of the catalogue, or Debian packages alone.

use cogpack_ir::plan::{BaseImage, Context, ContextKind, EnvEdit, Input, Span, Spanned};

use super::{PythonFacts, env, input, variable};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::python::facts::BaseFrom;

/// What the model runs on.
pub(super) struct BaseImageBlock;

const IMAGE: &str = "base";
const SYSTEM: &str = "system";

/// Where the programs of a Debian system are.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Block<PythonFacts> for BaseImageBlock {
    fn name(&self) -> &'static str {
        "base-image"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn detect(&self, _: &PythonFacts) -> Detected {
        Detected::Yes(Vec::new())
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        desk.at(facts.python.at.clone());
        let (from, ops) = match &facts.base.from {
            BaseFrom::Image { reference, digest, config, has_init: _, public: _, cuda: _ } => {
                let (reference, digest) = (Spanned::nowhere(reference.clone()), digest.map(Spanned::nowhere));
                let (config, span) = (config.as_deref().cloned(), Span::NOWHERE);
                desk.image(IMAGE, BaseImage { reference, digest, config, span });
                (Input::Image(input(IMAGE)), Vec::new())
            }
            BaseFrom::Debs(set) => {
                let kind = ContextKind::Debs(set.clone());
                desk.at(Some((facts.said.named.deb_lock(), 1)));
                desk.context(SYSTEM, Context { kind, span: Span::NOWHERE });
                // Packages say nothing of an environment.
                let path = (env(variable("PATH"), EnvEdit::Set, USUAL_PATH), None);
                (Input::Context(input(SYSTEM)), vec![path])
            }
        };
        desk.stage("export.base", IMAGE, StageParts { from: Some(from), ops, ..StageParts::default() });
    }
}
