//! A record as the old plan of a comparison.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_content::Platform;
use cogpack_diff::files::ContextFiles;
use cogpack_io_project::own::RECORDS;
use cogpack_io_project::seen::SeenFiles;
use cogpack_ir::plan::{InputName, Plan};
use cogpack_ir::resolve::Resolved;

use super::contexts::{self, Trees};
use super::document::{BEGINNING, Document, Problem};
use super::home::Home;
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;

/// What stands for the record of the plan's last build.
pub const LAST: &str = "last";

/// The plan of a build, and the files that it took.
pub struct Recorded {
    /// The plan, with the directory that its paths are relative to now.
    pub file: PlanFile,
    /// The files; `None` in records of a cogpackc that listed only few.
    pub files: Option<ContextFiles>,
    /// The record, as messages call it.
    named: String,
    plan_file: Option<String>,
    platforms: Vec<Platform>,
}

/// The record that `named` stands for, if it stands for one, for comparing with the plan `new`.
pub fn record(named: &Path, new: &PlanFile, console: &Console<'_>) -> Result<Option<Recorded>, Failure> {
    let (path, shown, named_so) = match named == Path::new(LAST) {
        true => {
            let home = Home::of(new).ok_or_else(|| {
                Failure::new("a plan on standard input has no last build")
                    .with_hint("name the plan's file, or a record in `.cog/records`")
            })?;
            let shown = match new.path {
                Some(_) => format!("the last build of `{}`", new.shown),
                None => "the last build of the project".to_owned(),
            };
            (home.record(), shown.clone(), format!("the record of {shown}"))
        }
        false => {
            let shown = named.display().to_string();
            (console.directory.join(named), shown.clone(), format!("`{shown}`"))
        }
    };
    let opened = File::open(&path).map(BufReader::new);
    let (file, beginning) = match opened.and_then(|mut file| Ok((file.fill_buf()?.to_vec(), file))) {
        Ok((beginning, file)) => (file, beginning),
        Err(error) if named == Path::new(LAST) && error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::new(format!("there is no record of {shown}")).with_hint(
                "`cogpackc build` writes one when it is done, unless `--no-record` is said; `--since` takes a \
                 plan as well: a file, or `REVISION:PATH` of git",
            ));
        }
        // A directory, a revision, or nothing: whoever reads plans says so.
        Err(_) if named != Path::new(LAST) => return Ok(None),
        Err(error) => {
            let mut failure = Failure::new(format!("read `{}`", path.display()));
            failure.causes.push(error.to_string());
            return Err(failure);
        }
    };
    let is_record = named == Path::new(LAST) || is_in_records(&path) || begins(&beginning);
    if !is_record {
        return Ok(None);
    }
    let (document, files) = Document::parse(file).map_err(|problem| match problem {
        Problem::Later(_) => {
            let mut failure = Failure::new(format!("read {named_so}"));
            failure.causes.push(problem.to_string());
            failure.with_hint("use the cogpackc that built it, or build again with this one")
        }
        Problem::Damaged(cause) => damaged(&named_so, &cause),
    })?;
    let Document { plan_file, plan, platforms, .. } = document;
    let platforms = platforms.into_iter().map(|platform| platform.0).collect();
    let directory = new.directory.clone();
    let file = PlanFile { shown, path: None, text: Arc::new(plan), directory };
    Ok(Some(Recorded { file, files, named: named_so, plan_file, platforms }))
}

impl Recorded {
    /// Refuses to be compared with what it says nothing of: another plan, or other platforms.
    pub fn refuse_others(&self, new: &PlanFile, plan: &Plan) -> Result<(), Failure> {
        let named = &self.named;
        let name = new.path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
        let is_input = Home::of(new).is_none();
        if is_input || self.plan_file.as_deref() != name.as_deref() {
            let of = |name: Option<&str>, is_input| match name {
                Some(name) => format!("`{name}`"),
                None if is_input => "standard input".to_owned(),
                None => "what was planned of a project".to_owned(),
            };
            let (built, asked) = (of(self.plan_file.as_deref(), false), of(name.as_deref(), is_input));
            return Err(Failure::new(format!("{named} is of a build of {built}, and not of {asked}"))
                .with_hint("`--since last` finds the record of a plan's last build; two plans are compared by naming both"));
        }
        let asked: Vec<&Platform> = plan.platforms.iter().map(|platform| &platform.value).collect();
        if asked.iter().any(|platform| self.platforms.contains(platform)) {
            return Ok(());
        }
        let list = |platforms: &[&Platform]| {
            platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let built: Vec<&Platform> = self.platforms.iter().collect();
        Err(Failure::new(format!(
            "{named} is of a build for {}, and the plan is for {}, for which everything runs",
            list(&built),
            list(&asked)
        ))
        .with_hint("build the plan for that platform once"))
    }
}

/// The files that a plan takes of its contexts now, each known by what it was known by then.
/// `elsewhere` are contexts in other directories than the plan says.
pub fn files_now(
    new: &PlanFile,
    plan: &Resolved,
    elsewhere: &BTreeMap<InputName, PathBuf>,
    then: &ContextFiles,
) -> Result<ContextFiles, Failure> {
    let mut seen = Home::of(new).map(|home| SeenFiles::read(&home.seen())).unwrap_or_default();
    let walked = contexts::walk(plan, new, elsewhere, Trees::new())?;
    contexts::to_compare(plan, &walked, &mut seen, then)
}

fn is_in_records(path: &Path) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with(RECORDS))
        && path.extension().is_some_and(|extension| extension == "json")
}

/// Whether a file begins as a record does, however it is laid out.
fn begins(bytes: &[u8]) -> bool {
    let plain = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(BEGINNING.len()).collect()
    };
    plain(&bytes[..bytes.len().min(1000)]).starts_with(&plain(BEGINNING.as_bytes()))
}

fn damaged(named: &str, cause: &str) -> Failure {
    let mut failure = Failure::new(format!("{named} is not whole"));
    failure.causes.push(cause.to_owned());
    failure.with_hint("build again: that writes it anew")
}
