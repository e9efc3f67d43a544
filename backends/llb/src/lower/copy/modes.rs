//! A copy's mode: all that what is copied has afterwards.
//!
//! A source gets it in a filesystem of its own and is copied on from there. Some daemons leave
//! setuid, setgid and sticky as they are in the source. No file action of theirs takes these away,
//! so it matters whether a source can have them. What a plan makes out of contexts without such
//! files has none; where a program or an image had its hands in it, `chmod` of an image takes them
//! away from a copy before it is copied on. Without an image the copy is refused.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_ir::plan::{ContextKind, Input, OpKind, Span};
use cogpack_ir::resolve::{Resolved, StageId};

use super::common::Common;
use super::picked::{Picked, Wildcards};
use crate::Llb;
use crate::lower::stage::{Chain, Site};
use crate::lower::wildcards::forgiving;
use crate::lower::{Lowering, gap, paths};
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, File, Op};

/// Where a copy lies while its modes are set.
const WORKSHOP: &str = "/.cogpack-modes";

/// Which inputs may hold files with setuid, setgid or sticky.
#[derive(Debug, Default)]
pub(in crate::lower) struct SpecialModes {
    /// By place of the stage in the plan; empty where it does not matter.
    stages: Vec<bool>,
}

impl SpecialModes {
    /// Looks through the stages that the export needs.
    pub(in crate::lower) fn of(plan: &Resolved, settings: &Llb) -> Self {
        if settings.limits.set_modes_exactly() {
            return Self::default();
        }
        let mut modes = Self { stages: vec![false; plan.plan().stages.len()] };
        for &id in plan.order() {
            let from = plan.stage(id).from.as_ref();
            let starts_with = from.is_some_and(|from| modes.may_be_in(plan, settings, &from.value));
            let special = starts_with
                || plan.steps(id).iter().any(|step| match &step.op.kind {
                    OpKind::Run { .. } | OpKind::Exec { .. } => true,
                    OpKind::Copy(copy) => match &copy.mode {
                        Some(mode) => is_special(mode.value.bits()),
                        None => modes.may_be_in(plan, settings, &copy.from.value),
                    },
                    OpKind::File(file) => {
                        file.mode.as_ref().is_some_and(|mode| is_special(mode.value.bits()))
                    }
                    OpKind::Mkdir(made) => {
                        made.mode.as_ref().is_some_and(|mode| is_special(mode.value.bits()))
                    }
                    OpKind::Symlink(_)
                    | OpKind::Remove(_)
                    | OpKind::Env(_)
                    | OpKind::Workdir(_)
                    | OpKind::User(_)
                    | OpKind::Shell(_)
                    | OpKind::Layer(_)
                    | OpKind::By(_) => false,
                });
            modes.stages[id.index()] = special;
        }
        modes
    }

    /// Whether an input may hold such files, where that matters.
    fn may_be_in(&self, plan: &Resolved, settings: &Llb, input: &Input) -> bool {
        let of_stage = |id: StageId| self.stages.get(id.index()).copied().unwrap_or(false);
        match input {
            Input::Scratch => false,
            Input::Image(_) => true,
            Input::Stage(name) => of_stage(plan.id(name)),
            Input::Phase(name) => {
                let merge = plan.merge(name);
                let base = match &merge.base {
                    Input::Stage(name) => of_stage(plan.id(name)),
                    Input::Scratch => false,
                    Input::Image(_) | Input::Phase(_) | Input::Context(_) => true,
                };
                base || merge.branches.iter().any(|branch| of_stage(*branch))
            }
            Input::Context(name) => match plan.plan().contexts.get(name).map(|context| &context.kind) {
                Some(ContextKind::Directory(_) | ContextKind::Wheels(_) | ContextKind::Debs(_)) => {
                    !settings.known.plain.contains(name)
                }
                // The backend gives their files no such modes, and git knows none.
                Some(ContextKind::Files(_) | ContextKind::Http(_) | ContextKind::Git(_)) | None => false,
                Some(ContextKind::Oci(_)) => true,
            },
        }
    }
}

fn is_special(mode: u32) -> bool {
    mode > 0o777
}

impl<'a> Lowering<'a> {
    /// Whether the daemon would leave setuid, setgid or sticky on copies from an input.
    pub(super) fn leaves_special_modes(&self, input: &Input) -> bool {
        !self.settings.limits.set_modes_exactly()
            && self.special_modes.may_be_in(self.plan, self.settings, input)
    }

    /// A source in a filesystem of its own, with the copy's mode.
    pub(super) fn with_mode(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        picked: &Picked<'a>,
        path: &str,
        mode: u32,
    ) -> Result<Picked<'a>, Unsupported> {
        let name = paths::split(path).map_or("root", |(_, name)| name);
        let mut beside = Chain::beside();
        let copy = Copy {
            mode: Some(mode),
            includes: Cow::Borrowed(&[]),
            excludes: Cow::Borrowed(&[]),
            ..common.action(picked, format!("/{name}").into(), false)
        };
        let (from, above) = if mode <= 0o777 && self.leaves_special_modes(common.from) {
            let system = common.is_a_system.then_some(picked.from);
            let system = self.system_for_modes(site, chain, system, common.span)?;
            self.with_exact_mode(site, system, picked.from, copy, common.span)?
        } else {
            beside.copy(picked.from, copy, None);
            let label = self.helper_label(site, &format!("set mode of {path}"), common.span);
            (self.add(&Op::File(beside.file), label, common.span)?, "/")
        };
        Ok(match picked.wildcards == Wildcards::MayBeEmpty && common.optional && path != "/" {
            true => Picked { from, path: forgiving(above, name).into(), wildcards: Wildcards::MayBeEmpty },
            false => Picked::literal(from, format!("{}{name}", paths::with_slash(above)).into()),
        })
    }

    /// The directory of a filesystem that `copy`, which reads `from`, is made into, so that its mode
    /// is all that its files have: by `chmod` of `system`.
    pub(super) fn with_exact_mode(
        &mut self,
        site: &mut Site<'_>,
        system: VertexId,
        from: VertexId,
        copy: Copy<'a>,
        span: Span,
    ) -> Result<(VertexId, &'static str), Unsupported> {
        let mut copied = File::on(Some(system));
        copied.push(Action::Mkdir { path: WORKSHOP.into(), mode: 0o700 });
        let from = copied.input(from);
        let destination = format!("{WORKSHOP}{}", copy.destination).into();
        copied.push(Action::Copy(Copy { from, destination, ..copy }));
        let label = self.helper_label(site, "copy to set modes", span);
        let copied = self.add(&Op::File(copied), label, span)?;
        let arguments = ["chmod", "-R", "a-st", WORKSHOP].map(Into::into).to_vec();
        let label = self.helper_label(site, "take setuid, setgid and sticky away", span);
        let set = self.run_program(copied, arguments, label, span)?;
        Ok((set, WORKSHOP))
    }

    /// A filesystem with programs, to set modes with: where the source is, or where it goes.
    pub(super) fn system_for_modes(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        source: Option<VertexId>,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        let system = match source {
            Some(source) => Some(source),
            // An independent layer is made on nothing; what it is laid over has programs.
            None if site.is_a_system && chain.base().is_none() => site.below,
            None if site.is_a_system => self.before(site, chain, span)?,
            None => None,
        };
        system.ok_or_else(|| {
            gap(
                "cpk::unsupported::mode-bits",
                "`mode` for what may have setuid, setgid or sticky, which this daemon leaves as they are",
                span,
                "leave out `mode`, or start from an image that has `chmod`, which then sets it; \
                 or build on a newer daemon, Docker 26 for instance",
            )
        })
    }
}
