//! A Dockerfile on its way out: to standard output, or to disk with what it needs beside it.
//!
//! Where it can, it reads the user's own directories, as a Dockerfile does that somebody wrote by
//! hand. What it needs beside it is then small; only where a dialect cannot say exactly what is
//! to be read, that is gathered. [`standings`] lists the ways to try, the best first.

mod foreseen;
mod gather;
mod ignore_file;
mod matches;
mod readme;
mod standings;

use std::collections::BTreeMap;
use std::path::Path;

use cogpack_backends_contract::Backend;
use cogpack_backends_contract::inputs::contexts;
use cogpack_backends_dockerfile::{Artifact, Dialect, Dockerfile, Note};
use cogpack_io_project::eject::{Changed, Eject as Directory, EjectError};
use cogpack_ir::resolve::Resolved;

use crate::contexts::{ContextContents, Walked};
use crate::emit::{Refusals, boxed};
use crate::failure::Failure;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use standings::Standing;

/// What is asked of a Dockerfile.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The builder that it is for.
    pub dialect: Dialect,
    /// The directory that it goes to; `None` for standard output.
    pub directory: Option<std::path::PathBuf>,
    /// Whether all that it reads is to lie beside it.
    pub self_contained: bool,
    /// What to do with files of an earlier eject that somebody has changed.
    pub changed: Changed,
    /// What the files of archives are dated, in seconds since 1970.
    pub time: u64,
}

/// A Dockerfile and what lies beside it.
pub struct Eject {
    directory: Directory,
    files: ContextContents,
    changed: Changed,
    /// What its reader should know.
    pub notes: Vec<Note>,
}

const DOCKERFILE: &str = "Dockerfile";

/// A Dockerfile at one place, without what lies beside it.
struct Chosen {
    standing: Standing,
    artifact: Artifact,
    /// The text of its ignore file.
    ignore: Option<String>,
}

/// Lowers a plan to a Dockerfile and reads what has to lie beside it.
pub fn eject(
    wanted: &Wanted,
    plan: &Resolved,
    file: &PlanFile,
    machine: Machine<'_>,
) -> Result<Result<Eject, Refusals>, Failure> {
    let mut installed = Walked::default();
    let mut chosen = match choose(wanted, plan, file, &installed)? {
        Ok(chosen) => chosen,
        // No packages are fetched for what is refused.
        Err(refusals) => return Ok(Err(refusals)),
    };
    let sets = machine.sets(contexts(plan))?;
    if !sets.is_empty() {
        let platforms: Vec<_> = plan.plan().platforms.iter().map(|it| it.value.clone()).collect();
        if let Err(problems) = sets.install(&platforms, &mut installed)? {
            return Ok(Err(boxed(problems)));
        }
        // Only now is known what is in them.
        chosen = match choose(wanted, plan, file, &installed)? {
            Ok(chosen) => chosen,
            Err(refusals) => return Ok(Err(refusals)),
        };
    }
    finish(wanted, chosen, plan, file, installed)
}

/// Takes the first place where the Dockerfile can stand.
fn choose(
    wanted: &Wanted,
    plan: &Resolved,
    file: &PlanFile,
    installed: &Walked,
) -> Result<Result<Chosen, Refusals>, Failure> {
    let mut refused = None;
    for standing in standings::standings(wanted, plan, file, installed) {
        let backend =
            Dockerfile { dialect: wanted.dialect.clone(), surroundings: standing.surroundings.clone() };
        let artifact = match backend.lower(plan) {
            Ok(artifact) => artifact,
            // Another way may need less; where none does, the first is the one that was meant.
            Err(gaps) => {
                refused.get_or_insert(gaps);
                continue;
            }
        };
        let Some(ignore) = ignore_file::of(&standing, &artifact, wanted, plan, file)? else { continue };
        if standing.can_hold(&artifact) {
            return Ok(Ok(Chosen { standing, artifact, ignore }));
        }
    }
    match refused {
        Some(gaps) => Ok(Err(boxed(gaps))),
        None => Err(Failure::new("this Dockerfile needs files that lie beside it")
            .with_hint("`-O DIR` writes all of them, with a README that says how to build")),
    }
}

fn finish(
    wanted: &Wanted,
    chosen: Chosen,
    plan: &Resolved,
    file: &PlanFile,
    installed: Walked,
) -> Result<Result<Eject, Refusals>, Failure> {
    let Chosen { standing, artifact, ignore } = chosen;
    let gathered = match gather::gather(&artifact, plan, file, installed)? {
        Ok(gathered) => gathered,
        Err(refusals) => return Ok(Err(refusals)),
    };
    let mut texts = BTreeMap::new();
    if wanted.directory.is_some() {
        let readme = readme::text(&artifact, &standing, file);
        texts.insert(readme::NAME.to_owned(), readme.into_bytes());
        if let Some(ignore) = ignore {
            texts.insert(ignore_file::NAME.to_owned(), ignore.into_bytes());
        }
        texts.extend(artifact.given.into_iter().map(|(path, text)| (path, text.into_bytes())));
    }
    texts.insert(DOCKERFILE.to_owned(), artifact.dockerfile.into_bytes());
    let gather::Gathered { trees, archives, files } = gathered;
    Ok(Ok(Eject {
        directory: Directory { texts, trees, archives, time: wanted.time, ..Directory::default() },
        files,
        changed: wanted.changed,
        notes: artifact.notes,
    }))
}

impl Eject {
    /// The Dockerfile.
    pub fn as_text(&self) -> &[u8] {
        self.directory.texts.get(DOCKERFILE).map_or(&[], Vec::as_slice)
    }

    /// Writes it as the directory `path`.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        self.directory.write(path, &self.files, self.changed).map_err(not_written)
    }
}

/// Why a directory could not be written, with the way out.
pub fn not_written(error: EjectError) -> Failure {
    let failure = Failure::of(&error);
    match error {
        EjectError::Changed { .. } => failure.with_hint(
            "`--force` replaces what was changed; a change that should last belongs into the plan",
        ),
        EjectError::Occupied { .. } => {
            failure.with_hint("name another directory, or move what is in the way")
        }
        EjectError::Failed { .. }
        | EjectError::Special { .. }
        | EjectError::NoEntry { .. }
        | EjectError::Archive { .. } => failure,
    }
}
