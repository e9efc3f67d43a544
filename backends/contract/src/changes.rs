//! What one tree has that another has not: the content of a layer.

use std::sync::Arc;

use crate::entries::Difference;
use crate::tree::{Directory, Name, Node, Tree};

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
pub fn between<'t, C: PartialEq>(before: &Tree<C>, after: &'t Tree<C>) -> Vec<Change<'t, C>> {
    let mut changes = Vec::new();
    each_between(before, after, &mut |change| changes.push(change));
    changes
}

/// The same, one after the other, for whoever makes something else of each.
pub fn each_between<'t, C: PartialEq>(
    before: &Tree<C>,
    after: &'t Tree<C>,
    found: &mut dyn FnMut(Change<'t, C>),
) {
    compare(before.root(), after.root(), &mut Vec::new(), found);
}

fn compare<'t, C: PartialEq>(
    before: &Directory<C>,
    after: &'t Directory<C>,
    path: &mut Vec<Name>,
    found: &mut dyn FnMut(Change<'t, C>),
) {
    let differences = before.children.differences(&after.children);
    for difference in &differences {
        if let Difference::Removed(name) = difference {
            let path = path.iter().chain([*name]).cloned().collect();
            found(Change { path, kind: ChangeKind::Removed });
        }
    }
    for difference in &differences {
        let Difference::Written { name, before, after } = *difference else { continue };
        path.push(name.clone());
        let mut written = |path: &[Name]| {
            found(Change { path: path.to_vec(), kind: ChangeKind::Written(after) });
        };
        match (before, after) {
            (Some(Node::Directory(old)), Node::Directory(new)) => {
                if !Arc::ptr_eq(old, new) {
                    if old.attributes != new.attributes {
                        written(path);
                    }
                    compare(old, new, path, found);
                }
            }
            (_, Node::Directory(new)) => {
                written(path);
                compare(&Directory::new(new.attributes), new, path, found);
            }
            (old, Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) => {
                if old != Some(after) {
                    written(path);
                }
            }
        }
        path.pop();
    }
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
