//! What one wildcard matches in one directory, found while it lands. No two of these have the same name, so
//! that nothing has to be known of all of them before the first one lands.

use std::borrow::Cow;
use std::sync::Arc;

use cogpack_ir::plan::Copy;

use super::sources::{Found, What, at};
use super::{CopyProblem, text_bytes};
use crate::entries::held::Depot;
use crate::glob::{Glob, has_wildcard};
use crate::tree::{Directory, Name, Node, Tree, text};

/// A wildcard and the one directory in which it matches something.
pub(super) struct Matches<'c, C> {
    source: &'c Tree<C>,
    named: &'c str,
    part: Glob,
    /// Where the directory is.
    real: Vec<Name>,
    directory: Option<Arc<Directory<C>>>,
}

/// What matches.
pub(super) struct Match<C> {
    /// By the name that it has there.
    pub(super) name: Name,
    pub(super) found: Found<C>,
}

impl<'c, C: Clone> Matches<'c, C> {
    /// The only source of a copy, if it has a wildcard and has it in its last part.
    pub(super) fn of(source: &'c Tree<C>, sources: &'c [Cow<'_, str>]) -> Result<Option<Self>, CopyProblem> {
        let [named] = sources else { return Ok(None) };
        if !has_wildcard(named) {
            return Ok(None);
        }
        let parts = Glob::new(named)?.parts();
        let Some((part, above)) = parts.split_last() else { return Ok(None) };
        let above: Option<Vec<Name>> =
            above.iter().map(|part| part.as_name().map(String::into_bytes)).collect();
        let Some(above) = above.filter(|_| part.as_name().is_none() && part.to_string() != "**") else {
            return Ok(None);
        };
        let real = source.resolve(&text_bytes(&above), true)?;
        let directory = source.directory(&real);
        Ok(Some(Self { source, named, part: part.clone(), real, directory }))
    }

    /// How the source is written.
    pub(super) fn named(&self) -> &str {
        self.named
    }

    /// Where entries of the directory are that memory has no room for.
    pub(super) fn depot(&self) -> Option<Arc<dyn Depot<Node<C>>>> {
        self.directory.as_ref().and_then(|directory| directory.children.depot())
    }

    /// All of them, by name.
    pub(super) fn each(&self, copy: &Copy) -> impl Iterator<Item = Result<Match<C>, CopyProblem>> {
        let entries = self.directory.iter().flat_map(|directory| &directory.children);
        let matching = entries.filter(|entry| self.part.matches_name(entry.name()));
        matching.filter_map(move |entry| {
            let (name, node) = entry.parts();
            let path = [self.real.as_slice(), &[name.to_vec()]].concat();
            let found = match node {
                Node::Symlink { .. } if copy.follow => {
                    match self.source.resolve(&text_bytes(&path), true).map(|real| at(self.source, real)) {
                        Ok(Some(found)) => found,
                        Ok(None) if copy.optional => return None,
                        Ok(None) => return Some(Err(CopyProblem::Missing(text(&path)))),
                        Err(problem) => return Some(Err(problem.into())),
                    }
                }
                Node::Directory(directory) => Found { path, what: What::Directory(Arc::clone(directory)) },
                leaf @ (Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) => {
                    Found { path, what: What::Leaf(leaf.clone()) }
                }
            };
            Some(Ok(Match { name: name.to_vec(), found }))
        })
    }
}
