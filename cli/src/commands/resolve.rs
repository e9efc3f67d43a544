//! `cogpackc resolve`: the plan that backends take, as text.

use std::path::Path;

use cogpack_ir::{json, syntax};

use crate::console::Console;
use crate::failure::Failure;
use crate::report::Format;
use crate::{DONE, FINDINGS, front, plan_file};

/// Prints the resolved form of `plan`.
pub fn run(
    plan: &Path,
    layouts: &[String],
    format: Format,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let file = plan_file::read_for("resolve", plan, console)?;
    let Some(resolved) = front::resolved_plan(&file, layouts, format, console)? else { return Ok(FINDINGS) };
    let text = match format {
        Format::Text => syntax::print(resolved.plan()),
        Format::Json => json::write(resolved.plan()),
    };
    console.data(text.as_bytes());
    Ok(DONE)
}
