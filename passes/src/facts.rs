//! What passes know beside the plan.

use std::collections::BTreeMap;

use cogpack_content::Digest;
use cogpack_ir::plan::{ImageConfig, InputName, Op};
use cogpack_ir::resolve::Resolved;

use crate::pieces::{chain, pieces};

/// What passes know beside the plan.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How large layers are.
    pub sizes: Sizes,
    /// How many layers the image may have on top of its base; [`Facts::MOST_LAYERS`] where nothing is said.
    pub budget: Option<usize>,
    /// Whether work that is only in part the same is taken out into a stage of its own.
    pub shares_prefixes: bool,
    /// What images are at the moment, by their name in the plan.
    pub pins: BTreeMap<InputName, Pin>,
}

/// What an image is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// What its config says, where somebody has read it.
    pub config: Option<ImageConfig>,
}

impl Facts {
    /// The layers that are made without a word about it. Docker's engine mounts at most 125 (`maxLayerDepth` of
    /// moby's layer store), and a base has some of its own.
    pub const MOST_LAYERS: usize = 100;

    /// How many layers there may be on top of the base.
    pub fn most_layers(&self) -> usize {
        self.budget.unwrap_or(Self::MOST_LAYERS).max(1)
    }
}

/// The sizes of layers in bytes, each with the first op that makes it: by where that op was written, which
/// no pass changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    by_start: BTreeMap<usize, u64>,
}

impl Sizes {
    /// How many layers the image of a plan has on its base, as far as no stages of parallel phases are in it.
    pub fn layers_of(plan: &Resolved) -> usize {
        first_ops(plan).len()
    }

    /// The sizes of these layers, from the base on.
    pub fn of_layers(plan: &Resolved, bytes: &[u64]) -> Self {
        let mut sizes = Self::default();
        for (op, bytes) in first_ops(plan).iter().zip(bytes) {
            sizes.note(op, *bytes);
        }
        sizes
    }

    /// Notes how large the layer is that begins with `op`. An op that was written nowhere has no size.
    pub fn note(&mut self, op: &Op, bytes: u64) {
        if op.span.range().is_some() {
            self.by_start.insert(op.span.start(), bytes);
        }
    }

    /// How large the layer is that begins with `op`.
    pub fn of(&self, op: &Op) -> Option<u64> {
        op.span.range().and_then(|range| self.by_start.get(&range.start)).copied()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }
}

/// The first op of each layer of the image, from the base on.
fn first_ops(plan: &Resolved) -> Vec<Op> {
    let pieces = chain(plan).into_iter().flat_map(|id| pieces(plan, id));
    let changing = pieces.filter(|piece| piece.changes_files);
    changing.filter_map(|piece| piece.items.into_iter().next()).map(|item| item.op).collect()
}
