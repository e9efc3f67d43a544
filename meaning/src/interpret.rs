//! From a resolved plan to its image.

use std::collections::BTreeMap;

use cogpack_backends_contract::accounts::{self, Account};
use cogpack_backends_contract::image_config;
use cogpack_backends_contract::layers::layers;
use cogpack_backends_contract::tree::Ids;
use cogpack_content::Platform;
use cogpack_ir::plan::context::InlineFile;
use cogpack_ir::plan::{
    ContextKind, EnvName, ImageConfig, Input, InputName, Mode, MountKind, OpKind, Owner, PhaseName, Spanned,
    StageName,
};
use cogpack_ir::resolve::{EnvValue, Resolved, StageId, Step};

use crate::filesystem::{Failure, Filesystem, Node, Path, names, shown};
use crate::program::{self, Mounted};
use crate::stage::{Made, side_by_side};
use crate::text::{known_or_written, literal};
use crate::world::World;
use crate::{copy, files};

/// What a plan means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// All that is in it.
    pub filesystem: Filesystem,
    /// Its config, without the environment.
    pub config: ImageConfig,
    /// Its environment, in its order.
    pub environment: Vec<(EnvName, EnvValue)>,
    /// What it is made for.
    pub platforms: Vec<Platform>,
}

/// What `plan` means in a world. A plan that cannot be built there fails.
pub fn interpret(plan: &Resolved, world: &dyn World) -> Result<Image, Failure> {
    let mut interpreter = Interpreter { plan, world, stages: BTreeMap::new() };
    for id in plan.order() {
        let made = interpreter.stage(*id)?;
        interpreter.stages.insert(plan.stage(*id).name.value.clone(), made);
    }
    let from = &plan.export().from.value;
    let filesystem = interpreter.input(from)?;
    let environment = plan.state_of(from).env.iter();
    Ok(Image {
        filesystem,
        config: image_config::settings(plan),
        environment: environment.map(|(name, value)| (name.clone(), value.clone())).collect(),
        platforms: plan.plan().platforms.iter().map(|platform| platform.value.clone()).collect(),
    })
}

struct Interpreter<'p> {
    plan: &'p Resolved,
    world: &'p dyn World,
    stages: BTreeMap<StageName, Made>,
}

impl<'p> Interpreter<'p> {
    fn stage(&self, id: StageId) -> Result<Made, Failure> {
        let start = self.plan.stage(id).from.as_ref().map(|from| self.input(&from.value)).transpose()?;
        let mut made = Made::on(start.unwrap_or_default());
        for layer in layers(self.plan, id) {
            let mut on = if layer.independent { Filesystem::default() } else { made.filesystem.clone() };
            for step in &layer.steps {
                self.step(step, &mut on)?;
            }
            if layer.independent {
                made.takes(&on);
            } else {
                made.becomes(on);
            }
        }
        Ok(made)
    }

    fn step(&self, step: &Step<'p>, on: &mut Filesystem) -> Result<(), Failure> {
        match &step.op.kind {
            OpKind::Run { .. } | OpKind::Exec { .. } => self.run(step, on),
            OpKind::Copy(op) => {
                let owner = ids(op.owner.as_ref(), on)?.unwrap_or(Ids::ROOT);
                copy::copy(op, owner, &self.input(&op.from.value)?, on)
            }
            OpKind::File(op) => files::make_file(op, ids(op.owner.as_ref(), on)?, on),
            OpKind::Mkdir(op) => files::make_directory(op, ids(op.owner.as_ref(), on)?, on),
            OpKind::Symlink(op) => files::make_symlink(op, on),
            OpKind::Remove(op) => files::remove(op, on),
            OpKind::Workdir(path) => files::make_working_directory(&literal(path)?, on),
            // What these change is known before each step already.
            OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => Ok(()),
        }
    }

    fn run(&self, step: &Step<'p>, on: &mut Filesystem) -> Result<(), Failure> {
        if let Some(directory) = program::directory(step) {
            files::make_working_directory(&directory, on)?;
        }
        if let Some(seen) = program::seen(step, on, |mount| self.mounted(mount))? {
            *on = self.world.program(&seen)?;
        }
        Ok(())
    }

    fn mounted(&self, mount: &MountKind) -> Result<Option<Mounted>, Failure> {
        let MountKind::Bind { source, select, writable, .. } = mount else { return Ok(None) };
        let from = self.input(&source.value)?;
        let select = select.as_ref().map_or_else(String::new, |select| known_or_written(select));
        let path = from.resolve(select.as_bytes(), true)?;
        Ok(Some(match (from.part(&path), from.get(&path)) {
            (Some(part), _) => Mounted::Directory(part, *writable),
            (None, Some(node)) => Mounted::File(node.clone(), *writable),
            (None, None) => return Err(Failure(format!("{} is not there to be mounted", shown(&path)))),
        }))
    }

    fn input(&self, input: &Input) -> Result<Filesystem, Failure> {
        match input {
            Input::Scratch => Ok(Filesystem::default()),
            Input::Stage(name) => Ok(self.made(name)?.filesystem.clone()),
            Input::Phase(name) => self.phase(name),
            Input::Image(name) | Input::Context(name) => self.outside(name),
        }
    }

    fn phase(&self, name: &PhaseName) -> Result<Filesystem, Failure> {
        let phase = self.plan.merge(name);
        let branches = phase.branches.iter().map(|branch| self.made(&self.plan.stage(*branch).name));
        let branches = branches.collect::<Result<Vec<_>, _>>()?;
        side_by_side(&self.input(&phase.base)?, branches)
    }

    fn outside(&self, name: &InputName) -> Result<Filesystem, Failure> {
        let plan = self.plan.plan();
        if let Some(context) = plan.contexts.get(name) {
            return match &context.kind {
                ContextKind::Files(files) => written(files),
                kind @ (ContextKind::Directory(_)
                | ContextKind::Http(_)
                | ContextKind::Git(_)
                | ContextKind::Oci(_)
                | ContextKind::Wheels(_)
                | ContextKind::Debs(_)) => Ok(self.world.context(kind)),
            };
        }
        let image = plan.images.get(name).map(|image| self.world.image(image));
        image.ok_or_else(|| Failure(format!("there is no input {name}")))
    }

    /// Stages come after what they read.
    fn made(&self, name: &StageName) -> Result<&Made, Failure> {
        self.stages.get(name).ok_or_else(|| Failure(format!("{name} is not made yet")))
    }
}

/// The files that are written in the plan itself.
fn written(files: &BTreeMap<String, InlineFile>) -> Result<Filesystem, Failure> {
    let mut filesystem = Filesystem::default();
    for (path, file) in files {
        let path = names(path.as_bytes());
        filesystem.make_way_to(&path)?;
        let mode = file.mode.unwrap_or(Mode::FILE);
        filesystem.put(&path, Node::File(mode, Ids::ROOT, file.content.0.to_vec()));
    }
    Ok(filesystem)
}

/// An owner by number, by the account files of the filesystem that it is to own something of.
fn ids(owner: Option<&Spanned<Owner>>, on: &Filesystem) -> Result<Option<Ids>, Failure> {
    let Some(owner) = owner else { return Ok(None) };
    let number = |account: Account, text: &str| {
        if let Some(number) = accounts::number(text) {
            return Ok(number);
        }
        let file: Path = on.resolve(account.file().as_bytes(), true)?;
        let known = match on.get(&file) {
            Some(Node::File(_, _, accounts)) => accounts::look_up(text, accounts),
            Some(Node::Directory(..) | Node::Symlink(..)) | None => None,
        };
        known.ok_or_else(|| Failure(format!("there is no {account} `{text}`")))
    };
    let group = owner.group.as_ref().unwrap_or(&owner.user);
    Ok(Some(Ids { user: number(Account::User, &owner.user)?, group: number(Account::Group, group)? }))
}
