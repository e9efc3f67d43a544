//! `cogpackc plan DIR`: the composed plan of a project, as text; or why it is as it is; or whether the one
//! that is kept is still it.

pub mod arguments;

use std::path::Path;

use arguments::{PlanFormat, PlanProject};
use cogpack_compiler::stacks::Request;
use cogpack_ir::verify::verify;
use cogpack_ir::{json, syntax};
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
    let Some(planned) = project.plan(&request, arguments.format, console)? else { return Ok(FINDINGS) };
    let file = project.as_plan_file(&planned);
    // It is the text of a plan, so it is read as one, and what breaks a rule of the language is not printed.
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
    let text = match (arguments.why, arguments.form(), arguments.format) {
        (true, _, Format::Text) => planned.why.text(),
        (true, _, Format::Json) => why_json::text(&planned.why),
        (false, PlanFormat::Cpk, _) => syntax::print(&planned.plan),
        (false, PlanFormat::Json, _) => json::write(&planned.plan),
    };
    if let Some(path) = arguments.path.as_deref().filter(|path| *path != Path::new("-")) {
        return kept::write(path, &text, console);
    }
    console.data(text.as_bytes());
    Ok(DONE)
}

mod kept;
mod why_json;
