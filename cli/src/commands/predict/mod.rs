//! `cogpackc predict [PLAN|DIR|LAYOUT|IMAGE] -i NAME=VALUE`: one prediction of a model.
//!
//! What is not an image yet is built by `cogpackc build`'s own code. The container runs in the Docker
//! Engine or by an OCI runtime of this machine, answers one question, and goes.

mod again;
pub mod arguments;
mod before;
mod chatter;
mod conduct;
mod form;
mod given;
mod json_once;
mod output;
mod place;
mod target;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use cogpack_build::direct::Programs;
use cogpack_content::Platform;
use cogpack_io_docker::contexts::choose;
use cogpack_io_docker::engine::Engine;
use cogpack_io_layout::read::{Layout, StoredImage, Wanted};
use cogpack_io_layout::saved::Saved;
use cogpack_io_runtime::Runtime;
use cogpack_io_store::Store;
use cogpack_io_store::work::Work;
use serde_json::Value;

use self::arguments::Predict;
use self::conduct::Question;
use self::given::{Given, Inputs};
use self::place::{Place, engine_failure};
use self::target::Target;
use super::build::arguments::{Build, Builder};
use super::build::watch::Interrupts;
use super::build::{daemon, enter_user_namespace};
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::project::options::ProjectOptions;
use crate::report;
use crate::{DONE, FINDINGS};

/// The label that holds the OpenAPI document of a model.
const SCHEMA_LABEL: &str = "run.cog.openapi_schema";

/// Asks for a prediction.
pub fn run(arguments: &Predict, console: &mut Console<'_>) -> Result<u8, Failure> {
    let target = Target::of(&arguments.model, &console.directory)?;
    let given = Given::read(arguments, console)?;
    let variables = given::variables(&arguments.variables, console)?;
    if let Some(to) = &arguments.output {
        output::can_be_written(to, &console.directory)?;
    }
    match (target, by_runtime(arguments, console)?) {
        (Target::Image(name), false) => {
            refuse_for_building(arguments)?;
            of_engine(arguments, &name, Inputs::Open(given), &variables, console)
        }
        (Target::Image(name), true) => Err(Failure::new(format!(
            "`{name}` is no file, and without a Docker Engine there are no images by name"
        ))
        .with_hint("name a layout, as `cogpackc build -o type=layout,dest=DIR` writes it, or start Docker")),
        (Target::Project(plan), false) => {
            let Some(inputs) = before::building(arguments, &plan, given, console)? else {
                return Ok(FINDINGS);
            };
            let folder = tempfile::tempdir()
                .map_err(|error| Failure::new(format!("cannot make a temporary directory: {error}")))?;
            let id = folder.path().join("id");
            let code = build(arguments, &plan, &["--iidfile".as_ref(), id.as_os_str()], console)?;
            if code != DONE {
                return Ok(code);
            }
            let image = std::fs::read_to_string(&id).map_err(|error| {
                Failure::new(format!("cannot read the id of the image that was built: {error}"))
            })?;
            of_engine(arguments, image.trim(), inputs, &variables, console)
        }
        (Target::Project(plan), true) => {
            let Some(inputs) = before::building(arguments, &plan, given, console)? else {
                return Ok(FINDINGS);
            };
            let here = Here::prepare(arguments, console)?;
            let work = here.work()?;
            let layout = work.path().join("layout");
            let mut output = OsString::from("type=layout,compression=none,dest=");
            output.push(&layout);
            let words: [&OsStr; 4] =
                ["--builder".as_ref(), "direct".as_ref(), "--output".as_ref(), output.as_os_str()];
            let code = build(arguments, &plan, &words, console)?;
            if code != DONE {
                return Ok(code);
            }
            let found = in_layout(&layout)?;
            of_layout(arguments, here, found, inputs, &variables, console)
        }
        (Target::Layout(path), _) => {
            refuse_for_building(arguments)?;
            let here = Here::prepare(arguments, console)?;
            let found = in_layout(&path)?;
            of_layout(arguments, here, found, Inputs::Open(given), &variables, console)
        }
        (Target::Archive(path), _) => {
            refuse_for_building(arguments)?;
            let here = Here::prepare(arguments, console)?;
            let image =
                Saved::open(&path, &here.store).and_then(|saved| saved.image(Wanted::default(), &platform()));
            let found = image.map_err(|error| Failure::of(&error))?;
            of_layout(arguments, here, found, Inputs::Open(given), &variables, console)
        }
    }
}

/// Whether a model runs without an Engine.
fn by_runtime(arguments: &Predict, console: &mut Console<'_>) -> Result<bool, Failure> {
    let names_engine = arguments.buildkit.is_some();
    match (arguments.builder, arguments.runtime.is_some() || !arguments.layouts.is_empty()) {
        (Some(Builder::Direct), _) | (None, true) if !names_engine => return Ok(true),
        (Some(Builder::Buildkit), _) => return Ok(false),
        (Some(Builder::Direct) | None, _) => {}
    }
    if names_engine && arguments.builder.is_none() {
        return Ok(false);
    }
    match choose(&console.environment.docker) {
        Ok(chosen) if chosen.is_absent() => {
            let what = format!(
                "no Docker Engine is at {}: the model runs without one, as with `--builder direct`",
                chosen.endpoint
            );
            report::remark(&what, arguments.format, console);
            Ok(true)
        }
        // What is wrong with it is told by whoever asks for it.
        Ok(_) | Err(_) => Ok(false),
    }
}

/// Refuses options that mean something to builds only, where nothing is built.
fn refuse_for_building(arguments: &Predict) -> Result<(), Failure> {
    let options = [
        ("--layout", !arguments.layouts.is_empty()),
        ("--buildkit", arguments.buildkit.is_some()),
        ("--secret", !arguments.secrets.is_empty()),
        ("--ssh", !arguments.agents.is_empty()),
        ("--build-context", !arguments.contexts.is_empty()),
        ("--allow", !arguments.allowed.is_empty()),
        ("--no-cache", arguments.no_cache),
    ];
    let for_builds = options.into_iter().find_map(|(option, is_given)| is_given.then_some(option));
    match for_builds.or(arguments.project.first_given()) {
        None => Ok(()),
        Some(option) => {
            Err(Failure::new(format!("`{option}` means nothing to an image that is there already"))
                .with_hint("leave it out, or name the plan that the image is built from"))
        }
    }
}

/// `cogpackc build` as a command line of its own, which has its options and their rules.
#[derive(Parser)]
struct BuildLine {
    #[command(flatten)]
    build: Build,
}

/// Builds what the command line names, and gives the exit code. The image goes where `more` says.
fn build(
    arguments: &Predict,
    plan: &Path,
    more: &[&OsStr],
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let mut words: Vec<OsString> = vec!["cogpackc build".into()];
    words.extend(more.iter().map(|word| (*word).to_owned()));
    let mut option = |name: &str, value: &OsStr| {
        let mut word = OsString::from(format!("{name}="));
        word.push(value);
        words.push(word);
    };
    for (name, values) in [
        ("--layout", &arguments.layouts),
        ("--secret", &arguments.secrets),
        ("--ssh", &arguments.agents),
        ("--build-context", &arguments.contexts),
        ("--allow", &arguments.allowed),
    ] {
        values.iter().for_each(|value| option(name, value.as_ref()));
    }
    let ProjectOptions {
        file,
        stack,
        base,
        build_base,
        catalogues,
        lenient,
        openapi_schema,
        user,
        precompile,
    } = &arguments.project;
    file.iter().for_each(|file| option("--file", file.as_ref()));
    stack.iter().for_each(|name| option("--stack", name.as_ref()));
    base.iter().for_each(|base| option("--base", base.as_ref()));
    build_base.iter().for_each(|base| option("--build-base", base.as_ref()));
    user.iter().for_each(|user| option("--user", user.as_ref()));
    catalogues.iter().for_each(|path| option("--catalogue", path.as_ref()));
    openapi_schema.iter().for_each(|path| option("--openapi-schema", path.as_ref()));
    arguments.buildkit.iter().for_each(|address| option("--buildkit", address.as_ref()));
    arguments.runtime.iter().for_each(|path| option("--runtime", path.as_ref()));
    arguments.store.iter().for_each(|path| option("--store", path.as_ref()));
    option("--progress", word_of(&arguments.progress).as_ref());
    option("--format", word_of(&arguments.format).as_ref());
    for (word, is_given) in
        [("--no-cache", arguments.no_cache), ("--lenient", *lenient), ("--precompile", *precompile)]
    {
        words.extend(is_given.then(|| OsString::from(word)));
    }
    words.push("--".into());
    words.push(plan.into());
    let line = BuildLine::try_parse_from(words).map_err(|error| {
        let said = error.to_string();
        Failure::new(said.lines().next().unwrap_or_default().trim_start_matches("error: "))
    })?;
    // What a build gives to standard output is not what was asked for here.
    let mut nowhere = std::io::sink();
    let mut aside = Console {
        stdin: &mut *console.stdin,
        stdout: &mut nowhere,
        stderr: &mut *console.stderr,
        directory: console.directory.clone(),
        environment: console.environment.clone(),
        stdout_is_terminal: false,
        stderr_is_terminal: console.stderr_is_terminal,
    };
    super::build::run_in_passing(&line.build, &mut aside)
}

/// How a value of an option is written.
fn word_of(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Asks an image that the Engine has.
fn of_engine(
    arguments: &Predict,
    image: &str,
    inputs: Inputs,
    variables: &[(String, String)],
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let endpoint = daemon::engine(console)?;
    daemon::runtime()?.block_on(async {
        let mut interrupts = interrupts(arguments)?;
        let engine = Arc::new(Engine::connect(&endpoint).await.map_err(|error| engine_failure(&error))?);
        let labels = engine.labels(image).await.map_err(|error| engine_failure(&error))?;
        let document = document(labels.get(SCHEMA_LABEL).map(String::as_str))?;
        let Some(inputs) = before::starting(inputs, document.as_ref(), arguments, console)? else {
            return Ok(FINDINGS);
        };
        let place = Place::Engine { engine, image, network: arguments.network, variables };
        Question { arguments, inputs: &inputs, document }.conduct(&place, &mut interrupts, console).await
    })
}

/// What runs images without an Engine.
struct Here {
    runtime: Runtime,
    store: Store,
}

impl Here {
    /// Finds a runtime, makes whoever is not root one for its containers, and opens the store. This
    /// process has one thread until then, which is what the kernel asks for.
    fn prepare(arguments: &Predict, console: &Console<'_>) -> Result<Self, Failure> {
        let named = arguments.runtime.as_ref().map(|named| match named.components().count() {
            // A name alone is looked for on PATH.
            1 => named.clone(),
            _ => console.directory.join(named),
        });
        let search = console.environment.docker.path.as_deref();
        let runtime = Runtime::find(named.as_deref(), search).map_err(|error| {
            Failure::of(&error).with_hint(
                "install crun or runc, name one with `--runtime`, or start Docker and leave `--builder direct` out",
            )
        })?;
        enter_user_namespace()?;
        let store = Machine::new(arguments.store.as_deref(), console).store()?;
        Ok(Self { runtime, store })
    }

    /// A place that goes again.
    fn work(&self) -> Result<Work, Failure> {
        self.store.work().map_err(|error| Failure::of(&error))
    }
}

/// Asks an image of a layout.
fn of_layout(
    arguments: &Predict,
    here: Here,
    (layout, image): (Layout, StoredImage),
    inputs: Inputs,
    variables: &[(String, String)],
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let document = document(image.config.labels.get(SCHEMA_LABEL).map(String::as_str))?;
    let Some(inputs) = before::starting(inputs, document.as_ref(), arguments, console)? else {
        return Ok(FINDINGS);
    };
    let programs = Programs { runtime: here.runtime, store: here.store };
    daemon::runtime()?.block_on(async {
        let mut interrupts = interrupts(arguments)?;
        let place = Place::runtime(programs, layout, image, variables).await?;
        Question { arguments, inputs: &inputs, document }.conduct(&place, &mut interrupts, console).await
    })
}

fn in_layout(path: &Path) -> Result<(Layout, StoredImage), Failure> {
    let failed = |error| Failure::of(&error);
    let layout = Layout::open(path).map_err(failed)?;
    let image = layout.image(Wanted::default(), &platform()).map_err(failed)?;
    Ok((layout, image))
}

/// What this machine runs, as images write it.
fn platform() -> Platform {
    let text = match std::env::consts::ARCH {
        "aarch64" => "linux/arm64".to_owned(),
        "x86_64" => return Platform::linux_amd64(),
        other => format!("linux/{other}"),
    };
    text.parse().unwrap_or_else(|_| Platform::linux_amd64())
}

/// The document that a label holds.
fn document(label: Option<&str>) -> Result<Option<Value>, Failure> {
    let read = |text| serde_json::from_str(text);
    label.map(read).transpose().map_err(|error| {
        Failure::new(format!("the label `{SCHEMA_LABEL}` of the image is no JSON: {error}"))
            .with_hint("build the image again; the label holds the OpenAPI document of its model")
    })
}

/// Listens for Ctrl-C.
fn interrupts(arguments: &Predict) -> Result<Interrupts, Failure> {
    Interrupts::new("", arguments.format)
}
