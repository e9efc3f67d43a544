//! A build in this process: what it reads and runs programs with, the image, and a person watching.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use cogpack_backends_llb::Entitlement;
use cogpack_backends_oci_direct::{Recipe, Runs};
use cogpack_build::builder::Builder;
use cogpack_build::direct::order::{Part, UseOfResults};
use cogpack_build::direct::{Direct, Order, Programs, check_destinations};
use cogpack_build::failure::BuildError;
use cogpack_build::order::Destination;
use cogpack_content::{ImageReference, Platform};
use cogpack_io_runtime::{NoRuntime, Runtime, processors};
use cogpack_io_store::Store;
use cogpack_ir::plan::{Context, InputName, Plan};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::arguments::Build;
use super::given::{self, Given};
use super::part::{At, Maker, show};
use super::plan::Source;
use super::watch::{Interrupts, Waited, failure_of, watch};
use super::{CANCELLED, INTERRUPTED, outputs, results};
use crate::FINDINGS;
use crate::console::Console;
use crate::failure::Failure;
use crate::note::Note;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::progress::{Show, Style};
use crate::record::Told;
use crate::record::contexts::{Trees, read_by_ops};
use crate::report;

/// What is said when Ctrl-C is pressed.
const CANCELLING: &str = "cancelling the build (Ctrl-C again quits without waiting)";

/// All that is known before anything is read or run.
pub struct Job<'a> {
    pub arguments: &'a Build,
    pub file: &'a PlanFile,
    pub source: Source,
    pub destinations: Vec<Destination>,
    /// What the image is called.
    pub names: Vec<ImageReference>,
    pub allowed: BTreeSet<Entitlement>,
    /// Why whoever is not root cannot run programs.
    pub entered: Result<(), Failure>,
    pub time: u64,
    /// Set where somebody has quit without waiting.
    pub is_abandoned: &'a Cell<bool>,
}

impl Job<'_> {
    /// Builds, and gives the exit code.
    pub async fn run(self, console: &mut Console<'_>) -> Result<u8, Failure> {
        check_destinations(&self.destinations).map_err(|error| failure_of(&error))?;
        let secrets = given::secrets(&self.arguments.secrets, console)?;
        let agents = given::agents(&self.arguments.agents, console).await?;
        let given = Given { secrets: &secrets, agents: &agents, allowed: &self.allowed };
        if let Some(code) =
            given.refuse_what_is_missing(&self.source.resolved, self.arguments, self.file, console)
        {
            return Ok(code);
        }
        let runtime = self.runtime(console)?;
        let runs = if runtime.is_some() { Runs::Programs } else { Runs::WithoutRuntime };
        let foreign = foreign(&self.source.plan);
        let started = Instant::now();
        let mut interrupts = Interrupts::new(CANCELLING, self.arguments.format)?;
        let Job { arguments, file, source, .. } = self;
        let mut recording = source.recording(arguments, file);
        let written: BTreeMap<InputName, Context> = match recording {
            Some(_) => read_by_ops(&source.written).map(|(name, it)| (name.clone(), it.clone())).collect(),
            None => BTreeMap::new(),
        };
        let Some(sources) = source.by_platform(arguments, file, console)? else { return Ok(FINDINGS) };
        let style = arguments.progress.decided(console.stderr_is_terminal);
        let note = Note::shown(style == Style::Tty);
        let maker = Maker { arguments, file, runs, foreign, note };
        // What the plan cannot have is found before anybody is asked for images.
        let recipes: Vec<Option<Recipe>> =
            sources.iter().map(|source| maker.recipe(source, At::Anywhere, console)).collect();
        let Some(recipes) = recipes.into_iter().collect::<Option<Vec<_>>>() else { return Ok(FINDINGS) };
        self.entered?;
        let mut parts = Vec::with_capacity(sources.len());
        for (source, recipe) in sources.into_iter().zip(recipes) {
            match maker.part(source, recipe, parts.is_empty(), &mut interrupts, console).await? {
                Ok(part) => parts.push(part),
                Err(code) => return Ok(code),
            }
        }
        if let (Some(recording), Some(part)) = (&mut recording, parts.first()) {
            recording.walked(walked_as_written(&written, part));
        }
        let has_programs = parts.iter().any(|part| part.recipe.has_programs());
        let machine = Machine::new(arguments.store.as_deref(), console);
        // Plans that run nothing need no store, and keep their packed layers where that takes no room.
        let is_needed = runtime.is_some() && has_programs;
        let store = match is_needed || machine.names_store() {
            true => Some(machine.store()?),
            false => store_beside(&self.destinations, machine),
        };
        let kept = store.clone().filter(|_| !arguments.no_cache);
        let builder = match (runtime, store) {
            (Some(runtime), Some(store)) if has_programs => Direct::with(Programs { runtime, store }),
            (Some(_) | None, _) => Direct::without_programs(),
        };
        let title = match self.names.first() {
            Some(name) => name.as_str().to_owned(),
            None => file.shown.clone(),
        };
        let order = Order {
            parts,
            text: file.text.to_string(),
            secrets,
            agents,
            names: self.names,
            destinations: self.destinations,
            standard_output: Mutex::new(Box::new(std::io::stdout())),
            kept,
            cache: if arguments.no_cache { UseOfResults::Ignored } else { UseOfResults::Used },
            time: self.time,
        };
        let cancel = CancellationToken::new();
        let mut show_of = Show::new(style, &title, console.palette());
        let (progress, happened) = unbounded_channel();
        let building = builder.build(order, progress, cancel.clone());
        let watched = watch(building, happened, &mut show_of, &cancel, &mut interrupts, started, console);
        let waited = watched.await;
        show_of.clear(console.window(), console.stderr);
        match waited {
            Waited::Abandoned => {
                self.is_abandoned.set(true);
                Ok(INTERRUPTED)
            }
            Waited::Ended(Ok(outcome)) => {
                let took = started.elapsed();
                let code = results::tell(arguments, &show_of.board, &outcome, took, style, console)?;
                if let Some(recording) = recording {
                    let told =
                        Told { builder: builder.name(), board: &show_of.board, outcome: &outcome, took };
                    recording.finish(&told, arguments.format, console);
                }
                Ok(code)
            }
            Waited::Ended(Err(BuildError::Cancelled)) => {
                report::remark(CANCELLED, arguments.format, console);
                Ok(INTERRUPTED)
            }
            Waited::Ended(Err(BuildError::Op(failed))) => {
                results::tell_failed(&failed, file, arguments.format, console);
                Ok(FINDINGS)
            }
            Waited::Ended(Err(BuildError::Assembly(problems))) => {
                show(&problems, arguments, file, console);
                Ok(FINDINGS)
            }
            Waited::Ended(Err(error)) => Err(failure_of(&error)),
        }
    }

    /// What runs containers, if something does. One that was named must be there.
    fn runtime(&self, console: &Console<'_>) -> Result<Option<Runtime>, Failure> {
        let named = self.arguments.runtime.as_ref().map(|named| match named.components().count() {
            // A name alone is looked for on PATH.
            1 => named.clone(),
            _ => console.directory.join(named),
        });
        let search = console.environment.docker.path.as_deref();
        match Runtime::find(named.as_deref(), search) {
            Ok(runtime) => Ok(Some(runtime)),
            Err(NoRuntime::NoneFound) => Ok(None),
            Err(error @ NoRuntime::NotThere(_)) => Err(Failure::of(&error)
                .with_hint("`--runtime` takes the path of crun, runc or youki, or its name on PATH")),
        }
    }
}

/// The store that nobody has named, where it may keep what a plan without programs packs: on the disk of
/// all that the image goes to, since a layer that is kept there is a link to the image's own file. On
/// another one it would be a copy, of which there are gigabytes for weights. A machine without such a
/// place is none the worse: each build packs everything then.
fn store_beside(destinations: &[Destination], machine: Machine<'_>) -> Option<Store> {
    let disk = disk_of(&machine.store_path().ok()?)?;
    let is_beside = outputs::paths(destinations).all(|path| disk_of(path) == Some(disk));
    is_beside.then(|| machine.store().ok()).flatten()
}

/// The disk that a path is on, or would be: that of the nearest directory above it that is there.
fn disk_of(path: &Path) -> Option<u64> {
    path.ancestors().find_map(|above| Some(std::fs::metadata(above).ok()?.dev()))
}

/// The contexts that a build walks just as the plan says that was written: a pass may take less of one.
fn walked_as_written(written: &BTreeMap<InputName, Context>, part: &Part) -> Trees {
    let walked = part.recipe.directories();
    let trees = written.iter().filter(|(name, context)| walked.get(*name) == Some(context));
    trees.filter_map(|(name, _)| Some((name.clone(), part.directories.get(name)?.clone()))).collect()
}

/// The platforms of a plan whose programs this machine does not run.
fn foreign(plan: &Plan) -> BTreeSet<Platform> {
    let platforms = plan.platforms.iter().map(|platform| &platform.value);
    let is_foreign = |platform: &&Platform| {
        platform.os() != "linux" || !processors::runs(platform.architecture(), platform.variant())
    };
    platforms.filter(is_foreign).cloned().collect()
}
