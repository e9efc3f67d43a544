//! A build in this process: what it reads and runs programs with, the image, and a person watching.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Instant;

use cogpack_backends_contract::Backend;
use cogpack_backends_llb::Entitlement;
use cogpack_backends_oci_direct::{OciDirect, Recipe, Runs};
use cogpack_build::builder::Builder;
use cogpack_build::direct::order::UseOfResults;
use cogpack_build::direct::pull::Found;
use cogpack_build::direct::{Direct, Order, Programs, check_destinations};
use cogpack_build::failure::BuildError;
use cogpack_build::order::Destination;
use cogpack_io_runtime::{NoRuntime, Runtime};
use cogpack_io_store::Store;
use cogpack_ir::plan::InputName;
use miette::Diagnostic;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::arguments::Build;
use super::given::{self, Given};
use super::plan::{Source, shown_or};
use super::watch::{Interrupts, Waited, failure_of, watch};
use super::{CANCELLED, INTERRUPTED, pulled, results};
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::progress::Show;
use crate::report::{self, Stream};
use crate::{FINDINGS, contexts, front};

/// What is said when Ctrl-C is pressed.
const CANCELLING: &str = "cancelling the build (Ctrl-C again quits without waiting)";

/// All that is known before anything is read or run.
pub struct Job<'a> {
    pub arguments: &'a Build,
    pub file: &'a PlanFile,
    pub source: Source,
    pub destinations: Vec<Destination>,
    pub allowed: BTreeSet<Entitlement>,
    pub time: u64,
}

impl Job<'_> {
    /// Builds, and gives the exit code.
    pub async fn run(mut self, console: &mut Console<'_>) -> Result<u8, Failure> {
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
        let started = Instant::now();
        let mut interrupts = Interrupts::new(CANCELLING, self.arguments.format)?;
        // What the plan cannot have is found before anybody is asked for images.
        let images = self.source.plan.images.keys().cloned();
        let at_hand = self.source.bases.names().into_iter().chain(images).collect();
        let Some(recipe) = self.recipe(at_hand, runs, console) else { return Ok(FINDINGS) };
        let machine = self.machine(console);
        let found = pulled::find(&self.source, &recipe, machine, &mut interrupts, console).await?;
        let Some(found) = found else { return Ok(INTERRUPTED) };
        let mut pulls = BTreeMap::new();
        for (name, Found { layout, image, pull }) in found {
            self.source.bases.insert(name.clone(), layout, image);
            pulls.insert(name, pull);
        }
        let recipe = match pulls.is_empty() {
            true => recipe,
            false => {
                // What they set is known now.
                let world = self.source.bases.world();
                let compiled = cogpack_compiler::compile(self.source.plan.clone(), &world);
                let Some(resolved) = shown_or(compiled, self.arguments, self.file, console) else {
                    return Ok(FINDINGS);
                };
                self.source.resolved = resolved;
                let Some(recipe) = self.recipe(self.source.bases.names(), runs, console) else {
                    return Ok(FINDINGS);
                };
                recipe
            }
        };
        let warnings = self.source.resolved.warnings();
        if !warnings.is_empty() {
            front::show(warnings, self.file, self.arguments.format, console);
        }
        let store = self.store(&recipe, runtime.is_some(), console)?;
        let kept = store.clone().filter(|_| !self.arguments.no_cache);
        let builder = match (runtime, store) {
            (Some(runtime), Some(store)) if recipe.has_programs() => {
                Direct::with(Programs { runtime, store })
            }
            (Some(_) | None, _) => Direct::without_programs(),
        };
        let machine = self.machine(console);
        let mut walked = contexts::walk_all(recipe.directories(), self.file, &self.source.directories)?;
        let installed = machine.install(recipe.packages(), &recipe.platforms(), &mut walked)?;
        if let Err(refused) = installed {
            let refused: Vec<&dyn Diagnostic> = refused.iter().map(|it| &**it).collect();
            report::findings(&refused, self.file, self.arguments.format, Stream::Talk, console);
            return Ok(FINDINGS);
        }
        let mut bases = self.source.bases.into_images();
        bases.retain(|name, _| recipe.uses(name));
        let title = match self.arguments.tags.first() {
            Some(name) => name.as_str().to_owned(),
            None => self.file.shown.clone(),
        };
        let order = Order {
            recipe,
            text: self.file.text.to_string(),
            directories: walked.trees,
            files: Box::new(walked.files),
            bases,
            pulls,
            secrets,
            agents,
            names: self.arguments.tags.clone(),
            destinations: self.destinations,
            standard_output: Mutex::new(Box::new(std::io::stdout())),
            kept,
            cache: if self.arguments.no_cache { UseOfResults::Ignored } else { UseOfResults::Used },
            time: self.time,
        };
        let cancel = CancellationToken::new();
        let style = self.arguments.progress.decided(console.stderr_is_terminal);
        let mut show_of = Show::new(style, &title, console.palette());
        let (progress, happened) = unbounded_channel();
        let building = builder.build(order, progress, cancel.clone());
        let watched = watch(building, happened, &mut show_of, &cancel, &mut interrupts, started, console);
        let waited = watched.await;
        show_of.clear(console.window(), console.stderr);
        match waited {
            Waited::Abandoned => Ok(INTERRUPTED),
            Waited::Ended(Ok(outcome)) => {
                results::tell(self.arguments, &show_of.board, &outcome, started.elapsed(), style, console)
            }
            Waited::Ended(Err(BuildError::Cancelled)) => {
                report::remark(CANCELLED, self.arguments.format, console);
                Ok(INTERRUPTED)
            }
            Waited::Ended(Err(BuildError::Op(failed))) => {
                results::tell_failed(&failed, self.file, self.arguments.format, console);
                Ok(FINDINGS)
            }
            Waited::Ended(Err(BuildError::Assembly(problems))) => {
                show(&problems, self.arguments, self.file, console);
                Ok(FINDINGS)
            }
            Waited::Ended(Err(error)) => Err(failure_of(&error)),
        }
    }

    /// The plan for this builder; `None` where it is refused, and shown.
    fn recipe(&self, at_hand: BTreeSet<InputName>, runs: Runs, console: &mut Console<'_>) -> Option<Recipe> {
        let lowered = OciDirect { at_hand, runs }.lower(&self.source.resolved);
        lowered.map_err(|refused| show(&refused, self.arguments, self.file, console)).ok()
    }

    fn machine<'c>(&'c self, console: &'c Console<'_>) -> Machine<'c> {
        Machine::new(self.arguments.store.as_deref(), console)
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

    /// The store, where there must be one: plans that run nothing need none, and keep their packed
    /// layers in one that is named.
    fn store(
        &self,
        recipe: &Recipe,
        has_runtime: bool,
        console: &Console<'_>,
    ) -> Result<Option<Store>, Failure> {
        let machine = self.machine(console);
        let is_needed = has_runtime && recipe.has_programs();
        (is_needed || machine.names_store()).then(|| machine.store()).transpose()
    }
}

fn show<D: Diagnostic>(found: &[D], arguments: &Build, file: &PlanFile, console: &mut Console<'_>) {
    let diagnostics: Vec<&dyn Diagnostic> = found.iter().map(|it| it as &dyn Diagnostic).collect();
    report::findings(&diagnostics, file, arguments.format, Stream::Talk, console);
}
