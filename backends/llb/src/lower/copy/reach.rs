//! Wildcards in directories that a link may lead to.
//!
//! A plan's paths lead through links up to their first wildcard. A daemon's wildcards do only with
//! `followSymlink`, which follows what they match as well. And even where a copy follows, a daemon
//! may take the key under which it is cached from what is found without, so that a changed file
//! is not noticed: older ones for wildcards, newer ones for patterns.
//!
//! So what is asked for is first copied to a directory that no link leads to, beside the source
//! itself, where it is cached by all of that: what is matched, if links are followed; otherwise the
//! directory's content, of it only what may match where copies know patterns. The same is done
//! for what a followed path takes by `include`. Where a path is known to be reached by no link,
//! none of this is needed.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_ir::plan::Span;

use crate::capability::Capability;
use crate::lower::files::DIRECTORY;
use crate::lower::stage::Site;
use crate::lower::{Lowering, wildcards};
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
    /// A filesystem with what `wanted` takes of `source`, and where it lies there.
    pub(super) fn gathered(
        &mut self,
        site: &mut Site<'_>,
        source: VertexId,
        wanted: &Copy<'_>,
        span: Span,
    ) -> Result<(VertexId, String), Unsupported> {
        let mut found = File::on(Some(source));
        let from = found.input(source);
        found.push(Action::Mkdir { path: FOUND.into(), mode: DIRECTORY });
        let destination = format!("{FOUND}{}", wanted.destination);
        found.push(Action::Copy(Copy { from, destination: destination.clone().into(), ..wanted.clone() }));
        let label = self.helper_label(site, &format!("look into {}", wanted.source), span);
        Ok((self.add(&Op::File(found), label, span)?, destination))
    }

    /// A filesystem, and a pattern that matches in it what `wanted` matches.
    pub(super) fn reached(
        &mut self,
        site: &mut Site<'_>,
        wanted: &Match<'_>,
        span: Span,
    ) -> Result<(VertexId, String), Unsupported> {
        let Match { source, directory, pattern, may_be_empty, follow, .. } = *wanted;
        let label = self.helper_label(site, &format!("look into {directory}"), span);
        // Made on what it reads, so that it is cached by all of that.
        let mut found = File::on(Some(source));
        let from = found.input(source);
        found.push(Action::Mkdir { path: FOUND.into(), mode: DIRECTORY });
        let includes = match &wanted.include {
            Some(include) if self.settings.limits.allow(Capability::FileCopyPatterns) => {
                vec![include.clone()]
            }
            Some(_) | None => Vec::new(),
        };
        let destination = format!("{FOUND}/").into();
        found.push(Action::Copy(match follow {
            true => Copy {
                follow,
                wildcard: true,
                may_be_empty,
                ..Copy::plain(from, format!("{}{pattern}", wildcards::escaped(directory)).into(), destination)
            },
            false => Copy {
                follow: true,
                contents: true,
                includes: Cow::Owned(includes),
                ..Copy::plain(from, directory.to_owned().into(), destination)
            },
        }));
        let pattern = if follow { "/*" } else { pattern };
        Ok((self.add(&Op::File(found), label, span)?, format!("{FOUND}{pattern}")))
    }
}
