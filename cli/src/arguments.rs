//! The command line as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cogpack_backends_dockerfile::{Dialect, Syntax};
use cogpack_backends_oci_direct::compression::{Compression, Method};
use cogpack_passes::Level;

use crate::commands::build::arguments::Build;
use crate::commands::catalogue::arguments::Arguments as Bases;
use crate::commands::check::arguments::Check;
use crate::commands::diff::arguments::Diff;
use crate::commands::explain::arguments::Explain;
use crate::commands::lock::arguments::Lock;
use crate::commands::opt::arguments::Optimise;
use crate::commands::plan::arguments::PlanProject;
use crate::commands::predict::arguments::Predict;
use crate::commands::store::arguments::Upkeep;
use crate::failure::Failure;
use crate::project::options::ProjectOptions;
use crate::report::Format;

/// Compiles a plan into a container image: BuildKit LLB, a Dockerfile, or OCI layers.
#[derive(Debug, Parser)]
#[command(name = "cogpackc", version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 the plan has findings or one of its ops failed, 2 the command could not run, 101 a mistake of ours, 130 interrupted."
)]
pub struct Arguments {
    /// Compile: what `cogpackc PLAN -o FORMAT` does.
    #[command(flatten)]
    pub compile: Option<Compile>,
    /// How a project is read that is compiled. They stand here because clap does not see whether options
    /// are there that have others in them.
    #[command(flatten)]
    pub project: ProjectOptions,
    /// Something else than compiling.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Arguments {
    /// Whom the command speaks to.
    pub fn format(&self) -> Format {
        match (&self.command, &self.compile) {
            (Some(command), _) => match command {
                Command::Build(arguments) => arguments.format,
                Command::Predict(arguments) => arguments.format,
                Command::Store(arguments) => arguments.format,
                Command::Lock(arguments) => arguments.format,
                Command::Opt(arguments) => arguments.format,
                Command::Plan(arguments) => arguments.format,
                Command::Catalogue(arguments) => arguments.format,
                Command::Check(arguments) => arguments.format.of_failures(),
                Command::Diff(arguments) => arguments.format,
                Command::Explain(arguments) => arguments.format,
                Command::Fmt { format, .. }
                | Command::Resolve { format, .. }
                | Command::Graph { format, .. } => *format,
                Command::Completions { .. } => Format::Text,
            },
            (None, Some(compile)) => compile.format,
            (None, None) => Format::Text,
        }
    }
}

/// `cogpackc PLAN -o FORMAT… [-O PATH]`
#[derive(Debug, Args)]
pub struct Compile {
    /// The plan, in .cpk or JSON form, or a directory that holds a `plan.cpk` or else a project whose
    /// packages are locked; `-` is standard input. Several plans become the images of one OCI layout, with
    /// `-o oci`.
    #[arg(value_name = "PLAN|DIR", required = true)]
    pub plans: Vec<PathBuf>,
    /// How a project is read: [`Arguments::project`].
    #[arg(skip)]
    pub project: ProjectOptions,
    /// What to emit; may be given several times.
    #[arg(short = 'o', long = "output", value_name = "FORMAT", required = true, value_delimiter = ',')]
    pub formats: Vec<Artifact>,
    /// Where to: a file or directory for one format, a directory for several. Left out, or `-`:
    /// standard output.
    #[arg(short = 'O', long = "output-path", value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Read the base image @NAME from a local OCI layout, `python=DIR` or `python=DIR:TAG`; from an
    /// archive of one or of `docker save`, `python=FILE[:TAG]`; or out of the Docker Engine,
    /// `python=docker-daemon:IMAGE`.
    #[arg(long = "layout", value_name = "NAME=PLACE")]
    pub layouts: Vec<String>,
    /// What the daemon that will build a definition can do: `none` for what every supported one
    /// does, a file with its capability ids, or `probe` to ask the one that `cogpackc build`
    /// would use. Left out: all that is known today.
    #[arg(long, value_name = "none|FILE|probe")]
    pub limits: Option<LimitsChoice>,
    /// The builder that a Dockerfile is for: BuildKit (which is meant if nothing is said), buildah (and podman) from 1.28 on, or the
    /// classic builder of Docker 20.10.
    #[arg(long, value_enum, value_name = "DIALECT")]
    pub dialect: Option<DialectChoice>,
    /// The version of BuildKit's Dockerfile frontend: `none` for what Docker 20.10 has built in,
    /// a version such as `1.6`, or an image with its version, `REFERENCE=1.6`. Left out: the
    /// oldest from 1.4 on that can say all that the plan wants.
    #[arg(long, value_name = "none|VERSION|IMAGE=VERSION")]
    pub syntax: Option<Syntax>,
    /// Lay all that a Dockerfile reads beside it, also what it could read from your directories,
    /// so that it can be built anywhere.
    #[arg(long)]
    pub self_contained: bool,
    /// Replace what was changed by hand of what an earlier run has laid beside a Dockerfile or a
    /// definition.
    #[arg(long)]
    pub force: bool,
    /// Compile for these of the plan's platforms only, for instance `linux/arm64`.
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<cogpack_content::Platform>,
    /// Where packed layers and packages are kept, so that files that have not changed are not packed
    /// again; also COGPACK_STORE. Left out: packages in your cache directory, and layers nowhere.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// What the image of an OCI layout is called, for instance `me/model:1`; may be given several
    /// times. Of several plans each has one, in their order; left out, they are called as their files.
    #[arg(short = 't', long = "tag", value_name = "NAME")]
    pub tags: Vec<cogpack_content::ImageReference>,
    /// How the layers of an OCI layout are compressed: `auto`, which is meant if nothing is said, is
    /// gzip for what compresses, and nothing for what does not, such as weights.
    #[arg(long, value_enum, value_name = "COMPRESSION")]
    pub compression: Option<CompressionChoice>,
    /// How hard layers are compressed, as the compressor counts: the higher, the smaller they are, and
    /// the longer they take. gzip has 1 to 12, and 5 is meant if nothing is said; zstd has 1 to 22, and 3.
    #[arg(long, value_name = "LEVEL")]
    pub compression_level: Option<String>,
    /// How far the plan is rewritten before it is compiled, for the same image; also `-O0`, `-O1`, `-O2`.
    /// Left out: 1.
    #[arg(long = "optimise", value_enum, value_name = "0|1|2")]
    pub level: Option<LevelChoice>,
    /// How findings, notes and failures are shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What `--optimise` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LevelChoice {
    /// The plan as it is.
    #[value(name = "0")]
    None,
    /// The same layers, made with less work.
    #[default]
    #[value(name = "1")]
    Safe,
    /// Other layers of the same files.
    #[value(name = "2")]
    Layers,
}

impl From<LevelChoice> for Level {
    fn from(choice: LevelChoice) -> Self {
        match choice {
            LevelChoice::None => Self::None,
            LevelChoice::Safe => Self::Safe,
            LevelChoice::Layers => Self::Layers,
        }
    }
}

/// What `--compression` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CompressionChoice {
    /// gzip, and none for layers that it would make less than a twentieth smaller.
    #[default]
    Auto,
    /// gzip for every layer.
    Gzip,
    /// Zstandard for every layer, which `docker load` takes from Docker 23 on.
    Zstd,
    /// No layer is compressed.
    None,
}

impl From<CompressionChoice> for Method {
    fn from(choice: CompressionChoice) -> Self {
        match choice {
            CompressionChoice::Auto => Self::Auto,
            CompressionChoice::Gzip => Self::Gzip,
            CompressionChoice::Zstd => Self::Zstd,
            CompressionChoice::None => Self::None,
        }
    }
}

/// What `--dialect` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DialectChoice {
    /// BuildKit: `docker build`, `docker buildx build`.
    #[default]
    Buildkit,
    /// `buildah build` and `podman build`.
    Buildah,
    /// The classic builder: `DOCKER_BUILDKIT=0 docker build`.
    Legacy,
}

/// What `--limits` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitsChoice {
    /// What every supported daemon does.
    None,
    /// What the daemon says that the environment names.
    Probe,
    /// What a file lists.
    File(PathBuf),
}

impl Compile {
    /// How layers are to be compressed.
    pub fn compression(&self) -> Result<Compression, Failure> {
        let method = Method::from(self.compression.unwrap_or_default());
        match &self.compression_level {
            None => Ok(method.into()),
            Some(level) => Compression::at(method, level).map_err(|source| Failure::new(source.to_string())),
        }
    }

    /// The dialect that was asked for; only BuildKit's language has versions.
    pub fn dialect(&self) -> Result<Dialect, Failure> {
        let dialect = match self.dialect.unwrap_or_default() {
            DialectChoice::Buildkit => {
                return Ok(Dialect::BuildKit { syntax: self.syntax.clone().unwrap_or_default() });
            }
            DialectChoice::Buildah => Dialect::Buildah,
            DialectChoice::Legacy => Dialect::Legacy,
        };
        match self.syntax {
            None => Ok(dialect),
            Some(_) => Err(Failure::new(format!(
                "`--syntax` is a version of BuildKit's frontend, which `--dialect {}` has not",
                dialect.name()
            ))
            .with_hint("leave one of the two out")),
        }
    }
}

impl From<&str> for LimitsChoice {
    fn from(text: &str) -> Self {
        match text {
            "none" => Self::None,
            "probe" => Self::Probe,
            path => Self::File(path.into()),
        }
    }
}

/// What `-o` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Artifact {
    /// A BuildKit definition, as `buildctl build` reads it. It holds no image config and no installed
    /// packages: with `-O DIR/` they are beside it, as `image-config.json` and in `contexts/`, and
    /// `llb.md` says how it is solved.
    Llb,
    /// The same as a listing that people can read.
    #[value(name = "llb.txt")]
    LlbText,
    /// A Dockerfile for BuildKit.
    Dockerfile,
    /// An OCI image layout; a tar of one where PATH ends in `.tar`.
    Oci,
    /// The plan as JSON.
    Json,
    /// The plan as canonical text.
    Cpk,
}

impl Artifact {
    /// Whether it is the plan itself in another form.
    pub fn is_the_plan(self) -> bool {
        match self {
            Self::Json | Self::Cpk => true,
            Self::Llb | Self::LlbText | Self::Dockerfile | Self::Oci => false,
        }
    }

    /// The word that `-o` takes.
    pub fn option(self) -> &'static str {
        match self {
            Self::Llb => "llb",
            Self::LlbText => "llb.txt",
            Self::Dockerfile => "dockerfile",
            Self::Oci => "oci",
            Self::Json => "json",
            Self::Cpk => "cpk",
        }
    }

    /// What it is called in a directory that holds several.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llb => "llb.pb",
            Self::LlbText => "llb.txt",
            Self::Dockerfile => "dockerfile",
            Self::Oci => "oci",
            Self::Json => "plan.json",
            Self::Cpk => "plan.cpk",
        }
    }

    /// Whether it may be more than one file.
    pub fn is_a_directory(self) -> bool {
        match self {
            Self::Dockerfile | Self::Oci => true,
            Self::Llb | Self::LlbText | Self::Json | Self::Cpk => false,
        }
    }
}

/// Commands besides compiling.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build a plan into an image.
    Build(Box<Build>),
    /// Ask a model for a prediction, building and starting it if need be.
    #[command(visible_alias = "run")]
    Predict(Box<Predict>),
    /// Check plans and show every finding: what is wrong, and what is legal and costs.
    Check(Check),
    /// Put plans into canonical form, comments kept.
    Fmt {
        /// Plans; `-` is standard input, and is written to standard output.
        #[arg(required = true)]
        plans: Vec<PathBuf>,
        /// Change nothing; exit 1 if a plan is not in canonical form.
        #[arg(long)]
        check: bool,
        /// Change nothing; show what would change, and exit 1 if something would.
        #[arg(long)]
        diff: bool,
        /// `json` tells of each plan on standard output: whether it is in canonical form, and what
        /// was done.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the plan with every input concrete and every variable expanded.
    Resolve {
        /// The plan; `-` is standard input.
        plan: PathBuf,
        /// Read the config of @NAME from a local OCI layout, `python=DIR` or `python=DIR:TAG`, an
        /// archive, `python=FILE[:TAG]`, or the Docker Engine, `python=docker-daemon:IMAGE`.
        #[arg(long = "layout", value_name = "NAME=PLACE")]
        layouts: Vec<String>,
        /// `json` prints the plan, and the findings, as JSON.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Rewrite plans so that their images cost less and are the same.
    Opt(Optimise),
    /// Draw the plan: phases as lanes, stages, layers.
    Graph {
        /// The plan; `-` is standard input.
        plan: PathBuf,
        /// The kind of drawing. Left out: what the name of the file ends with, `.svg` or `.mmd`,
        /// else `dot`.
        #[arg(short = 'o', long = "as", value_enum)]
        kind: Option<Drawing>,
        /// The file to write instead of standard output.
        #[arg(short = 'O', long = "output-path", value_name = "FILE")]
        path: Option<PathBuf>,
        /// `json` writes what a drawing shows, and the findings, as JSON.
        #[arg(long, value_enum, default_value_t, conflicts_with = "kind")]
        format: Format,
    },
    /// Compare two plans: what was changed, and what that builds again.
    Diff(Box<Diff>),
    /// Tell more about a finding's code, or why a build of a plan runs what it runs.
    Explain(Box<Explain>),
    /// Choose packages out of an archive, and print the context that fixes them.
    Lock(Box<Lock>),
    /// Print the plan of a project, or why it is as it is.
    Plan(PlanProject),
    /// The base images that are known: `list`, `add`.
    Catalogue(Bases),
    /// Look after what builds without a daemon keep: `gc`, `verify`, `du`.
    Store(Upkeep),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Kinds of drawings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Drawing {
    /// Graphviz text.
    Dot,
    /// Mermaid text.
    Mermaid,
    /// A picture, drawn without outside programs.
    Svg,
}
