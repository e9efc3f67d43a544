//! Which passes there are, and in which order they run: data, so that it can be read in one place.

use cogpack_ir::plan::Plan;
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::Note;
use crate::passes::{
    DedupeStages, DropAddThenRemove, DropDeadStages, FoldEnv, FoldOwnership, MergeCopies, MergeLayers,
    MergeRuns, Parallelise, Pin, SortByChange, SplitLarge,
};

/// From when on a pass runs without being named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// `-O0`: none.
    None,
    /// `-O1`: those that leave the image's layers as they are.
    #[default]
    Safe,
    /// `-O2`: those too that make other layers of the same files.
    Layers,
    /// By name alone.
    Named,
}

/// One way to make a plan cost less.
pub trait Pass: Sync {
    /// Its name, which the command line and the folder of its cases have too.
    fn name(&self) -> &'static str;
    /// What it does, in a few words.
    fn summary(&self) -> &'static str;
    /// From when on it runs.
    fn level(&self) -> Level;
    /// Whether it may leave work out that nothing needs: a plan in which that alone could not be built can be
    /// built afterwards. All others leave a plan that cannot be built as it is.
    fn leaves_work_out(&self) -> bool {
        false
    }
    /// What it makes of a plan.
    fn run(&self, plan: &Resolved, facts: &Facts) -> Rewrite;
}

/// What a pass makes of a plan.
#[derive(Debug, Clone, Default)]
pub struct Rewrite {
    /// The new plan, to be resolved again; `None` where nothing changes.
    pub plan: Option<Plan>,
    /// What was done, and why not more.
    pub notes: Vec<Note>,
}

/// All passes in the order they run in. What makes work go away comes first, so that nothing else looks at it;
/// then what looks at single ops, then what makes layers of them, the budget last.
pub const PASSES: [&dyn Pass; 12] = [
    &Pin,
    &DedupeStages,
    &Parallelise,
    &DropDeadStages,
    &FoldEnv,
    &MergeCopies,
    &FoldOwnership,
    &SortByChange,
    &MergeRuns,
    &DropAddThenRemove,
    &SplitLarge,
    &MergeLayers,
];

/// The passes of a level.
pub fn of_level(level: Level) -> Vec<&'static dyn Pass> {
    PASSES.into_iter().filter(|pass| pass.level() <= level).collect()
}

/// The pass of a name.
pub fn named(name: &str) -> Option<&'static dyn Pass> {
    PASSES.into_iter().find(|pass| pass.name() == name)
}
