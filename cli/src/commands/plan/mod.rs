//! `cogpackc plan DIR`: the composed plan of a project, as text; or why it is as it is; or whether the one
//! that is kept is still it.

pub mod arguments;

use std::path::Path;

use arguments::{PlanFormat, PlanProject};
use cogpack_compiler::stacks::{NoPlan, Planned, Request, Why};
use cogpack_ir::json;
use cogpack_ir::verify::verify;
use miette::Diagnostic;

use crate::console::Console;
use crate::failure::Failure;
use crate::no_network;
use crate::project::{self, Project};
use crate::report::{self, Format, Stream};
use crate::{DONE, FINDINGS};

/// Plans, and prints.
pub fn run(arguments: &PlanProject, console: &mut Console<'_>) -> Result<u8, Failure> {
    let PlanProject { project: options, platforms, format, .. } = arguments;
    let Some(request) = project::request(options, platforms, *format, console)? else { return Ok(FINDINGS) };
    let request = Request { no_network: arguments.no_network, ..request };
    let mut project = Project::open(&arguments.directory, &arguments.project, console)?;
    match project.planned(&request) {
        Ok(planned) => {
            project.show(&planned.warnings, arguments.format, console);
            printed(&project, &planned, arguments, console)
        }
        Err(none) => {
            refused(&project, &none, arguments, console)?;
            Ok(FINDINGS)
        }
    }
}

/// Shows why a project has no plan: where reasons are asked for, first what was decided all the same.
fn refused(
    project: &Project,
    none: &NoPlan,
    arguments: &PlanProject,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    if let Some(why) = none.why.as_deref().filter(|_| arguments.why) {
        written(&reasons(why, arguments.format), arguments, console)?;
    }
    project.show(&none.findings, arguments.format, console);
    Ok(())
}

fn reasons(why: &Why, format: Format) -> String {
    match format {
        Format::Text => why.text(),
        Format::Json => why_json::text(why),
    }
}

/// Writes what was asked for to where it was asked for.
fn written(text: &str, arguments: &PlanProject, console: &mut Console<'_>) -> Result<(), Failure> {
    match arguments.path.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => kept::write(path, text, console),
        None => {
            console.data(text.as_bytes());
            Ok(())
        }
    }
}

/// Prints what was planned. It is the text of a plan, so it is read as one, and of what breaks a rule of the
/// language no plan is printed.
fn printed(
    project: &Project,
    planned: &Planned,
    arguments: &PlanProject,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    if arguments.why {
        written(&reasons(&planned.why, arguments.format), arguments, console)?;
    }
    let file = project.as_plan_file(planned);
    let read = match cogpack_compiler::parse(&file.text).and_then(|plan| Ok((verify(plan.clone())?, plan))) {
        Ok((_, plan)) => plan,
        Err(findings) => {
            let diagnostics: Vec<&dyn Diagnostic> = findings.iter().map(|it| it as &dyn Diagnostic).collect();
            report::findings(&diagnostics, &file, arguments.format, Stream::Talk, console);
            return Ok(FINDINGS);
        }
    };
    if arguments.no_network && !no_network::is_kept(&read, &file, arguments.format, console) {
        return Ok(FINDINGS);
    }
    if let Some(path) = &arguments.check {
        return kept::check(path, &file, &planned.plan, arguments.format, console);
    }
    if !arguments.why {
        let text = match arguments.form() {
            PlanFormat::Cpk => file.text.to_string(),
            PlanFormat::Json => json::write(&planned.plan),
        };
        written(&text, arguments, console)?;
    }
    Ok(DONE)
}

mod kept;
mod why_json;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::env_vars::Environment;
    use crate::project::options::ProjectOptions;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        plan: PlanProject,
    }

    /// The exit code, the data and the talk of printing the plan of a project, with or without its base image
    /// declared.
    fn answer(folder: &Path, words: &[&str], is_whole: bool) -> (u8, String, String) {
        let Words { plan: arguments } = Words::parse_from(["plan"].iter().chain(words));
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut console = Console {
            stdin: &mut std::io::empty(),
            stdout: &mut stdout,
            stderr: &mut stderr,
            directory: folder.to_owned(),
            environment: Environment::default(),
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        };
        let mut project = Project::open(Path::new("."), &ProjectOptions::default(), &console)
            .expect("the project is there");
        let made = project.plan(&Request::plain(), Format::Text, &mut console).expect("it can be planned");
        let mut made = made.expect("nothing is wrong with it");
        if !is_whole {
            made.plan.images.clear();
        }
        let code = printed(&project, &made, &arguments, &mut console).expect("it can be said");
        let text = |bytes| String::from_utf8(bytes).expect("all of it is text");
        (code, text(stdout), text(stderr))
    }

    #[test]
    fn of_a_plan_that_breaks_a_rule_nothing_is_printed_but_that_and_why() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("main.py"), "print(1)\n").expect("can be written");
        let (code, data, talk) = answer(folder.path(), &[], true);
        assert_eq!((code, talk.as_str()), (DONE, ""));
        assert!(data.contains("from image @base"), "{data}");
        let kept = folder.path().join("kept.cpk");
        let (code, data, talk) = answer(folder.path(), &["--why"], false);
        assert!(code == FINDINGS && data.starts_with("stack: python\n"), "{code}: {data}");
        assert!(talk.contains("cpk::input::unknown"), "{talk}");
        for words in [&[][..], &["-o", "json"], &["--check", "kept.cpk"], &["-O", "kept.cpk"]] {
            let (code, data, talk) = answer(folder.path(), words, false);
            assert_eq!((code, data.as_str()), (FINDINGS, ""), "{words:?}");
            assert!(talk.contains("cpk::input::unknown"), "{words:?}: {talk}");
            assert!(!kept.exists(), "{words:?}");
        }
    }
}
