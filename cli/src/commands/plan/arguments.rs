//! What `cogpackc plan` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use cogpack_content::Platform;

use crate::project::options::ProjectOptions;
use crate::report::Format;

/// `cogpackc plan DIR`
#[derive(Debug, Args)]
pub struct PlanProject {
    /// The project's directory.
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,
    /// Print what decided the plan instead of the plan: which files, which base images were looked at
    /// and what ruled each out, which blocks had something to do.
    #[arg(long, conflicts_with = "form")]
    pub why: bool,
    /// The form of the plan; text if nothing is said.
    #[arg(short = 'o', long = "as", value_enum, value_name = "cpk|json")]
    pub form: Option<PlanFormat>,
    /// Print nothing; compare the plan with the one that is kept in FILE, and where that one is stale
    /// show what differs and exit 1. Comments in FILE do not count.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["why", "form", "path"])]
    pub check: Option<PathBuf>,
    /// The file to write instead of standard output; it is never half written.
    #[arg(short = 'O', long = "output-path", value_name = "FILE")]
    pub path: Option<PathBuf>,
    /// Refuse the plan where one of its programs may reach a network, as `build --no-network` does.
    #[arg(long)]
    pub no_network: bool,
    /// What the image is for; may be given several times.
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// How the project is read.
    #[command(flatten)]
    pub project: ProjectOptions,
    /// How findings and failures are shown; `json` prints plan and reasons as JSON too.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// The text of the language.
    Cpk,
    /// The same as JSON.
    Json,
}

impl PlanProject {
    /// The form that is printed.
    pub fn form(&self) -> PlanFormat {
        self.form.unwrap_or(match self.format {
            Format::Text => PlanFormat::Cpk,
            Format::Json => PlanFormat::Json,
        })
    }
}
