//! The plan that a command line names: its text, and how messages call it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_io_project::plan_file::{PlanFileError, read_plan, read_plan_from};

use crate::console::Console;
use crate::failure::Failure;

/// A plan's text and where it came from.
#[derive(Debug, Clone)]
pub struct PlanFile {
    /// The name in messages: the path as it was given, or `<stdin>`.
    pub shown: String,
    /// The file; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The text, which what is made of a plan may hold as well.
    pub text: Arc<String>,
    /// What the paths of `dir` and `oci` contexts are relative to.
    pub directory: PathBuf,
}

impl PlanFile {
    /// The name in what is made of it, which must not depend on where it lies or how it was named:
    /// the file's own; for standard input the one that plans usually have.
    pub fn own_name(&self) -> String {
        let name = self.path.as_deref().and_then(Path::file_name);
        name.map_or_else(|| "plan.cpk".to_owned(), |name| name.to_string_lossy().into_owned())
    }
}

/// Reads the plan at `path`, or standard input for `-`.
pub fn read(path: &Path, console: &mut Console<'_>) -> Result<PlanFile, Failure> {
    if path == Path::new("-") {
        let text = Arc::new(read_plan_from(console.stdin).map_err(|error| failed(&error))?);
        let directory = console.directory.clone();
        return Ok(PlanFile { shown: "<stdin>".to_owned(), path: None, text, directory });
    }
    let shown = path.display().to_string();
    let full = console.directory.join(path);
    if full.is_dir() {
        return Err(Failure::new(format!("`{shown}` is a directory, not a plan"))
            .with_hint("name the plan in it, for instance `plan.cpk`"));
    }
    let text = Arc::new(read_plan(&full).map_err(|error| failed(&error))?);
    let directory = full.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(PlanFile { shown, path: Some(full), text, directory })
}

fn failed(error: &PlanFileError) -> Failure {
    let failure = Failure::of(error);
    match error {
        PlanFileError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            failure.with_hint("name a plan, for instance `plan.cpk`; `-` is standard input")
        }
        PlanFileError::Read { .. } | PlanFileError::TooLarge { .. } => failure,
        PlanFileError::NotText { .. } => {
            failure.with_hint("a plan is text; a compiled definition or an image cannot be read back")
        }
    }
}
