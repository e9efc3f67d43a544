//! What all sources of one copy have in common, and what is known of each before a daemon looks.

use std::borrow::Cow;

use cogpack_backends_contract::paths::PatternPair;
use cogpack_ir::plan::{ContextKind, CopyForm, Input, InputName, Span};

use super::picked::Picked;
use crate::known::{Kind, Known};
use crate::lower::{Root, paths};
use crate::wire::{Copy, Owner};

/// What all sources of one copy have in common.
pub(super) struct Common<'a> {
    pub(super) source: Root,
    pub(super) owner: Option<Owner>,
    pub(super) mode: Option<u32>,
    pub(super) follow: bool,
    pub(super) optional: bool,
    pub(super) patterns: PatternPair,
    pub(super) span: Span,
    pub(super) from: &'a Input,
    /// The context that it is, and what is known of directories.
    pub(super) context: Option<(&'a InputName, &'a ContextKind)>,
    pub(super) known: &'a Known,
    /// Whether two of the sources carry one name, where that is known.
    pub(super) lands_apart: Option<&'a Result<(), String>>,
    /// Whether a directory's content is asked for.
    pub(super) contents: bool,
    /// Whether what was at the destination is gone.
    pub(super) replaces: bool,
    /// Whether the source has the programs that every system has.
    pub(super) is_a_system: bool,
}

impl<'a> Common<'a> {
    /// What stands at a path, where that is known and no link.
    pub(super) fn kind(&self, path: &str) -> Option<Kind> {
        if path == "/" {
            return Some(Kind::Directory);
        }
        let (name, context) = self.context?;
        match context {
            ContextKind::Directory(_) | ContextKind::Wheels(_) | ContextKind::Debs(_) => {
                self.known.kind(name, path)
            }
            ContextKind::Files(files) => {
                let is_it = |file: &String| *paths::clean(file.as_str().into()) == *path;
                let is_below = |file: &String| {
                    paths::clean(file.as_str().into())
                        .strip_prefix(path)
                        .is_some_and(|it| it.starts_with('/'))
                };
                if files.keys().any(is_it) {
                    return Some(Kind::File);
                }
                files.keys().any(is_below).then_some(Kind::Directory)
            }
            ContextKind::Http(_) | ContextKind::Git(_) | ContextKind::Oci(_) => None,
        }
    }

    /// Whether a path is known to be no link: then following changes nothing, and a Dockerfile
    /// follows.
    pub(super) fn is_no_link(&self, path: &str) -> bool {
        matches!(self.context, Some((_, ContextKind::Files(_)))) || self.kind(path).is_some()
    }

    /// Whether newer daemons may cache a copy by what its patterns find without following a link.
    pub(super) fn is_cached_wrongly(&self, path: &str) -> bool {
        self.follow && !self.patterns.includes.is_empty() && !self.is_no_link(path)
    }

    /// What is taken of a path, to a name of its own.
    pub(super) fn asked(&self, path: &str, name: &str) -> Copy<'a> {
        Copy {
            follow: self.follow,
            contents: true,
            includes: self.patterns.includes.clone().into(),
            excludes: self.patterns.excludes.clone().into(),
            ..Copy::plain(0, path.to_owned().into(), format!("/{name}").into())
        }
    }

    /// Whether what is copied becomes somebody else's than root's.
    pub(super) fn gives_away(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| *owner != Owner::ROOT)
    }

    /// Whether the copy may leave no trace at all.
    pub(super) fn may_leave_nothing(&self, form: &CopyForm) -> bool {
        self.optional && !matches!(form, CopyForm::Into { .. })
    }

    /// A copy whose source is still to be made an input; `contents`: of a directory its content.
    pub(super) fn action(&self, picked: &Picked<'a>, destination: Cow<'a, str>, contents: bool) -> Copy<'a> {
        picked.wildcards.of(Copy {
            from: 0,
            follow: self.follow || self.is_no_link(&picked.path),
            source: picked.path.clone(),
            destination,
            mode: self.mode,
            contents,
            wildcard: false,
            may_be_empty: false,
            unpack: false,
            includes: self.patterns.includes.clone().into(),
            excludes: self.patterns.excludes.clone().into(),
        })
    }
}
