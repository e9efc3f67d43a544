//! The change from one tree to another, as a value: done again to a third tree, and asked what it says of
//! one path. Neither makes a list of it, which for a million files would take more room than the trees.

use std::sync::Arc;

use crate::entries::{Difference, Entries};
use crate::tree::{Attributes, Directory, Name, Node, PathProblem, Tree};

/// What turning one tree into another has to do with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Nothing.
    None,
    /// What is below the path changes, and the path itself does not.
    Below,
    /// Something above the path is gone, or is no directory any more.
    Above,
    /// What stood there is gone.
    Removed,
    /// A directory is new there, or has another mode or owner.
    Directory(Attributes),
    /// Something else is new there.
    Other,
}

/// What turning `before` into `after` has to do with a path.
pub fn touch<C: Clone + PartialEq>(before: &Tree<C>, after: &Tree<C>, path: &[Name]) -> Touch {
    let (mut old, mut new) = (before.directory::<Name>(&[]), after.directory::<Name>(&[]));
    for (place, name) in path.iter().enumerate() {
        let stands = |directory: &Option<Arc<Directory<C>>>| {
            directory.as_ref().and_then(|it| it.children.get(name).as_deref().cloned())
        };
        let at_itself = |touch| if place + 1 == path.len() { touch } else { Touch::Above };
        match (stands(&old), stands(&new)) {
            (None, None) => return Touch::None,
            (Some(_), None) => return at_itself(Touch::Removed),
            (Some(Node::Directory(was)), Some(Node::Directory(is))) if Arc::ptr_eq(&was, &is) => {
                return Touch::None;
            }
            (was, Some(Node::Directory(is))) => {
                let was = match was {
                    Some(Node::Directory(was)) => Some(was),
                    Some(Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) | None => None,
                };
                let is_written = was.as_ref().is_none_or(|was| was.attributes != is.attributes);
                if is_written && place + 1 == path.len() {
                    return Touch::Directory(is.attributes);
                }
                (old, new) = (was, Some(is));
            }
            (was, Some(is)) => {
                return if was.as_ref() == Some(&is) { Touch::None } else { at_itself(Touch::Other) };
            }
        }
    }
    match (old, new) {
        (Some(old), Some(new)) if old.children == new.children => Touch::None,
        _ => Touch::Below,
    }
}

/// Does to `onto` what turns `before` into `after`. What is new there is shared with `after`.
pub fn replay<C: Clone + PartialEq>(
    before: &Tree<C>,
    after: &Tree<C>,
    onto: &mut Tree<C>,
) -> Result<(), PathProblem> {
    let Some(root) = onto.directory_mut(&[]) else { return Ok(()) };
    replay_entries(&before.root().children, &after.root().children, root, &mut Vec::new())
}

fn replay_entries<C: Clone + PartialEq>(
    before: &Entries<Node<C>>,
    after: &Entries<Node<C>>,
    onto: &mut Directory<C>,
    path: &mut Vec<Name>,
) -> Result<(), PathProblem> {
    let depot = after.depot();
    for difference in before.differences(after) {
        if let Difference::Removed(entry) = difference {
            onto.children.remove(entry.name());
        }
    }
    let mut count = 0;
    for difference in before.differences(after) {
        let Difference::Written { before, after } = difference else { continue };
        let (name, after) = after.parts();
        match (before.as_deref(), after) {
            (Some(Node::Directory(old)), Node::Directory(new)) => {
                path.push(name.to_vec());
                replay_directory(old, new, name, onto, path)?;
                path.pop();
            }
            (_, Node::Directory(new)) => match onto.children.get_mut(name) {
                Some(Node::Directory(there)) => {
                    let there = Arc::make_mut(there);
                    there.attributes = new.attributes;
                    path.push(name.to_vec());
                    replay_entries(&Entries::new(), &new.children, there, path)?;
                    path.pop();
                }
                _ => drop(onto.children.insert(name, after.clone())),
            },
            (old, Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) => {
                if old != Some(after) {
                    onto.children.insert(name, after.clone());
                }
            }
        }
        count += 1;
        onto.children.put_away_now_and_then(depot.as_ref(), count);
    }
    onto.children.put_away_at_the_end(depot.as_ref());
    Ok(())
}

/// The change of a directory that is in both trees.
fn replay_directory<C: Clone + PartialEq>(
    old: &Arc<Directory<C>>,
    new: &Arc<Directory<C>>,
    name: &[u8],
    onto: &mut Directory<C>,
    path: &mut Vec<Name>,
) -> Result<(), PathProblem> {
    if Arc::ptr_eq(old, new) {
        return Ok(());
    }
    if old.attributes != new.attributes
        && !matches!(onto.children.get(name).as_deref(), Some(Node::Directory(_)))
    {
        onto.children.insert(name, Node::Directory(Arc::new(Directory::new(new.attributes))));
    }
    match onto.children.get_mut(name) {
        Some(Node::Directory(there)) if Arc::ptr_eq(there, old) => *there = Arc::clone(new),
        Some(Node::Directory(there)) => {
            let there = Arc::make_mut(there);
            if old.attributes != new.attributes {
                there.attributes = new.attributes;
            }
            replay_entries(&old.children, &new.children, there, path)?;
        }
        // What is taken away is gone already, and what is written has no place.
        _ => {
            if let Some(missing) = first_written_in(&old.children, &new.children, path) {
                return Err(PathProblem::NotADirectory(missing));
            }
        }
    }
    Ok(())
}

/// The first directory in which something is written.
fn first_written_in<C: PartialEq>(
    before: &Entries<Node<C>>,
    after: &Entries<Node<C>>,
    path: &[Name],
) -> Option<Vec<Name>> {
    before.differences(after).find_map(|difference| {
        let Difference::Written { before, after } = difference else { return None };
        match (before.as_deref(), &*after) {
            (Some(Node::Directory(old)), Node::Directory(new)) if old.attributes == new.attributes => {
                let below = [path, &[after.name().to_vec()]].concat();
                first_written_in(&old.children, &new.children, &below)
            }
            (Some(old), new) if old == new => None,
            _ => Some(path.to_vec()),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::changes::{ChangeKind, each_between};
    use crate::sketch::{drawn, sketch};
    use crate::tree::components;

    const TREES: [&str; 10] = [
        "",
        "a=1",
        "a=2 b/",
        "a/b=1 c->a",
        "a/b=1 a/c/d=2",
        "a/b=1 a/c/d=2:0600 e/",
        "a/:0700 a/c/d=2 a/c/e/f=1",
        "a/c=1",
        "a/c/:0750 a/c/e=1",
        "c/a=1 a/c/e/f=1@1:2",
    ];

    fn listed(before: &Tree<String>, after: &Tree<String>) -> BTreeMap<Vec<Name>, Touch> {
        let mut all = BTreeMap::new();
        let walked = each_between(before, after, &mut |path, kind| {
            let touch = match kind {
                ChangeKind::Removed => Touch::Removed,
                ChangeKind::Written(Node::Directory(it)) => Touch::Directory(it.attributes),
                ChangeKind::Written(_) => Touch::Other,
            };
            all.insert(path.names(), touch);
            Ok::<_, ()>(())
        });
        walked.expect("nothing fails");
        all
    }

    #[test]
    fn a_path_is_asked_for_what_a_list_of_all_changes_says() {
        let paths = ["a", "a/b", "a/c", "a/c/d", "a/c/e", "a/c/e/f", "b", "b/x", "c", "c/a", "e", "none/x"];
        for (before, after) in TREES.iter().flat_map(|one| TREES.map(|other| (sketch(one), sketch(other)))) {
            let all = listed(&before, &after);
            for path in paths.map(|path| components(path.as_bytes())) {
                let is_no_directory = |touch: &Touch| matches!(touch, Touch::Removed | Touch::Other);
                let mut above = (1..path.len()).filter_map(|depth| all.get(&path[..depth]));
                let mut below = all.keys().filter(|other| other.starts_with(&path));
                let expected = match all.get(&path) {
                    Some(touch) => *touch,
                    None if above.any(is_no_directory) => Touch::Above,
                    None if below.next().is_some() => Touch::Below,
                    None => Touch::None,
                };
                let found = touch(&before, &after, &path);
                assert_eq!(found, expected, "{path:?} from {} to {}", drawn(&before), drawn(&after));
            }
        }
    }

    #[test]
    fn what_is_done_again_is_what_each_change_does() {
        for (before, after) in TREES.iter().flat_map(|one| TREES.map(|other| (sketch(one), sketch(other)))) {
            for onto in TREES.map(sketch) {
                let mut one_by_one = onto.clone();
                let expected = each_between(&before, &after, &mut |path, kind| {
                    let path = path.names();
                    let node = match kind {
                        ChangeKind::Removed => return one_by_one.remove(&path).map(drop),
                        ChangeKind::Written(Node::Directory(it)) => {
                            if let Some(there) = one_by_one.directory_mut(&path) {
                                there.attributes = it.attributes;
                                return Ok(());
                            }
                            Node::Directory(Arc::new(Directory::new(it.attributes)))
                        }
                        ChangeKind::Written(node) => node.clone(),
                    };
                    one_by_one.insert(&path, node).map(drop)
                });
                let mut at_once = onto.clone();
                let found = replay(&before, &after, &mut at_once);
                let what = format!("{} to {} on {}", drawn(&before), drawn(&after), drawn(&onto));
                assert_eq!(found, expected, "{what}");
                if found.is_ok() {
                    assert_eq!(drawn(&at_once), drawn(&one_by_one), "{what}");
                }
            }
        }
    }
}
