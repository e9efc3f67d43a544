//! A plan as the command line names it: a file, a directory, or a file of a git revision.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::{FILE_NAME, PlanFile};
use crate::project::of_directory::{Named, refuse_options};
use crate::project::options::{Planning, ProjectOptions};
use crate::report::Format;

/// One of the two plans.
pub struct Place<'a> {
    pub path: &'a Path,
    /// What it is compared with.
    pub other: &'a Path,
    pub planning: &'a Planning,
    pub format: Format,
}

impl Place<'_> {
    /// The plan; `None` where a project has errors, which are shown.
    pub fn plan(&self, console: &mut Console<'_>) -> Result<Option<PlanFile>, Failure> {
        // Options of projects are for those of the two that are one; where neither is, they mean nothing.
        let none = ProjectOptions::default();
        let is_told = self.is_project(self.path, console) || !self.is_project(self.other, console);
        let options = if is_told { &self.planning.project } else { &none };
        let is_there = console.directory.join(self.path).exists();
        if let Some((revision, path)) = self.path.to_str().and_then(|text| text.split_once(':'))
            && !is_there
            && !revision.is_empty()
        {
            refuse_options(options, self.path)?;
            return self.of_revision(revision, path, console).map(Some);
        }
        self.named(self.path, options).plan(console)
    }

    fn named<'n>(&'n self, path: &'n Path, options: &'n ProjectOptions) -> Named<'n> {
        Named { path, options, platforms: &self.planning.platforms, no_network: false, format: self.format }
    }

    fn is_project(&self, path: &Path, console: &Console<'_>) -> bool {
        self.named(path, &self.planning.project).is_project(console)
    }

    fn of_revision(&self, revision: &str, path: &str, console: &Console<'_>) -> Result<PlanFile, Failure> {
        let shown = self.path.display().to_string();
        // A path that is not from the repository's root is written with `./`, as git wants it.
        let plain = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
        let mut object = format!("{revision}:./{plain}");
        let kind = match git(&["cat-file", "-t", &object], console) {
            Ok(kind) => kind,
            Err(_) => {
                object = format!("{revision}:{path}");
                git(&["cat-file", "-t", &object], console).map_err(|cause| {
                    let mut failure = Failure::new(format!("read `{shown}` from git"));
                    failure.causes.push(cause);
                    failure.with_hint("name a plan and a revision that has it: `HEAD:plan.cpk`")
                })?
            }
        };
        if kind.trim_ascii() == b"tree" {
            let separator = if object.ends_with([':', '/']) { "" } else { "/" };
            object = format!("{object}{separator}{FILE_NAME}");
        }
        let text = git(&["cat-file", "blob", &object], console).map_err(|cause| {
            let mut failure = Failure::new(format!("read `{shown}` from git"));
            failure.causes.push(cause);
            failure.with_hint(
                "a directory of a revision must hold a `plan.cpk`: a project is planned where its files are, \
                 for instance in a `git worktree add DIR REVISION`",
            )
        })?;
        let text = String::from_utf8(text).map_err(|_| Failure::new(format!("`{shown}` is not text")))?;
        let directory = console.directory.join(plain);
        let directory = directory.parent().unwrap_or(&console.directory).to_owned();
        Ok(PlanFile { shown, path: None, text: Arc::new(text), directory })
    }
}

/// What git answers, or what it has to say instead.
fn git(words: &[&str], console: &Console<'_>) -> Result<Vec<u8>, String> {
    let mut git = Command::new("git");
    let git = git.args(words).current_dir(&console.directory).stdin(Stdio::null());
    match git.output() {
        Ok(answer) if answer.status.success() => Ok(answer.stdout),
        Ok(answer) => Err(String::from_utf8_lossy(&answer.stderr).trim().to_owned()),
        Err(error) => Err(format!("git: {error}")),
    }
}
