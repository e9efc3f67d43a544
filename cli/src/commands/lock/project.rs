//! `cogpackc lock DIR`: which packages in which versions a project has, each with its hash.

use std::fs;

use cogpack_compiler::stacks::python::lock::with_record;
use cogpack_compiler::stacks::python::lock_inputs::Needs;
use cogpack_compiler::stacks::python::unsolvable::unsolvable;
use cogpack_io_packages::uv::{Indexes, Resolved, UvError, Wishes, resolve};
use cogpack_io_project::files::write_file_atomically;

use super::arguments::ProjectLock;
use super::project_debs;
use crate::console::Console;
use crate::failure::Failure;
use crate::note::Note;
use crate::progress::text;
use crate::project::{self, Project};
use crate::report::{self, Format};
use crate::{DONE, FINDINGS};

/// Locks, or says whether the lock is as it would be.
pub fn run(arguments: &ProjectLock, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let Some(request) = project::request(&arguments.options, &arguments.platforms, format, console)? else {
        return Ok(FINDINGS);
    };
    let mut project = Project::open(&arguments.directory, &arguments.options, console)?;
    if arguments.locked {
        let is_fresh = project.has_fresh_lock(&request, format, console)?;
        return Ok(if is_fresh { DONE } else { FINDINGS });
    }
    let Some((needs, debs)) = project.lock_inputs(&request, format, console)? else { return Ok(FINDINGS) };
    if !write(&project, &needs, arguments.offline, arguments.upgrade, format, console)? {
        return Ok(FINDINGS);
    }
    // What an archive has now is not known without asking it, so what is there stays.
    if let Some(debs) = debs
        && !(arguments.offline && project.has_deb_lock())
    {
        project_debs::write(&project, &debs, Some(&arguments.archive), format, console)?;
    }
    Ok(DONE)
}

/// Resolves, and writes the lock of a project; says so where it has one of its own, or needs none. Whether it
/// has all that it needs then: requirements that no versions keep are shown.
pub fn write(
    project: &Project,
    needs: &Needs,
    offline: bool,
    upgrade: bool,
    format: Format,
    console: &mut Console<'_>,
) -> Result<bool, Failure> {
    let inputs = match needs {
        Needs::Locked(inputs) => inputs,
        Needs::Own(own) => {
            let shown = project.shown_path(&own.file);
            report::remark(&format!("{shown} is the project's own lock, and used as it is"), format, console);
            return Ok(true);
        }
        Needs::Nothing => {
            report::remark("the project requires no packages: there is nothing to lock", format, console);
            return Ok(true);
        }
    };
    let path = project.directory().join(project.config().lock().as_str());
    let before = path.is_file() && !upgrade;
    let wishes = Wishes {
        project: project.directory(),
        python: inputs.python.to_string(),
        platforms: inputs.platforms.iter().cloned().collect(),
        files: inputs.files.iter().map(|file| file.as_str().into()).collect(),
        extras: inputs.extras.iter().cloned().collect(),
        groups: inputs.groups.iter().cloned().collect(),
        lines: inputs.lines.clone(),
        torch: inputs.torch.clone(),
        prereleases: inputs.prereleases,
        find_links: console.environment.find_links.for_uv(&console.directory),
        indexes: Indexes(console.environment.indexes.for_uv(inputs.names_index)),
        offline,
        before: before.then_some(path.as_path()),
    };
    let note = Note::shown(console.stderr_is_terminal && format == Format::Text);
    note.show("choosing the versions of Python packages, by uv", console);
    let resolved = resolve(&wishes, console.environment.docker.path.as_deref());
    note.clear(console);
    if let Err(UvError::Unresolved { said }) = &resolved
        && let Some(found) = unsolvable(inputs, said, offline)
    {
        project.show(&vec![found], format, console);
        return Ok(false);
    }
    let Resolved { lock, built } = resolved.map_err(|error| failure(&error, offline))?;
    let lock = with_record(&lock, inputs);
    let shown = project.shown_path(&project.config().lock());
    if fs::read_to_string(&path).is_ok_and(|there| there == lock) {
        report::remark(&format!("{shown} is up to date"), format, console);
        return Ok(true);
    }
    write_file_atomically(&path, lock.as_bytes()).map_err(|error| Failure::of(&error))?;
    let packages = lock.matches("\n[[packages]]\n").count();
    let packages = text::counted(packages as u64, "package");
    let built = match built.is_empty() {
        true => String::new(),
        false => {
            let names = built.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            format!(", of which these are built from sources: {names}")
        }
    };
    report::remark(&format!("{shown} has {packages}{built}"), format, console);
    Ok(true)
}

fn failure(error: &UvError, offline: bool) -> Failure {
    let mut failure = Failure::of(error);
    match error {
        UvError::Missing => failure.with_hint(
            "install it, for instance by `pip install uv`; or write `pylock.cog.toml` by another tool that \
             makes locks after PEP 751",
        ),
        UvError::Unresolved { said } => {
            failure.causes.extend_from_slice(said);
            failure.with_hint(if offline {
                "with `--offline` only what uv has in its cache counts: lock once without it, or change the \
                 requirements that stand against each other"
            } else {
                "change the requirements that stand against each other; for a package without wheels \
                 choose another version, or make one by `pip wheel --no-deps -w wheels NAME` and write \
                 `./wheels/FILE.whl` in its place into `requirements.txt`"
            })
        }
        UvError::Failed { said } => {
            failure.causes.extend_from_slice(said);
            failure.with_hint(
                "uv asks the indexes of its own configuration (`UV_DEFAULT_INDEX`, `uv.toml`) or else of pip's \
                 (`PIP_INDEX_URL`), and the one of torch's builds for a CUDA; `--offline` takes what it has in its cache",
            )
        }
        UvError::Run(_) | UvError::Write(_) | UvError::NotText => failure,
    }
}
