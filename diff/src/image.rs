//! The layers of the image of a plan, lowest first.

use std::collections::BTreeMap;
use std::ops::Range;

use cogpack_content::Digest;
use cogpack_ir::plan::{Input, InputName};
use cogpack_ir::resolve::{Resolved, StageId};

use crate::side::Side;

/// What an image is made of, from below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The layers of an image or a context, however many these are.
    Base(Input),
    /// A layer of a stage.
    Layer {
        /// The place of the stage.
        stage: usize,
        /// Its place among the stage's layers that change files.
        layer: usize,
        key: Digest,
    },
}

/// The layers of stages that the image of a plan has, lowest first: each with its stage, and its steps there.
pub fn layers_of_stages(plan: &Resolved) -> Vec<(StageId, Range<usize>)> {
    let nothing = BTreeMap::<InputName, Digest>::new();
    let side = Side::new(plan.plan(), plan, &nothing);
    let places = parts(&side).into_iter().filter_map(|part| part.place());
    let layer = |(stage, layer): (usize, usize)| {
        let id = side.ids[stage];
        (id, side.keys.layers(id)[layer].steps.clone())
    };
    places.map(layer).collect()
}

/// The parts of the image that a plan exports.
pub(crate) fn parts(side: &Side<'_>) -> Vec<Part> {
    let mut parts = above(side, &side.resolved.export().from.value, None);
    parts.reverse();
    parts
}

/// The parts of an input above another one, the highest first.
fn above(side: &Side<'_>, input: &Input, end: Option<&Input>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut next = Some(input);
    while let Some(input) = next.filter(|input| Some(*input) != end) {
        next = match input {
            Input::Scratch => None,
            Input::Image(_) | Input::Context(_) => {
                parts.push(Part::Base(input.clone()));
                None
            }
            Input::Stage(name) => {
                let id: StageId = side.resolved.id(name);
                let layers = side.keys.layers(id).iter().enumerate().rev();
                parts.extend(layers.map(|(layer, made)| Part::Layer {
                    stage: id.index(),
                    layer,
                    key: made.key,
                }));
                side.stage(id.index()).from.as_ref().map(|from| &from.value)
            }
            Input::Phase(phase) => {
                let merge = side.resolved.merge(phase);
                for id in merge.branches.iter().rev() {
                    let branch = Input::Stage(side.stage(id.index()).name.value.clone());
                    parts.extend(above(side, &branch, Some(&merge.base)));
                }
                Some(&merge.base)
            }
        };
    }
    parts
}

impl Part {
    /// What decides what it holds; `None` for bases.
    pub(crate) fn key(&self) -> Option<Digest> {
        match self {
            Self::Base(_) => None,
            Self::Layer { key, .. } => Some(*key),
        }
    }

    /// Its stage, and its place among the layers of it; `None` for bases.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        match self {
            Self::Base(_) => None,
            Self::Layer { stage, layer, .. } => Some((*stage, *layer)),
        }
    }
}
