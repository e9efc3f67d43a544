//! What `cogpackc catalogue` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use cogpack_content::{ImageReference, Platform};

use crate::report::Format;

/// `cogpackc catalogue`
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
    /// How it is told.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,
}

/// What can be done with catalogues.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Tell which base images are known, the preferred ones first.
    List {
        /// A catalogue of your own, or a directory of such: its images go before the shipped ones. May
        /// be given several times; also COGPACK_CATALOGUE, divided by `:`.
        #[arg(long = "catalogue", value_name = "FILE|DIR")]
        catalogues: Vec<PathBuf>,
    },
    /// Look into an image, without running anything of it, and write its entry.
    Add(Add),
}

/// `cogpackc catalogue add IMAGE`
#[derive(Debug, Args)]
pub struct Add {
    /// What plans call it. It is found in its registry, if nothing is said.
    pub image: ImageReference,
    /// Read it from a local OCI layout, `DIR` or `DIR:TAG`; from an archive of one or of `docker save`,
    /// `FILE[:TAG]`; or out of the Docker Engine, `docker-daemon:IMAGE`.
    #[arg(long, value_name = "PLACE")]
    pub layout: Option<String>,
    /// The platform that is looked at.
    #[arg(long, value_name = "PLATFORM", default_value_t = Platform::linux_amd64())]
    pub platform: Platform,
    /// The catalogue that the entry is added to, which is made if it is not there. Left out, or `-`:
    /// standard output.
    #[arg(short = 'O', long = "output-path", value_name = "FILE")]
    pub path: Option<PathBuf>,
    /// Where what comes from a registry is kept; also COGPACK_STORE. Left out: in your cache directory.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
}
