//! All files of a Python project that say something of what it needs, read at once.

use cogpack_frontends_source::{FileFinding, InFile, Placed, Source, SourcePath, Unread, file};
use miette::Diagnostic;

use crate::lock::{self, LockFile, LockFinding};
use crate::merge::ConflictFinding;
use crate::pyproject::{self, Pyproject, PyprojectFinding, Settings};
use crate::python_version::{self, PythonRelease, PythonVersionFinding};
use crate::requirements::{self, Requirements, RequirementsFinding};
use crate::setup::{self, Setup, SetupFinding};

/// What a Python project says of itself. What it does not say is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonProject {
    /// `pyproject.toml`
    pub pyproject: Option<Pyproject>,
    /// What cogpackc is told: `[tool.cogpack]` or `cogpack.toml`.
    pub settings: Settings,
    /// `requirements.txt`, or the file that somebody names instead.
    pub requirements: Option<Requirements>,
    /// `.python-version`
    pub python_version: Option<InFile<Placed<PythonRelease>>>,
    /// `uv.lock` and `pylock.toml`, those that are there, in this order.
    pub locks: Vec<LockFile>,
    /// `setup.py` and `setup.cfg`, those that are there.
    pub setup: Vec<SourcePath>,
    /// What these say, where there is no `[project]`.
    pub declared: Option<Setup>,
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
    /// A file that cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileFinding),
}

/// The file with the settings of a project whose other files are of other tools.
const SETTINGS: &str = "cogpack.toml";

impl PythonFinding {
    /// Whether all that is wrong is that nobody but a program could say what the project depends on. It
    /// does not matter where other files say so.
    pub fn is_of_unsaid_dependencies(&self) -> bool {
        match self {
            Self::Setup(SetupFinding::Run { .. }) => true,
            Self::Pyproject(finding) => finding.is_of_unsaid_dependencies(),
            Self::Requirements(_)
            | Self::Conflict(_)
            | Self::PythonVersion(_)
            | Self::Lock(_)
            | Self::File(_) => false,
        }
    }
}

/// The settings of a project, as far as they can be read: what is wrong with them, [`read`] tells.
pub fn settings(directory: &SourcePath, source: &Source) -> Result<Settings, Unread> {
    let [pyproject, alone] =
        ["pyproject.toml", SETTINGS].map(|name| directory.join(name).unwrap_or_else(|_| directory.clone()));
    let (of_pyproject, of_alone) = match (file::text(source, &pyproject), file::text(source, &alone)) {
        (Err(one), Err(other)) => return Err(one.and(other)),
        (one, other) => (one?, other?),
    };
    let of_pyproject = of_pyproject.ok().flatten().map(|text| pyproject::read(&pyproject, text).0.settings);
    let of_alone = || of_alone.ok().flatten().map(|text| pyproject::read_alone(&alone, text).0);
    Ok(of_pyproject.filter(|said| said.stated.is_some()).or_else(of_alone).unwrap_or_default())
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
    let names =
        ["pyproject.toml", SETTINGS, ".python-version", "uv.lock", "pylock.toml", "setup.py", "setup.cfg"];
    let files = names.map(beside);
    let mut findings: Vec<InFile<PythonFinding>> = Vec::new();
    let mut unread: Option<Unread> = None;
    let mut text = |file: &SourcePath| match file::text(source, file) {
        Ok(Ok(text)) => text,
        Ok(Err(finding)) => {
            findings.push(finding.of());
            None
        }
        Err(more) => {
            unread = Some(match unread.take() {
                Some(unread) => unread.and(more),
                None => more,
            });
            None
        }
    };
    let texts = files.each_ref().map(&mut text);
    let has_requirements = text(&requirements).is_some();
    if let Some(unread) = unread {
        return Err(unread);
    }
    let mut project = PythonProject::default();
    let [pyproject, settings, version, uv, pylock, setup_py, setup_cfg] =
        std::array::from_fn::<_, 7, _>(|at| (&files[at], texts[at]));
    if has_requirements {
        let (read, found) = requirements::read(&requirements, source)?;
        findings.extend(found.into_iter().map(InFile::of));
        project.requirements = Some(read);
    }
    for (file, text) in [uv, pylock] {
        match text.map(|text| lock::read(file, text)) {
            Some(Ok(lock)) => project.locks.push(lock),
            Some(Err(finding)) => findings.push(finding.of()),
            None => {}
        }
    }
    let says_elsewhere = project.requirements.is_some() || !project.locks.is_empty();
    if let (file, Some(text)) = pyproject {
        let (mut read, mut found) = pyproject::read(file, text);
        found.retain(|found| !says_elsewhere || !found.finding.is_of_unsaid_dependencies());
        findings.extend(found.into_iter().map(InFile::of));
        project.settings = std::mem::take(&mut read.settings);
        project.pyproject = Some(read);
    }
    if let (file, Some(text)) = settings {
        let (read, found) = pyproject::read_alone(file, text);
        findings.extend(found.into_iter().map(InFile::of));
        match &project.settings.stated {
            Some(InFile { file: other, finding: place }) => {
                let finding = PyprojectFinding::SettingsTwice { other: file.clone(), place: *place };
                findings.push(InFile::new(other, finding.into()));
            }
            None => project.settings = read,
        }
    }
    if let (file, Some(text)) = version {
        match python_version::read(file, text) {
            Ok(release) => project.python_version = Some(InFile::new(file, release)),
            Err(finding) => findings.push(finding.of()),
        }
    }
    let are_there = [setup_py, setup_cfg].into_iter().filter(|(_, text)| text.is_some());
    project.setup = are_there.map(|(file, _)| file.clone()).collect();
    if project.pyproject.as_ref().is_none_or(|pyproject| pyproject.project.is_none()) {
        let (declared, found) = setup::read(setup_py, setup_cfg, !says_elsewhere);
        project.declared = declared;
        findings.extend(found);
    }
    Ok((project, findings))
}
