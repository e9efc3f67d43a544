//! `cogpackc fmt`: canonical form, comments kept.

use std::path::PathBuf;

use serde::Serialize;

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{Format, json};
use crate::{DONE, FINDINGS, front, line_diff, plan_file};

/// What is done with a plan that is not in canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is rewritten.
    Write,
    /// It is named.
    Check,
    /// What would change is shown.
    Diff,
}

impl Mode {
    /// From the two switches; `--diff` says all that `--check` does.
    pub fn of(check: bool, diff: bool) -> Self {
        match (check, diff) {
            (_, true) => Self::Diff,
            (true, false) => Self::Check,
            (false, false) => Self::Write,
        }
    }
}

/// What came of one plan, for programs.
#[derive(Serialize)]
struct Formatted<'a> {
    version: u32,
    file: &'a str,
    /// Whether it was in canonical form.
    canonical: bool,
    /// Whether the file was rewritten.
    written: bool,
    /// What would change, for `--diff`.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a str>,
    /// The canonical text, of a plan that is in no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// Formats `plans`.
pub fn run(plans: &[PathBuf], mode: Mode, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let (mut files, mut input) = (false, false);
    let code = plan_file::each("fmt", plans, format, console, |plan, console| {
        let formatted = match cogpack_ir::syntax::format(&plan.text) {
            Ok(formatted) => formatted,
            Err(findings) => {
                front::show(&findings, &plan, format, console);
                return Ok(FINDINGS);
            }
        };
        let changed = formatted != *plan.text;
        *(if plan.path.is_some() { &mut files } else { &mut input }) |= changed;
        let written = mode == Mode::Write && changed && plan.path.is_some();
        if let Some(path) = plan.path.as_ref().filter(|_| written) {
            cogpack_io_project::files::write_file_atomically(path, formatted.as_bytes())
                .map_err(|error| Failure::of(&error))?;
        }
        tell(&plan, &formatted, mode, format, console);
        Ok(if changed && mode != Mode::Write { FINDINGS } else { DONE })
    })?;
    if mode == Mode::Check && format == Format::Text {
        if files {
            console.say("\nhint: `cogpackc fmt` without `--check` rewrites what is not in canonical form");
        } else if input {
            console.say("\nhint: `cogpackc fmt -` writes the canonical form to standard output");
        }
    }
    Ok(code)
}

/// Says what came of a plan.
fn tell(plan: &PlanFile, formatted: &str, mode: Mode, format: Format, console: &mut Console<'_>) {
    let changed = formatted != *plan.text;
    let diff = (mode == Mode::Diff && changed).then(|| {
        let after = format!("{} (canonical)", plan.shown);
        line_diff::unified((&plan.shown, &plan.text), (&after, formatted))
    });
    let text = (mode == Mode::Write && plan.path.is_none()).then_some(formatted);
    match format {
        Format::Json => {
            let (file, canonical, diff) = (plan.shown.as_str(), !changed, diff.as_deref());
            let written = mode == Mode::Write && changed && plan.path.is_some();
            let came = Formatted { version: json::VERSION, file, canonical, written, diff, text };
            console.data(json::text(&came).as_bytes());
        }
        Format::Text => {
            console.data(diff.as_deref().or(text).unwrap_or_default().as_bytes());
            if mode == Mode::Check && changed {
                console.say(&format!("{} is not in canonical form", plan.shown));
            }
        }
    }
}
