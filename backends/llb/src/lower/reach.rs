//! Wildcards in directories that a link may lead to.
//!
//! A plan's paths lead through links up to their first wildcard. A daemon's wildcards do only with
//! `followSymlink`, which follows what they match as well; and even then older daemons take the
//! key under which the copy is cached from what they find without. A path without wildcards is
//! right everywhere, so the directory is made one that no link leads to:
//!
//! | | helper | copied from there |
//! |---|---|---|
//! | links that are matched stay links | the directory's content, of it only what may match where copies know patterns, in a filesystem of its own | the rest of the pattern |
//! | `follow` | what is matched, beside the source itself: cached by all of it | all |
//!
//! Where a directory is known to be reached by no link, none of this is needed.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_ir::plan::Span;

use super::files::DIRECTORY;
use super::stage::Site;
use super::{Lowering, wildcards};
use crate::capability::Capability;
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, File, Op};

/// Where what was matched lies.
const FOUND: &str = "/.cogpack-found";

/// A pattern in a directory.
pub(super) struct Match<'m> {
    /// Where it is.
    pub(super) source: VertexId,
    /// The directories before the pattern.
    pub(super) directory: &'m str,
    /// The pattern below, with a `/` before it.
    pub(super) pattern: &'m str,
    /// The same as an include pattern of a copy, where it can be said.
    pub(super) include: Option<String>,
    /// Whether it may match nothing.
    pub(super) may_be_empty: bool,
    /// Whether links that it matches are followed.
    pub(super) follow: bool,
}

impl Lowering<'_> {
    /// A filesystem, and a pattern that matches in it what `wanted` matches.
    pub(super) fn reached(
        &mut self,
        site: &mut Site<'_>,
        wanted: &Match<'_>,
        span: Span,
    ) -> Result<(VertexId, String), Unsupported> {
        let Match { source, directory, pattern, may_be_empty, follow, .. } = *wanted;
        let label = self.helper_label(site, &format!("look into {directory}"), span);
        if follow {
            let mut found = File::on(Some(source));
            let from = found.input(source);
            found.push(Action::Mkdir { path: FOUND.into(), mode: DIRECTORY });
            let path = format!("{}{pattern}", wildcards::escaped(directory)).into();
            found.push(Action::Copy(Copy {
                follow,
                wildcard: true,
                may_be_empty,
                ..Copy::plain(from, path, format!("{FOUND}/").into())
            }));
            return Ok((self.add(&Op::File(found), label, span)?, format!("{FOUND}/*")));
        }
        let includes = match &wanted.include {
            Some(include) if self.settings.limits.allow(Capability::FileCopyPatterns) => {
                vec![include.clone()]
            }
            Some(_) | None => Vec::new(),
        };
        let mut content = File::on(None);
        let from = content.input(source);
        content.push(Action::Copy(Copy {
            follow: true,
            contents: true,
            includes: Cow::Owned(includes),
            ..Copy::plain(from, directory.to_owned().into(), "/".into())
        }));
        Ok((self.add(&Op::File(content), label, span)?, pattern.to_owned()))
    }
}
