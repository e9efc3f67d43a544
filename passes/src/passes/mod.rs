//! The passes, one a file. Each says before ⇒ after, why the meaning is kept, and what is left alone.

mod dedupe_stages;
mod drop_add_then_remove;
mod drop_dead_stages;
mod fold_env;
mod fold_ownership;
mod merge_copies;
mod merge_layers;
mod merge_runs;
mod parallelise;
mod pin;
mod sort_by_change;
mod split_large;

pub use dedupe_stages::{DedupeStages, across};
pub use drop_add_then_remove::DropAddThenRemove;
pub use drop_dead_stages::DropDeadStages;
pub use fold_env::FoldEnv;
pub use fold_ownership::FoldOwnership;
pub use merge_copies::MergeCopies;
pub use merge_layers::MergeLayers;
pub use merge_runs::MergeRuns;
pub use parallelise::Parallelise;
pub use pin::Pin;
pub use sort_by_change::SortByChange;
pub use split_large::SplitLarge;
