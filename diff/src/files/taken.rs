//! What is taken of a tree, and by what it is known again.

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::copy::apply;
use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_backends_contract::tree::{Directory, Ids, Node, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::{Copy, CopyForm, Spanned, Template};

use super::{Known, Look};
use crate::keys::Taken;
use crate::keys::record::Record;

/// Where everything lands that is copied to be looked at.
const LANDING: &str = "/x";

/// What is taken.
#[derive(Debug, Clone)]
pub enum Landed {
    /// All of this, each by the path at which it lands.
    Tree(Tree<Content>),
    /// What a path led to that is no directory.
    One(Node<Content>),
}

/// So many bytes of what a digest is made of are kept before they are made one themselves.
const AT_ONCE: usize = 1 << 20;

impl Landed {
    /// What is taken of a tree; `None` where that cannot be told, as of a path with a variable in it or a
    /// copy that builders refuse.
    pub(super) fn of(tree: &Tree<Content>, taken: Taken<'_>) -> Option<Self> {
        let select = match taken {
            Taken::All | Taken::Mounted(None) => return Some(Self::Tree(tree.clone())),
            Taken::Mounted(Some(select)) => select.as_literal()?,
            Taken::Copied(copy) => {
                let mut landed = Tree::empty();
                apply(&onto_nothing(copy), Ids::ROOT, tree, &mut landed).ok()?;
                return Some(Self::Tree(landed));
            }
        };
        let path = tree.resolve(select.as_bytes(), true).ok()?;
        match tree.directory(&path) {
            Some(directory) => {
                let mut below = Tree::empty();
                below.directory_mut(&[])?.children = directory.children.clone();
                Some(Self::Tree(below))
            }
            None => tree.get(&path).map(Self::One),
        }
    }

    /// Shows each path, `/` between components, and what is there: parents first, then by name.
    pub(super) fn each(&self, mut see: impl FnMut(&[u8], &Node<Content>)) {
        match self {
            Self::Tree(tree) => each_below(tree.root(), &mut Vec::new(), &mut see),
            Self::One(node) => see(b"", node),
        }
    }

    /// By what all of it is known again.
    pub(super) fn digest(&self) -> Digest {
        let mut record = Record::of("files");
        self.each(|path, node| {
            record = said(std::mem::take(&mut record).bytes(path), node);
            if record.length() >= AT_ONCE {
                record = Record::of("more files").key(&std::mem::take(&mut record).digest());
            }
        });
        record.digest()
    }
}

fn each_below(
    directory: &Directory<Content>,
    path: &mut Vec<u8>,
    see: &mut impl FnMut(&[u8], &Node<Content>),
) {
    let length = path.len();
    for entry in &directory.children {
        let (name, node) = entry.parts();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        see(path, node);
        if let Node::Directory(below) = node {
            each_below(below, path, see);
        }
        path.truncate(length);
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

fn said(record: Record, node: &Node<Content>) -> Record {
    match node {
        Node::File { attributes, content } => {
            let record = record.text("file").number(attributes.mode.bits().into());
            match known(content) {
                Some(Known::Digest(digest)) => record.key(&digest),
                Some(Known::Look(Look { size, inode, modified, changed })) => {
                    let record = record.text("look").number(size).number(inode);
                    [modified, changed].into_iter().fold(record, |record, moment| {
                        record.number(moment.seconds.cast_unsigned()).number(moment.nanoseconds.into())
                    })
                }
                None => record.text("unknown"),
            }
        }
        Node::Directory(directory) => {
            record.text("directory").number(directory.attributes.mode.bits().into())
        }
        Node::Symlink { target, .. } => record.text("link").bytes(target),
        // No context has any.
        Node::Special { .. } => record.text("special"),
    }
}

/// What is known of a file; `None` for one of no context.
pub(super) fn known(content: &Content) -> Option<Known> {
    match content {
        Content::Context(file) => Known::of(file),
        Content::Inline(_) | Content::Layer(_) | Content::Kept(_) => None,
    }
}

/// Where what landed at a path stood, as far as the copy's own words tell: a link that led there is
/// not looked through.
pub(super) fn origin(landed: &[u8], taken: Taken<'_>) -> Vec<u8> {
    let joined = |above: &str, below: &[u8]| {
        let above = components(above.as_bytes()).join(&b'/');
        match (above.is_empty(), below.is_empty()) {
            (true, _) => below.to_vec(),
            (false, true) => above,
            (false, false) => [&above[..], below].join(&b'/'),
        }
    };
    // Behind where it landed.
    let below = landed.iter().position(|byte| *byte == b'/').map_or(&[][..], |slash| &landed[slash + 1..]);
    match taken {
        Taken::All | Taken::Mounted(None) => landed.to_vec(),
        Taken::Mounted(Some(select)) => joined(select.as_written(), landed),
        Taken::Copied(copy) => match &copy.form {
            CopyForm::To { source: from, .. } | CopyForm::Contents { directory: from, .. } => {
                joined(from.as_written(), below)
            }
            CopyForm::Into { sources, .. } => {
                let Some(name) = below.split(|byte| *byte == b'/').next().filter(|name| !name.is_empty())
                else {
                    return Vec::new();
                };
                let source = sources.iter().find_map(|source| {
                    let (above, last) =
                        source.as_written().rsplit_once('/').unwrap_or(("", source.as_written()));
                    let is_it = match has_wildcard(last) {
                        true => Glob::new(last).is_ok_and(|pattern| pattern.matches_name(name)),
                        false => last.as_bytes() == name,
                    };
                    (is_it && !has_wildcard(above)).then_some(above)
                });
                joined(source.unwrap_or_default(), below)
            }
        },
    }
}
