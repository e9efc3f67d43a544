//! Which lock file there is, what it holds, and whether it is one of these requirements.
//!
//! Choosing wheels out of one is `packages/wheels`' matter. Here stands what `--locked` needs to
//! know: whether each requirement has a version in the file that it allows.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cogpack_frontends_source::{InFile, Lines, Place, SourcePath};
use cogpack_packages_wheels::lock::LockDocument;
use cogpack_packages_wheels::lock::document::{FormVersion, Named, Written};
use cogpack_packages_wheels::lock::marker::{Environment, Marker};
use miette::Diagnostic;
use pep440_rs::{Version, VersionSpecifiers};
use serde::Deserialize;
use toml::Spanned;

use crate::requirement::{PackageName, Wanted};
use crate::requirements::Stated;

/// The tool whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// `uv.lock`
    Uv,
    /// `pylock.toml` (PEP 751)
    Pylock,
}

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFile {
    /// Where it is.
    pub file: SourcePath,
    /// The tool whose file it is.
    pub kind: LockKind,
    /// Which Pythons it is for; any where it does not say.
    pub requires_python: Option<VersionSpecifiers>,
    /// What it holds, by name; several of a name for several environments.
    pub packages: BTreeMap<PackageName, Vec<Held>>,
    /// All of it, for whoever chooses out of it; nothing where more is wrong than is told here.
    pub document: Option<Arc<LockDocument>>,
}

/// A package in a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its version; nothing for one that has none before it is built.
    pub version: Option<Version>,
    /// When it is meant: where any of these holds, or always where there is none.
    pub when: Vec<Marker>,
    /// Where it stands in the file.
    pub place: Place,
}

/// What is wrong with a lock file, or with requirements that it does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum LockFinding {
    /// It cannot be read.
    #[error("this is no lock file that is read here: {problem}")]
    #[diagnostic(code("project::python::lock"), help("make it anew with the tool that wrote it"))]
    Unread {
        /// What is wrong.
        problem: String,
        /// Where.
        #[label("here")]
        place: Place,
    },
    /// It is of a time to come.
    #[error("the lock file has the version `{version}`, which is not known here")]
    #[diagnostic(
        code("project::python::lock-version"),
        help("make it with a version of the tool that writes version 1")
    )]
    Version {
        /// Which.
        version: String,
        /// Where.
        #[label("another version")]
        place: Place,
    },
    /// A requirement that it does not hold.
    #[error("`{lock}` does not hold `{package}`, which is required here")]
    #[diagnostic(
        code("project::python::lock-missing"),
        help("the lock file is older than this line: make it anew")
    )]
    Missing {
        /// The lock file.
        lock: SourcePath,
        /// The package.
        package: PackageName,
        /// Where it is required.
        #[label("not in the lock file")]
        place: Place,
    },
    /// A version that is not allowed.
    #[error("`{lock}` holds {package} {version}, and `{wanted}` is required here")]
    #[diagnostic(
        code("project::python::lock-outdated"),
        help("the lock file is older than this line: make it anew")
    )]
    Outdated {
        /// The lock file.
        lock: SourcePath,
        /// The package.
        package: PackageName,
        /// What the file holds.
        version: Version,
        /// What is asked for.
        wanted: String,
        /// Where it is required.
        #[label("not this version")]
        place: Place,
    },
    /// Another Python.
    #[error("the lock file is for Python {wanted}, and not for {python}")]
    #[diagnostic(
        code("project::python::lock-python"),
        help("choose one of these Pythons, or make the file anew for this one")
    )]
    Python {
        /// What the file says.
        wanted: String,
        /// What is asked for.
        python: String,
        /// Where it would stand.
        #[label("a lock file for other Pythons")]
        place: Place,
    },
}

/// What is looked at of a text that is no whole lock file, to say what is wrong with it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    version: Option<Spanned<toml::Value>>,
    lock_version: Option<Spanned<String>>,
    requires_python: Option<Spanned<String>>,
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    marker: Option<Spanned<String>>,
    #[serde(default)]
    resolution_markers: Vec<Spanned<String>>,
}

/// What a lock file holds.
pub fn read(file: &SourcePath, text: &str) -> Result<LockFile, InFile<LockFinding>> {
    let reading = Reading { file, text, lines: Lines::of(text) };
    match LockDocument::read(text) {
        Ok(document) => reading.of_document(document),
        Err(_) => reading.of_part(),
    }
}

/// A lock file that is being read.
struct Reading<'t> {
    file: &'t SourcePath,
    text: &'t str,
    lines: Lines,
}

impl Reading<'_> {
    fn at(&self, range: Range<usize>) -> Place {
        let shown = self.text.get(range.clone()).unwrap_or_default();
        let length = shown.lines().next().unwrap_or_default().len();
        self.lines.place(range.start, range.start + length)
    }

    fn refused(&self, finding: LockFinding) -> InFile<LockFinding> {
        InFile::new(self.file, finding)
    }

    fn unread(&self, problem: String, place: Place) -> InFile<LockFinding> {
        self.refused(LockFinding::Unread { problem, place })
    }

    fn other_version(&self, range: Range<usize>, version: &str) -> InFile<LockFinding> {
        self.refused(LockFinding::Version { version: version.to_owned(), place: self.at(range) })
    }

    fn of_document(&self, document: LockDocument) -> Result<LockFile, InFile<LockFinding>> {
        let kind = match document.version() {
            FormVersion::Pylock(version) if !is_known_pylock(version.text) => {
                return Err(self.other_version(version.at, version.text));
            }
            FormVersion::Pylock(_) => LockKind::Pylock,
            FormVersion::Uv(1, _) => LockKind::Uv,
            FormVersion::Uv(version, range) => return Err(self.other_version(range, &version.to_string())),
        };
        let file = self.file.clone();
        let requires_python = document.requires_python().map(|said| self.versions(&said)).transpose()?;
        let packages = self.held(&document.packages())?;
        Ok(LockFile { file, kind, requires_python, packages, document: Some(Arc::new(document)) })
    }

    /// The same of a text that is no whole lock file: what is wrong with what this needs is told, and the
    /// rest by whoever needs that.
    fn of_part(&self) -> Result<LockFile, InFile<LockFinding>> {
        let document: Document = toml::from_str(self.text).map_err(|error| {
            let problem = error.message().lines().collect::<Vec<_>>().join(", ");
            self.unread(problem, self.at(error.span().unwrap_or(0..0)))
        })?;
        let (kind, packages) = match (&document.lock_version, &document.version) {
            (Some(version), _) if !is_known_pylock(version.get_ref()) => {
                return Err(self.other_version(version.span(), version.get_ref()));
            }
            (Some(_), _) => (LockKind::Pylock, &document.packages),
            (None, Some(version)) if version.get_ref().as_integer() != Some(1) => {
                let written = self.text.get(version.span()).unwrap_or_default();
                return Err(self.other_version(version.span(), written));
            }
            (None, Some(_)) => (LockKind::Uv, &document.package),
            (None, None) => {
                let problem = "it is neither a `pylock.toml` (PEP 751) nor a `uv.lock`".to_owned();
                return Err(self.unread(problem, self.at(0..self.text.len())));
            }
        };
        let file = self.file.clone();
        let said = document.requires_python.as_ref().map(written);
        let requires_python = said.map(|said| self.versions(&said)).transpose()?;
        let named: Vec<Named<'_>> = packages.iter().map(Package::named).collect();
        Ok(LockFile { file, kind, requires_python, packages: self.held(&named)?, document: None })
    }

    fn versions(&self, said: &Written<'_>) -> Result<VersionSpecifiers, InFile<LockFinding>> {
        let unread =
            |_| self.unread(format!("`{}` is no range of versions", said.text), self.at(said.at.clone()));
        said.text.parse().map_err(unread)
    }

    fn held(&self, packages: &[Named<'_>]) -> Result<BTreeMap<PackageName, Vec<Held>>, InFile<LockFinding>> {
        let mut held: BTreeMap<PackageName, Vec<Held>> = BTreeMap::new();
        for Named { name, version, when } in packages {
            let place = self.at(name.at.clone());
            let name = PackageName::new(name.text)
                .ok_or_else(|| self.unread(format!("`{}` is no name of a package", name.text), place))?;
            let version = version.as_ref().map(|version| {
                let unread =
                    |_| self.unread(format!("`{}` is no version", version.text), self.at(version.at.clone()));
                version.text.parse::<Version>().map_err(unread)
            });
            let markers = when.iter().map(|marker| {
                let unread =
                    |problem| self.unread(format!("a marker: {problem}"), self.at(marker.at.clone()));
                marker.text.parse::<Marker>().map_err(unread)
            });
            let (version, when) = (version.transpose()?, markers.collect::<Result<_, _>>()?);
            held.entry(name).or_default().push(Held { version, when, place });
        }
        Ok(held)
    }
}

/// A later minor version only adds what an older reader may pass over.
fn is_known_pylock(version: &str) -> bool {
    version.split('.').next() == Some("1")
}

fn written(text: &Spanned<String>) -> Written<'_> {
    Written { text: text.get_ref(), at: text.span() }
}

impl Package {
    fn named(&self) -> Named<'_> {
        Named {
            name: written(&self.name),
            version: self.version.as_ref().map(written),
            when: self.marker.iter().chain(&self.resolution_markers).map(written).collect(),
        }
    }
}

impl LockFile {
    /// What of the requirements it does not hold, in this environment. Markers that cannot be
    /// answered there count as holding.
    pub fn misfits(&self, required: &[Stated], environment: &Environment<'_>) -> Vec<InFile<LockFinding>> {
        let mut findings = Vec::new();
        let python = environment.target.python;
        let release = Version::new([python.major, python.minor, environment.patch].map(u64::from));
        if let Some(wanted) = self.requires_python.as_ref().filter(|wanted| !wanted.contains(&release)) {
            let place = Place::of("", 0, 0);
            let (wanted, python) = (wanted.to_string(), release.to_string());
            findings.push(InFile::new(&self.file, LockFinding::Python { wanted, python, place }));
        }
        for stated in required {
            let requirement = &stated.requirement;
            let is_needed = match &requirement.marker {
                Some(condition) => condition.marker.holds(environment).unwrap_or(true),
                None => true,
            };
            let Some(package) = requirement.name.as_ref().filter(|_| is_needed) else { continue };
            let is_meant = |held: &&Held| {
                held.when.is_empty() || held.when.iter().any(|when| when.holds(environment).unwrap_or(true))
            };
            let meant: Vec<&Held> =
                self.packages.get(package).into_iter().flatten().filter(is_meant).collect();
            let (lock, package, place) = (self.file.clone(), package.clone(), stated.place);
            let Some(first) = meant.first() else {
                findings.push(InFile::new(&stated.file, LockFinding::Missing { lock, package, place }));
                continue;
            };
            let Wanted::Versions(versions) = &requirement.wanted else { continue };
            let fits = |held: &&Held| held.version.as_ref().is_none_or(|version| versions.contains(version));
            if let Some(version) = first.version.clone().filter(|_| !meant.iter().any(fits)) {
                let wanted = versions.to_string();
                let finding = LockFinding::Outdated { lock, package, version, wanted, place };
                findings.push(InFile::new(&stated.file, finding));
            }
        }
        findings
    }
}
