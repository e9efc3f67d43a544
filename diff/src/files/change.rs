//! What is not as it was in what an op takes of a context.

use std::collections::BTreeMap;
use std::fmt;

use cogpack_content::Digest;
use cogpack_ir::draw::describe::one_line;
use cogpack_ir::plan::InputName;

use crate::keys::Part;

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
}

/// Most of them that are named one by one.
const NAMED: usize = 3;

impl FilesChange {
    /// Compares what is taken now with what was taken; `None` where all of it is the same.
    pub(crate) fn between(
        context: &InputName,
        before: &BTreeMap<Part, Digest>,
        after: &BTreeMap<Part, Digest>,
    ) -> Option<Self> {
        let mut found: Vec<(&Part, How)> = Vec::new();
        for (part, now) in after {
            match before.get(part) {
                None => found.push((part, How::New)),
                Some(then) if then != now => found.push((part, How::Changed)),
                Some(_) => {}
            }
        }
        found.extend(before.keys().filter(|part| !after.contains_key(part)).map(|part| (part, How::Gone)));
        found.sort_by_key(|(part, _)| path(part));
        let mut changes: Vec<PartChange> = Vec::new();
        for (place, (part, how)) in found.iter().enumerate() {
            // What is in a directory stands behind it.
            let is_above = |below: &(&Part, How)| is_below(path(below.0), path(part));
            if matches!(part, Part::Directory(_)) && found[place + 1..].iter().any(is_above) {
                continue;
            }
            changes.push(PartChange { path: shown(part), how: *how });
        }
        (!changes.is_empty()).then(|| Self { context: context.clone(), changes })
    }
}

fn path(part: &Part) -> &[u8] {
    let (Part::File(path) | Part::Link(path) | Part::Directory(path)) = part;
    path
}

fn is_below(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| directory.is_empty() || rest.starts_with(b"/"))
}

fn shown(part: &Part) -> String {
    let text = one_line(&String::from_utf8_lossy(path(part)));
    match part {
        Part::Directory(_) => format!("{text}/"),
        Part::File(_) | Part::Link(_) => text,
    }
}

impl How {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
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
