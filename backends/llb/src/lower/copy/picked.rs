//! Sources as the copy action names them: a path, or a pattern in a directory that no link leads to.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_ir::plan::Span;

use super::common::Common;
use super::reach::Match;
use crate::lower::files::DIRECTORY;
use crate::lower::stage::Site;
use crate::lower::{Lowering, wildcards};
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, File, Op};

/// What wildcards a source holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    /// None, and what looks like one is none.
    None,
    /// One, which must match.
    Some,
    /// One that may match nothing; or none, where the flags change nothing.
    MayBeEmpty,
}

/// A pattern in a directory of a filesystem, and the same as an include pattern.
pub(super) struct Found<'f> {
    pub(super) from: VertexId,
    pub(super) directory: &'f str,
    pub(super) pattern: &'f str,
    pub(super) include: Option<String>,
}

/// A source as the copy action names it.
pub(super) struct Picked<'a> {
    pub(super) from: VertexId,
    pub(super) path: Cow<'a, str>,
    pub(super) wildcards: Wildcards,
}

impl<'a> Picked<'a> {
    /// A path that stands for itself.
    pub(super) fn literal(from: VertexId, path: Cow<'a, str>) -> Self {
        let wildcards = match path.contains(['*', '?', '[']) {
            true => Wildcards::None,
            false => Wildcards::MayBeEmpty,
        };
        Self { from, path, wildcards }
    }
}

impl Wildcards {
    /// The same copy with the flags of these.
    pub(super) fn of(self, copy: Copy<'_>) -> Copy<'_> {
        Copy { wildcard: self != Self::None, may_be_empty: self == Self::MayBeEmpty, ..copy }
    }
}

impl<'a> Lowering<'a> {
    /// What a pattern matches in a directory, which may be reached by a link.
    pub(super) fn picked(
        &mut self,
        site: &mut Site<'_>,
        common: &Common<'a>,
        found: Found<'_>,
        is_reached: bool,
    ) -> Result<Picked<'a>, Unsupported> {
        let Found { from, directory, pattern, include } = found;
        let above = directory.trim_end_matches('/');
        let wildcards = Wildcards::MayBeEmpty;
        let is_direct = is_reached || above.is_empty() || common.is_no_link(above);
        if is_direct && !common.is_cached_wrongly(&format!("{above}{pattern}")) {
            return Ok(Picked {
                from,
                path: format!("{}{pattern}", wildcards::escaped(above)).into(),
                wildcards,
            });
        }
        let wanted = Match {
            source: from,
            directory: above,
            pattern,
            include,
            may_be_empty: common.optional,
            follow: common.follow,
        };
        let (from, path) = self.reached(site, &wanted, common.span)?;
        Ok(Picked { from, path: path.into(), wildcards })
    }

    /// `source` with a directory in it, which is made where it is missing.
    pub(super) fn with_directory(
        &mut self,
        site: &mut Site<'_>,
        source: VertexId,
        directory: &str,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        if directory.len() <= 1 {
            return Ok(source);
        }
        let mut made = File::on(Some(source));
        made.push(Action::Mkdir { path: directory.into(), mode: DIRECTORY });
        let label = self.helper_label(site, &format!("look for {directory}"), span);
        self.add(&Op::File(made), label, span)
    }
}
