//! The plan that a command line names: its text, and how messages call it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_io_project::plan_file::{PlanFileError, read_plan, read_plan_from};

use crate::console::Console;
use crate::failure::Failure;
use crate::report::{self, Format};
use crate::{COULD_NOT_RUN, DONE};

/// What the plan in a directory is called.
pub const FILE_NAME: &str = "plan.cpk";

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
    /// Refuses a target that is the plan itself: what somebody wrote would be lost, or its comments.
    pub fn spare(&self, target: &Path) -> Result<(), Failure> {
        let real = |path: &Path| fs::canonicalize(path).ok();
        match self.path.as_deref().and_then(real) {
            Some(plan) if real(target).as_ref() == Some(&plan) => {
                Err(Failure::new(format!("`{}` is the plan itself, and is not written over", self.shown))
                    .with_hint("name another place; `cogpackc fmt` brings a plan into canonical form"))
            }
            Some(_) | None => Ok(()),
        }
    }

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
            .with_hint(format!("name the plan in it, for instance `{}`", path.join(FILE_NAME).display())));
    }
    let text = Arc::new(read_plan(&full).map_err(|error| failed(&error))?);
    let directory = full.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(PlanFile { shown, path: Some(full), text, directory })
}

/// The same for a command that takes plans alone: a directory without one is mostly a project, whose plan the
/// command takes from standard input.
pub fn read_for(command: &str, path: &Path, console: &mut Console<'_>) -> Result<PlanFile, Failure> {
    read(path, console).map_err(|failure| {
        let full = console.directory.join(path);
        match full.is_dir() && !full.join(FILE_NAME).is_file() {
            true => failure.with_hint(format!(
                "name a plan; `cogpackc plan {} | cogpackc {command} -` takes that of a project",
                path.display()
            )),
            false => failure,
        }
    })
}

/// Reads the plans at these paths for a command, one after the other. One that cannot be read is told of, and the
/// others are read all the same; gives the exit code of the worst.
pub fn each(
    command: &str,
    paths: &[PathBuf],
    format: Format,
    console: &mut Console<'_>,
    mut take: impl FnMut(PlanFile, &mut Console<'_>) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    if paths.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Failure::new("standard input can be read once, and `-` stands for it twice"));
    }
    let mut worst = DONE;
    for path in paths {
        let code = match read_for(command, path, console).and_then(|plan| take(plan, console)) {
            Ok(code) => code,
            Err(failure) => {
                let failure = match path.is_absolute() {
                    true => failure,
                    false => failure.seen_from(&console.directory),
                };
                report::failure(&failure, format, console);
                COULD_NOT_RUN
            }
        };
        worst = worst.max(code);
    }
    Ok(worst)
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
