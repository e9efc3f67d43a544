//! Finding what a copy is to take: names, and what wildcards match.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_ir::plan::Copy;

use super::{CopyProblem, text_bytes};
use crate::glob::{Glob, has_wildcard};
use crate::tree::{Directory, Name, Node, Tree, components, text};

/// One thing to copy.
pub(super) struct Found<C> {
    pub(super) path: Vec<Name>,
    pub(super) what: What<C>,
}

pub(super) enum What<C> {
    Directory(Arc<Directory<C>>),
    Leaf(Node<C>),
}

/// How the topmost directory of a copy is made where it is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Top {
    /// As the destination: 0755.
    Destination,
    /// As what it is a copy of.
    Itself,
}

/// What `named` stands for in `source`; `None` where it is missing and may be.
pub(super) fn find_named<C: Clone>(
    source: &Tree<C>,
    named: &str,
    copy: &Copy,
    follow: bool,
) -> Result<Option<Found<C>>, CopyProblem> {
    let path = source.resolve(named.as_bytes(), follow)?;
    match at(source, path) {
        Some(found) => Ok(Some(found)),
        None if copy.optional => Ok(None),
        None => Err(CopyProblem::Missing(named.to_owned())),
    }
}

/// All that the sources of an `into` stand for, by the name they land under.
pub(super) fn find_all<C: Clone>(
    source: &Tree<C>,
    sources: &[Cow<'_, str>],
    copy: &Copy,
    destination: &[Name],
) -> Result<BTreeMap<Name, (Found<C>, Top)>, CopyProblem> {
    let mut all: BTreeMap<Name, (Found<C>, Top)> = BTreeMap::new();
    // Names before wildcards, so that the order in which they were written has no effect.
    let (patterns, names): (Vec<_>, Vec<_>) = sources.iter().partition(|named| has_wildcard(named));
    for named in names.into_iter().chain(patterns) {
        let (found, top) = match has_wildcard(named) {
            true => (find_matches(source, named, copy)?, Top::Itself),
            false => {
                let found = find_named(source, named, copy, copy.follow)?;
                let name = components(named.as_bytes()).pop();
                let name = name.ok_or_else(|| CopyProblem::Nameless(named.clone().into_owned()))?;
                (found.map(|found| (name, found)).into_iter().collect(), Top::Destination)
            }
        };
        for (name, found) in found {
            match all.get(&name) {
                Some((other, _)) if other.path == found.path => {}
                Some((other, _)) => {
                    return Err(CopyProblem::Collision {
                        first: text(&other.path),
                        second: text(&found.path),
                        destination: text(&[destination, &[name]].concat()),
                    });
                }
                None => {
                    all.insert(name, (found, top));
                }
            }
        }
    }
    Ok(all)
}

/// What a wildcard matches, each with the name it has there.
fn find_matches<C: Clone>(
    source: &Tree<C>,
    named: &str,
    copy: &Copy,
) -> Result<Vec<(Name, Found<C>)>, CopyProblem> {
    let mut matches: Vec<Vec<Name>> = vec![Vec::new()];
    let mut literal_so_far = true;
    for part in Glob::new(named)?.parts() {
        if part.to_string() == "**" {
            return Err(CopyProblem::AnyDepth(named.to_owned()));
        }
        let mut next = Vec::new();
        for directory in matches {
            match part.as_name() {
                Some(name) if literal_so_far => next.push([directory, vec![name.into_bytes()]].concat()),
                Some(_) | None => {
                    // Links among the leading parts without wildcard are on the way, so they are
                    // followed; those that a wildcard came upon are not looked into.
                    let real = match literal_so_far {
                        true => source.resolve(&text_bytes(&directory), true)?,
                        false => directory,
                    };
                    let Some(directory) = source.directory(&real) else { continue };
                    let matching = directory.children.iter().filter(|entry| part.matches_name(entry.name()));
                    next.extend(matching.map(|entry| [real.as_slice(), &[entry.name().to_vec()]].concat()));
                }
            }
        }
        literal_so_far &= part.as_name().is_some();
        matches = next;
    }
    let mut found = Vec::new();
    for path in matches {
        let Some(name) = path.last().cloned() else { continue };
        let real = source.resolve(&text_bytes(&path), copy.follow)?;
        match at(source, real) {
            Some(what) => found.push((name, what)),
            None if copy.optional => {}
            None => return Err(CopyProblem::Missing(text(&path))),
        }
    }
    if found.is_empty() && !copy.optional {
        return Err(CopyProblem::Missing(named.to_owned()));
    }
    Ok(found)
}

pub(super) fn at<C: Clone>(tree: &Tree<C>, path: Vec<Name>) -> Option<Found<C>> {
    let what = match tree.directory(&path) {
        Some(directory) => What::Directory(directory),
        None => What::Leaf(tree.get(&path)?),
    };
    Some(Found { path, what })
}
