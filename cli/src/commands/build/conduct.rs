//! A build from the connection to the image, with a person watching who may lose patience.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cogpack_backends_contract::Backend;
use cogpack_backends_llb::side_by_side::{Of, not_compared};
use cogpack_backends_llb::{Entitlement, Limits, Llb, LlbImage, SourceText};
use cogpack_build::builder::Builder;
use cogpack_build::buildkit::BuildKit;
use cogpack_build::failure::BuildError;
use cogpack_build::known::known;
use cogpack_build::order::{Destination, Order, Settings};
use cogpack_build::serving::{Served, logins_only};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_io_buildkit::address::Address;
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::failure::Failure as DaemonFailure;
use cogpack_io_packages::PackageProblem;
use cogpack_io_registry::settings::Settings as RegistrySettings;
use cogpack_ir::plan::InputName;
use cogpack_ir::plan::export::without_places;
use futures_util::future::try_join_all;
use miette::Diagnostic;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::arguments::Build;
use super::given::{self, Caches, Given};
use super::plan::{Source, shown_or};
use super::watch::{Interrupts, Waited, failure_of, watch};
use super::{CANCELLED, INTERRUPTED, UNANSWERED, bases, daemon, results, without_registry};
use crate::console::Console;
use crate::failure::Failure;
use crate::installed::{Form, Installed, ToInstall};
use crate::note::Note;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::progress::{Show, Style};
use crate::record::Told;
use crate::record::contexts::Trees;
use crate::report::{self, Stream};
use crate::{FINDINGS, front, registries};

/// What is said when Ctrl-C is pressed.
const CANCELLING: &str = "cancelling the build on the daemon (Ctrl-C again quits without waiting)";

/// All that is known before a daemon is asked.
pub struct Job<'a> {
    pub arguments: &'a Build,
    pub file: &'a PlanFile,
    pub source: Source,
    pub address: Address,
    pub destinations: Vec<Destination>,
    /// What the image is called.
    pub names: Vec<ImageReference>,
    /// Less than the daemon can do, if the command line says so.
    pub limits: Option<Limits>,
    pub allowed: BTreeSet<Entitlement>,
    pub cache: Caches,
    pub time: u64,
    /// Whether the environment gave it.
    pub is_time_given: bool,
    /// Set where somebody has quit without waiting.
    pub is_abandoned: &'a Cell<bool>,
}

/// A plan for the daemon that builds it.
struct Prepared {
    daemon: BuildKit,
    images: Vec<LlbImage>,
    base_configs: BTreeMap<Platform, Vec<u8>>,
    installed: Installed,
}

impl Job<'_> {
    /// Builds, and gives the exit code.
    pub async fn run(mut self, console: &mut Console<'_>) -> Result<u8, Failure> {
        let mut recording = self.source.recording(self.arguments, self.file);
        // Here the daemon says what is walked.
        if let Some(recording) = &mut recording {
            recording.walked(Trees::new());
        }
        let mut served = self.served(console).await?;
        let given = Given { secrets: &served.secrets, agents: &served.agents, allowed: &self.allowed };
        if let Some(code) =
            given.refuse_what_is_missing(&self.source.resolved, self.arguments, self.file, console)
        {
            return Ok(code);
        }
        let started = Instant::now();
        let cancel = CancellationToken::new();
        let mut interrupts = Interrupts::new(CANCELLING, self.arguments.format)?;
        let style = self.arguments.progress.decided(console.stderr_is_terminal);
        let note = Note::shown(style == Style::Tty);
        let prepared = {
            let preparing = self.prepare(&served, &cancel, note, console);
            tokio::select! {
                prepared = preparing => Some(prepared),
                // Nothing runs yet that would have to be ended.
                () = interrupts.next() => None,
            }
        };
        note.clear(console);
        let Some(prepared) = prepared else { return Ok(INTERRUPTED) };
        let prepared = prepared?;
        let Some(Prepared { daemon, images, base_configs, installed }) = prepared else {
            return Ok(FINDINGS);
        };
        served.layouts.extend(installed.layouts.clone());
        let archives = installed.archives.iter();
        served.archives = archives.map(|(name, it)| (name.clone(), it.directory.clone())).collect();
        let engine = daemon::engine(console).ok();
        // Only a table asks registries here, and does without.
        let registries = registries::settings(console).unwrap_or_default();
        let order = self.order(images, served, registries, &daemon)?;
        let store = Machine::new(self.arguments.store.as_deref(), console).store_path().ok();
        let order = Order { base_configs, engine, store, ..order };
        let mut show = Show::new(style, &self.title(), console.palette());
        let (progress, happened) = unbounded_channel();
        let building = daemon.build(order, progress, cancel.clone());
        let waited = watch(building, happened, &mut show, &cancel, &mut interrupts, started, console).await;
        show.clear(console.window(), console.stderr);
        match waited {
            Waited::Abandoned => {
                self.is_abandoned.set(true);
                Ok(INTERRUPTED)
            }
            Waited::Ended(Ok(outcome)) => {
                let took = started.elapsed();
                let code = results::tell(self.arguments, &show.board, &outcome, took, style, console)?;
                if let Some(recording) = recording {
                    let told = Told { builder: daemon.name(), board: &show.board, outcome: &outcome, took };
                    recording.finish(&told, self.arguments.format, console);
                }
                Ok(code)
            }
            Waited::Ended(Err(BuildError::Cancelled)) => {
                report::remark(CANCELLED, self.arguments.format, console);
                Ok(INTERRUPTED)
            }
            Waited::Ended(Err(BuildError::Unanswered)) => {
                report::remark(UNANSWERED, self.arguments.format, console);
                Ok(INTERRUPTED)
            }
            Waited::Ended(Err(BuildError::Op(failed))) => {
                results::tell_failed(&failed, self.file, self.arguments.format, console);
                Ok(FINDINGS)
            }
            Waited::Ended(Err(BuildError::Names(unknown))) => {
                self.show(&unknown, console);
                Ok(FINDINGS)
            }
            Waited::Ended(Err(BuildError::Meetings(meetings))) => {
                self.show(&meetings, console);
                Ok(FINDINGS)
            }
            Waited::Ended(Err(error)) => Err(failure_of(&error)),
        }
    }

    async fn served(&mut self, console: &mut Console<'_>) -> Result<Served, Failure> {
        let secrets = given::secrets(&self.arguments.secrets, console)?;
        let agents = given::agents(&self.arguments.agents, console).await?;
        Ok(Served {
            directories: std::mem::take(&mut self.source.directories),
            archives: BTreeMap::new(),
            layouts: std::mem::take(&mut self.source.layouts),
            secrets,
            agents,
            logins: Arc::new(daemon::logins(console)?),
        })
    }

    /// Reaches the daemon, and lowers the plan for it; `None` where that is refused, and shown.
    async fn prepare(
        &self,
        served: &Served,
        cancel: &CancellationToken,
        note: Note,
        console: &mut Console<'_>,
    ) -> Result<Option<Prepared>, Failure> {
        note.show(&format!("reaching the daemon at {}", self.address), console);
        let failed = |error: DaemonFailure| failure_of(&error.into());
        let other_ways = without_registry(self.arguments, self.file, console);
        let connection = Connection::open(&self.address)
            .await
            .map_err(|error| not_reached(error).with_other_ways_out(other_ways))?;
        let inquiry = connection.inquire(logins_only(served)).await.map_err(failed)?;
        note.show("asking the daemon for the images that the plan builds on", console);
        let platforms = self.source.plan.platforms.iter().map(|platform| &platform.value);
        let learning = try_join_all(platforms.map(async |platform| {
            let learnt = bases::learn(&self.source, &served.layouts, platform, &inquiry, cancel).await;
            Ok((platform, learnt.map_err(|failure| failure.with_other_ways_out(other_ways))?))
        }));
        // A good part of a build that has nothing to do is asking: so neither waits for the other.
        let abilities = async { inquiry.abilities().await.map_err(failed) };
        let (abilities, learnt) = tokio::try_join!(abilities, learning)?;
        note.clear(console);
        let daemon = BuildKit::able(connection, abilities);
        let limits = daemon.limits();
        let limits = self.limits.map_or(limits, |wanted| wanted.within(limits));
        let installed = match self.installed(limits, note, console).await? {
            Ok(installed) => installed,
            Err(problems) => {
                self.show(&problems, console);
                return Ok(None);
            }
        };
        let mut images = Vec::new();
        let mut base_configs = BTreeMap::new();
        let mut warned = BTreeSet::new();
        for (platform, learnt) in learnt {
            let of_export = || bases::of_layout(&self.source, &installed.layouts, platform);
            base_configs.extend(learnt.of_export.or_else(of_export).map(|it| (platform.clone(), it)));
            let plan = self.source.for_platform(platform);
            let compiled = cogpack_compiler::compile(plan, &learnt.world);
            let Some(resolved) = shown_or(compiled, self.arguments, self.file, console) else {
                return Ok(None);
            };
            // What is to be said of one platform is to be said of the next as well.
            let warnings: Vec<_> =
                resolved.warnings().iter().filter(|it| warned.insert(it.to_string())).collect();
            if !warnings.is_empty() {
                let warnings: Vec<_> = warnings.into_iter().cloned().collect();
                front::show(&warnings, self.file, self.arguments.format, console);
            }
            let text = SourceText { name: self.file.own_name(), text: Arc::clone(&self.file.text) };
            let unique = unique(&served.directories);
            let known = known(&resolved, limits, &served.directories, &installed.trees);
            let backend = Llb {
                limits,
                unique,
                known,
                digests: learnt.digests,
                installed: installed.contexts(platform)?,
                ignores_caches: self.arguments.no_cache,
                ..Llb::new(text)
            };
            match backend.lower(&resolved) {
                Ok(lowered) => images.extend(lowered),
                Err(refused) => {
                    self.show(&refused, console);
                    return Ok(None);
                }
            }
        }
        let not_compared = not_compared(&images, Of::Hidden);
        if !not_compared.is_empty() {
            self.show(&not_compared, console);
        }
        Ok(Some(Prepared { daemon, images, base_configs, installed }))
    }

    /// Installs the packages that the plan uses, in the form that the daemon takes.
    async fn installed(
        &self,
        limits: Limits,
        note: Note,
        console: &mut Console<'_>,
    ) -> Result<Result<Installed, Vec<PackageProblem>>, Failure> {
        let machine = Machine::new(self.arguments.store.as_deref(), console);
        let Some(to_install) = ToInstall::of(&self.source.resolved, machine, self.time)? else {
            return Ok(Ok(Installed::default()));
        };
        note.show(&format!("installing the packages of {}", to_install.shown()), console);
        let form = if limits.reads_layouts() { Form::Layout } else { Form::Archive };
        let installed = tokio::task::spawn_blocking(move || to_install.install(form)).await;
        note.clear(console);
        installed.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    fn show<F: Diagnostic>(&self, findings: &[F], console: &mut Console<'_>) {
        let diagnostics: Vec<&dyn Diagnostic> =
            findings.iter().map(|finding| finding as &dyn Diagnostic).collect();
        report::findings(&diagnostics, self.file, self.arguments.format, Stream::Talk, console);
    }

    fn order(
        &mut self,
        images: Vec<LlbImage>,
        mut served: Served,
        registries: RegistrySettings,
        daemon: &BuildKit,
    ) -> Result<Order, Failure> {
        // Of what the plan names, only what the export needs is offered.
        for offered in [&mut served.directories, &mut served.archives] {
            offered.retain(|name, _| images.iter().any(|image| image.needs.directories.contains(name)));
        }
        served.layouts.retain(|name, _| images.iter().any(|image| image.needs.layouts.contains(name)));
        let mut destinations = std::mem::take(&mut self.destinations);
        if destinations.is_empty() {
            if !daemon.is_of_an_engine() {
                let what =
                    format!("the daemon at {} is no Docker Engine, so it keeps no image", self.address);
                return Err(Failure::new(what).with_hint(
                    "say where the image is to go: `--push`, `--output type=docker,dest=FILE` or another `--output`",
                ));
            }
            destinations.push(Destination::Engine { settings: Settings::new() });
        }
        let export = self.source.resolved.export();
        Ok(Order {
            images,
            base_configs: BTreeMap::new(),
            served,
            allowed: std::mem::take(&mut self.allowed),
            names: self.names.clone(),
            annotations: without_places(&export.annotations),
            registries,
            engine: None,
            store: None,
            standard_output: Box::new(std::io::stdout()),
            destinations,
            cache_from: std::mem::take(&mut self.cache.from),
            cache_to: std::mem::take(&mut self.cache.to),
            is_noted: self.arguments.history,
            time: self.time,
            is_time_given: self.is_time_given,
        })
    }

    /// What is built, in a word.
    fn title(&self) -> String {
        match self.names.first() {
            Some(name) => name.as_str().to_owned(),
            None => self.file.shown.clone(),
        }
    }
}

/// Tells apart builds that run at the same time and have other directories under the same names. A
/// digest of where they are: the daemon need not know it.
fn unique(directories: &BTreeMap<InputName, PathBuf>) -> String {
    let places: Vec<u8> = directories
        .iter()
        .flat_map(|(name, path)| {
            [name.as_str().as_bytes(), path.as_os_str().as_encoded_bytes(), b"\n"].concat()
        })
        .collect();
    format!("cogpack-{}", &Digest::of(&places).hex()[..16])
}

/// A daemon that cannot be talked to is not the only way to an image.
fn not_reached(error: DaemonFailure) -> Failure {
    let error = BuildError::from(error);
    let help = error.help().map(|help| format!("{help}; "));
    let without = "`--builder direct -o type=layout,dest=DIR` builds without a daemon";
    Failure::of(&error).with_hint(format!("{}{without}", help.unwrap_or_default()))
}
