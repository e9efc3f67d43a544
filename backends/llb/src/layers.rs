//! Which vertices of an image make its layers, as a daemon that exports it will have them.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb::{self, op::Op as Kind};
use cogpack_content::Digest;
use prost::Message as _;

use crate::LlbImage;

/// What the layers of an image come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layers {
    /// The vertex of the image whose layers are below all others, however many these are.
    pub base: Option<Digest>,
    /// The vertices that make a layer each, lowest first.
    pub made: Vec<Digest>,
}

/// The layers of an image. `None` where they cannot be told: where those of another image lie
/// between them, or where a diff is not of a chain.
pub fn layers(image: &LlbImage) -> Option<Layers> {
    let definition = pb::Definition::decode(image.definition.to_bytes().as_slice()).ok()?;
    let ops: BTreeMap<Digest, pb::Op> = definition
        .def
        .iter()
        .filter_map(|bytes| Some((Digest::of(bytes), pb::Op::decode(bytes.as_slice()).ok()?)))
        .collect();
    let end = ops.get(image.digests.last()?)?.inputs.first()?.digest.parse().ok()?;
    let chain = Graph { ops: &ops }.chain(end)?;
    let mut layers = Layers::default();
    for (place, layer) in chain.into_iter().enumerate() {
        match layer {
            Layer::Made(digest) => layers.made.push(digest),
            Layer::Base(digest) if place == 0 => layers.base = Some(digest),
            Layer::Base(_) => return None,
        }
    }
    Some(layers)
}

/// One layer, or the unknown number of those of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Base(Digest),
    Made(Digest),
}

struct Graph<'a> {
    ops: &'a BTreeMap<Digest, pb::Op>,
}

impl Graph<'_> {
    /// The layers of a vertex, lowest first. A chain is as long as a plan's stages are, so it is
    /// walked and not recursed into; only what is laid over something and diffs nest.
    fn chain(&self, end: Digest) -> Option<Vec<Layer>> {
        let mut above = Vec::new();
        let mut next = Some(end);
        let mut below = Vec::new();
        while let Some(digest) = next {
            let op = self.ops.get(&digest)?;
            let input = |place: i64| -> Option<Option<Digest>> {
                match usize::try_from(place) {
                    Ok(place) => op.inputs.get(place)?.digest.parse().ok().map(Some),
                    Err(_) => Some(None),
                }
            };
            next = match op.op.as_ref()? {
                Kind::Source(source) if source.identifier.starts_with("docker-image://") => {
                    above.push(Layer::Base(digest));
                    None
                }
                Kind::Source(source) if source.identifier.starts_with("oci-layout://") => {
                    above.push(Layer::Base(digest));
                    None
                }
                Kind::Source(_) => {
                    above.push(Layer::Made(digest));
                    None
                }
                Kind::Exec(exec) => {
                    above.push(Layer::Made(digest));
                    input(exec.mounts.iter().find(|mount| mount.dest == "/")?.input)?
                }
                Kind::File(file) => {
                    above.push(Layer::Made(digest));
                    input(first_input(file, op.inputs.len())?)?
                }
                Kind::Merge(merge) => {
                    let (lowest, over) = merge.inputs.split_first()?;
                    for from in over.iter().rev() {
                        above.extend(self.chain(input(from.input)??)?.into_iter().rev());
                    }
                    input(lowest.input)?
                }
                Kind::Diff(diff) => {
                    let of = |place: Option<i64>| match input(place?)? {
                        Some(digest) => self.chain(digest),
                        None => Some(Vec::new()),
                    };
                    let lower = of(diff.lower.as_ref().map(|lower| lower.input))?;
                    let upper = of(diff.upper.as_ref().map(|upper| upper.input))?;
                    below.extend(upper.strip_prefix(lower.as_slice())?);
                    None
                }
                Kind::Build(_) => return None,
            };
        }
        below.extend(above.into_iter().rev());
        Some(below)
    }
}

/// What the first of the actions that lead to the result is made on.
fn first_input(file: &pb::FileOp, inputs: usize) -> Option<i64> {
    let result = file.actions.iter().find(|action| action.output == 0)?;
    let mut input = result.input;
    // Each action is made on one before it, so this ends.
    while let Some(before) = usize::try_from(input).ok().and_then(|place| place.checked_sub(inputs)) {
        input = file.actions.get(before)?.input;
    }
    Some(input)
}
