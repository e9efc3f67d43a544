//! `cogpackc check`: every finding of every plan that is named, what is only costly included.

pub mod arguments;
mod fix;
mod found;
mod sarif;
mod switches;

use arguments::{Check, CheckFormat};
use miette::Diagnostic;

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{self, Format, Stream};
use crate::{DONE, FINDINGS, plan_file};
use found::{Found, Looked, Severity};
use switches::Switches;

/// Checks plans; what is found is the data of this command.
pub fn run(arguments: &Check, console: &mut Console<'_>) -> Result<u8, Failure> {
    let switches = Switches::new(&arguments.allow, &arguments.deny)?;
    let format = arguments.format.of_failures();
    let mut log = sarif::Log::new(console.directory.clone());
    let code = plan_file::each(&arguments.plans, format, console, |plan, console| {
        let plan = match arguments.fix {
            true => fix::fixed(plan, &switches, format, console)?,
            false => plan,
        };
        let looked = found::look(&plan.text, &switches);
        let found = &looked.found;
        if arguments.fix && format == Format::Text {
            fix::tell_of_rest(found, &plan, console);
        }
        match arguments.format {
            CheckFormat::Sarif => log.add(&plan, found),
            CheckFormat::Text | CheckFormat::Json => show(&looked, &plan, arguments, console),
        }
        Ok(if found.iter().any(|found| found.severity == Severity::Error) { FINDINGS } else { DONE })
    })?;
    if arguments.format == CheckFormat::Sarif {
        console.data(log.text().as_bytes());
    }
    Ok(code)
}

fn show(looked: &Looked, plan: &PlanFile, arguments: &Check, console: &mut Console<'_>) {
    let found = &looked.found;
    let diagnostics: Vec<&dyn Diagnostic> = found.iter().map(|found| found as &dyn Diagnostic).collect();
    // A secret that is found is not shown to whoever reads what was found.
    let plan = PlanFile { text: looked.without_secrets(&plan.text).into(), ..plan.clone() };
    let format = arguments.format.of_failures();
    report::findings(&diagnostics, &plan, format, Stream::Data, console);
    if format == Format::Text {
        console.say(&format!("{}: {}", plan.shown, summary(found)));
        let mendable = found.iter().filter(|found| found.can_be_mended()).count();
        if mendable > 0 && plan.path.is_some() && !arguments.fix {
            let them = if mendable == 1 { "one of them".to_owned() } else { format!("{mendable} of them") };
            console.say(&format!("hint: `--fix` mends {them}"));
        }
    }
}

fn summary(found: &[Found]) -> String {
    let count = |severity: Severity, one: &str, several: &str| match found
        .iter()
        .filter(|found| found.severity == severity)
        .count()
    {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{number} {several}")),
    };
    let counts = [
        count(Severity::Error, "error", "errors"),
        count(Severity::Warning, "warning", "warnings"),
        count(Severity::Advice, "piece of advice", "pieces of advice"),
    ];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    match counts.is_empty() {
        true => "nothing to say against it".to_owned(),
        false => counts.join(", "),
    }
}
