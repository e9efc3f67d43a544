//! What one tree has that another has not: the content of a layer.

use std::convert::Infallible;
use std::sync::Arc;

use crate::entries::{Difference, Entries};
use crate::tree::{Name, Node, Tree};

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'t, C> {
    /// Where.
    pub path: Vec<Name>,
    /// How.
    pub kind: ChangeKind<'t, C>,
}

/// How a path differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind<'t, C> {
    /// Something new, or something else than before, stands here. Of a directory only the mode
    /// and owner are meant; what is new in it follows under its own path.
    Written(&'t Node<C>),
    /// What stood here is gone, with all that was below it.
    Removed,
}

/// What turns `before` into `after`: parents first, then by name. The modes and owners of the
/// two roots are not compared: a layer's root is the base's.
///
/// A path that turns from something else into a directory, or the other way round, is written
/// once: laid over the old, the new replaces it. Only what both trees do not share is visited.
pub fn between<'t, C: PartialEq>(before: &'t Tree<C>, after: &'t Tree<C>) -> Vec<Change<'t, C>> {
    let mut changes = Vec::new();
    let all = each_between(before, after, &mut |path, kind| {
        changes.push(Change { path: path.iter().map(|name| name.to_vec()).collect(), kind });
        Ok::<_, Infallible>(())
    });
    match all {
        Ok(()) => changes,
        Err(never) => match never {},
    }
}

/// Who takes one change after the other, by its path, until one of them fails.
pub type Taker<'f, 't, C, E> = dyn FnMut(&[&'t [u8]], ChangeKind<'t, C>) -> Result<(), E> + 'f;

/// The same, one after the other: a list of a million would take more room than the trees.
pub fn each_between<'t, C: PartialEq, E>(
    before: &'t Tree<C>,
    after: &'t Tree<C>,
    take: &mut Taker<'_, 't, C, E>,
) -> Result<(), E> {
    compare(&before.root().children, &after.root().children, &mut Vec::new(), take)
}

fn compare<'t, C: PartialEq, E>(
    before: &'t Entries<Node<C>>,
    after: &'t Entries<Node<C>>,
    path: &mut Vec<&'t [u8]>,
    take: &mut Taker<'_, 't, C, E>,
) -> Result<(), E> {
    for difference in before.differences(after) {
        if let Difference::Removed(name) = difference {
            path.push(name);
            take(path, ChangeKind::Removed)?;
            path.pop();
        }
    }
    for difference in before.differences(after) {
        let Difference::Written { name, before, after } = difference else { continue };
        path.push(name);
        match (before, after) {
            (Some(Node::Directory(old)), Node::Directory(new)) => {
                if !Arc::ptr_eq(old, new) {
                    if old.attributes != new.attributes {
                        take(path, ChangeKind::Written(after))?;
                    }
                    compare(&old.children, &new.children, path, take)?;
                }
            }
            (_, Node::Directory(new)) => {
                take(path, ChangeKind::Written(after))?;
                each_below(&new.children, path, take)?;
            }
            (old, Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) => {
                if old != Some(after) {
                    take(path, ChangeKind::Written(after))?;
                }
            }
        }
        path.pop();
    }
    Ok(())
}

/// All that is in a directory that is new.
fn each_below<'t, C, E>(
    entries: &'t Entries<Node<C>>,
    path: &mut Vec<&'t [u8]>,
    take: &mut Taker<'_, 't, C, E>,
) -> Result<(), E> {
    for (name, node) in entries {
        path.push(name);
        take(path, ChangeKind::Written(node))?;
        if let Node::Directory(below) = node {
            each_below(&below.children, path, take)?;
        }
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::sketch;
    use crate::tree::text;

    fn changes(before: &str, after: &str) -> String {
        let (before, after) = (sketch(before), sketch(after));
        let changes = between(&before, &after);
        let drawn: Vec<String> = changes
            .iter()
            .map(|change| match change.kind {
                ChangeKind::Written(_) => format!("+{}", text(&change.path)),
                ChangeKind::Removed => format!("-{}", text(&change.path)),
            })
            .collect();
        drawn.join(" ")
    }

    #[test]
    fn only_what_differs_is_listed() {
        for (before, after, expected) in [
            ("", "", ""),
            ("a=1", "a=1", ""),
            ("", "a/b=1", "+/a +/a/b"),
            ("a/b=1", "", "-/a"),
            ("a/b=1", "a/", "-/a/b"),
            ("a=1", "a=2", "+/a"),
            ("a=1", "a=1:0600", "+/a"),
            ("a/b=1", "a/:0700 a/b=1", "+/a"),
            ("a/b=1", "a=1", "+/a"),
            ("a=1", "a/b=1", "+/a +/a/b"),
            ("a->x", "a->y", "+/a"),
            ("a/x=1 b/y=1", "a/x=1 b/z=1", "-/b/y +/b/z"),
        ] {
            assert_eq!(changes(before, after), expected, "{before} to {after}");
        }
    }
}
