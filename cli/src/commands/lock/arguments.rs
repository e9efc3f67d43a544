//! What `cogpackc lock` is told.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use cogpack_content::Platform;

use crate::project::options::ProjectOptions;
use crate::report::Format;

/// `cogpackc lock`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Lock {
    /// The packages of a project.
    #[command(flatten)]
    pub project: ProjectLock,
    /// What is locked instead of a project.
    #[command(subcommand)]
    pub set: Option<Set>,
    /// `json` prints the context, and the failures, as JSON.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,
}

/// `cogpackc lock DIR`
#[derive(Debug, Args)]
pub struct ProjectLock {
    /// The directory of the project whose Python packages are locked, into its `pylock.cog.toml`. `uv`
    /// chooses the versions. With `--base debian` the Debian packages of its image are locked too, into
    /// `debs.cog.cpk`, out of the archives that the machine names in /etc/apt.
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,
    /// For which machines; may be given several times. Left out, linux/amd64.
    #[arg(long = "platform", value_name = "OS/ARCH")]
    pub platforms: Vec<Platform>,
    /// Ask no index: only what uv has in its cache is taken.
    #[arg(long)]
    pub offline: bool,
    /// Choose all versions anew, instead of keeping those of the lock that is there.
    #[arg(long)]
    pub upgrade: bool,
    /// Where the Debian packages of `--base debian` come from, instead of the archives that the machine
    /// names.
    #[command(flatten)]
    pub archive: Archive,
    /// Change nothing; exit 1 where the lock is missing or out of date.
    #[arg(long, conflicts_with_all = ["offline", "upgrade"])]
    pub locked: bool,
    /// How the project is read.
    #[command(flatten)]
    pub options: ProjectOptions,
}

/// The kinds of sets.
#[derive(Debug, Subcommand)]
pub enum Set {
    /// Debian packages and all that they need, out of an archive's signed index.
    Debs(DebsRequest),
    /// Python wheels, as a project's lock file names them.
    Wheels(WheelsRequest),
}

/// `cogpackc lock wheels`
#[derive(Debug, Args)]
pub struct WheelsRequest {
    /// A `pylock.toml` (PEP 751) or a `uv.lock`.
    #[arg(value_name = "LOCK")]
    pub file: PathBuf,
    /// The Python of the image, `3.11`; with a third number where the lock file asks for it.
    #[arg(long, value_name = "VERSION")]
    pub python: String,
    /// Where the image has its Python, for the first line of scripts; left out, /usr/bin/python3.
    #[arg(long, value_name = "PATH")]
    pub interpreter: Option<String>,
    /// The name of the context.
    #[arg(long = "as", value_name = "NAME", default_value = "packages")]
    pub name: String,
    /// For which machines; may be given several times.
    #[arg(long = "platform", value_name = "OS/ARCH", default_values_t = [Platform::linux_amd64()])]
    pub platforms: Vec<Platform>,
    /// Add what an extra of the project needs.
    #[arg(long = "extra", value_name = "NAME")]
    pub extras: Vec<String>,
    /// Add a dependency group of the project.
    #[arg(long = "group", value_name = "NAME")]
    pub groups: Vec<String>,
    /// Leave a package out, and of a `uv.lock` all that only it needs.
    #[arg(long, value_name = "PACKAGE")]
    pub without: Vec<String>,
}

/// `cogpackc lock debs`
#[derive(Debug, Args)]
pub struct DebsRequest {
    /// The packages.
    #[arg(required = true, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// The name of the context.
    #[arg(long = "as", value_name = "NAME", default_value = "system")]
    pub name: String,
    /// The release; of the archives that the machine names, only those of `bookworm`,
    /// `bookworm-security` and so on are asked then.
    #[arg(long)]
    pub suite: Option<String>,
    /// For which machines.
    #[arg(long, value_name = "OS/ARCH", default_value_t = Platform::linux_amd64())]
    pub platform: Platform,
    /// Leave a package out, and all that only it needs.
    #[arg(long, value_name = "PACKAGE")]
    pub without: Vec<String>,
    /// Add the packages that every Debian system has.
    #[arg(long)]
    pub essential: bool,
    /// Which archive is asked.
    #[command(flatten)]
    pub archive: Archive,
}

/// An archive of Debian packages, where one is named.
#[derive(Debug, Args)]
pub struct Archive {
    /// The archive to ask, instead of those that the machine names in /etc/apt.
    #[arg(long, value_name = "URL")]
    pub mirror: Option<String>,
    /// The parts of that archive.
    #[arg(long = "component", value_name = "NAME", default_value = "main", requires = "mirror")]
    pub components: Vec<String>,
    /// The keys that sign that archive; left out, all that the machine trusts.
    #[arg(long, value_name = "FILE", requires = "mirror")]
    pub keyring: Vec<PathBuf>,
}
