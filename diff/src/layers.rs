//! What becomes of the layers of the image.

use std::collections::BTreeSet;

use cogpack_content::{Digest, Lookup};
use cogpack_ir::plan::{Input, LayerName, Span, StageName};

use crate::image::{self, Part};
use crate::ops::{How, Ops};
use crate::side::Side;
use crate::why::{Cause, Causes, Made, What};
use crate::words;

/// A layer of the new image, or all of its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its stage; `None` for a base.
    pub stage: Option<StageName>,
    /// Its own name, where it has one.
    pub name: Option<LayerName>,
    /// What it is of: its op, the first of them, or the base.
    pub title: String,
    /// How many ops are in it.
    pub ops: usize,
    /// Where it is written in the new plan.
    pub span: Span,
    /// What becomes of it.
    pub state: LayerState,
    /// Which layer of the old image it was, counted from the lowest that is no base's.
    pub was: Option<usize>,
}

/// What becomes of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerState {
    /// The old image has it: it is neither built nor pushed nor pulled.
    Stays,
    /// One of its own ops is new or changed.
    Changes(Cause),
    /// It is built again because of something else.
    Rebuilt(Cause),
    /// Its ops need not run, but the old image has no such layer.
    Comes,
}

/// The layers of two images.
pub(crate) struct Image {
    pub(crate) layers: Vec<Layer>,
    pub(crate) gone: Vec<String>,
    pub(crate) old_layers: usize,
    /// By stage of the new plan: whether layers of it are in the image.
    pub(crate) stages: Vec<bool>,
}

/// Compares the layers of two images.
pub(crate) fn layers(old: &Side<'_>, new: &Side<'_>, ops: &Ops, made: &Made, causes: &Causes) -> Image {
    let (before, after) = (image::parts(old), image::parts(new));
    let keys = |parts: &[Part]| -> BTreeSet<Digest> { parts.iter().filter_map(Part::key).collect() };
    let (old_keys, new_keys) = (keys(&before), keys(&after));
    let old_layers: Vec<(usize, usize)> = before.iter().filter_map(Part::place).collect();
    // By stage and step of the old plan: its layer.
    let mut layer_of: Lookup<(usize, usize), usize> = Lookup::default();
    for (number, (stage, layer)) in old_layers.iter().enumerate() {
        for step in old.keys.layers(old.ids[*stage])[*layer].steps.clone() {
            layer_of.insert((*stage, step), number);
        }
    }
    let mut stages = vec![false; new.count()];
    let mut layers = Vec::new();
    for part in &after {
        layers.push(match part {
            Part::Base(input) => base(input, old, new, &before),
            Part::Layer { stage, layer, key } => {
                stages[*stage] = true;
                let all = &new.keys.layers(new.ids[*stage])[*layer];
                let steps = || all.steps.clone();
                let first = new.steps[*stage][all.steps.start];
                let was = |step: usize| layer_of.get(&ops.new[*stage][step]?.place).copied();
                let was = steps().find_map(was);
                let state = if old_keys.contains(key) {
                    LayerState::Stays
                } else {
                    state(new, ops, made, causes, *stage, steps())
                };
                Layer {
                    stage: Some(new.stage(*stage).name.value.clone()),
                    name: first.layer.map(|name| name.value.clone()),
                    title: words::title(new.op((*stage, titled(new, *stage, steps())))),
                    ops: steps().len(),
                    span: new.op((*stage, all.steps.start)).span,
                    state,
                    was,
                }
            }
        });
    }
    let is_gone = |part: &&Part| match part {
        Part::Base(input) => !after.iter().any(|other| match other {
            Part::Base(other) => is_one(input, old, other, new),
            Part::Layer { .. } => false,
        }),
        Part::Layer { key, .. } => !new_keys.contains(key),
    };
    let gone = before.iter().filter(is_gone).map(|part| told(old, part)).collect();
    Image { layers, gone, old_layers: old_layers.len(), stages }
}

/// The first step that runs.
fn titled(side: &Side<'_>, stage: usize, steps: std::ops::Range<usize>) -> usize {
    let keys = side.keys.steps(side.ids[stage]);
    let first = steps.start;
    steps.into_iter().find(|step| keys[*step].is_some()).unwrap_or(first)
}

fn state(
    new: &Side<'_>,
    ops: &Ops,
    made: &Made,
    causes: &Causes,
    stage: usize,
    steps: std::ops::Range<usize>,
) -> LayerState {
    let keys = new.keys.steps(new.ids[stage]);
    let runs = |step: &usize| keys[*step].as_ref().is_some_and(|key| made.ops.get(&key.key).is_none());
    let again: Vec<usize> = steps.filter(runs).collect();
    let own =
        again.iter().find(|step| ops.new[stage][**step].is_none_or(|before| before.how == How::Changed));
    let cause = |step: &usize| causes.steps[stage][*step].clone();
    match (own.and_then(cause), again.first().and_then(cause)) {
        (Some(own), _) => LayerState::Changes(own),
        (None, Some(cause)) => LayerState::Rebuilt(cause),
        (None, None) => LayerState::Comes,
    }
}

fn base(input: &Input, old: &Side<'_>, new: &Side<'_>, before: &[Part]) -> Layer {
    let stays = before.iter().any(|part| match part {
        Part::Base(other) => is_one(other, old, input, new),
        Part::Layer { .. } => false,
    });
    let span = match input {
        Input::Image(name) => new.written.images.get(name).map(|image| image.span),
        Input::Context(name) => new.written.contexts.get(name).map(|context| context.span),
        Input::Scratch | Input::Stage(_) | Input::Phase(_) => None,
    };
    let span = span.unwrap_or(Span::NOWHERE);
    let cause = Cause { at: None, span, what: What::Input(input.clone()) };
    Layer {
        stage: None,
        name: None,
        title: base_title(new, input),
        ops: 0,
        span,
        state: if stays { LayerState::Stays } else { LayerState::Changes(cause) },
        was: None,
    }
}

/// Whether two bases are the same image, by whatever name.
fn is_one(one: &Input, old: &Side<'_>, other: &Input, new: &Side<'_>) -> bool {
    match (one, other) {
        (Input::Image(one), Input::Image(other)) => {
            let of = |side: &Side<'_>, name| {
                side.written.images.get(name).map(|image| match &image.digest {
                    Some(digest) => digest.value.to_string(),
                    None => image.reference.normalised(None),
                })
            };
            of(old, one) == of(new, other)
        }
        (Input::Context(one), Input::Context(other)) => {
            old.written.contexts.get(one) == new.written.contexts.get(other)
        }
        _ => false,
    }
}

fn told(side: &Side<'_>, part: &Part) -> String {
    match part {
        Part::Base(input) => base_title(side, input),
        Part::Layer { stage, layer, .. } => {
            let steps = side.keys.layers(side.ids[*stage])[*layer].steps.clone();
            let title = words::title(side.op((*stage, titled(side, *stage, steps))));
            format!("{}: {title}", side.stage(*stage).name.value)
        }
    }
}

fn base_title(side: &Side<'_>, input: &Input) -> String {
    match input {
        Input::Image(name) => match side.written.images.get(name) {
            Some(image) => format!("image {name}: {}", image.reference.as_str()),
            None => input.to_string(),
        },
        Input::Scratch | Input::Stage(_) | Input::Phase(_) | Input::Context(_) => input.to_string(),
    }
}
