//! What is taken of a tree, and by what it is known again.

use std::collections::BTreeMap;

use cogpack_backends_contract::copy::apply;
use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_backends_contract::tree::{Ids, Name, Node, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::{Copy, CopyForm, Spanned, Template};

use super::Known;
use crate::keys::record::Record;
use crate::keys::{Part, Taken};

/// Where everything lands that is copied to be looked at.
const LANDING: &str = "/x";

/// What is taken, each by the path at which it lands; `None` where that cannot be told, as of a path
/// with a variable in it or a copy that builders refuse.
pub(super) fn landed<C: Clone>(tree: &Tree<C>, taken: Taken<'_>) -> Option<Vec<(Vec<Name>, Node<C>)>> {
    let select = match taken {
        Taken::All | Taken::Mounted(None) => return Some(tree.walk()),
        Taken::Mounted(Some(select)) => select.as_literal()?,
        Taken::Copied(copy) => {
            let mut landed = Tree::empty();
            apply(&onto_nothing(copy), Ids::ROOT, tree, &mut landed).ok()?;
            return Some(landed.walk());
        }
    };
    let path = tree.resolve(select.as_bytes(), true).ok()?;
    match tree.directory(&path) {
        Some(directory) => {
            let mut below = Tree::empty();
            below.directory_mut(&[])?.children = directory.children.clone();
            Some(below.walk())
        }
        None => tree.get(&path).map(|node| vec![(Vec::new(), node)]),
    }
}

/// A copy that takes the same, and leaves it as it is. What is missing is missed: whoever builds says
/// that it is an error.
fn onto_nothing(copy: &Copy) -> Copy {
    let landing = || Spanned::nowhere(Template::literal(LANDING));
    let form = match &copy.form {
        CopyForm::To { source, .. } => CopyForm::To { source: source.clone(), destination: landing() },
        CopyForm::Into { sources, .. } => CopyForm::Into { sources: sources.clone(), directory: landing() },
        CopyForm::Contents { directory, .. } => {
            CopyForm::Contents { directory: directory.clone(), destination: landing() }
        }
    };
    // BuildKit gives what a path names its mode in a step of its own, and compares what that leaves; what a
    // wildcard finds it compares as it is.
    let mode = copy.mode.filter(|_| !sources(copy).any(has_wildcard));
    Copy { form, owner: None, mode, replace: false, optional: true, ..copy.clone() }
}

/// What a copy names, as it says it.
fn sources(copy: &Copy) -> impl Iterator<Item = &str> {
    let sources = match &copy.form {
        CopyForm::To { source: one, .. } | CopyForm::Contents { directory: one, .. } => {
            std::slice::from_ref(one)
        }
        CopyForm::Into { sources, .. } => sources,
    };
    sources.iter().map(|source| source.as_written())
}

/// By what all of it is known again.
pub(super) fn digest(landed: &[(Vec<Name>, Node<Known>)]) -> Digest {
    let mut record = Record::of("files");
    for (path, node) in landed {
        record = said(record.bytes(&path.join(&b'/')), node);
    }
    record.digest()
}

/// The same, one by one, each by where it stands in its context.
pub(super) fn parts(landed: &[(Vec<Name>, Node<Known>)], taken: Taken<'_>) -> BTreeMap<Part, Digest> {
    let part = |(path, node): &(Vec<Name>, Node<Known>)| {
        let part = match node {
            Node::File { content, .. } => Part::File(content.path.clone()),
            Node::Directory(_) => Part::Directory(origin(path, taken)),
            Node::Symlink { .. } | Node::Special { .. } => Part::Link(origin(path, taken)),
        };
        (part, said(Record::of("part"), node).digest())
    };
    landed.iter().map(part).collect()
}

fn said(record: Record, node: &Node<Known>) -> Record {
    match node {
        Node::File { attributes, content } => {
            record.text("file").number(attributes.mode.bits().into()).key(&content.content)
        }
        Node::Directory(directory) => {
            record.text("directory").number(directory.attributes.mode.bits().into())
        }
        Node::Symlink { target, .. } => record.text("link").bytes(target),
        // No context has any.
        Node::Special { .. } => record.text("special"),
    }
}

/// Where what landed at a path stood, as far as the copy's own words tell: a link that led there is
/// not looked through.
pub(super) fn origin(landed: &[Name], taken: Taken<'_>) -> Vec<u8> {
    let joined = |above: &str, below: &[Name]| {
        let mut path = components(above.as_bytes());
        path.extend_from_slice(below);
        path.join(&b'/')
    };
    let below = landed.get(1..).unwrap_or_default();
    match taken {
        Taken::All | Taken::Mounted(None) => landed.join(&b'/'),
        Taken::Mounted(Some(select)) => joined(select.as_written(), landed),
        Taken::Copied(copy) => match &copy.form {
            CopyForm::To { source: from, .. } | CopyForm::Contents { directory: from, .. } => {
                joined(from.as_written(), below)
            }
            CopyForm::Into { sources, .. } => {
                let Some((name, _)) = below.split_first() else { return Vec::new() };
                let source = sources.iter().find_map(|source| {
                    let (above, last) =
                        source.as_written().rsplit_once('/').unwrap_or(("", source.as_written()));
                    let is_it = match has_wildcard(last) {
                        true => Glob::new(last).is_ok_and(|pattern| pattern.matches_name(name)),
                        false => last.as_bytes() == name.as_slice(),
                    };
                    (is_it && !has_wildcard(above)).then_some(above)
                });
                joined(source.unwrap_or_default(), below)
            }
        },
    }
}
