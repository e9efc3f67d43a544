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
//! | `replace` | | an `rm` of the destination first, in the same layer where the daemon removes links |
//! | `optional` | `/path/[n]ame` | `allowWildcard`, `allowEmptyWildcard`: the action knows no other way to forgive a missing source. It does not forgive a missing directory above it, so that one is made first, in a vertex on top of the source |
//! | `optional` with `into` | | an `mkdir` of D first, as D is made in any case |
//! | `owner` | | `owner`; an `mkdir` of the directories above first, which the action would chown too. With `optional` they must not be made in vain: then a copy as root's into that directory, and an `rm` of it, come first |
//! | no `owner` | | `owner` 0:0 where the source is an image or a stage, as the action keeps the original's; none for contexts, whose files are root's |
//! | `mode` | by way of a vertex | `mode`, on a copy into an empty filesystem; from there as without. Newer daemons would give the mode to a missing destination and to the directories above it too |
//! | `mode` with wildcards | | `mode`; an `mkdir` of D first, for the same reason |
//! | `mode` where it would leave setuid, setgid or sticky | by way of [`modes`](super::modes) | none |
//! | `include`, `exclude` | | `includePatterns`, `excludePatterns`; without these, what they leave of a directory [is not sent](super::filtered) |
//!
//! Where a source holds no wildcard, `allowWildcard` and `allowEmptyWildcard` change nothing and
//! are set all the same: so does the Dockerfile front end, and equal flags share a cache.
//!
//! Not seen by the action, whatever its flags: that a file is to land on a directory (it goes
//! inside), and that `contents` are asked of a file (it is copied). [`probes`](super::probes) make
//! the daemon look. Refused, because it would go wrong unseen: sources of `into` that may carry
//! the same name from different directories.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_backends_contract::paths::{PatternPair, Selection};
use cogpack_ir::plan::{ContextKind, Copy as PlanCopy, CopyForm, Input, InputName, Span, Spanned, Template};
use cogpack_ir::resolve::Step;

use super::files::{DIRECTORY, at_the_root};
use super::probes::Landing;
use super::reach::Match;
use super::sources::bad_pattern;
use super::stage::{Chain, Site};
use super::wildcards::{self, Pattern, forgiving, refuse_collisions};
use super::{Input as SourceInput, Lowering, Root, gap, paths, unverified};
use crate::capability::Capability;
use crate::known::{Kind, Known};
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, Edit, File, Op, Owner};

/// What all sources of one copy have in common.
struct Common<'a> {
    source: Root,
    owner: Option<Owner>,
    mode: Option<u32>,
    follow: bool,
    optional: bool,
    patterns: PatternPair,
    span: Span,
    from: &'a Input,
    /// The context that it is, and what is known of directories.
    context: Option<(&'a InputName, &'a ContextKind)>,
    known: &'a Known,
    /// Whether a directory's content is asked for.
    contents: bool,
    /// Whether what was at the destination is gone.
    replaces: bool,
    /// Whether the source has the programs that every system has.
    is_a_system: bool,
}

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
        let owner = match &copy.owner {
            Some(owner) => Some(chain.owner(owner)?),
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
            contents: matches!(copy.form, CopyForm::Contents { .. }),
            replaces: copy.replace,
            is_a_system: source.is_a_system,
        };
        if copy.replace {
            if destination == "/" {
                return Err(at_the_root(copy.form.destination()));
            }
            self.take_away(site, chain, destination.clone(), true, step)?;
        }
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
        refuse_collisions(sources)?;
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

    /// What to copy a source from so that the daemon fails where a plan that is built elsewhere
    /// would: see [`probes`](super::probes).
    fn looked_at(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        common: &Common<'a>,
        source: VertexId,
        path: &str,
        landing: &str,
    ) -> Result<VertexId, Unsupported> {
        let kind = common.kind(path);
        let at = paths::clean(landing.into());
        let needs_no_look =
            kind == Some(Kind::Directory) || !common.contents && (common.replaces || chain.is_free(&at));
        if needs_no_look {
            return Ok(source);
        }
        if common.contents && !common.optional {
            return self.if_directory(site, source, path, common.span);
        }
        let looked = if common.contents {
            self.if_no_file(site, source, path, common.span)?
        } else {
            let landing = Landing { source, path, is_followed: common.follow, at: &at };
            self.if_it_can_land(site, chain, &landing, common.span)?
        };
        if kind == Some(Kind::File) && !common.contents {
            return Ok(looked);
        }
        chain.wait_for(looked);
        Ok(source)
    }

    /// A source in a filesystem of its own, with the copy's mode.
    fn with_mode(
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
            let (from, above) = self.with_exact_mode(site, system, source, gathered, span)?;
            picked = Picked { from, path: format!("{above}/*").into(), wildcards };
            copy = Copy { source: picked.path.clone(), mode: None, ..copy };
        }
        chain.copy(picked.from, copy, common.owner.clone());
        Ok(())
    }

    /// What a pattern matches in a directory, which may be reached by a link.
    fn picked(
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
    fn with_directory(
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

/// What wildcards a source holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wildcards {
    /// None, and what looks like one is none.
    None,
    /// One, which must match.
    Some,
    /// One that may match nothing; or none, where the flags change nothing.
    MayBeEmpty,
}

/// A pattern in a directory of a filesystem, and the same as an include pattern.
struct Found<'f> {
    from: VertexId,
    directory: &'f str,
    pattern: &'f str,
    include: Option<String>,
}

/// A source as the copy action names it.
struct Picked<'a> {
    from: VertexId,
    path: Cow<'a, str>,
    wildcards: Wildcards,
}

impl<'a> Picked<'a> {
    /// A path that stands for itself.
    fn literal(from: VertexId, path: Cow<'a, str>) -> Self {
        let wildcards = match path.contains(['*', '?', '[']) {
            true => Wildcards::None,
            false => Wildcards::MayBeEmpty,
        };
        Self { from, path, wildcards }
    }
}

impl Wildcards {
    /// The same copy with the flags of these.
    fn of(self, copy: Copy<'_>) -> Copy<'_> {
        Copy { wildcard: self != Self::None, may_be_empty: self == Self::MayBeEmpty, ..copy }
    }
}

impl<'a> Common<'a> {
    /// What stands at a path, where that is known and no link.
    fn kind(&self, path: &str) -> Option<Kind> {
        if path == "/" {
            return Some(Kind::Directory);
        }
        let (name, context) = self.context?;
        match context {
            ContextKind::Directory(_) => self.known.kind(name, path),
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
            ContextKind::Http(_)
            | ContextKind::Git(_)
            | ContextKind::Oci(_)
            | ContextKind::Wheels(_)
            | ContextKind::Debs(_) => None,
        }
    }

    /// Whether a path is known to be no link: then following changes nothing, and a Dockerfile
    /// follows.
    fn is_no_link(&self, path: &str) -> bool {
        matches!(self.context, Some((_, ContextKind::Files(_)))) || self.kind(path).is_some()
    }

    /// Whether newer daemons may cache a copy by what its patterns find without following a link.
    fn is_cached_wrongly(&self, path: &str) -> bool {
        self.follow && !self.patterns.includes.is_empty() && !self.is_no_link(path)
    }

    /// What is taken of a path, to a name of its own.
    fn asked(&self, path: &str, name: &str) -> Copy<'a> {
        Copy {
            follow: self.follow,
            contents: true,
            includes: self.patterns.includes.clone().into(),
            excludes: self.patterns.excludes.clone().into(),
            ..Copy::plain(0, path.to_owned().into(), format!("/{name}").into())
        }
    }

    /// Whether what is copied becomes somebody else's than root's.
    fn gives_away(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| *owner != Owner::ROOT)
    }

    /// Whether the copy may leave no trace at all.
    fn may_leave_nothing(&self, form: &CopyForm) -> bool {
        self.optional && !matches!(form, CopyForm::Into { .. })
    }

    /// A copy whose source is still to be made an input; `contents`: of a directory its content.
    fn action(&self, picked: &Picked<'a>, destination: Cow<'a, str>, contents: bool) -> Copy<'a> {
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
