//! The layers that a set comes in, such that images with other sets share them.
//!
//! What a package brings is the same in every set, so a large package is a layer of its own: any
//! image that has the same package has the same blob. The small ones are one layer together, and
//! what was made of all of them, as accounts and the loader's cache, is the last. Which layers there
//! are follows from the packages alone.

use std::collections::BTreeSet;

use crate::package::{EntryKind, Package};
use crate::paths::above;
use crate::root::{PlacedKind, Root};
use crate::set::database_of;

/// From how many bytes on a package is large. Smaller ones cost more as layers than they save.
const LARGE: u64 = 1 << 20;

/// How many layers of one package there may be, the largest first. Engines take 127 layers, and the
/// plan has some of its own.
const MOST: usize = 80;

/// Paths of a root that make a layer. A directory comes before what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What it holds, for people.
    pub what: String,
    /// What stands there in the whole root is what the layer has.
    pub paths: BTreeSet<Vec<u8>>,
}

/// The groups of a root that was made of these packages. Each path is in one at least.
pub fn groups(packages: &[Package], root: &Root) -> Vec<Group> {
    let mut sizes: Vec<(u64, usize)> =
        packages.iter().enumerate().map(|(index, package)| (size(package), index)).collect();
    sizes.retain(|(size, _)| *size >= LARGE);
    sizes.sort_by_key(|(size, index)| (std::cmp::Reverse(*size), *index));
    sizes.truncate(MOST);
    let large: BTreeSet<usize> = sizes.into_iter().map(|(_, index)| index).collect();

    let mut groups: Vec<Group> = Vec::new();
    let mut small = Group { what: String::new(), paths: BTreeSet::new() };
    let mut count = 0;
    for (index, package) in packages.iter().enumerate() {
        let paths = brought(index, package, root);
        if large.contains(&index) {
            let what = match package.is_archive() {
                true => package.shown(),
                false => {
                    format!("{} {}", package.name.package, package.control.get("Version").unwrap_or(""))
                }
            };
            groups.push(Group { what, paths });
        } else {
            count += 1;
            small.paths.extend(paths);
        }
    }
    small.what = match count {
        1 => "one small package".to_owned(),
        many => format!("{many} small packages"),
    };
    groups.push(small);
    let covered: BTreeSet<&Vec<u8>> = groups.iter().flat_map(|group| &group.paths).collect();
    let made = root.placed.keys().filter(|path| !covered.contains(path));
    let made = Group { what: "what is made of the packages".to_owned(), paths: with_way(made) };
    groups.push(made);
    groups.retain(|group| !group.paths.is_empty());
    groups
}

/// The bytes of a package's files.
fn size(package: &Package) -> u64 {
    let of_entry = |kind: &EntryKind| match kind {
        EntryKind::File { size, .. } => *size,
        EntryKind::Directory | EntryKind::HardLink(_) | EntryKind::Symlink(_) => 0,
    };
    package.entries.iter().map(|entry| of_entry(&entry.kind)).fold(0, u64::saturating_add)
}

/// What of a package has come into the root. Directories and links that others bring too are part of
/// each, so that nobody's layer depends on who is beside it.
fn brought(index: usize, package: &Package, root: &Root) -> BTreeSet<Vec<u8>> {
    let entries = package.entries.iter().filter(|entry| {
        let Some(placed) = root.placed.get(&entry.path) else { return false };
        match (&placed.kind, &entry.kind) {
            (PlacedKind::Directory, EntryKind::Directory) => true,
            (PlacedKind::Symlink(there), EntryKind::Symlink(target)) => there == target,
            (
                PlacedKind::Directory | PlacedKind::Packed(_) | PlacedKind::Made(_) | PlacedKind::Symlink(_),
                _,
            ) => placed.package == Some(index),
        }
    });
    let known = database_of(&package.name.package).map(String::into_bytes);
    let known = known.iter().filter(|_| !package.is_archive());
    with_way(entries.map(|entry| &entry.path).chain(known))
}

/// Paths, and the directories on the way to them.
fn with_way<'p>(paths: impl IntoIterator<Item = &'p Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    for path in paths {
        let mut way = Some(&path[..]);
        while let Some(one) = way {
            if !all.insert(one.to_vec()) {
                break;
            }
            way = above(one);
        }
    }
    all
}
