//! The plan that a command line names: its text, and how messages call it.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::console::Console;
use crate::failure::Failure;

/// A plan's text and where it came from.
#[derive(Debug, Clone)]
pub struct PlanFile {
    /// The name in messages: the path as it was given, or `<stdin>`.
    pub shown: String,
    /// The file; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The text.
    pub text: String,
    /// What the paths of `dir` and `oci` contexts are relative to.
    pub directory: PathBuf,
}

/// The most that is read: the parser's limit and a byte, so that it can say that it is too much.
const MOST: u64 = cogpack_ir::syntax::LARGEST_TEXT as u64 + 1;

/// Reads the plan at `path`, or standard input for `-`.
pub fn read(path: &Path, console: &mut Console<'_>) -> Result<PlanFile, Failure> {
    let is_stdin = path == Path::new("-");
    let shown = if is_stdin { "<stdin>".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let full = console.directory.join(path);
    if is_stdin {
        let read = (&mut *console.stdin).take(MOST).read_to_end(&mut bytes);
        read.map_err(|error| could_not_read(&shown, &error))?;
    } else {
        if full.is_dir() {
            return Err(Failure::new(format!("`{shown}` is a directory, not a plan"))
                .with_hint("name the plan in it, for instance `plan.cpk`"));
        }
        let file = std::fs::File::open(&full).map_err(|error| could_not_read(&shown, &error))?;
        file.take(MOST).read_to_end(&mut bytes).map_err(|error| could_not_read(&shown, &error))?;
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        Failure::new(format!("`{shown}` is not UTF-8 text: line {line} has a byte that cannot be read"))
            .with_hint("a plan is UTF-8 text; a compiled definition or an image cannot be read back")
    })?;
    let directory = match full.parent() {
        Some(parent) if !is_stdin => parent.to_owned(),
        Some(_) | None => console.directory.clone(),
    };
    Ok(PlanFile { shown, path: (!is_stdin).then_some(full), text, directory })
}

fn could_not_read(shown: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot read `{shown}`: {error}"))
}
