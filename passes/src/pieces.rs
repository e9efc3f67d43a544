//! The layers of a stage as values that can be moved, joined and taken apart, and the way back to its ops.

use std::collections::BTreeSet;
use std::sync::Arc;

use cogpack_backends_contract::layers::{changes_filesystem, layers};
use cogpack_ir::plan::{
    Input, Layer, LayerName, Op, OpKind, Plan, Provenance, Span, Spanned, Stage, StageName,
};
use cogpack_ir::resolve::{Resolved, StageId, Step};

use crate::facts::Sizes;

/// One op, never a `layer` or a `by`, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) op: Op,
    pub(crate) by: Option<Provenance>,
    /// What reads its script, where it has one.
    pub(crate) shell: Arc<[String]>,
}

impl Item {
    fn of(step: &Step<'_>) -> Self {
        Self { op: step.op.clone(), by: step.by.cloned(), shell: Arc::clone(&step.state.shell) }
    }

    pub(crate) fn changes_files(&self) -> bool {
        changes_filesystem(&self.op.kind)
    }
}

/// Ops that make one layer together, or one op that makes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The group's name.
    pub(crate) name: Option<Spanned<LayerName>>,
    /// Never empty.
    pub(crate) items: Vec<Item>,
    pub(crate) changes_files: bool,
    /// Whether it is made without looking at what is under it.
    pub(crate) independent: bool,
}

impl Piece {
    /// Where it begins.
    pub(crate) fn span(&self) -> Span {
        self.items.first().map_or(Span::NOWHERE, |item| item.op.span)
    }

    /// How large its layer is. Of joined layers that is at most what each had.
    pub(crate) fn size(&self, sizes: &Sizes) -> Option<u64> {
        let mut known = self.items.iter().filter_map(|item| sizes.of(&item.op)).peekable();
        known.peek()?;
        Some(known.sum())
    }

    /// The only op in it that changes files; `None` where there are several or none.
    pub(crate) fn only(&self) -> Option<&Item> {
        let mut items = self.items.iter().filter(|item| item.changes_files());
        let first = items.next();
        if items.next().is_some() { None } else { first }
    }
}

/// The pieces of a stage, in order.
pub(crate) fn pieces(plan: &Resolved, stage: StageId) -> Vec<Piece> {
    let pieces = layers(plan, stage).into_iter().map(|layer| Piece {
        name: layer.name.cloned(),
        items: layer.steps.iter().map(Item::of).collect(),
        changes_files: layer.changes_filesystem,
        independent: layer.independent,
    });
    pieces.collect()
}

/// One piece of several that stand beside each other.
pub(crate) fn joined(name: Spanned<LayerName>, pieces: impl IntoIterator<Item = Piece>) -> Piece {
    let mut together = Piece { name: Some(name), items: Vec::new(), changes_files: false, independent: true };
    for piece in pieces {
        together.changes_files |= piece.changes_files;
        together.independent &= piece.independent || !piece.changes_files;
        together.items.extend(piece.items);
    }
    together.independent &= together.changes_files;
    together
}

/// The names of layers that a stage has.
pub(crate) struct LayerNames {
    taken: BTreeSet<LayerName>,
}

impl LayerNames {
    pub(crate) fn of(pieces: &[Piece]) -> Self {
        let names = pieces.iter().filter_map(|piece| piece.name.as_ref());
        Self { taken: names.map(|name| name.value.clone()).collect() }
    }

    /// A name for a layer of these: the one that one of them has, else `wish`, with a number where that is taken.
    pub(crate) fn new_for(&mut self, pieces: &[Piece], wish: &str) -> Spanned<LayerName> {
        if let Some(name) = pieces.iter().find_map(|piece| piece.name.as_ref()) {
            return Spanned::nowhere(name.value.clone());
        }
        let mut names =
            (1..).map(|number| LayerName::new(&numbered(wish, number)).expect("the wish is a name"));
        let name = names.find(|name| !self.taken.contains(name)).expect("numbers do not end");
        self.taken.insert(name.clone());
        Spanned::nowhere(name)
    }
}

/// A name for a new stage: `wish`, with a number where that is taken.
pub(crate) fn stage_name(wish: &str, taken: &BTreeSet<StageName>) -> StageName {
    // A name has at most 128 characters, and a number some of them.
    let wish: String = wish.chars().take(100).collect();
    let wish = wish.trim_end_matches('.');
    let names = (1..).map(|number| StageName::new(&numbered(wish, number)).expect("the wish is a name"));
    names.into_iter().find(|name| !taken.contains(name)).expect("numbers do not end")
}

fn numbered(wish: &str, number: usize) -> String {
    if number == 1 { wish.to_owned() } else { format!("{wish}-{number}") }
}

/// The ops of these pieces, with who asked for each said no more often than it changes.
pub(crate) fn ops(pieces: Vec<Piece>) -> Vec<Op> {
    let mut block = Block::default();
    for piece in pieces {
        match piece.name {
            None => piece.items.into_iter().for_each(|item| block.push(item)),
            Some(name) => {
                let span = piece.items.first().map_or(Span::NOWHERE, |item| item.op.span);
                let mut inner = Block { said: block.said.clone(), ops: Vec::new() };
                let askers: BTreeSet<_> = piece.items.iter().map(|item| &item.by).collect();
                if let (1, Some(Some(by))) = (askers.len(), askers.first()) {
                    block.say(by);
                    inner.said.clone_from(&block.said);
                }
                piece.items.into_iter().for_each(|item| inner.push(item));
                block.ops.push(Op { kind: OpKind::Layer(Layer { name, ops: inner.ops }), span });
            }
        }
    }
    block.ops
}

/// Whether ops may change places without one being said to be asked for by somebody else: who asked can be
/// said anew, but not that nobody is known to have asked.
pub(crate) fn can_change_places(pieces: &[Piece]) -> bool {
    let mut items = pieces.iter().flat_map(|piece| &piece.items);
    let known = items.clone().any(|item| item.by.is_some());
    !known || items.all(|item| item.by.is_some())
}

#[derive(Default)]
struct Block {
    said: Option<Provenance>,
    ops: Vec<Op>,
}

impl Block {
    fn say(&mut self, by: &Provenance) {
        if self.said.as_ref() != Some(by) {
            self.said = Some(by.clone());
            self.ops.push(Op { kind: OpKind::By(by.clone()), span: by.block.span });
        }
    }

    fn push(&mut self, item: Item) {
        if let Some(by) = &item.by {
            self.say(by);
        }
        self.ops.push(item.op);
    }
}

/// The stages of a plan that one may take apart, each with its pieces; those of parallel phases are left out.
pub(crate) fn stages_of(plan: &Resolved) -> impl Iterator<Item = (StageId, Vec<Piece>)> {
    let ids = plan.order().iter().copied().filter(|id| !stands_beside(plan, plan.stage(*id)));
    ids.map(|id| (id, pieces(plan, id)))
}

/// Whether a stage is one of a parallel phase.
pub(crate) fn stands_beside(plan: &Resolved, stage: &Stage) -> bool {
    let Some(phase) = &stage.phase else { return false };
    // The stock phases are all chains.
    plan.plan().declared_phases.get(&phase.value).is_some_and(|phase| phase.parallel)
}

/// The plan with new ops in some of its stages; `None` where there are no new ones.
pub(crate) fn with_pieces(plan: &Resolved, changed: Vec<(StageId, Vec<Piece>)>) -> Option<Plan> {
    if changed.is_empty() {
        return None;
    }
    let mut rewritten = plan.plan().clone();
    for (id, pieces) in changed {
        rewritten.stages[id.index()].ops = ops(pieces);
    }
    Some(rewritten)
}

/// The stages that the exported image is made of, from its base on.
pub(crate) fn chain(plan: &Resolved) -> Vec<StageId> {
    let mut chain = Vec::new();
    let mut next = match &plan.export().from.value {
        Input::Stage(name) => Some(plan.id(name)),
        Input::Scratch | Input::Image(_) | Input::Context(_) | Input::Phase(_) => None,
    };
    while let Some(id) = next {
        if stands_beside(plan, plan.stage(id)) {
            break;
        }
        chain.push(id);
        next = plan.start_of(id);
    }
    chain.reverse();
    chain
}
