//! What an op visibly does to which paths, for comparing stages that run side by side.

use super::copies::{is_wildcard, literal};
use super::paths::parts;
use crate::plan::{CopyForm, Mode, Op, OpKind, Owner, Span, Spanned, Template};

/// One thing done to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// The names on the way to the path.
    pub(super) parts: Vec<String>,
    /// What is done.
    pub(super) act: Act,
    /// Which of the stages does it.
    pub(super) branch: usize,
    /// Which op does it, counted through all stages; one op may do several things.
    pub(super) op: usize,
    /// The op.
    pub(super) span: Span,
}

/// What is done to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// It becomes a file.
    File,
    /// It becomes a link.
    Symlink,
    /// It becomes a directory with this mode and owner.
    Directory(Option<Mode>, Option<Owner>),
    /// It becomes a copy, of what is not known.
    Copy,
    /// It is a directory into which something is copied.
    Fill,
    /// It is removed.
    Remove,
}

impl Claim {
    /// What is done, as a verb with its path.
    pub(super) fn describe(&self) -> String {
        let does = match self.act {
            Act::File => "makes the file",
            Act::Symlink => "makes the symlink",
            Act::Directory(..) => "makes the directory",
            Act::Copy => "lands a copy at",
            Act::Fill => "copies into the directory",
            Act::Remove => "removes",
        };
        format!("{does} `{}`", self.path())
    }

    /// The path.
    pub(super) fn path(&self) -> String {
        format!("/{}", self.parts.join("/"))
    }

    /// Whether another claim, on this path or on one below it, cannot hold together with this one.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        if self.branch == other.branch {
            return false;
        }
        let on_one_path = self.parts.len() == other.parts.len();
        match (&self.act, &other.act) {
            (Act::Directory(..), Act::Directory(..)) => on_one_path && self.act != other.act,
            (Act::Remove, Act::Remove) => !on_one_path,
            (Act::Fill, Act::Fill | Act::Directory(..) | Act::Copy)
            | (Act::Directory(..) | Act::Copy, Act::Fill) => false,
            // What is below a copied path may or may not be part of the copy.
            (Act::Copy | Act::Fill | Act::Directory(..), _) => on_one_path,
            (Act::File | Act::Symlink | Act::Remove, _) => true,
        }
    }
}

/// Adds what `op` visibly does.
pub(super) fn claims_of(op: &Op, branch: usize, claims: &mut Vec<Claim>) {
    let number = claims.len();
    let mut claim = |path: &Spanned<Template>, name: Option<&str>, act: Act| {
        // A path that leans on something unknown can be anywhere.
        if let Some(path) = literal(path) {
            let parts = parts(&path).chain(name).map(str::to_owned).collect();
            claims.push(Claim { parts, act, branch, op: number, span: op.span });
        }
    };
    match &op.kind {
        OpKind::File(file) => claim(&file.path, None, Act::File),
        OpKind::Symlink(link) => claim(&link.path, None, Act::Symlink),
        OpKind::Mkdir(made) => {
            let owner = made.owner.as_ref().map(|owner| owner.value.clone());
            claim(&made.path, None, Act::Directory(made.mode.map(|mode| mode.value), owner));
        }
        OpKind::Remove(remove) => claim(&remove.path, None, Act::Remove),
        OpKind::Copy(copy) => match &copy.form {
            _ if copy.replace => claim(copy.form.destination(), None, Act::Remove),
            CopyForm::To { destination, .. } => claim(destination, None, Act::Copy),
            CopyForm::Contents { destination, .. } => claim(destination, None, Act::Fill),
            CopyForm::Into { sources, directory } => {
                claim(directory, None, Act::Fill);
                for source in sources.iter().filter_map(literal).filter(|source| !is_wildcard(source)) {
                    if let Some(name) = parts(&source).last() {
                        claim(directory, Some(name), Act::Copy);
                    }
                }
            }
        },
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => {}
    }
}
