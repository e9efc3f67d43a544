//! What `cogpackc build` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use cogpack_content::{ImageReference, Platform};

use crate::arguments::{LevelChoice, LimitsChoice};
use crate::progress::Style;
use crate::project::options::ProjectOptions;
use crate::report::Format;

/// Build a plan into an image, by a daemon that builds or, without one, in this process.
///
/// The daemon is the BuildKit that `--buildkit` or BUILDKIT_HOST names, else the one inside the
/// Docker Engine that the docker command uses. The image goes into that Engine, unless `--output`
/// or `--push` says otherwise.
///
/// With `--builder direct`, or where there is no daemon, this process makes the image, as a layout or
/// archive that `--output` names, or else a layout in `.cog/images` beside the plan, and leaves the
/// programs that the plan runs to an OCI runtime.
///
/// The image's digest is all that is written to standard output, and only with `--progress quiet`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Build {
    /// The plan, in .cpk or JSON form, or a directory that holds a `plan.cpk` or else a project, which
    /// is planned as `cogpackc plan` does; `-` is standard input.
    #[arg(value_name = "PLAN|DIR")]
    pub plan: PathBuf,
    /// How a project is read.
    #[command(flatten)]
    pub project: ProjectOptions,
    /// What the image is called; may be given several times. Left out: `image` or `model` of a project's
    /// `cog.yaml`; and in the Engine, where it says neither, `cog-` and the name of its directory.
    #[arg(short = 't', long = "tag", value_name = "NAME")]
    pub tags: Vec<ImageReference>,
    /// How far the plan is rewritten before it is built, for the same image; also `-O0`, `-O1`, `-O2`. Left
    /// out: 1.
    #[arg(long = "optimise", value_enum, value_name = "0|1|2")]
    pub level: Option<LevelChoice>,
    /// What builds. Left out: the one that the other options are for; else a daemon, or this process
    /// where this machine has no Docker Engine and nothing names another.
    #[arg(long, value_enum)]
    pub builder: Option<Builder>,
    /// Read the base image @NAME from a local OCI layout, `python=DIR` or `python=DIR:TAG`; from an
    /// archive of one or of `docker save`, `python=FILE[:TAG]`; or out of the Docker Engine,
    /// `python=docker-daemon:IMAGE`. For `--builder direct`. Left out: it is pulled from its registry.
    #[arg(long = "layout", value_name = "NAME=PLACE")]
    pub layouts: Vec<String>,
    /// The OCI runtime that runs the plan's programs, by its path or name; for `--builder direct`.
    /// Left out: the first of crun, runc and youki on PATH.
    #[arg(long, value_name = "PATH")]
    pub runtime: Option<PathBuf>,
    /// Where packages are kept from build to build, and with `--builder direct` unpacked images, results,
    /// packed layers and caches; also COGPACK_STORE. Left out: `cogpackc/store` in your cache directory,
    /// where plans that run nothing keep packed layers if the image goes to the same disk.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Where BuildKit listens: `unix://PATH`, `tcp://HOST:PORT` or `docker-container://NAME`.
    #[arg(long, value_name = "ADDRESS")]
    pub buildkit: Option<String>,
    /// The certificates for a `tcp://` address.
    #[arg(long, value_name = "ca=FILE,cert=FILE,key=FILE[,server-name=NAME]")]
    pub buildkit_tls: Option<String>,
    /// Where the result goes: `type=docker|oci|tar|local|layout|image[,dest=PATH][,push=true]`.
    /// A bare path is a directory for the files of the image.
    #[arg(short = 'o', long = "output", value_name = "SPEC")]
    pub outputs: Vec<String>,
    /// Push the image to the registries that its names say.
    #[arg(long)]
    pub push: bool,
    /// Put the image into the Docker Engine, whichever daemon builds it.
    #[arg(long)]
    pub load: bool,
    /// A secret that the plan declares: `id=NAME[,src=FILE|,env=VARIABLE]`. With neither, the
    /// variable called NAME; `src=-` is standard input.
    #[arg(long = "secret", value_name = "SPEC")]
    pub secrets: Vec<String>,
    /// An ssh agent or keys for the plan: `default`, or `NAME=SOCKET|KEY[,KEY]`.
    #[arg(long = "ssh", value_name = "SPEC")]
    pub agents: Vec<String>,
    /// Where to look for results of other builds: `type=registry,ref=NAME`, `type=local,src=DIR`.
    #[arg(long, value_name = "SPEC")]
    pub cache_from: Vec<String>,
    /// Where to put results for other builds: `type=registry,ref=NAME`, `type=local,dest=DIR`,
    /// `type=inline`.
    #[arg(long, value_name = "SPEC")]
    pub cache_to: Vec<String>,
    /// Build as for a daemon that can do less than this one: `none` for what every supported one
    /// does, or a file of capability ids. Left out, or `probe`: what the daemon says.
    #[arg(long, value_name = "none|FILE|probe")]
    pub limits: Option<LimitsChoice>,
    /// Use no result of an earlier build.
    #[arg(long)]
    pub no_cache: bool,
    /// Have the daemon note the build in its history, where `docker buildx history` finds it. A build
    /// that finds all in its cache then takes half as long again.
    #[arg(long)]
    pub history: bool,
    /// Build for these of the plan's platforms only.
    #[arg(long = "platform", value_name = "OS/ARCH", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// Use another directory for the `dir` context @NAME of the plan.
    #[arg(long = "build-context", value_name = "NAME=DIR")]
    pub contexts: Vec<String>,
    /// Allow ops of the plan something beyond the usual, for instance `network.host`.
    #[arg(long = "allow", value_name = "ENTITLEMENT")]
    pub allowed: Vec<String>,
    /// Refuse the plan where one of its programs may reach a network: each `run` and `exec` must say
    /// `network none`. What is fetched before programs run, as base images and locked packages, is not
    /// meant.
    #[arg(long)]
    pub no_network: bool,
    /// Write no record of the build to `.cog/records` beside the plan, by which `cogpackc explain PLAN --since
    /// last` tells what the next build runs again, and why.
    #[arg(long)]
    pub no_record: bool,
    /// How progress is shown, on standard error.
    #[arg(long, value_enum, default_value_t)]
    pub progress: Style,
    /// Write what the builder says about the image to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub metadata_file: Option<PathBuf>,
    /// Write the image's id to a file: the digest that `docker run` takes.
    #[arg(long, value_name = "FILE")]
    pub iidfile: Option<PathBuf>,
    /// How findings and failures are shown; `json` also tells of the image, on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What `--builder` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Builder {
    /// BuildKit, by itself or inside a Docker Engine.
    Buildkit,
    /// This process, with an OCI runtime for programs.
    Direct,
}

const EXAMPLES: &str = "\
Examples:
  cogpackc build plan.cpk -t app                      into the Docker Engine
  cogpackc build . -t registry.example/app:1 --push   to a registry
  cogpackc build . -o type=oci,dest=app.tar           to a file
  cogpackc build . --builder direct -o type=layout,dest=app   without a daemon
  cogpackc build . --secret id=token,src=token.txt --ssh default

Exit codes: 0 done; 1 the plan has findings, or one of its ops failed; 2 the command could not run,
for instance because no daemon answers or a secret was not given; 130 interrupted by Ctrl-C, which
ends the build on the daemon (twice: at once, without waiting for the daemon).";
