//! What `cogpackc check` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::report::Format;

/// `cogpackc check PLAN…`
#[derive(Debug, Args)]
pub struct Check {
    /// Plans; `-` is standard input.
    #[arg(required = true)]
    pub plans: Vec<PathBuf>,
    /// Leave out warnings and advice of this code, or of all that begin with it: `lint::apt`. What is said
    /// more closely counts, `--deny` where both are the same. A comment `# allow CODE` does it in the plan.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub allow: Vec<String>,
    /// Take warnings and advice of this code, or of all that begin with it, for errors, and exit 1 where
    /// there is one: `lint`, `cpk::image::unpinned`.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub deny: Vec<String>,
    /// Mend the plans as far as their images stay the same, comments kept; then show what is left, and why.
    #[arg(long)]
    pub fix: bool,
    /// Mend with `--fix` also what changes the image, and say of each what to look at.
    #[arg(long, requires = "fix")]
    pub unsafe_fixes: bool,
    /// Ask no server with `--fix`, and leave what only a server can say: digests of images, hashes of files,
    /// commits, versions of packages.
    #[arg(long, requires = "fix")]
    pub offline: bool,
    /// How findings and failures are shown. `sarif` is one log of all plans, for code review sites.
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
}

/// Whom findings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CheckFormat {
    /// People.
    #[default]
    Text,
    /// Programs.
    Json,
    /// Code review sites: SARIF 2.1.0.
    Sarif,
}

impl CheckFormat {
    /// The format of failures, of which SARIF has none.
    pub fn of_failures(self) -> Format {
        match self {
            Self::Text | Self::Sarif => Format::Text,
            Self::Json => Format::Json,
        }
    }
}
