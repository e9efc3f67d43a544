//! The output of a parallel phase: the layers of each branch, on top of what all start from.
//!
//! Branches know nothing of each other, so no order of theirs may show: two that write one path
//! are a conflict, unless both only make the same directory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use cogpack_backends_contract::replay::Touch;
use cogpack_backends_contract::tree::{Attributes, Name, PathProblem, text};
use cogpack_ir::plan::{Spanned, StageName};

use crate::evaluate::{ImageLayer, Rootfs};
use crate::layer::{EntryKind, Layer};
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
    let mut changed = Changed::default();
    for (name, branch) in branches {
        let conflict = |conflict| AssemblyProblem::Merge { conflict, span: name.span };
        let own_steps = branch.history.since(&base.history);
        let mut count = 0;
        for step in &own_steps {
            let Some(ImageLayer::Made(layer)) = &step.layer else { continue };
            layer.try_each(|entry| {
                count += 1;
                let path = entry.components();
                match changed.by_another(&path, entry.kind) {
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
        let layers = own_steps.iter().filter_map(|step| match &step.layer {
            Some(ImageLayer::Made(layer)) => Some(&**layer),
            Some(ImageLayer::Base(_)) | None => None,
        });
        changed.add(&name.value, layers.collect(), count > MOST_BY_PATH);
        own_steps.into_iter().for_each(|step| merged.history.push(step.clone()));
    }
    Ok(merged)
}

/// So many paths of a stage are looked up by name. Of those of larger ones there is no list, which would
/// take more room than memory has: their layers are asked, one after the other.
const MOST_BY_PATH: usize = 65_536;

/// What the stages so far have changed.
#[derive(Default)]
struct Changed<'c> {
    /// Of most stages each path: by which, and to what.
    by_path: BTreeMap<Vec<Name>, (&'c StageName, Kind)>,
    /// Of stages that change very many, their layers, lowest first.
    large: Vec<(&'c StageName, Vec<&'c Layer>)>,
}

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

    fn is_directory(self) -> bool {
        matches!(self, Self::Directory(_))
    }

    /// Whether this is in the way of what another stage says of the same path.
    fn contradicts(self, other: Self) -> bool {
        self != other || self == Self::Other
    }
}

impl<'c> Changed<'c> {
    /// Adds what a stage has changed by these layers.
    fn add(&mut self, stage: &'c StageName, layers: Vec<&'c Layer>, is_large: bool) {
        if is_large {
            self.large.push((stage, layers));
            return;
        }
        for layer in layers {
            layer.each(|entry| {
                self.by_path.insert(entry.components(), (stage, Kind::of(entry.kind)));
            });
        }
    }

    /// The stage that has changed this path, or with it something above or below it.
    fn by_another(&self, path: &[Name], kind: EntryKind<'_>) -> Option<&'c StageName> {
        let kind = Kind::of(kind);
        self.listed(path, kind).or_else(|| {
            let mut large = self.large.iter();
            large.find(|(_, layers)| is_in_the_way(layers, path, kind)).map(|(stage, _)| *stage)
        })
    }

    fn listed(&self, path: &[Name], kind: Kind) -> Option<&'c StageName> {
        if let Some((stage, other)) = self.by_path.get(path) {
            return other.contradicts(kind).then_some(*stage);
        }
        // Something that is no directory any more, where the other has something below.
        let mut above = (1..path.len()).filter_map(|depth| self.by_path.get(&path[..depth]));
        if let Some((stage, _)) = above.find(|(_, other)| !other.is_directory()) {
            return Some(stage);
        }
        if kind.is_directory() {
            return None;
        }
        let below = self.by_path.range::<[Name], _>((Bound::Included(path), Bound::Unbounded)).next();
        below.filter(|(other, _)| other.starts_with(path)).map(|(_, (stage, _))| *stage)
    }
}

/// Whether layers of another stage change this path, or with it something above or below it.
fn is_in_the_way(layers: &[&Layer], path: &[Name], kind: Kind) -> bool {
    let touches: Vec<Touch> = layers.iter().map(|layer| layer.touch(path)).collect();
    if let Some(other) = last_said(&touches) {
        return other.contradicts(kind);
    }
    // What is a directory in the end may have been something else on the way.
    let is_no_directory = |depth| {
        let touches: Vec<Touch> = layers.iter().map(|layer| layer.touch(&path[..depth])).collect();
        last_said(&touches).is_some_and(|other| !other.is_directory())
    };
    touches.contains(&Touch::Above) && (1..path.len()).any(is_no_directory)
        || touches.contains(&Touch::Below) && !kind.is_directory()
}

/// What the last layer that says something of a path itself says.
fn last_said(touches: &[Touch]) -> Option<Kind> {
    touches.iter().rev().find_map(|touch| match touch {
        Touch::Removed => Some(Kind::Whiteout),
        Touch::Directory(attributes) => Some(Kind::Directory(*attributes)),
        Touch::Other => Some(Kind::Other),
        Touch::None | Touch::Below | Touch::Above => None,
    })
}

#[cfg(test)]
mod tests {
    use cogpack_backends_contract::content::Content;
    use cogpack_backends_contract::tree::{Directory, Ids, Node, Tree, components};

    use super::*;

    fn tree(entries: &str) -> Tree<Content> {
        let mut tree = Tree::empty();
        for entry in entries.split_whitespace() {
            let (path, node) = match entry.split_once("->") {
                Some((path, target)) => {
                    (path, Node::Symlink { ids: Ids::ROOT, target: target.as_bytes().into() })
                }
                None => (entry, Node::Directory(Directory::new(Attributes::ON_THE_WAY).into())),
            };
            let path = components(path.as_bytes());
            tree.make_directories(&path[..path.len() - 1], Attributes::ON_THE_WAY).expect("is sound");
            tree.insert(&path, node).expect("is sound");
        }
        tree
    }

    #[test]
    fn layers_are_asked_for_what_a_list_of_their_paths_says() {
        let trees = ["", "a->1", "a/ b/c->1", "a/b->1 a/c/d->1", "a/b->2 a/c/", "a/c->1", "b->1 a/c/d/e->1"];
        let stages =
            [StageName::new("left").expect("is a name"), StageName::new("right").expect("is a name")];
        let layer = |one: &str, other: &str| Layer::between(&tree(one), &tree(other)).expect("fits");
        for (first, second) in trees.iter().flat_map(|one| trees.map(|other| (*one, other))) {
            // The first stage says something twice; the second says something of each of its paths.
            let layers = [layer("", first), layer(first, second)];
            let (mut by_path, mut large) = (Changed::default(), Changed::default());
            by_path.add(&stages[0], layers.iter().collect(), false);
            large.add(&stages[0], layers.iter().collect(), true);
            for (from, to) in trees.iter().flat_map(|one| trees.map(|other| (*one, other))) {
                layer(from, to).each(|entry| {
                    let path = entry.components();
                    assert_eq!(
                        large.by_another(&path, entry.kind),
                        by_path.by_another(&path, entry.kind),
                        "{first}, {second}; {from} to {to}: {}",
                        text(&path)
                    );
                });
            }
        }
    }
}
