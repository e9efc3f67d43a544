//! `cogpackc build PLAN|DIR`: the plan as an image, by a daemon that builds or in this process.
//!
//! Everything that can be wrong without a daemon is found before one is asked: the plan's own
//! rules, options that cannot be, secrets that were not given. Then the daemon says what it can
//! do and what its base images are, the plan is lowered for just that, and the build runs.

pub mod arguments;
mod attributes;
mod bases;
mod conduct;
pub mod daemon;
mod direct;
mod given;
mod image_names;
mod options;
mod outputs;
mod part;
mod plan;
mod pulled;
mod results;
pub mod watch;
mod within;

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use arguments::{Build, Builder};
use cogpack_backends_oci_direct::support::has_programs;
use cogpack_compiler::stacks::ImageName;
use cogpack_io_runtime::user_namespace;
use image_names::Unnamed;

use crate::arguments::LimitsChoice;
use crate::console::Console;
use crate::failure::Failure;
use crate::limits::limits;
use crate::plan_file::PlanFile;
use crate::project::of_directory::Named;
use crate::report;
use crate::{COULD_NOT_RUN, FINDINGS};

/// Builds, and calls the image what the command line or else the project says.
pub fn run(arguments: &Build, console: &mut Console<'_>) -> Result<u8, Failure> {
    build(arguments, Unnamed::AsTheProjectSays, console)
}

/// Builds an image that nobody is to find by a name but those of the command line.
pub fn run_in_passing(arguments: &Build, console: &mut Console<'_>) -> Result<u8, Failure> {
    build(arguments, Unnamed::Nothing, console)
}

fn build(arguments: &Build, unnamed: Unnamed, console: &mut Console<'_>) -> Result<u8, Failure> {
    let time = console.source_date_epoch()?;
    let mut destinations = outputs::destinations(arguments, &console.directory)?;
    let (builder, told) = options::builder(arguments, &destinations, console)?;
    let allowed = given::allowed(&arguments.allowed)?;
    let cache = given::caches(arguments)?;
    let limits = match &arguments.limits {
        // That is what a build does anyway.
        None | Some(LimitsChoice::Probe) => None,
        Some(choice @ (LimitsChoice::None | LimitsChoice::File(_))) => Some(limits(Some(choice), console)?),
    };
    let named = Named {
        path: &arguments.plan,
        options: &arguments.project,
        platforms: &arguments.platforms,
        no_network: arguments.no_network,
        format: arguments.format,
    };
    let names = |image: &ImageName, directory: &Path| {
        unnamed.or_tags(&arguments.tags, image, &destinations, directory)
    };
    // An image that cannot be pushed is not worth a lock, which may take minutes.
    let is_named = |image: &ImageName, directory: &Path| names(image, directory).map(drop);
    let Some((file, image)) = named.plan_to_build(is_named, console)? else { return Ok(FINDINGS) };
    let names = names(&image, &file.directory)?;
    let answers = [&arguments.metadata_file, &arguments.iidfile].into_iter().flatten();
    for written in answers.map(|path| console.directory.join(path)).chain(outputs::files(&destinations)) {
        file.spare(&written)?;
    }
    let Some(source) = plan::read(arguments, &file, console)? else { return Ok(FINDINGS) };
    if let Some(told) = told {
        report::remark(&told, arguments.format, console);
    }
    within::tell(&destinations, &source, arguments.format, console);
    if matches!(builder, Builder::Direct) && destinations.is_empty() {
        destinations.extend(outputs::unasked(&file)?);
    }
    let file = &file;
    let is_abandoned = &Cell::new(false);
    let (runtime, code) = match builder {
        Builder::Buildkit => {
            let certificates = arguments.buildkit_tls.as_deref();
            let address = daemon::address(arguments.buildkit.as_deref(), certificates, console)?;
            let runtime = daemon::runtime()?;
            let job = conduct::Job {
                arguments,
                file,
                source,
                address,
                destinations,
                names,
                limits,
                allowed,
                cache,
                time,
                is_time_given: console.environment.source_date_epoch.is_some(),
                is_abandoned,
            };
            let code = runtime.block_on(job.run(console));
            (runtime, code)
        }
        Builder::Direct => {
            let entered = if has_programs(&source.resolved) { enter_user_namespace() } else { Ok(()) };
            let runtime = daemon::runtime()?;
            let job = direct::Job {
                arguments,
                file,
                source,
                destinations,
                names,
                allowed,
                entered,
                time,
                is_abandoned,
            };
            let code = runtime.block_on(job.run(console));
            (runtime, code)
        }
    };
    // What writes takes away what it has begun, unless somebody does not want to wait for that.
    let patience = if is_abandoned.get() { Duration::ZERO } else { CLEARING };
    runtime.shutdown_timeout(patience);
    code
}

/// What a project can be built on where no registry can be asked. Somebody's plan says what it is on; of a
/// project that is not said yet.
fn without_registry(arguments: &Build, file: &PlanFile, console: &Console<'_>) -> Option<&'static str> {
    let is_project = file.path.is_none() && console.directory.join(&arguments.plan).is_dir();
    is_project.then_some("`--base debian` makes the base of Debian packages, without a registry")
}

/// Makes an ordinary user root for the programs of a plan. This process has one thread until then,
/// which is what the kernel asks for.
pub fn enter_user_namespace() -> Result<(), Failure> {
    user_namespace::enter().map_err(|error| {
        let mut failure = Failure::new(
            "without a daemon, whoever is not root runs programs in a user namespace, and cannot have one here",
        );
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        failure.causes.extend(causes.map(ToString::to_string));
        failure.with_hint(
            "install newuidmap and newgidmap (Debian's `uidmap`), and have root say `usermod --add-subuids \
             100000-165535 --add-subgids 100000-165535 USER`; or run this command as root, or build with \
             `--builder buildkit`",
        )
    })
}

/// What was not given is a matter of the command line, and not of the plan.
const NOT_GIVEN: u8 = COULD_NOT_RUN;
/// For how long files of a build that did not end well may take to be removed. What is left then is
/// removed by the next build.
const CLEARING: Duration = Duration::from_secs(60);
/// What is said once a build that Ctrl-C cancelled is over.
const CANCELLED: &str = "cancelled: nothing of the build is left running";
/// What is said instead where the daemon did not confirm it.
const UNANSWERED: &str =
    "cancelled: the daemon has not said that it ended the build, whose programs may still run there";
/// What shells say of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;
