//! What `cogpackc store` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::amount::Amount;
use crate::report::Format;

/// Look after the store: what builds without a daemon keep from build to build.
///
/// It holds the unpacked layers of base images, what programs left, packages, and the directories of
/// cache mounts. Builds make anew whatever is missing, so nothing is lost with it but time.
#[derive(Debug, Args)]
pub struct Upkeep {
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
    /// The store; also COGPACK_STORE. Left out: `cogpackc/store` in your cache directory.
    #[arg(long, value_name = "DIR", global = true)]
    pub store: Option<PathBuf>,
    /// How it is told.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,
}

/// What can be done to a store.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Throw away what nobody has asked for in a while. Refused while a build uses the store.
    Gc(Rule),
    /// Find out whether all that is kept is as it was made; exit 1 if something is not.
    Verify {
        /// Take away what is damaged, so that it is made anew when it is needed. Refused while a build
        /// uses the store.
        #[arg(long)]
        repair: bool,
    },
    /// Tell what is kept, and how much of the disk it takes.
    Du,
}

/// What stays.
#[derive(Debug, Args)]
pub struct Rule {
    /// Keep what a build has asked for in the last N days; 30 where no rule is given.
    #[arg(long, value_name = "N")]
    pub keep_days: Option<u32>,
    /// Keep at most so much, for instance `20GB` or `512MiB`: what builds asked for last.
    #[arg(long, value_name = "SIZE")]
    pub keep_bytes: Option<Amount>,
    /// Throw away the directories of cache mounts too, to which no rule applies.
    #[arg(long)]
    pub caches: bool,
}
