//! `cogpackc fmt`: canonical form, comments kept.

use std::path::PathBuf;

use miette::Diagnostic;

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{self, Format, Stream};
use crate::{DONE, FINDINGS, line_diff, plan_file};

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

/// Formats `plans`.
pub fn run(plans: &[PathBuf], mode: Mode, console: &mut Console<'_>) -> Result<u8, Failure> {
    let mut code = DONE;
    for path in plans {
        let plan = plan_file::read(path, console)?;
        let formatted = match cogpack_ir::syntax::format(&plan.text) {
            Ok(formatted) => formatted,
            Err(findings) => {
                let diagnostics: Vec<&dyn Diagnostic> =
                    findings.iter().map(|finding| finding as &dyn Diagnostic).collect();
                report::findings(&diagnostics, &plan, Format::Text, Stream::Talk, console);
                code = FINDINGS;
                continue;
            }
        };
        let changed = formatted != plan.text;
        match mode {
            Mode::Write => write(&plan, &formatted, changed, console)?,
            Mode::Check if changed => {
                console.say(&format!("{} is not in canonical form", plan.shown));
                code = FINDINGS;
            }
            Mode::Diff if changed => {
                let after = format!("{} (canonical)", plan.shown);
                let diff = line_diff::unified((&plan.shown, &plan.text), (&after, &formatted));
                console.data(diff.as_bytes());
                code = FINDINGS;
            }
            Mode::Check | Mode::Diff => {}
        }
    }
    if code == FINDINGS && mode == Mode::Check {
        console.say("\nhint: `cogpackc fmt` without `--check` rewrites them");
    }
    Ok(code)
}

fn write(plan: &PlanFile, formatted: &str, changed: bool, console: &mut Console<'_>) -> Result<(), Failure> {
    match &plan.path {
        None => console.data(formatted.as_bytes()),
        Some(path) if changed => {
            cogpack_io_project::files::write_file_atomically(path, formatted.as_bytes())
                .map_err(|error| Failure::of(&error))?;
        }
        Some(_) => {}
    }
    Ok(())
}
