//! `cogpackc check`: every finding of every plan that is named.

use std::path::PathBuf;

use cogpack_compiler::World;
use miette::Diagnostic;

use crate::console::Console;
use crate::failure::Failure;
use crate::report::{self, Format, Stream};
use crate::{DONE, FINDINGS, plan_file};

/// Checks `plans`; what is found is the data of this command.
pub fn run(plans: &[PathBuf], format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    plan_file::each(plans, format, console, |plan, console| {
        let findings = findings_of(&plan.text);
        let diagnostics: Vec<&dyn Diagnostic> =
            findings.iter().map(|finding| finding as &dyn Diagnostic).collect();
        let errors = report::findings(&diagnostics, &plan, format, Stream::Data, console);
        if format == Format::Text {
            let warnings = findings.len() - errors;
            console.say(&format!("{}: {}", plan.shown, summary(errors, warnings)));
        }
        Ok(if errors > 0 { FINDINGS } else { DONE })
    })
}

fn findings_of(text: &str) -> Vec<cogpack_ir::finding::Finding> {
    let plan = match cogpack_compiler::parse(text) {
        Ok(plan) => plan,
        Err(findings) => return findings,
    };
    // A plan without an export can be looked at, but has nothing to resolve for.
    if plan.export.is_none() {
        return match cogpack_ir::verify::verify(plan) {
            Ok(verified) => verified.warnings().to_vec(),
            Err(findings) => findings,
        };
    }
    match cogpack_compiler::compile(plan, &World::default()) {
        Ok(resolved) => resolved.warnings().to_vec(),
        Err(findings) => findings,
    }
}

fn summary(errors: usize, warnings: usize) -> String {
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    match (errors, warnings) {
        (0, 0) => "nothing to say against it".to_owned(),
        (0, _) => count(warnings, "warning"),
        (_, 0) => count(errors, "error"),
        _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}
