//! What everything stands on: an image of the catalogue.

use cogpack_ir::plan::{BaseImage, Input, Span, Spanned};

use super::{PythonFacts, input};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};

/// The image that the model runs on.
pub(super) struct BaseImageBlock;

const IMAGE: &str = "base";

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
        desk.image(
            IMAGE,
            BaseImage {
                reference: Spanned::nowhere(facts.base.reference.clone()),
                digest: facts.base.digest.map(Spanned::nowhere),
                config: None,
                span: Span::NOWHERE,
            },
        );
        let from = Some(Input::Image(input(IMAGE)));
        desk.stage("export.base", IMAGE, StageParts { from, ..StageParts::default() });
    }
}
