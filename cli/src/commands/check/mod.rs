//! `cogpackc check`: every finding of every plan that is named, what is only costly included.

pub mod arguments;
mod asked;
mod fix;
mod found;
mod project;
mod sarif;
mod switches;

use arguments::{Check, CheckFormat};
use asked::Asker;
use cogpack_lints::Repair;
use miette::Diagnostic;

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{self, Format, Stream};
use crate::{DONE, FINDINGS, plan_file};
use found::{Found, Looked, Severity};
use project::PlanDirectories;
use switches::Switches;

/// Checks plans; what is found is the data of this command.
pub fn run(arguments: &Check, console: &mut Console<'_>) -> Result<u8, Failure> {
    let switches = Switches::new(&arguments.allow, &arguments.deny)?;
    let format = arguments.format.of_failures();
    let mut log = sarif::Log::new(console.directory.clone());
    // What one plan needs, the next one may need as well.
    let mut asker = Asker::new(arguments.offline, arguments.unsafe_fixes, format);
    let code = plan_file::each("check", &arguments.plans, format, console, |plan, console| {
        let plan = match arguments.fix {
            true => fix::fixed(plan, &switches, &mut asker, format, console)?,
            false => plan,
        };
        let mut looked = found::look(&plan.text, &PlanDirectories { of: &plan.directory }, &switches);
        if arguments.fix {
            asker.answer(&mut looked.found, &plan.text, console);
        }
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
        if plan.path.is_some() && !arguments.fix {
            hint(found, console);
        }
    }
}

/// What could be mended.
fn hint(found: &[Found], console: &mut Console<'_>) {
    let count = |which: (bool, bool)| found.iter().filter(|found| found.can_be_mended() == which).count();
    let of_them = |number: usize| match number {
        1 => "one of them".to_owned(),
        _ => format!("{number} of them"),
    };
    let more = |number: usize| if number == 1 { "one more".to_owned() } else { format!("{number} more") };
    let asked = found.iter().filter(|found| matches!(found.repair, Repair::Ask(_))).count();
    let servers = match asked {
        0 => "",
        _ => ", as far as servers answer",
    };
    match (count((true, true)), count((false, true))) {
        (0, 0) => {}
        (safe, 0) => console.say(&format!("hint: `--fix` mends {}{servers}", of_them(safe))),
        (0, changing) => console.say(&format!(
            "hint: `--fix --unsafe-fixes` mends {}, and changes the image{servers}",
            of_them(changing)
        )),
        (safe, changing) => console.say(&format!(
            "hint: `--fix` mends {}, and with `--unsafe-fixes` {}, and changes the image{servers}",
            of_them(safe),
            more(changing)
        )),
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
