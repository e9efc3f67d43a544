//! What one tree has that another has not: the content of a layer.

use std::sync::Arc;

use crate::entries::{Difference, Entries};
use crate::tree::{Name, Node, Tree};

/// How a path differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind<'t, C> {
    /// Something new, or something else than before, stands here. Of a directory only the mode
    /// and owner are meant; what is new in it follows under its own path.
    Written(&'t Node<C>),
    /// What stood here is gone, with all that was below it.
    Removed,
}

/// The path of a change, `/` between its names.
#[derive(Debug, Default)]
pub struct Path {
    joined: Vec<u8>,
    /// How long it was before each name.
    before: Vec<usize>,
}

impl Path {
    /// All of it.
    pub fn joined(&self) -> &[u8] {
        &self.joined
    }

    /// Name by name.
    pub fn names(&self) -> Vec<Name> {
        self.joined.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect()
    }

    /// The last name.
    pub fn last(&self) -> &[u8] {
        let start = match self.before.last() {
            Some(0) | None => 0,
            Some(length) => length + 1,
        };
        &self.joined[start..]
    }

    fn enter(&mut self, name: &[u8]) {
        self.before.push(self.joined.len());
        if !self.joined.is_empty() {
            self.joined.push(b'/');
        }
        self.joined.extend_from_slice(name);
    }

    fn leave(&mut self) {
        self.joined.truncate(self.before.pop().unwrap_or_default());
    }
}

/// Who takes one change after the other, by its path, until one of them fails.
pub type Taker<'f, C, E> = dyn FnMut(&Path, ChangeKind<'_, C>) -> Result<(), E> + 'f;

/// What turns `before` into `after`: parents first, then by name. The modes and owners of the
/// two roots are not compared: a layer's root is the base's.
///
/// A path that turns from something else into a directory, or the other way round, is written
/// once: laid over the old, the new replaces it. Only what both trees do not share is visited. They
/// come one after the other: a list of a million would take more room than the trees.
pub fn each_between<C: PartialEq, E>(
    before: &Tree<C>,
    after: &Tree<C>,
    take: &mut Taker<'_, C, E>,
) -> Result<(), E> {
    compare(&before.root().children, &after.root().children, &mut Path::default(), take)
}

fn compare<C: PartialEq, E>(
    before: &Entries<Node<C>>,
    after: &Entries<Node<C>>,
    path: &mut Path,
    take: &mut Taker<'_, C, E>,
) -> Result<(), E> {
    for difference in before.differences(after) {
        if let Difference::Removed(entry) = difference {
            path.enter(entry.name());
            take(path, ChangeKind::Removed)?;
            path.leave();
        }
    }
    for difference in before.differences(after) {
        let Difference::Written { before, after } = difference else { continue };
        let (name, after) = after.parts();
        path.enter(name);
        match (before.as_deref(), after) {
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
        path.leave();
    }
    Ok(())
}

/// All that is in a directory that is new.
fn each_below<C, E>(
    entries: &Entries<Node<C>>,
    path: &mut Path,
    take: &mut Taker<'_, C, E>,
) -> Result<(), E> {
    for entry in entries {
        let (name, node) = entry.parts();
        path.enter(name);
        take(path, ChangeKind::Written(node))?;
        if let Node::Directory(below) = node {
            each_below(&below.children, path, take)?;
        }
        path.leave();
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
        let mut drawn = Vec::new();
        let all = each_between(&before, &after, &mut |path, kind| {
            let sign = match kind {
                ChangeKind::Written(_) => '+',
                ChangeKind::Removed => '-',
            };
            assert_eq!(path.names().last().map(Vec::as_slice), Some(path.last()));
            drawn.push(format!("{sign}{}", text(&path.names())));
            Ok::<_, ()>(())
        });
        assert_eq!(all, Ok(()));
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
