//! A plan that is kept beside its project: whether it is still the project's, and bringing it up to date.

use std::path::Path;

use cogpack_io_project::files::write_file_atomically;
use cogpack_ir::plan::Plan;
use cogpack_ir::{json as plan_json, syntax};
use serde::Serialize;

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::{self, PlanFile};
use crate::report::{Format, json};
use crate::{DONE, FINDINGS, line_diff};

/// Whether a kept plan is up to date, for programs.
#[derive(Serialize)]
struct Compared<'a> {
    version: u32,
    file: &'a str,
    up_to_date: bool,
    /// What would make it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a str>,
}

/// Compares the plan that is kept at `path` with the project's. Comments and layout of the kept one are
/// its keeper's, and make it no staler; what it says counts.
pub fn check(
    path: &Path,
    planned: &PlanFile,
    plan: &Plan,
    format: Format,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let kept =
        plan_file::read(path, console).map_err(|failure| match console.directory.join(path).exists() {
            true => failure,
            false => Failure {
                hint: Some(format!("`cogpackc plan … -O {}` writes it for the first time", path.display())),
                ..failure
            },
        })?;
    let is_the_same = cogpack_compiler::parse(&kept.text).is_ok_and(|kept| kept == *plan);
    let diff = (!is_the_same).then(|| {
        // A plan that is kept as JSON is compared with JSON.
        let text = if kept.text.trim_start().starts_with('{') {
            plan_json::write(plan)
        } else {
            syntax::print(plan)
        };
        line_diff::unified((&kept.shown, &kept.text), (&planned.shown, &text))
    });
    match (format, &diff) {
        (Format::Json, diff) => {
            let (file, diff) = (kept.shown.as_str(), diff.as_deref());
            let compared = Compared { version: json::VERSION, file, up_to_date: is_the_same, diff };
            console.data(json::text(&compared).as_bytes());
        }
        (Format::Text, None) => console.say(&format!("{} is up to date", kept.shown)),
        (Format::Text, Some(diff)) => {
            console.data(diff.as_bytes());
            console.say(&format!(
                "{} is stale: it is not {}\n\nhint: the same command with `-O {}` in place of `--check` brings it \
                 up to date; read what `git diff` then shows, and commit it with the change",
                kept.shown, planned.shown, kept.shown
            ));
        }
    }
    Ok(if is_the_same { DONE } else { FINDINGS })
}

/// Writes the project's plan to `path`, which is never half there.
pub fn write(path: &Path, text: &str, console: &mut Console<'_>) -> Result<(), Failure> {
    write_file_atomically(&console.directory.join(path), text.as_bytes()).map_err(|error| Failure::of(&error))
}
