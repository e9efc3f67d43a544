//! `copy`, in the flags of BuildKit's copy action.
//!
//! The action looks at the daemon's disk: what it does depends on what stands at the source and
//! at the destination. [`cogpack_backends_contract::copy`] says what must come of it; this is how:
//!
//! | in the plan | `src` → `dest` | flags beside `createDestPath` |
//! |---|---|---|
//! | `copy A to B` | `A` → `B` | `dirCopyContents`; a directory's content merges, a missing B is made 0755 |
//! | `copy contents A to D` | `A` → `D/` | `dirCopyContents`, `followSymlink` |
//! | `copy A into D` | `A` → `D/name` | as `to` |
//! | `copy A* into D` | `A*` → `D/` | `allowWildcard`; a directory lands as itself |
//! | `follow`, and a source that is known to be no link | | `followSymlink`; links below a directory are never followed |
//! | `replace` | | an `rm` of the destination first, in the same layer where the daemon removes links; none where nothing can be there |
//! | `optional` | `/path/[n]ame` | `allowWildcard`, `allowEmptyWildcard`: the action knows no other way to forgive a missing source. It does not forgive a missing directory above it, so that one is made first, in a vertex on top of the source |
//! | `optional` with `into` | | an `mkdir` of D first, as D is made in any case |
//! | `owner` | | `owner`; an `mkdir` of the directories above first, which the action would chown too. With `optional` they must not be made in vain: then a copy as root's into that directory, and an `rm` of it, come first |
//! | no `owner` | | `owner` 0:0 where the source is an image or a stage, as the action keeps the original's; none for contexts, whose files are root's |
//! | `mode` | by way of a vertex | `mode`, on a copy into an empty filesystem; from there as without. Newer daemons would give the mode to a missing destination and to the directories above it too |
//! | `mode` with wildcards | | `mode`; an `mkdir` of D first, for the same reason |
//! | `mode` where it would leave setuid, setgid or sticky | by way of [`modes`] | none |
//! | `include`, `exclude` | | `includePatterns`, `excludePatterns`; without these, what they leave of a directory [is not sent](filtered) |
//!
//! Where a source holds no wildcard, `allowWildcard` and `allowEmptyWildcard` change nothing and
//! are set all the same: so does the Dockerfile front end, and equal flags share a cache.
//!
//! Not seen by the action, whatever its flags: that a file is to land on a directory (it goes
//! inside), and that `contents` are asked of a file (it is copied). [`probes`] make
//! the daemon look. Refused, because it would go wrong unseen: sources of `into` that carry the same
//! name from different directories, and those that may where [nobody has looked](crate::known).

mod common;
mod filtered;
mod modes;
mod picked;
mod probes;
mod reach;

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_backends_contract::paths::{PatternPair, Selection};
use cogpack_ir::plan::{Copy as PlanCopy, CopyForm, Input, Span, Spanned, Template};
use cogpack_ir::resolve::Step;

pub(super) use self::modes::SpecialModes;

use self::common::Common;
use self::picked::{Found, Picked, Wildcards};
use super::files::{DIRECTORY, at_the_root};
use super::sources::bad_pattern;
use super::stage::{Chain, Site};
use super::wildcards::{self, Pattern, forgiving, refuse_collisions};
use super::{Input as SourceInput, Lowering, gap, paths, unverified};
use crate::capability::Capability;
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, Edit, Owner};

impl<'a> Lowering<'a> {
    /// Adds the edits of a copy.
    pub(super) fn copy(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        copy: &'a PlanCopy,
        step: &Step<'a>,
    ) -> Result<(), Unsupported> {
        let span = step.op.span;
        let destination = paths::path(copy.form.destination())?;
        let rules = Selection::new(&copy.rules).map_err(|error| bad_pattern(&error, span))?;
        let patterns = rules.to_pattern_pair();
        let knows_patterns =
            copy.rules.is_empty() || self.settings.limits.allow(Capability::FileCopyPatterns);
        let filtered = match knows_patterns {
            true => None,
            false => self.filtered(copy, &rules, chain.is_free(&destination))?,
        };
        let (source, patterns) = match filtered {
            Some(root) => {
                (SourceInput { root: Some(root), ..SourceInput::default() }, PatternPair::default())
            }
            None => (self.source(&copy.from.value, copy.from.span)?, patterns),
        };
        if copy.replace {
            if destination == "/" {
                return Err(at_the_root(copy.form.destination()));
            }
            if !chain.is_free(&destination) {
                self.take_away(site, chain, destination.clone(), true, step)?;
            }
        }
        let owner = match &copy.owner {
            Some(owner) => Some(self.owner(chain, owner)?),
            None => source.may_be_owned.then_some(Owner::ROOT),
        };
        let name = match &copy.from.value {
            Input::Context(name) => Some(name),
            Input::Scratch | Input::Image(_) | Input::Stage(_) | Input::Phase(_) => None,
        };
        let plan = self.plan.plan();
        let context = name.and_then(|name| Some((name, &plan.contexts.get(name)?.kind)));
        let common = Common {
            source: source.root,
            owner,
            mode: copy.mode.as_ref().map(|mode| mode.value.bits()),
            follow: copy.follow || matches!(copy.form, CopyForm::Contents { .. }),
            optional: copy.optional,
            patterns,
            span,
            from: &copy.from.value,
            context,
            known: &self.settings.known,
            lands_apart: self.settings.known.landing(copy),
            contents: matches!(copy.form, CopyForm::Contents { .. }),
            replaces: copy.replace,
            is_a_system: source.is_a_system,
        };
        if common.gives_away() && !common.may_leave_nothing(&copy.form) {
            chain.file.make_above(&destination);
        }
        match &copy.form {
            CopyForm::To { source, .. } => self.copy_one(site, chain, &common, source, destination),
            CopyForm::Contents { directory, .. } => {
                let landing = paths::with_slash(&destination).into_owned();
                self.copy_one(site, chain, &common, directory, landing.into())
            }
            CopyForm::Into { sources, .. } => self.copy_into(site, chain, &common, sources, destination),
        }
    }

    fn copy_into(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        sources: &'a [Spanned<Template>],
        directory: Cow<'a, str>,
    ) -> Result<(), Unsupported> {
        if let Err(may_collide) = refuse_collisions(sources) {
            match common.lands_apart {
                Some(Ok(())) => {}
                Some(Err(problem)) => return Err(Unsupported { what: problem.clone(), ..may_collide }),
                None => return Err(may_collide),
            }
        }
        if common.optional || common.source.is_none() || common.mode.is_some() {
            chain.file.edits.push(Edit {
                action: Action::Mkdir { path: directory.clone(), mode: DIRECTORY },
                owner: common.owner.clone(),
            });
        }
        for named in sources {
            let source = paths::path(named)?;
            if has_wildcard(&source) {
                self.copy_matches(site, chain, common, &source, named.span, &directory)?;
            } else {
                let Some((_, name)) = paths::split(&source) else {
                    let what = format!("`{}` has no name to land under", named.as_written());
                    return Err(unverified(&what, named.span));
                };
                let landing = format!("{}{name}", paths::with_slash(&directory));
                self.copy_one(site, chain, common, named, landing.into())?;
            }
        }
        Ok(())
    }

    /// A source without wildcards, whatever it is, to where it lands.
    fn copy_one(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        named: &'a Spanned<Template>,
        landing: Cow<'a, str>,
    ) -> Result<(), Unsupported> {
        let path = paths::path(named)?;
        let Some(mut source) = common.source else {
            // The empty filesystem has a root and nothing in it.
            if path == "/" {
                let path = paths::clean(Cow::Owned(landing.into_owned()));
                let action = Action::Mkdir { path, mode: DIRECTORY };
                chain.file.edits.push(Edit { action, owner: common.owner.clone() });
            } else if !common.optional {
                return Err(nothing_there(common, &path, named.span));
            }
            return Ok(());
        };
        source = self.looked_at(site, chain, common, source, &path, &landing)?;
        let mut picked = match paths::split(&path) {
            Some((above, name)) if common.optional => {
                let from = self.with_directory(site, source, above, common.span)?;
                let include = (!has_wildcard(name) && !name.starts_with('!')).then(|| name.to_owned());
                let pattern = forgiving("/", name);
                let is_reached = common.kind(&path).is_some();
                let found = Found { from, directory: above, pattern: &pattern, include };
                self.picked(site, common, found, is_reached)?
            }
            Some((_, name)) if common.is_cached_wrongly(&path) => {
                let (from, path) = self.gathered(site, source, &common.asked(&path, name), common.span)?;
                Picked::literal(from, path.into())
            }
            Some(_) | None => Picked::literal(source, path.clone()),
        };
        let mut copy = common.action(&picked, landing, true);
        if let Some(mode) = copy.mode.take() {
            picked = self.with_mode(site, chain, common, &picked, &path, mode)?;
            copy = picked.wildcards.of(Copy { source: picked.path.clone(), ..copy });
        }
        let is_a_way_to_make = picked.wildcards == Wildcards::MayBeEmpty && common.optional && path != "/";
        if common.gives_away() && is_a_way_to_make {
            chain.make_way(&picked, &copy);
        }
        chain.copy(picked.from, copy, common.owner.clone());
        Ok(())
    }

    /// All that a wildcard matches, each under its own name.
    fn copy_matches(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        pattern: &str,
        span: Span,
        directory: &str,
    ) -> Result<(), Unsupported> {
        let Some(mut source) = common.source else {
            return if common.optional { Ok(()) } else { Err(nothing_there(common, pattern, span)) };
        };
        let Pattern { path, fixed } =
            wildcards::pattern(&Glob::new(pattern).map_err(|error| bad_pattern(&error, span))?);
        let mut wildcards = Wildcards::Some;
        if common.optional {
            source = self.with_directory(site, source, &fixed, common.span)?;
            wildcards = Wildcards::MayBeEmpty;
        }
        let rest = &path[fixed.len()..];
        let include = (!rest.contains(['[', '\\', '!'])).then(|| rest[1..].to_owned());
        let found = Found { from: source, directory: &fixed, pattern: rest, include };
        let mut picked = Picked { wildcards, ..self.picked(site, common, found, false)? };
        let landing = paths::with_slash(directory).into_owned();
        let mut copy = common.action(&picked, landing.into(), false);
        if copy.mode.is_some_and(|mode| mode <= 0o777) && self.leaves_special_modes(common.from) {
            let system = common.is_a_system.then_some(source);
            let system = self.system_for_modes(site, chain, system, span)?;
            let gathered = Copy {
                destination: "/".into(),
                includes: Cow::Borrowed(&[]),
                excludes: Cow::Borrowed(&[]),
                ..copy.clone()
            };
            let (from, above) = self.with_exact_mode(site, system, picked.from, gathered, span)?;
            picked = Picked { from, path: format!("{above}/*").into(), wildcards };
            copy = Copy { source: picked.path.clone(), mode: None, ..copy };
        }
        chain.copy(picked.from, copy, common.owner.clone());
        Ok(())
    }
}

impl<'a> Chain<'a> {
    fn copy(&mut self, from: VertexId, copy: Copy<'a>, owner: Option<Owner>) {
        let from = self.file.input(from);
        self.file.edits.push(Edit { action: Action::Copy(Copy { from, ..copy }), owner });
    }

    /// Makes the directories above a copy's destination, as root's, where there is something to
    /// copy: by a copy as root's next to the destination, which is removed again.
    fn make_way(&mut self, picked: &Picked<'a>, copy: &Copy<'a>) {
        let destination = paths::clean(copy.destination.clone());
        let Some((above, _)) = paths::split(&destination).filter(|(above, _)| *above != "/") else { return };
        let probe: Cow<'a, str> = format!("{above}/.cogpack-way").into();
        let shallow = Copy {
            destination: probe.clone(),
            contents: false,
            includes: Cow::Borrowed(&[]),
            excludes: vec!["**".to_owned()].into(),
            ..copy.clone()
        };
        self.copy(picked.from, shallow, None);
        self.file.push(Action::Remove { path: probe, optional: true, may_be_link: true });
    }
}

fn nothing_there(common: &Common<'_>, path: &str, span: Span) -> Unsupported {
    gap(
        "cpk::unsupported::empty-source",
        format!("a copy of `{path}` from `{}`, which is empty", common.from),
        span,
        "copy from where the files are, or say `optional`",
    )
}
