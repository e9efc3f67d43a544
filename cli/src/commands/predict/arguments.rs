//! What `cogpackc predict` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands::build::arguments::Builder;
use crate::progress::Style;
use crate::project::options::ProjectOptions;
use crate::report::Format;

/// Ask a model for a prediction: build it if need be, start it, send the inputs, show what comes out.
///
/// A plan, or the directory of one, is built as `cogpackc build` does it. The model runs in the Docker
/// Engine that the docker command uses; with `--builder direct`, or where there is no Engine, and for
/// layouts and archives, by an OCI runtime of this machine. Its container is taken away in the end.
///
/// What the model gives is all that is written to standard output; its log goes to standard error.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Predict {
    /// What is asked: a plan, the directory of one, an OCI image layout, an archive of one or of `docker
    /// save`, or the name of an image that the Engine has. Left out: this directory.
    #[arg(value_name = "PLAN|DIR|LAYOUT|IMAGE", default_value = ".")]
    pub model: PathBuf,
    #[command(flatten)]
    pub project: ProjectOptions,
    /// An input; `NAME=@FILE` sends a file. Given twice, a list of both. Which inputs are numbers and
    /// which are files is known by the model's schema.
    #[arg(short = 'i', long = "input", value_name = "NAME=VALUE|NAME=@FILE")]
    pub inputs: Vec<String>,
    /// All inputs, as a JSON object: itself, in a file, or from standard input.
    #[arg(long, value_name = "JSON|@FILE|@-", conflicts_with = "inputs")]
    pub json: Option<String>,
    /// Where output goes instead of standard output: a file, or a directory. Several files are
    /// numbered: `out.png` becomes `out.0.png`, `out.1.png`.
    #[arg(short = 'o', long = "output", value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// A variable for the model; without a value, that of this environment.
    #[arg(short = 'e', long = "env", value_name = "NAME[=VALUE]")]
    pub variables: Vec<String>,
    /// For how many seconds the model may set itself up.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub setup_timeout: u64,
    /// Whether output is shown as it comes, where the model can.
    #[arg(long, value_enum, default_value_t)]
    pub stream: Streaming,
    /// The network of a container of the Engine.
    #[arg(long, value_enum, default_value_t)]
    pub network: ContainerNetwork,
    /// What builds and runs: a daemon and its Engine, or this process and an OCI runtime.
    #[arg(long, value_enum)]
    pub builder: Option<Builder>,
    /// The OCI runtime, by its path or name; for `--builder direct`.
    #[arg(long, value_name = "PATH")]
    pub runtime: Option<PathBuf>,
    /// Where packages, unpacked images and results are kept; also COGPACK_STORE.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// For building: where a base image is read, as `cogpackc build` takes it.
    #[arg(long = "layout", value_name = "NAME=PLACE")]
    pub layouts: Vec<String>,
    /// For building: where BuildKit listens.
    #[arg(long, value_name = "ADDRESS")]
    pub buildkit: Option<String>,
    /// For building: a secret that the plan declares.
    #[arg(long = "secret", value_name = "SPEC")]
    pub secrets: Vec<String>,
    /// For building: an ssh agent or keys for the plan.
    #[arg(long = "ssh", value_name = "SPEC")]
    pub agents: Vec<String>,
    /// For building: another directory for a `dir` context.
    #[arg(long = "build-context", value_name = "NAME=DIR")]
    pub contexts: Vec<String>,
    /// For building: something that ops may do beyond the usual.
    #[arg(long = "allow", value_name = "ENTITLEMENT")]
    pub allowed: Vec<String>,
    /// For building: use no result of an earlier build.
    #[arg(long)]
    pub no_cache: bool,
    /// How the progress of building is shown, on standard error.
    #[arg(long, value_enum, default_value_t)]
    pub progress: Style,
    /// How findings and failures are shown; `json` also tells of the prediction, on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What `--stream` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Streaming {
    /// As it comes, if the model says that it streams.
    #[default]
    Auto,
    /// At the end.
    Never,
}

/// What `--network` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ContainerNetwork {
    /// The Engine's own; the model's port is published on the loopback address.
    #[default]
    Default,
    /// That of this machine, for Engines without a bridge.
    Host,
}

const EXAMPLES: &str = "\
Examples:
  cogpackc predict . -i prompt=\"a cat\" -i steps=20        the plan of this directory
  cogpackc predict app:1 -i image=@cat.jpg -o out.png     an image of the Engine
  cogpackc run layout/ --json @inputs.json                a layout, without an Engine
  cogpackc predict . --builder direct -e TOKEN -i s=hello

Exit codes: 0 done; 1 the plan has findings, the model does not take these inputs, or the prediction
failed; 2 the model could not be run; 130 interrupted by Ctrl-C, which cancels the prediction (twice:
without waiting for the model).";
