//! `cogpackc store gc|verify|du`: what builds without a daemon keep from build to build.

mod amount;
pub mod arguments;
mod du;
mod gc;
mod verify;

use std::path::PathBuf;

use arguments::{Task, Upkeep};
use cogpack_io_runtime::user_namespace;
use cogpack_io_store::StoreError;
use cogpack_io_store::usage::Holding;
use serde::Serialize;

use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;

/// Does what was asked for, and gives the exit code.
pub fn run(arguments: &Upkeep, console: &mut Console<'_>) -> Result<u8, Failure> {
    let path = Machine::new(arguments.store.as_deref(), console).store_path()?;
    // What an ordinary user's builds keep has owners that only root of its namespace may look into.
    // Without one, such a build kept nothing; what else stands in the way is told by whoever reads.
    drop(user_namespace::enter());
    match &arguments.task {
        Task::Du => du::run(&path, arguments.format, console),
        Task::Verify { repair } => verify::run(&path, *repair, arguments.format, console),
        Task::Gc(rule) => gc::run(&path, rule, arguments.format, console),
    }
}

/// Why the store cannot be used, with the way out.
fn failed(error: &StoreError) -> Failure {
    let failure = Failure::of(error);
    match error {
        StoreError::NoStore { .. } => failure.with_hint(
            "the first build that keeps something makes one; `--store DIR` or COGPACK_STORE names another place",
        ),
        StoreError::InUse { .. } => {
            failure.with_hint("nothing was changed; run this again when no build uses the store")
        }
        StoreError::Disk { .. } | StoreError::Form { .. } | StoreError::Cancelled { .. } => failure,
    }
}

/// How many things of a kind, and how much of the disk they take, as JSON.
#[derive(Debug, Clone, Copy, Serialize)]
struct JsonHolding {
    count: u64,
    bytes: u64,
}

impl From<Holding> for JsonHolding {
    fn from(holding: Holding) -> Self {
        Self { count: holding.count, bytes: holding.bytes }
    }
}

/// Prints a document as JSON.
fn print_json(document: &impl Serialize, console: &mut Console<'_>) {
    // Plain data with keys of text.
    let mut text = serde_json::to_vec_pretty(document).unwrap_or_default();
    text.push(b'\n');
    console.data(&text);
}

/// A store's path, as messages show it.
fn shown(path: &std::path::Path) -> String {
    PathBuf::from(path).display().to_string()
}
