//! What `cogpackc diff` takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::project::options::Planning;
use crate::report::Format;

/// `cogpackc diff OLD NEW`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing differs, 1 something does, 2 the command could not run.")]
pub struct Diff {
    /// The old plan: a file, `REVISION:PATH` of a git repository, or a directory that holds a `plan.cpk` or
    /// else a project whose packages are locked; `-` is standard input.
    #[arg(value_name = "OLD", required_unless_present = "git_driver")]
    pub old: Option<PathBuf>,
    /// The new plan, likewise.
    #[arg(value_name = "NEW", required_unless_present = "git_driver")]
    pub new: Option<PathBuf>,
    /// The form of the answer; text if nothing is said. JSON also has the edits that turn the old plan
    /// into the new one, as a JSON Patch of the plan's JSON form.
    #[arg(short = 'o', long = "as", value_enum, value_name = "text|json|markdown")]
    pub form: Option<DiffFormat>,
    /// Say how many bytes are pushed and pulled again, by the image that was built of the old plan: an
    /// OCI layout, `DIR` or `DIR:TAG`, or an image in its registry.
    #[arg(long, value_name = "LAYOUT|IMAGE", conflicts_with = "git_driver")]
    pub sizes: Option<String>,
    /// What git gives to a driver of its own diff. Set it up by `git config diff.cogpackc.command
    /// 'cogpackc diff --git-driver'` and a line `*.cpk diff=cogpackc` in `.gitattributes`.
    #[arg(
        long,
        value_name = "PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX NEW-MODE",
        num_args = 1..=9,
        allow_hyphen_values = true,
        conflicts_with_all = ["old", "new"]
    )]
    pub git_driver: Option<Vec<OsString>>,
    /// How a project is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// How findings and failures are shown; `json` prints the answer as JSON too.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For a terminal.
    Text,
    /// For programs.
    Json,
    /// For a comment of a pull request.
    Markdown,
}

impl Diff {
    /// The form that is printed.
    pub fn form(&self) -> DiffFormat {
        self.form.unwrap_or(match self.format {
            Format::Text => DiffFormat::Text,
            Format::Json => DiffFormat::Json,
        })
    }
}
