//! All files of a Python project that say something of what it needs, read at once.

use std::sync::Arc;

use cogpack_frontends_source::{InFile, Placed, Source, SourcePath, Text, Unread};
use miette::Diagnostic;

use crate::lock::{self, LockFile, LockFinding};
use crate::merge::ConflictFinding;
use crate::pyproject::{self, Pyproject, PyprojectFinding};
use crate::python_version::{self, PythonRelease, PythonVersionFinding};
use crate::requirements::{self, Requirements, RequirementsFinding};
use crate::setup::{self, SetupFinding};

/// What a Python project says of itself. What it does not say is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonProject {
    /// `pyproject.toml`
    pub pyproject: Option<Pyproject>,
    /// `requirements.txt`, or the file that somebody names instead.
    pub requirements: Option<Requirements>,
    /// `.python-version`
    pub python_version: Option<InFile<Placed<PythonRelease>>>,
    /// `uv.lock` and `pylock.toml`, those that are there, in this order.
    pub locks: Vec<LockFile>,
    /// `setup.py` and `setup.cfg`, those that are there.
    pub setup: Vec<SourcePath>,
}

/// A finding of any family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PythonFinding {
    /// In `pyproject.toml`.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pyproject(#[from] PyprojectFinding),
    /// In a requirements file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Requirements(#[from] RequirementsFinding),
    /// Between requirements.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Conflict(#[from] ConflictFinding),
    /// In `.python-version`.
    #[error(transparent)]
    #[diagnostic(transparent)]
    PythonVersion(#[from] PythonVersionFinding),
    /// In a lock file, or against it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockFinding),
    /// In `setup.py` or `setup.cfg`.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setup(#[from] SetupFinding),
}

/// What the project of a directory says, and what is wrong with it. `named` is the requirements
/// file that somebody names, in place of `requirements.txt`.
pub fn read(
    directory: &SourcePath,
    named: Option<&SourcePath>,
    source: &Source,
) -> Result<(PythonProject, Vec<InFile<PythonFinding>>), Unread> {
    let beside = |name: &str| directory.join(name).unwrap_or_else(|_| directory.clone());
    let requirements = named.cloned().unwrap_or_else(|| beside("requirements.txt"));
    let names = ["pyproject.toml", ".python-version", "uv.lock", "pylock.toml", "setup.py", "setup.cfg"];
    let files = names.map(beside);
    let mut unread: Option<Unread> = None;
    let mut text = |file: &SourcePath| -> Option<Arc<str>> {
        match source.text(file) {
            Ok(Text::Is(text)) => Some(text.clone()),
            Ok(
                Text::Absent | Text::NotAFile(_) | Text::NotUtf8(_) | Text::TooLong(_) | Text::Unreadable(_),
            ) => None,
            Err(more) => {
                unread = Some(match unread.take() {
                    Some(unread) => unread.and(more),
                    None => more,
                });
                None
            }
        }
    };
    let texts = files.each_ref().map(&mut text);
    let has_requirements = text(&requirements).is_some();
    if let Some(unread) = unread {
        return Err(unread);
    }
    let mut project = PythonProject::default();
    let mut findings: Vec<InFile<PythonFinding>> = Vec::new();
    let [pyproject, version, uv, pylock, setup_py, setup_cfg] =
        std::array::from_fn::<_, 6, _>(|at| (&files[at], &texts[at]));
    if let (file, Some(text)) = pyproject {
        let (read, found) = pyproject::read(file, text);
        findings.extend(found.into_iter().map(InFile::of));
        project.pyproject = Some(read);
    }
    if has_requirements {
        let (read, found) = requirements::read(&requirements, source)?;
        findings.extend(found.into_iter().map(InFile::of));
        project.requirements = Some(read);
    }
    if let (file, Some(text)) = version {
        match python_version::read(file, text) {
            Ok(release) => project.python_version = Some(InFile::new(file, release)),
            Err(finding) => findings.push(finding.of()),
        }
    }
    for (file, text) in [uv, pylock] {
        match text.as_ref().map(|text| lock::read(file, text)) {
            Some(Ok(lock)) => project.locks.push(lock),
            Some(Err(finding)) => findings.push(finding.of()),
            None => {}
        }
    }
    for (file, text) in [setup_py, setup_cfg] {
        let Some(text) = text else { continue };
        project.setup.push(file.clone());
        let has_table = project.pyproject.as_ref().is_some_and(|pyproject| pyproject.project.is_some());
        if !has_table && project.requirements.is_none() && project.locks.is_empty() {
            findings.extend(setup::without_other_word(file, text).map(InFile::of));
        }
    }
    Ok((project, findings))
}
