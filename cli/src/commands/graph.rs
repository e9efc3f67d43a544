//! `cogpackc graph`: a drawing of the plan.

use std::path::Path;

use cogpack_ir::draw;
use miette::Diagnostic;

use crate::arguments::Drawing;
use crate::console::Console;
use crate::failure::Failure;
use crate::report::{self, Format, Stream};
use crate::{DONE, FINDINGS, plan_file};

/// Draws `plan`. A plan that breaks rules is drawn as well: a picture of a cycle helps to see it.
pub fn run(
    plan: &Path,
    kind: Drawing,
    path: Option<&Path>,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let file = plan_file::read(plan, console)?;
    let plan = match cogpack_compiler::parse(&file.text) {
        Ok(plan) => plan,
        Err(findings) => {
            let diagnostics: Vec<&dyn Diagnostic> =
                findings.iter().map(|finding| finding as &dyn Diagnostic).collect();
            report::findings(&diagnostics, &file, Format::Text, Stream::Talk, console);
            return Ok(FINDINGS);
        }
    };
    let drawing = match kind {
        Drawing::Dot => draw::dot(&plan),
        Drawing::Mermaid => draw::mermaid(&plan),
        Drawing::Svg => draw::svg(&plan),
    };
    match path {
        Some(path) if path != Path::new("-") => {
            let path = console.directory.join(path);
            cogpack_io_project::files::write_file_atomically(&path, drawing.as_bytes())
                .map_err(|error| Failure::of(&error))?;
        }
        Some(_) | None => console.data(drawing.as_bytes()),
    }
    Ok(DONE)
}
