//! The output of a parallel phase: the layers of each branch, on top of what all start from.
//!
//! Branches know nothing of each other, so no order of theirs may show: two that write one path
//! are a conflict, unless both only make the same directory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use cogpack_backends_contract::tree::{Attributes, Name, PathProblem, text};
use cogpack_ir::plan::{Spanned, StageName};

use crate::evaluate::{ImageLayer, Rootfs};
use crate::layer::EntryKind;
use crate::problem::AssemblyProblem;

/// Two branches of a parallel phase that cannot both be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeConflict {
    /// Both write a path, or one writes what the other removes.
    #[error("`{first}` and `{second}` run side by side and both change `{path}`")]
    SamePath {
        /// One stage.
        first: StageName,
        /// The other.
        second: StageName,
        /// The path.
        path: String,
    },
    /// What one branch leaves has no place in what the other leaves.
    #[error("what `{second}` leaves does not fit what the stages beside it leave")]
    Place {
        /// The stage.
        second: StageName,
        /// What is wrong.
        #[source]
        problem: PathProblem,
    },
}

/// Merges `branches`, each of which started from `base`.
pub fn merge(
    base: &Rootfs,
    branches: &[(&Spanned<StageName>, Arc<Rootfs>)],
) -> Result<Rootfs, AssemblyProblem> {
    let mut merged = base.clone();
    let mut changed: Changed<'_> = BTreeMap::new();
    for (name, branch) in branches {
        let conflict = |conflict| AssemblyProblem::Merge { conflict, span: name.span };
        let own_steps = branch.history.since(&base.history);
        for step in &own_steps {
            let Some(ImageLayer::Made(layer)) = &step.layer else { continue };
            layer.try_each(|entry| {
                let path = entry.components();
                match other_change(&changed, &path, entry.kind) {
                    Some(first) => Err(conflict(MergeConflict::SamePath {
                        first: first.clone(),
                        second: name.value.clone(),
                        path: text(&path),
                    })),
                    None => Ok(()),
                }
            })?;
            layer
                .lay_over(&mut merged.tree)
                .map_err(|problem| conflict(MergeConflict::Place { second: name.value.clone(), problem }))?;
        }
        // Only now, since a branch may well change a path of its own twice.
        for step in own_steps {
            merged.history.push(step.clone());
            let Some(ImageLayer::Made(layer)) = &step.layer else { continue };
            layer.each(|entry| {
                changed.insert(entry.components(), (&name.value, Kind::of(entry.kind)));
            });
        }
    }
    Ok(merged)
}

/// Each path that was changed: by which stage, and to what.
type Changed<'c> = BTreeMap<Vec<Name>, (&'c StageName, Kind)>;

/// What two stages may both say of a path, and all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory(Attributes),
    Whiteout,
    Other,
}

impl Kind {
    fn of(kind: EntryKind<'_>) -> Self {
        match kind {
            EntryKind::Directory(attributes) => Self::Directory(attributes),
            EntryKind::Whiteout => Self::Whiteout,
            EntryKind::File(..) | EntryKind::Symlink(..) | EntryKind::Special(..) => Self::Other,
        }
    }
}

/// The stage that has changed this path, or with it something above or below it.
fn other_change<'c>(changed: &Changed<'c>, path: &[Name], kind: EntryKind<'_>) -> Option<&'c StageName> {
    let kind = Kind::of(kind);
    let is_directory = |kind: Kind| matches!(kind, Kind::Directory(_));
    if let Some((stage, other)) = changed.get(path) {
        let is_shared = *other == kind && kind != Kind::Other;
        return (!is_shared).then_some(*stage);
    }
    // Something that is no directory any more, where the other has something below.
    let mut above = (1..path.len()).filter_map(|depth| changed.get(&path[..depth]));
    if let Some((stage, _)) = above.find(|(_, other)| !is_directory(*other)) {
        return Some(stage);
    }
    if is_directory(kind) {
        return None;
    }
    let below = changed.range::<[Name], _>((Bound::Included(path), Bound::Unbounded)).next();
    below.filter(|(other, _)| other.starts_with(path)).map(|(_, (stage, _))| *stage)
}
