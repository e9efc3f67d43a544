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
//! | `mkdir P mode M`, `mkdir P owner O` | `mkdir P` on the stage, then P alone copied with M or O, so that what is not said stays | copy `/` → `above/` |
//! | `remove P` | | `rm P` |
//! | `workdir W` | | `mkdir W` with the directories above, as a Dockerfile's WORKDIR does |
//!
//! On the empty filesystem nothing can be in the way, and the plain actions do. A mode with
//! setuid, setgid or sticky is one that only a copy can give, so it is given there.
//!
//! Two plans that others build fail on the daemon: a `mkdir` with mode or owner where a link to a
//! directory is, and a `remove` (not `optional`) of a link that leads nowhere.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_ir::plan::{MakeDirectory, MakeFile, MakeSymlink, Mode, Remove, Span, Spanned, Template};

use super::stage::{Chain, Site};
use super::{Lowering, gap, paths};
use crate::wire::op::VertexId;
use crate::wire::{Action, Copy, Edit, File, Op, Owner, Principal};

/// The mode of directories that nothing is said of.
pub(super) const DIRECTORY: u32 = 0o755;

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
        let owner = file.owner.as_ref().map(|owner| chain.owner(owner)).transpose()?;
        let make = |path| Action::Mkfile { path, mode, data: &file.content.0 };
        self.put(site, chain, (&file.path, path), Given { owner, mode: special }, make, span)
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
        let make = |path| Action::Symlink { target, path };
        self.put(site, chain, (&link.path, path), Given::default(), make, span)
    }

    /// Makes one thing at a path (as it was written, and as it is), in the place of a file or
    /// link that is there.
    fn put(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        (written, path): (&Spanned<Template>, Cow<'a, str>),
        given: Given,
        make: impl FnOnce(Cow<'a, str>) -> Action<'a>,
        span: Span,
    ) -> Result<(), Unsupported> {
        let Some((above, name)) = paths::split(&path) else { return Err(at_the_root(written)) };
        if chain.is_on_nothing() && given.mode.is_none() {
            chain.make_above(&path);
            chain.file.edits.push(Edit { action: make(path), owner: given.owner });
            return Ok(());
        }
        let mut beside = File::on(None);
        beside.push(make(Cow::Owned(format!("/{name}"))));
        let label = self.helper_label(site, &format!("make {name}"), span);
        let beside = self.add(&Op::File(beside), label, span)?;
        chain.lay_in(beside, above, given);
        Ok(())
    }

    /// `mkdir`
    pub(super) fn mkdir(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        directory: &'a MakeDirectory,
        span: Span,
    ) -> Result<(), Unsupported> {
        let path = paths::path(&directory.path)?;
        let (mode, special) = parts_of(directory.mode.as_ref(), Mode::DIRECTORY);
        let owner = directory.owner.as_ref().map(|owner| chain.owner(owner)).transpose()?;
        if directory.mode.is_none() && owner.is_none() {
            chain.file.push(Action::Mkdir { path, mode: DIRECTORY });
            return Ok(());
        }
        let Some((above, name)) = paths::split(&path) else { return Err(at_the_root(&directory.path)) };
        if chain.is_on_nothing() && special.is_none() {
            chain.make_above(&path);
            chain.file.edits.push(Edit { action: Action::Mkdir { path, mode }, owner });
            return Ok(());
        }
        let target = Cow::Owned(format!("/{name}"));
        let (beside, given) = match (&directory.mode, owner) {
            (Some(_), Some(owner)) => {
                let mut beside = File::on(None);
                beside.push(Action::Mkdir { path: target, mode });
                (beside, Given { owner: Some(owner), mode: special })
            }
            // What is not said is what the directory has, or gets as a new one.
            (said, owner) => {
                let before = self.before(site, chain, span)?;
                let mut there = File::on(before);
                there.push(Action::Mkdir { path: path.clone(), mode: DIRECTORY });
                let label = self.helper_label(site, &format!("look at {path}"), span);
                let there = self.add(&Op::File(there), label, span)?;
                let mut beside = File::on(None);
                let from = beside.input(there);
                let owner = owner.map(|owner| owner.looked_up_in(|| from));
                let action = Action::Copy(Copy {
                    from,
                    source: path.clone(),
                    destination: target,
                    mode: said.as_ref().map(|_| special.unwrap_or(mode)),
                    // So that a link to a directory comes as one, and then fails on the link
                    // instead of leaving both as they are.
                    follow: true,
                    contents: false,
                    wildcard: false,
                    may_be_empty: false,
                    includes: Cow::Borrowed(&[]),
                    excludes: vec!["**".to_owned()].into(),
                });
                beside.edits.push(Edit { action, owner });
                (beside, Given::default())
            }
        };
        let label = self.helper_label(site, &format!("make {name}"), span);
        let beside = self.add(&Op::File(beside), label, span)?;
        chain.lay_in(beside, above, given);
        Ok(())
    }

    /// `remove`
    pub(super) fn remove(&mut self, chain: &mut Chain<'a>, remove: &'a Remove) -> Result<(), Unsupported> {
        let path = paths::path(&remove.path)?;
        if path == "/" {
            return Err(at_the_root(&remove.path));
        }
        chain.file.push(Action::Remove { path, optional: remove.optional });
        Ok(())
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

impl<'a> Chain<'a> {
    /// Makes the directories above `path`, as root's.
    pub(super) fn make_above(&mut self, path: &str) {
        if let Some((above, _)) = paths::split(path)
            && above != "/"
        {
            self.file.push(Action::Mkdir { path: above.to_owned().into(), mode: DIRECTORY });
        }
    }

    /// Copies all that is in `beside` into a directory.
    pub(super) fn lay_in(&mut self, beside: VertexId, directory: &str, given: Given) {
        let Given { owner, mode } = given;
        // The copy makes what is missing of the directory, but gives it the owner and mode too.
        let gives = owner.as_ref().is_some_and(|owner| *owner != Owner::ROOT) || mode.is_some();
        if gives && directory != "/" {
            self.file.push(Action::Mkdir { path: directory.to_owned().into(), mode: DIRECTORY });
        }
        let from = self.file.input(beside);
        let action = Action::Copy(Copy {
            from,
            source: "/".into(),
            destination: paths::with_slash(directory).into_owned().into(),
            mode,
            follow: true,
            contents: true,
            wildcard: true,
            may_be_empty: true,
            includes: Cow::Borrowed(&[]),
            excludes: Cow::Borrowed(&[]),
        });
        self.file.edits.push(Edit { action, owner });
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

pub(super) fn at_the_root(path: &Spanned<Template>) -> Unsupported {
    gap(
        "cpk::unsupported::root-path",
        "an op that makes or removes `/` itself",
        path.span,
        "name a path below it",
    )
}
