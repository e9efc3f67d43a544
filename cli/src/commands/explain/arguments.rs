//! What `cogpackc explain` takes.

use std::path::PathBuf;

use clap::Args;

use crate::project::options::Planning;
use crate::report::Format;

/// `cogpackc explain CODE`, `cogpackc explain PLAN --since OLD`
#[derive(Debug, Args)]
pub struct Explain {
    /// For instance `cpk::stage::cycle`; left out, all codes are listed. With `--since` a plan, as
    /// `cogpackc diff` takes it.
    #[arg(value_name = "CODE|PLAN")]
    pub code: Option<String>,
    /// Tell which ops run again where this plan was built, and for each layer the chain from what was
    /// changed to it: a plan, as a file, `REVISION:PATH` of a git repository or a directory; or a build
    /// record. `last`, or nothing, stands for the record that the plan's last build left in
    /// `.cog/records`, and files that have changed since then are told as well.
    #[arg(long, value_name = "OLD", requires = "code", num_args = 0..=1, default_missing_value = "last")]
    pub since: Option<PathBuf>,
    /// Look at the files of a `dir` context in another directory, as the build was told that left the record.
    /// Can be repeated.
    #[arg(long = "build-context", value_name = "NAME=DIR", requires = "since")]
    pub contexts: Vec<String>,
    /// How a project is planned: as its build was told.
    #[command(flatten)]
    pub planning: Planning,
    /// How it is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
