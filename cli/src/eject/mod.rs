//! A Dockerfile on its way out: to standard output, or to disk with what it needs beside it.
//!
//! Where it can, it reads the user's own directories, as a Dockerfile does that somebody wrote by
//! hand. What it needs beside it is then small; only where a dialect cannot say exactly what is
//! to be read, that is gathered. [`standings`] lists the ways to try, the best first.

mod foreseen;
mod gather;
mod ignore_file;
mod readme;
mod standings;

use std::collections::BTreeMap;
use std::path::Path;

use cogpack_backends_contract::Backend;
use cogpack_backends_dockerfile::{Dialect, Dockerfile, Note};
use cogpack_io_project::context_files::ContextFiles;
use cogpack_io_project::eject::{Changed, Eject as Directory, EjectError};
use cogpack_ir::resolve::Resolved;

use crate::emit::{Refusals, boxed};
use crate::failure::Failure;
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
}

/// A Dockerfile and what lies beside it.
pub struct Eject {
    directory: Directory,
    files: ContextFiles,
    changed: Changed,
    /// What its reader should know.
    pub notes: Vec<Note>,
}

const DOCKERFILE: &str = "Dockerfile";

/// Lowers a plan to a Dockerfile and reads what has to lie beside it.
pub fn eject(wanted: &Wanted, plan: &Resolved, file: &PlanFile) -> Result<Result<Eject, Refusals>, Failure> {
    let mut refused = None;
    for standing in standings::standings(wanted, plan, file) {
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
        if !standing.can_hold(&artifact) {
            continue;
        }
        return finish(wanted, &standing, artifact, ignore, plan, file);
    }
    match refused {
        Some(gaps) => Ok(Err(boxed(gaps))),
        None => Err(Failure::new("this Dockerfile needs files that lie beside it")
            .with_hint("`-O DIR` writes all of them, with a README that says how to build")),
    }
}

fn finish(
    wanted: &Wanted,
    standing: &Standing,
    artifact: cogpack_backends_dockerfile::Artifact,
    ignore: Option<String>,
    plan: &Resolved,
    file: &PlanFile,
) -> Result<Result<Eject, Refusals>, Failure> {
    let gathered = match gather::gather(&artifact, plan, file)? {
        Ok(gathered) => gathered,
        Err(refusals) => return Ok(Err(refusals)),
    };
    let mut texts = BTreeMap::new();
    if wanted.directory.is_some() {
        let readme = readme::text(&artifact, standing, file);
        texts.insert(readme::NAME.to_owned(), readme.into_bytes());
        if let Some(ignore) = ignore {
            texts.insert(ignore_file::NAME.to_owned(), ignore.into_bytes());
        }
    }
    texts.insert(DOCKERFILE.to_owned(), artifact.dockerfile.into_bytes());
    Ok(Ok(Eject {
        directory: Directory { texts, trees: gathered.trees },
        files: gathered.files,
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
        self.directory.write(path, &self.files, self.changed).map_err(|error| {
            let failure = Failure::of(&error);
            match error {
                EjectError::Changed { .. } => failure.with_hint(
                    "`--force` replaces what was changed; a change that should last belongs into the plan",
                ),
                EjectError::Occupied { .. } => {
                    failure.with_hint("name another directory, or move what is in the way")
                }
                EjectError::Failed { .. } | EjectError::Special { .. } => failure,
            }
        })
    }
}
