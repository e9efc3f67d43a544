//! What an ignore file leaves out of a build context, by the rules that builders document for
//! `.dockerignore` and for the Dockerfile's own.
//!
//! A line is a pattern from the context's root; the last that matches a path, or a directory above
//! it, decides. A directory stays where something in it stays.

use std::sync::Arc;

use cogpack_backends_contract::tree::{Attributes, Directory, Name, Node};

use super::Unreadable;
use super::copying::{Files, problem};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// Whether it takes back what others leave out.
    takes_back: bool,
    pattern: Vec<char>,
}

/// What of a context is sent to the builder.
pub fn without_ignored(files: &Files, ignore_file: &str) -> Result<Files, Unreadable> {
    let lines = lines(ignore_file)?;
    let mut kept = Files::empty();
    let mut path = Vec::new();
    keep(files.root(), &lines, &mut path, &mut kept)?;
    Ok(kept)
}

fn keep(
    directory: &Directory<Vec<u8>>,
    lines: &[Line],
    path: &mut Vec<Name>,
    kept: &mut Files,
) -> Result<(), Unreadable> {
    for entry in &directory.children {
        let (name, node) = entry.parts();
        path.push(name.to_vec());
        if !is_ignored(path, lines)? {
            let above = path.split_last().map_or(&[][..], |(_, above)| above);
            problem(kept.make_directories(above, Attributes::ON_THE_WAY))?;
            let node = match node {
                Node::Directory(it) => Node::Directory(Arc::new(Directory::new(it.attributes))),
                Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => node.clone(),
            };
            problem(kept.insert(path, node))?;
        }
        if let Node::Directory(below) = node {
            keep(below, lines, path, kept)?;
        }
        path.pop();
    }
    Ok(())
}

fn lines(text: &str) -> Result<Vec<Line>, Unreadable> {
    let mut lines = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let pattern = line.trim();
        if line.starts_with('#') || pattern.is_empty() {
            continue;
        }
        let (takes_back, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern.trim()),
            None => (false, pattern),
        };
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() || parts.contains(&"..") {
            return Unreadable::new(format!("the line `{line}` of an ignore file"));
        }
        lines.push(Line { takes_back, pattern: parts.join("/").chars().collect() });
    }
    Ok(lines)
}

fn is_ignored(path: &[Name], lines: &[Line]) -> Result<bool, Unreadable> {
    let mut ignored = false;
    for line in lines.iter().rev() {
        for length in 1..=path.len() {
            let path: Vec<char> = String::from_utf8_lossy(&path[..length].join(&b'/')).chars().collect();
            if matches(&line.pattern, &path)? {
                ignored = !line.takes_back;
                return Ok(ignored);
            }
        }
    }
    Ok(ignored)
}

fn matches(pattern: &[char], path: &[char]) -> Result<bool, Unreadable> {
    match (pattern, path) {
        ([], path) => Ok(path.is_empty()),
        (['*', '*', rest @ ..], path) => {
            let rest = rest.strip_prefix(&['/']).unwrap_or(rest);
            if rest.is_empty() {
                return Ok(true);
            }
            let starts = path.iter().enumerate().filter(|(_, it)| **it == '/').map(|(place, _)| place + 1);
            for start in std::iter::once(0).chain(starts) {
                if matches(rest, &path[start..])? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (['*', rest @ ..], path) => {
            let part = path.iter().position(|it| *it == '/').unwrap_or(path.len());
            for taken in 0..=part {
                if matches(rest, &path[taken..])? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (['\\', letter, rest @ ..], [first, path @ ..]) if letter == first => matches(rest, path),
        (['\\', ..], _) | (_, []) => Ok(false),
        (['?', rest @ ..], [first, path @ ..]) if *first != '/' => matches(rest, path),
        (['[', class @ ..], [first, path @ ..]) => {
            // Only classes that name single letters are ever written.
            match class.iter().skip(1).position(|it| *it == ']').map(|end| class.split_at(end + 1)) {
                Some((letters, [_, rest @ ..])) if !letters.iter().any(|it| "^-\\".contains(*it)) => {
                    Ok(letters.contains(first) && matches(rest, path)?)
                }
                Some(_) | None => Unreadable::new(format!("the class in {pattern:?}")),
            }
        }
        ([letter, rest @ ..], [first, path @ ..]) if letter == first && *letter != '?' => matches(rest, path),
        (_, _) => Ok(false),
    }
}
