//! What is not as it was in what an op takes of a context.

use std::fmt;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::entries::{Difference, Entries};
use cogpack_backends_contract::tree::Node;
use cogpack_ir::draw::describe::one_line;
use cogpack_ir::plan::InputName;

use super::taken::{known, origin};
use super::{Known, Landed};
use crate::keys::Taken;

/// What has changed among the files that are taken of a context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilesChange {
    /// The context, by its name in the new plan.
    pub context: InputName,
    /// Never empty. Directories are named only where nothing in them is.
    pub changes: Vec<PartChange>,
}

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartChange {
    /// Its path in the context, as text.
    pub path: String,
    /// What became of it.
    pub how: How,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was not there.
    New,
    /// It is another one: its bytes, its mode, where a link leads.
    Changed,
    /// It is not there.
    Gone,
    /// It has another time and as many bytes, which nobody has read: they may be the same.
    Dated,
}

/// Most of them that are named one by one.
const NAMED: usize = 3;

impl FilesChange {
    /// Compares what is taken now of a context with what was taken; `None` where all of it is the same.
    pub(crate) fn between(
        context: &InputName,
        (before, taken_before): (&Landed, Taken<'_>),
        (after, taken_after): (&Landed, Taken<'_>),
    ) -> Option<Self> {
        let mut found = Found { taken_before, taken_after, path: Vec::new(), all: Vec::new() };
        match (before, after) {
            (Landed::Tree(before), Landed::Tree(after)) => {
                found.between(&before.root().children, &after.root().children);
            }
            (Landed::Tree(before), Landed::One(after)) => {
                found.below(&before.root().children, How::Gone);
                found.note(after, How::New);
            }
            (Landed::One(before), Landed::Tree(after)) => {
                found.note(before, How::Gone);
                found.below(&after.root().children, How::New);
            }
            (Landed::One(before), Landed::One(after)) => found.pair(before, after),
        }
        let mut found = found.all;
        found.sort();
        // A file that lands several times, by one of its names or by all.
        found.dedup();
        let mut changes: Vec<PartChange> = Vec::new();
        for (place, part) in found.iter().enumerate() {
            // What is in a directory stands behind it.
            let is_above = |below: &Part| is_below(&below.path, &part.path);
            let with_its_name = found[place + 1..].iter().take_while(|it| it.path.starts_with(&part.path));
            if part.is_directory && with_its_name.into_iter().any(is_above) {
                continue;
            }
            changes.push(PartChange { path: part.shown(), how: part.how });
        }
        (!changes.is_empty()).then(|| Self { context: context.clone(), changes })
    }
}

/// What stands at a path of a context and is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    path: Vec<u8>,
    is_directory: bool,
    how: How,
}

/// What two contexts, gone through side by side, do not have in common.
struct Found<'t> {
    taken_before: Taken<'t>,
    taken_after: Taken<'t>,
    /// Where it lands that is looked at.
    path: Vec<u8>,
    all: Vec<Part>,
}

impl Found<'_> {
    fn between(&mut self, before: &Entries<Node<Content>>, after: &Entries<Node<Content>>) {
        for difference in before.differences(after) {
            match difference {
                Difference::Removed(gone) => {
                    let (name, node) = gone.parts();
                    self.at(name, |it| it.whole(node, How::Gone));
                }
                Difference::Written { before: None, after } => {
                    let (name, node) = after.parts();
                    self.at(name, |it| it.whole(node, How::New));
                }
                Difference::Written { before: Some(before), after } => {
                    let (name, node) = after.parts();
                    self.at(name, |it| it.pair(&before, node));
                }
            }
        }
    }

    /// Does something one name further below.
    fn at(&mut self, name: &[u8], work: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        work(self);
        self.path.truncate(length);
    }

    /// What stands there now and stood there before.
    fn pair(&mut self, before: &Node<Content>, after: &Node<Content>) {
        match (before, after) {
            (Node::Directory(was), Node::Directory(is)) => {
                if was.attributes.mode != is.attributes.mode {
                    self.note(after, How::Changed);
                }
                self.between(&was.children, &is.children);
            }
            (
                Node::File { attributes: was, content: before },
                Node::File { attributes: is, content: file },
            ) => match (known(before), known(file)) {
                _ if was.mode != is.mode => self.note(after, How::Changed),
                (Some(was), Some(is)) if was == is => {}
                (Some(Known::Look(was)), Some(Known::Look(is))) if was.size == is.size => {
                    self.note(after, How::Dated);
                }
                (Some(_) | None, Some(_) | None) => self.note(after, How::Changed),
            },
            (Node::Symlink { target: was, .. }, Node::Symlink { target: is, .. }) => {
                if was != is {
                    self.note(after, How::Changed);
                }
            }
            (Node::Directory(was), _) => {
                self.below(&was.children, How::Gone);
                self.note(after, How::Changed);
            }
            (_, Node::Directory(is)) => {
                self.note(before, How::Changed);
                self.below(&is.children, How::New);
            }
            (Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }, _) => {
                self.note(after, How::Changed);
            }
        }
    }

    /// Something with all below it.
    fn whole(&mut self, node: &Node<Content>, how: How) {
        self.note(node, how);
        if let Node::Directory(directory) = node {
            self.below(&directory.children, how);
        }
    }

    fn below(&mut self, entries: &Entries<Node<Content>>, how: How) {
        for entry in entries {
            let (name, node) = entry.parts();
            self.at(name, |it| it.whole(node, how));
        }
    }

    fn note(&mut self, node: &Node<Content>, how: How) {
        let taken = match how {
            How::Gone => self.taken_before,
            How::New | How::Changed | How::Dated => self.taken_after,
        };
        let path = match node {
            // Of several names one is its path.
            Node::File { content: Content::Context(file), .. } => file.path(),
            Node::File { .. } | Node::Directory(_) | Node::Symlink { .. } | Node::Special { .. } => {
                origin(&self.path, taken)
            }
        };
        self.all.push(Part { path, is_directory: matches!(node, Node::Directory(_)), how });
    }
}

fn is_below(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| directory.is_empty() || rest.starts_with(b"/"))
}

impl Part {
    fn shown(&self) -> String {
        let text = one_line(&String::from_utf8_lossy(&self.path));
        match self.is_directory {
            true => format!("{text}/"),
            false => text,
        }
    }
}

impl How {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Dated => "dated anew",
        }
    }
}

impl fmt::Display for FilesChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { context, changes } = self;
        let named: Vec<String> = match changes.len() {
            0..=NAMED => changes.iter().map(|it| format!("`{}`", it.path)).collect(),
            _ => changes[..NAMED - 1].iter().map(|it| format!("`{}`", it.path)).collect(),
        };
        let first = changes.first().map(|it| it.how);
        let how = first.filter(|how| changes.iter().all(|it| it.how == *how)).unwrap_or(How::Changed).word();
        let more = changes.len() - named.len();
        let (more, verb) = match (more, named.as_slice()) {
            (0, [_]) => (String::new(), "is"),
            (0, [..]) => (String::new(), "are"),
            (1, [..]) => (" and 1 more file".to_owned(), "are"),
            (more, [..]) => (format!(" and {more} more files"), "are"),
        };
        let names = match named.split_last() {
            Some((last, first)) if more.is_empty() && !first.is_empty() => {
                format!("{} and {last}", first.join(", "))
            }
            Some(_) | None => named.join(", "),
        };
        write!(out, "{names}{more} of {context} {verb} {how}")
    }
}
