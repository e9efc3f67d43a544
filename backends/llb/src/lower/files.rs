//! `file`, `mkdir`, `symlink`, `remove` and `workdir`.
//!
//! BuildKit's own actions are weaker than what a plan says: `mkfile` writes through links and
//! keeps the mode of a file that is there, `symlink` fails where something is, `mkdir` leaves a
//! directory that is there as it is. A copy of a directory's content does all of it right (what
//! is below the copied directory replaces files and links, takes mode and owner along, and fails
//! where a file meets a directory), so the thing is made in an empty filesystem, which any stage
//! can share, and copied from there:
//!
//! | in the plan | beside | on the stage |
//! |---|---|---|
//! | `file P` | `mkfile /name` | copy `/` → `above/` |
//! | `symlink T at P` | `symlink T /name` | copy `/` → `above/` |
//! | `mkdir P` | | `mkdir P` with the directories above |
//! | `mkdir P mode M owner O` | `mkdir /name` with M | copy `/` → `above/` with O |
//! | `mkdir P mode M`, `mkdir P owner O` | `mkdir P` on the stage, then P alone copied with M or O, so that what is not said stays | copy `/.cogpack-alone/in` → `above/` |
//! | `remove P` | | `rm P` |
//! | `workdir W` | | `mkdir W` with the directories above, as a Dockerfile's WORKDIR does |
//!
//! On the empty filesystem nothing can be in the way, and the plain actions do. A mode with
//! setuid, setgid or sticky is one that only a copy can give, so it is given there.
//!
//! On daemons that lack an action, something else does the same: a link, and a mode with setuid,
//! setgid or sticky, comes out of an [`archive`] that is unpacked beside; `rm`, `chmod` and
//! `chown` of the image are run where removing would follow a link, and where a copy cannot leave
//! out what is below a directory.
//!
//! Two plans that others build fail on the daemon: a `mkdir` with mode or owner where a link to a
//! directory is, and a `remove` (not `optional`) of a link that leads nowhere.

use std::borrow::Cow;

use cogpack_backends_contract::{Unsupported, accounts};
use cogpack_ir::plan::{
    MakeDirectory, MakeFile, MakeSymlink, Mode, Owner as PlanOwner, Remove, Span, Spanned, Template,
};
use cogpack_ir::resolve::Step;

use super::stage::{Chain, Site};
use super::{Lowering, archive, paths, unverified};
use crate::capability::{Capabilities, Capability};
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, Edit, File, Op, Owner, Principal};

/// Where the archive of a thing lies in a filesystem of its own.
const ARCHIVE: &str = "/thing.tar";

/// Where a directory is copied to by itself on what it was copied from. A daemon that is to tell what is in it
/// reads all beside it too, and in the directory above there is nothing else.
const ALONE: &str = "/.cogpack-alone/in";

/// What it takes to give a directory only a mode or only an owner.
fn partly(special: Option<u32>) -> Capabilities {
    let needs = Capabilities::default().with(Capability::FileCopyPatterns);
    if special.is_some() { needs.with(Capability::FileSymlink) } else { needs }
}

/// The mode of directories that nothing is said of.
pub(super) const DIRECTORY: u32 = 0o755;

/// One thing that a copy brings to its place.
pub(super) enum Thing<'a> {
    /// A file: its permission bits, its mode where it has bits above them, its bytes.
    File { mode: u32, special: Option<u32>, data: &'a [u8] },
    /// A directory, likewise.
    Directory { mode: u32, special: Option<u32> },
    /// A link: what it says.
    Link { target: Cow<'a, str> },
}

impl<'a> Thing<'a> {
    fn special(&self) -> Option<u32> {
        match self {
            Self::File { special, .. } | Self::Directory { special, .. } => *special,
            Self::Link { .. } => None,
        }
    }

    /// How a daemon makes it, bits above the permissions apart.
    fn made_at(&self, path: Cow<'a, str>) -> Action<'a> {
        match self {
            Self::File { mode, data, .. } => Action::Mkfile { path, mode: *mode, data: Cow::Borrowed(data) },
            Self::Directory { mode, .. } => Action::Mkdir { path, mode: *mode },
            Self::Link { target } => Action::Symlink { target: target.clone(), path },
        }
    }
}

/// What a copy gives to all that it brings in.
#[derive(Debug, Default)]
pub(super) struct Given {
    owner: Option<Owner>,
    mode: Option<u32>,
}

impl<'a> Lowering<'a> {
    /// `file`
    pub(super) fn file(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        file: &'a MakeFile,
        span: Span,
    ) -> Result<(), Unsupported> {
        let path = paths::path(&file.path)?;
        let (mode, special) = parts_of(file.mode.as_ref(), Mode::FILE);
        let owner = file.owner.as_ref().map(|owner| self.owner(chain, owner)).transpose()?;
        let thing = Thing::File { mode, special, data: &file.content.0 };
        self.put(site, chain, (&file.path, path), owner, &thing, span)
    }

    /// `symlink`
    pub(super) fn symlink(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        link: &'a MakeSymlink,
        span: Span,
    ) -> Result<(), Unsupported> {
        let path = paths::path(&link.path)?;
        let target = paths::literal(&link.target)?;
        self.put(site, chain, (&link.path, path), None, &Thing::Link { target }, span)
    }

    /// Makes one thing at a path (as it was written, and as it is), in the place of a file or
    /// link that is there.
    fn put(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        (written, path): (&Spanned<Template>, Cow<'a, str>),
        owner: Option<Owner>,
        thing: &Thing<'a>,
        span: Span,
    ) -> Result<(), Unsupported> {
        let Some((above, name)) = paths::split(&path) else { return Err(at_the_root(written)) };
        let can_be_plain = thing.special().is_none() && !self.takes_an_archive(thing);
        if chain.is_on_nothing() && can_be_plain {
            chain.file.make_above(&path);
            chain.file.edits.push(Edit { action: thing.made_at(path), owner });
            return Ok(());
        }
        let beside = self.beside(site, thing, name, span)?;
        let mode = if self.takes_an_archive(thing) { None } else { thing.special() };
        chain.file.lay_in(beside, above, Given { owner, mode });
        Ok(())
    }

    /// One thing in a filesystem of its own.
    fn beside(
        &mut self,
        site: &mut Site<'_>,
        thing: &Thing<'a>,
        name: &str,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        let label = self.helper_label(site, &format!("make {name}"), span);
        if !self.takes_an_archive(thing) {
            let mut beside = File::on(None);
            beside.push(thing.made_at(format!("/{name}").into()));
            return self.add(&Op::File(beside), label, span);
        }
        let mut packed = File::on(None);
        let data = archive::of(name, thing).into();
        packed.push(Action::Mkfile { path: ARCHIVE.into(), mode: Mode::FILE.bits(), data });
        let packed = self.add(&Op::File(packed), label.clone(), span)?;
        let mut beside = File::on(None);
        let from = beside.input(packed);
        beside.push(Action::Copy(Copy { unpack: true, ..Copy::plain(from, ARCHIVE.into(), "/".into()) }));
        self.add(&Op::File(beside), label, span)
    }

    /// Whether the daemon makes a thing only out of an archive.
    fn takes_an_archive(&self, thing: &Thing<'_>) -> bool {
        let makes_links = self.settings.limits.allow(Capability::FileSymlink);
        !makes_links && (thing.special().is_some() || matches!(thing, Thing::Link { .. }))
    }

    /// `mkdir`
    pub(super) fn mkdir(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        directory: &'a MakeDirectory,
        step: &Step<'a>,
    ) -> Result<(), Unsupported> {
        let span = step.op.span;
        let path = paths::path(&directory.path)?;
        let (mode, special) = parts_of(directory.mode.as_ref(), Mode::DIRECTORY);
        let owner = directory.owner.as_ref().map(|owner| self.owner(chain, owner)).transpose()?;
        if directory.mode.is_none() && owner.is_none() {
            chain.file.push(Action::Mkdir { path, mode: DIRECTORY });
            return Ok(());
        }
        let Some((above, name)) = paths::split(&path) else { return Err(at_the_root(&directory.path)) };
        if chain.is_on_nothing() && special.is_none() {
            chain.file.make_above(&path);
            chain.file.edits.push(Edit { action: Action::Mkdir { path, mode }, owner });
            return Ok(());
        }
        if let (Some(_), Some(owner)) = (&directory.mode, &owner) {
            let thing = Thing::Directory { mode, special };
            let beside = self.beside(site, &thing, name, span)?;
            let mode = if self.takes_an_archive(&thing) { None } else { special };
            chain.file.lay_in(beside, above, Given { owner: Some(owner.clone()), mode });
            return Ok(());
        }
        if self.settings.limits.lacking(partly(special)).is_some() && site.is_a_system {
            chain.file.push(Action::Mkdir { path: path.clone(), mode: DIRECTORY });
            chain.describe(step);
            let (program, argument) = match (&directory.owner, &directory.mode) {
                (Some(owner), _) => ("chown", owner_argument(&owner.value)),
                (None, mode) => {
                    ("chmod", mode.as_ref().map_or(Mode::DIRECTORY, |mode| mode.value).to_string())
                }
            };
            return self.run_as_root(site, chain, step, vec![program.into(), argument.into(), path]);
        }
        // What is not said is what the directory has, or gets as a new one.
        let before = self.before(site, chain, span)?;
        let mut there = File::on(before);
        there.push(Action::Mkdir { path: path.clone(), mode: DIRECTORY });
        let label = self.helper_label(site, &format!("look at {path}"), span);
        let there = self.add(&Op::File(there), label, span)?;
        // Made on what it is copied from, so that it is cached by all of that: where all below a directory is
        // left out, a daemon's key of the copy knows nothing of the directory, its mode and owner included.
        let mut beside = File::on(Some(there));
        let from = beside.input(there);
        beside.push(Action::Mkdir { path: ALONE.into(), mode: DIRECTORY });
        let owner = owner.map(|owner| owner.looked_up_in(|| from));
        let action = Action::Copy(Copy {
            mode: directory.mode.as_ref().map(|_| special.unwrap_or(mode)),
            // So that a link to a directory comes as one, and then fails on the link instead of
            // leaving both as they are.
            follow: true,
            excludes: vec!["**".to_owned()].into(),
            ..Copy::plain(from, path.clone(), Cow::Owned(format!("{ALONE}/{name}")))
        });
        beside.edits.push(Edit { action, owner });
        let label = self.helper_label(site, &format!("make {name}"), span);
        let beside = self.add(&Op::File(beside), label, span)?;
        self.tell_owners_apart(&mut chain.file, beside);
        chain.file.lay_in_from(beside, ALONE, above, Given::default());
        Ok(())
    }

    /// `remove`
    pub(super) fn remove(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        remove: &'a Remove,
        step: &Step<'a>,
    ) -> Result<(), Unsupported> {
        let path = paths::path(&remove.path)?;
        if path == "/" {
            return Err(at_the_root(&remove.path));
        }
        self.take_away(site, chain, path, remove.optional, step)
    }

    /// Removes a path with all below it; a link, and not what it points to.
    pub(super) fn take_away(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        path: Cow<'a, str>,
        optional: bool,
        step: &Step<'a>,
    ) -> Result<(), Unsupported> {
        if self.settings.limits.allow(Capability::FileRmNoFollow) || !site.is_a_system {
            chain.file.push(Action::Remove { path, optional, may_be_link: true });
            return Ok(());
        }
        // Daemons that follow a link remove what it points to, and are content with nothing.
        let flags = if optional { "-rf" } else { "-r" };
        self.run_as_root(site, chain, step, vec!["rm".into(), flags.into(), "--".into(), path])
    }

    /// `workdir`
    pub(super) fn workdir(
        &mut self,
        chain: &mut Chain<'a>,
        workdir: &'a Spanned<Template>,
    ) -> Result<(), Unsupported> {
        let path = paths::path(workdir)?;
        if path != "/" {
            chain.file.push(Action::Mkdir { path, mode: DIRECTORY });
        }
        Ok(())
    }
}

impl File<'_> {
    /// Makes the directories above `path`, as root's.
    pub(super) fn make_above(&mut self, path: &str) {
        if let Some((above, _)) = paths::split(path)
            && above != "/"
        {
            self.push(Action::Mkdir { path: above.to_owned().into(), mode: DIRECTORY });
        }
    }

    /// Copies all that is in `beside` into a directory.
    pub(super) fn lay_in(&mut self, beside: VertexId, directory: &str, given: Given) {
        self.lay_in_from(beside, "/", directory, given);
    }

    /// Copies all that is in a directory of `beside` into another one.
    fn lay_in_from(&mut self, beside: VertexId, source: &'static str, directory: &str, given: Given) {
        let Given { owner, mode } = given;
        // The copy makes what is missing of the directory, but gives it the owner and mode too.
        let gives = owner.as_ref().is_some_and(|owner| *owner != Owner::ROOT) || mode.is_some();
        if gives && directory != "/" {
            self.push(Action::Mkdir { path: directory.to_owned().into(), mode: DIRECTORY });
        }
        let from = self.input(beside);
        let landing = paths::with_slash(directory).into_owned();
        let action = Action::Copy(Copy {
            mode,
            follow: true,
            contents: true,
            wildcard: true,
            may_be_empty: true,
            ..Copy::plain(from, source.into(), landing.into())
        });
        self.edits.push(Edit { action, owner });
    }
}

impl Owner {
    /// The same owner, its names looked up elsewhere.
    fn looked_up_in(self, mut place: impl FnMut() -> usize) -> Self {
        let mut moved = |principal| match principal {
            Principal::Name(name, _) => Principal::Name(name, place()),
            Principal::Id(id) => Principal::Id(id),
        };
        Self { user: moved(self.user), group: self.group.map(moved) }
    }
}

/// The permission bits of a mode, and all of it where it has bits above them.
fn parts_of(said: Option<&Spanned<Mode>>, otherwise: Mode) -> (u32, Option<u32>) {
    let bits = said.map_or(otherwise, |mode| mode.value).bits();
    (bits & 0o777, (bits > 0o777).then_some(bits))
}

/// An owner as `chown` takes it.
fn owner_argument(owner: &PlanOwner) -> String {
    accounts::numeric(owner).map_or_else(|| owner.to_string(), |ids| format!("{}:{}", ids.user, ids.group))
}

pub(super) fn at_the_root(path: &Spanned<Template>) -> Unsupported {
    unverified("an op makes or removes `/` itself", path.span)
}
