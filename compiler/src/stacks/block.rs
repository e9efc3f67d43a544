//! Blocks: each does one thing with the facts of a project.

use std::collections::BTreeSet;

use cogpack_content::Platform;
use cogpack_ir::plan::Plan;

use super::detect::Evidence;
use crate::composer::{At, BlockOrder, ComposeFinding, Composer, Desk, block_order};

/// Whether a block has something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detected {
    /// It has, because of these files; none where it has something to do in each project.
    Yes(Vec<Evidence>),
    /// It has not, and why.
    No(&'static str),
}

/// A block of a stack whose facts are `F`.
pub trait Block<F> {
    /// Its name, which `by` says in plans.
    fn name(&self) -> &'static str;

    /// Words that other blocks can require.
    fn provides(&self) -> &'static [&'static str] {
        &[]
    }

    /// Words that some other block must provide before this one's turn.
    fn requires(&self) -> &'static [&'static str] {
        &[]
    }

    /// Words that it comes after where some other block provides them.
    fn after(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it has something to do. By now this cannot fail: what is not known of a project is no part
    /// of its facts, and whoever gathers these tells it as an error.
    fn detect(&self, facts: &F) -> Detected;

    /// Asks for its part of the plan.
    fn plan(&self, facts: &F, desk: &mut Desk<'_>);
}

/// What a block was found to have to do, in the order of the turns.
pub type Turns = Vec<(&'static str, Detected)>;

/// The plan that `blocks` make of `facts`, and what each of them found to do. `ground` is the place of what
/// no line of the project asks for.
pub fn compose<F>(
    blocks: &[Box<dyn Block<F>>],
    facts: &F,
    platforms: BTreeSet<Platform>,
    ground: At,
) -> Result<(Plan, Turns), Vec<ComposeFinding>> {
    let (busy, idle): (Vec<_>, Vec<_>) = blocks
        .iter()
        .map(|block| (block, block.detect(facts)))
        .partition(|(_, detected)| matches!(detected, Detected::Yes(_)));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let orders: Vec<BlockOrder> = busy
        .iter()
        .map(|(block, _)| BlockOrder {
            name: block.name().to_owned(),
            requires: words(block.requires()),
            after: words(block.after()),
            provides: words(block.provides()),
        })
        .collect();
    let mut composer = Composer::new(platforms, ground);
    let mut turns = Turns::new();
    for place in block_order(&orders)? {
        let (block, detected) = &busy[place];
        block.plan(facts, &mut composer.desk(block.name()));
        turns.push((block.name(), detected.clone()));
    }
    let mut idle: Vec<_> = idle.into_iter().map(|(block, detected)| (block.name(), detected)).collect();
    idle.sort_by_key(|(name, _)| *name);
    turns.extend(idle);
    Ok((composer.finish()?, turns))
}
