//! What `COPY` does to a filesystem: wildcards, and where what they match lands.
//!
//! Modes and owners of directories are left as they come; they are for the copy suite to judge.

use std::sync::Arc;

use cogpack_backends_contract::tree::{Attributes, Directory, Ids, Name, Node, Tree, components};
use cogpack_ir::plan::Mode;

use super::Unreadable;

/// A filesystem whose files hold their bytes.
pub type Files = Tree<Vec<u8>>;

/// What `COPY` is told beside its paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// `--chown`; kept otherwise.
    pub owner: Option<Ids>,
    /// `--chmod`; kept otherwise.
    pub mode: Option<Mode>,
    /// Whether every source is a wildcard, also one without wildcards: then `\` escapes in it.
    pub always_wildcards: bool,
    /// Whether it is fine that nothing matches a wildcard.
    pub may_match_nothing: bool,
}

/// Copies sources of one filesystem into another.
pub fn copy(
    from: &Files,
    sources: &[String],
    destination: &str,
    told: Told,
    into: &mut Files,
) -> Result<(), Unreadable> {
    let mut found = Vec::new();
    for source in sources {
        let matching = matching(from, source, told)?;
        if matching.is_empty() && !(has_wildcard(source) && told.may_match_nothing) {
            return Unreadable::new(format!("COPY finds no `{source}`"));
        }
        found.extend(matching);
    }
    if (sources.len() > 1 || found.len() > 1) && !destination.ends_with('/') {
        return Unreadable::new(format!(
            "COPY of several things to `{destination}`, which has no `/` at its end"
        ));
    }
    for path in found {
        let real = problem(from.resolve(&path.join(&b'/'), true))?;
        let landing = problem(into.resolve(destination.as_bytes(), true))?;
        if let Some(directory) = from.directory(&real) {
            put(into, &landing, &Node::Directory(directory), told)?;
            continue;
        }
        let Some(node) = from.get(&real) else {
            return Unreadable::new(format!("COPY of a link to nothing: {real:?}"));
        };
        check_way(into, &landing, destination.ends_with('/'), told)?;
        let lands_inside = destination.ends_with('/') || into.directory(&landing).is_some();
        let name = path.last().cloned().unwrap_or_default();
        let landing = if lands_inside { [landing, vec![name]].concat() } else { landing };
        put(into, &landing, &node, told)?;
    }
    Ok(())
}

/// Builders differ on whether directories that a file's copy has to make get its mode and owner, which
/// makes no difference where that is what they have anyway.
fn check_way(into: &Files, landing: &[Name], is_in: bool, told: Told) -> Result<(), Unreadable> {
    let way = if is_in { landing } else { landing.split_last().map_or(&[][..], |(_, above)| above) };
    let is_told = told.mode.is_some_and(|mode| mode != Mode::DIRECTORY)
        || told.owner.is_some_and(|ids| ids != Ids::ROOT);
    if is_told && into.directory(way).is_none() {
        return Unreadable::new(format!("COPY with a mode or owner makes directories: {way:?}"));
    }
    Ok(())
}

/// Lays a node over what stands at a path.
fn put(into: &mut Files, landing: &[Name], node: &Node<Vec<u8>>, told: Told) -> Result<(), Unreadable> {
    let node = changed(node, told);
    if let Node::Directory(directory) = &node {
        problem(into.make_directories(landing, Attributes::ON_THE_WAY))?;
        for entry in &directory.children {
            let (name, below) = entry.parts();
            let at = [landing, &[name.to_vec()]].concat();
            match (into.directory(&at).is_some(), below) {
                (true, Node::Directory(_)) => put(into, &at, below, Told::default())?,
                (true, _) => return Unreadable::new(format!("COPY of a file onto a directory: {at:?}")),
                (false, _) => drop(problem(into.insert(&at, below.clone()))?),
            }
        }
        return Ok(());
    }
    if into.directory(landing).is_some() {
        return Unreadable::new(format!("COPY of a file onto a directory: {landing:?}"));
    }
    let above = landing.split_last().map_or(&[][..], |(_, above)| above);
    problem(into.make_directories(above, Attributes::ON_THE_WAY))?;
    problem(into.insert(landing, node)).map(drop)
}

fn changed(node: &Node<Vec<u8>>, told: Told) -> Node<Vec<u8>> {
    let ids = |ids: Ids| told.owner.unwrap_or(ids);
    let attributes = |it: &Attributes| Attributes { mode: told.mode.unwrap_or(it.mode), ids: ids(it.ids) };
    match node {
        Node::Directory(it) => {
            let mut directory = Directory::new(attributes(&it.attributes));
            for entry in &it.children {
                let (name, below) = entry.parts();
                directory.children.insert(name, changed(below, told));
            }
            Node::Directory(Arc::new(directory))
        }
        Node::File { attributes: it, content } => {
            Node::File { attributes: attributes(it), content: content.clone() }
        }
        Node::Symlink { ids: it, target } => Node::Symlink { ids: ids(*it), target: target.clone() },
        Node::Special { .. } => node.clone(),
    }
}

/// The paths that a source names.
fn matching(from: &Files, source: &str, told: Told) -> Result<Vec<Vec<Name>>, Unreadable> {
    let mut found: Vec<Vec<Name>> = vec![Vec::new()];
    let mut is_pattern = told.always_wildcards;
    for part in components(source.as_bytes()) {
        let pattern = String::from_utf8_lossy(&part).into_owned();
        is_pattern |= has_wildcard(&pattern);
        let mut deeper = Vec::new();
        for above in &found {
            let real = problem(from.resolve(&above.join(&b'/'), true))?;
            let Some(directory) = from.directory(&real) else { continue };
            for entry in &directory.children {
                let name = entry.name();
                let is_it = match is_pattern {
                    true => matches(&pattern, &String::from_utf8_lossy(name))?,
                    false => part[..] == name[..],
                };
                if is_it {
                    deeper.push([above.clone(), vec![name.to_vec()]].concat());
                }
            }
        }
        found = deeper;
    }
    Ok(found)
}

/// Whether a builder takes a source for a wildcard. An escaped letter is none, and is then looked
/// for with its `\`.
pub fn has_wildcard(source: &str) -> bool {
    let mut letters = source.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Whether a wildcard of one part of a path matches a name.
fn matches(pattern: &str, name: &str) -> Result<bool, Unreadable> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches_from(&pattern, &name)
}

fn matches_from(pattern: &[char], name: &[char]) -> Result<bool, Unreadable> {
    let bad = || Unreadable::new(format!("the wildcard {pattern:?}"));
    match (pattern, name) {
        ([], name) => Ok(name.is_empty()),
        (['*', rest @ ..], name) => {
            for skipped in 0..=name.len() {
                if matches_from(rest, &name[skipped..])? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (['['], _) | (['\\'], _) => bad(),
        (['[', class @ ..], name) => {
            let (negated, class) = match class {
                ['^', class @ ..] => (true, class),
                class => (false, class),
            };
            let mut at = 0;
            let mut is_in = false;
            // The first letter of a class may not be `]`.
            while at == 0 || class.get(at) != Some(&']') {
                let (Some(low), after) = letter(class, at) else { return bad() };
                let (high, after) = match class.get(after) {
                    Some('-') => match letter(class, after + 1) {
                        (Some(high), after) => (high, after),
                        (None, _) => return bad(),
                    },
                    Some(_) | None => (low, after),
                };
                is_in |= name.first().is_some_and(|it| (low..=high).contains(it));
                at = after;
            }
            match name {
                [_, rest @ ..] if is_in != negated => matches_from(&class[at + 1..], rest),
                _ => Ok(false),
            }
        }
        (['?', rest @ ..], [_, name @ ..]) => matches_from(rest, name),
        (['\\', letter, rest @ ..], [first, name @ ..]) if letter == first => matches_from(rest, name),
        ([letter, rest @ ..], [first, name @ ..]) if letter == first && *letter != '\\' => {
            matches_from(rest, name)
        }
        (_, _) => Ok(false),
    }
}

/// A letter of a class, escaped or not, and where the next one is.
fn letter(class: &[char], at: usize) -> (Option<char>, usize) {
    match class.get(at) {
        Some('\\') => (class.get(at + 1).copied(), at + 2),
        Some('-' | ']') | None => (None, at),
        Some(letter) => (Some(*letter), at + 1),
    }
}

/// A problem of a filesystem as one of reading.
pub(super) fn problem<T, P: std::fmt::Display>(result: Result<T, P>) -> Result<T, Unreadable> {
    result.map_err(|problem| Unreadable(problem.to_string()))
}
