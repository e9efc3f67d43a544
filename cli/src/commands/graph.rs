//! `cogpackc graph`: a drawing of the plan.

use std::ffi::OsStr;
use std::path::Path;

use cogpack_ir::draw;

use crate::arguments::Drawing;
use crate::console::Console;
use crate::failure::Failure;
use crate::report::Format;
use crate::{DONE, FINDINGS, front, plan_file};

/// Draws `plan`, for programs as JSON. A plan that breaks rules is drawn as well: a picture of a cycle helps to see it.
pub fn run(
    plan: &Path,
    kind: Option<Drawing>,
    path: Option<&Path>,
    format: Format,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let file = plan_file::read_for("graph", plan, console)?;
    let plan = match cogpack_compiler::parse(&file.text) {
        Ok(plan) => plan,
        Err(findings) => {
            front::show(&findings, &file, format, console);
            return Ok(FINDINGS);
        }
    };
    let drawing = match (format, kind.unwrap_or_else(|| kind_of(path))) {
        (Format::Json, _) => draw::json(&plan),
        (Format::Text, Drawing::Dot) => draw::dot(&plan),
        (Format::Text, Drawing::Mermaid) => draw::mermaid(&plan),
        (Format::Text, Drawing::Svg) => draw::svg(&plan),
    };
    match path {
        Some(path) if path != Path::new("-") => {
            let path = console.directory.join(path);
            file.spare(&path)?;
            cogpack_io_project::files::write_file_atomically(&path, drawing.as_bytes())
                .map_err(|error| Failure::of(&error))?;
        }
        Some(_) | None => console.data(drawing.as_bytes()),
    }
    Ok(DONE)
}

/// The kind of a drawing that goes to a file of this name.
fn kind_of(path: Option<&Path>) -> Drawing {
    match path.and_then(Path::extension).and_then(OsStr::to_str) {
        Some("svg") => Drawing::Svg,
        Some("mmd" | "mermaid") => Drawing::Mermaid,
        Some(_) | None => Drawing::Dot,
    }
}
