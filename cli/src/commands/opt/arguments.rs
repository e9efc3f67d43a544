//! What `cogpackc opt` takes.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::LevelChoice;
use crate::report::Format;

/// Rewrite plans so that their images cost less and are the same.
///
/// The result is a plan in which every input is concrete, as `cogpackc resolve` prints it. Of several plans
/// the work that they share becomes stages that are alike, so that their images have the same blobs.
#[derive(Debug, Args)]
pub struct Optimise {
    /// The plans; `-` is standard input.
    #[arg(value_name = "PLAN", required_unless_present = "list")]
    pub plans: Vec<PathBuf>,
    /// How far plans are rewritten; also `-O0`, `-O1`, `-O2`. Left out: 1, the same layers, made with less work.
    #[arg(long = "optimise", value_enum, value_name = "0|1|2", conflicts_with = "passes")]
    pub level: Option<LevelChoice>,
    /// List the passes, in their order, each with the level from which on it runs.
    #[arg(long)]
    pub list: bool,
    /// These passes only, in this order. `pin` asks registries what the images are at the moment.
    #[arg(long = "pass", value_name = "PASS", value_delimiter = ',')]
    pub passes: Vec<String>,
    /// The most layers that an image may have on its base. Left out: 100.
    #[arg(long, value_name = "LAYERS")]
    pub budget: Option<usize>,
    /// How large layers are, by the image that was built of the plan: an OCI layout, `DIR` or `DIR:TAG`, or an
    /// image in its registry. Passes then tell what they save, and weigh what they join. Of several plans each
    /// has its own, in their order.
    #[arg(long, value_name = "LAYOUT|IMAGE")]
    pub sizes: Vec<String>,
    /// Tell what each pass did, and why it held back.
    #[arg(long)]
    pub stats: bool,
    /// Show the plan after each pass that changed it.
    #[arg(long)]
    pub print_after_all: bool,
    /// Ask what the plan means before and after each pass, in worlds that are made up for it.
    #[arg(long)]
    pub verify_passes: bool,
    /// Read the config of @NAME from a local OCI layout, an archive or the Docker Engine, as for compiling.
    #[arg(long = "layout", value_name = "NAME=PLACE")]
    pub layouts: Vec<String>,
    /// The file to write instead of standard output; of several plans the directory.
    #[arg(short = 'O', long = "output-path", value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// `json` prints the plans, and what was told of them, as JSON.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
