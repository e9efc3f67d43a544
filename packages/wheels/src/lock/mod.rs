//! Chooses wheels out of a project's lock file, so that a plan can name each with its hash.
//!
//! Two kinds of files are read, told apart by what is in them: `pylock.toml` (PEP 751) and
//! `uv.lock`. Nothing is resolved here: which package in which version is what the file says, for
//! the Python, the platforms, the extras and the groups that are asked for. Of a package's wheels
//! the one is taken that fits closest, as [`Target::fit`] orders them.
//!
//! Packages of which there are only [`sources`] are given by name to whoever can build them.
//! Deliberately not here: building.

pub mod document;
pub mod marker;
pub mod sources;

mod pylock;
mod uv;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cogpack_content::{Digest, Platform};
use marker::{Environment, InvalidMarker, Marker};
use pep440_rs::{Version, VersionSpecifiers};
use sources::{LockedSource, Sources};

use crate::file_name::{WheelName, normalised};
use crate::target::{Misfit, Target};

pub use document::LockDocument;

/// What is wanted of a lock file.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// The Python, once for each platform of the image.
    pub targets: &'r [Target],
    /// The last number of the Python's version, where it is known.
    pub patch: Option<u32>,
    /// Extras of the project, by normalised name.
    pub extras: &'r BTreeSet<String>,
    /// Its dependency groups, by normalised name.
    pub groups: &'r BTreeSet<String>,
    /// Packages that are left out, by normalised name.
    pub without: &'r BTreeSet<String>,
}

/// A wheel that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedWheel {
    /// The name of its file.
    pub file: WheelName,
    /// What it must hash to.
    pub digest: Digest,
    /// Where it is, where the lock file gives an address.
    pub url: Option<String>,
    /// Its path from the lock file on, where it is a file of the project.
    pub path: Option<String>,
}

/// Why a lock file, or one of its packages, cannot be had as wheels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockProblem {
    /// It is no TOML, or does not hold what its kind holds.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// It is something else.
    #[error("it is neither a `pylock.toml` (PEP 751) nor a `uv.lock`")]
    Unknown,
    /// It is of a time to come.
    #[error("it has the version `{0}`, which is not known here")]
    Version(String),
    /// It is for other Pythons or platforms.
    #[error("it was locked for {wanted}, which {target} is not")]
    Environment {
        /// What it says.
        wanted: String,
        /// What is asked for.
        target: String,
    },
    /// It has no such extra or group.
    #[error("it has no {kind} `{name}`")]
    Absent {
        /// `extra`, `dependency group`, `package`.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// A marker is none.
    #[error("`{package}` has the marker `{marker}`: {problem}")]
    Marker {
        /// Whose it is.
        package: String,
        /// As it is written.
        marker: String,
        /// What is wrong.
        problem: InvalidMarker,
    },
    /// Whether something is needed depends on more than `--python 3.11` says.
    #[error("`{package}` asks for `{marker}`, which not every Python {python} answers alike")]
    Patch {
        /// Who asks.
        package: String,
        /// The marker or the versions.
        marker: String,
        /// What was said.
        python: String,
    },
    /// It has no wheels.
    #[error("`{package}` is {what}, and not a wheel")]
    NotAWheel {
        /// The package.
        package: String,
        /// What it is instead.
        what: &'static str,
    },
    /// None of its wheels fits.
    #[error("`{package}` has no wheel for {platform}: {why}")]
    NoneFits {
        /// The package.
        package: String,
        /// For which platform.
        platform: Platform,
        /// Why the first does not fit, and how many there are.
        why: String,
    },
    /// What names no wheel.
    #[error("`{package}`: {problem}")]
    File {
        /// The package.
        package: String,
        /// What is wrong with its name or hash.
        problem: String,
    },
    /// Two versions at once.
    #[error("`{package}` is there in several versions at once: {versions}")]
    Several {
        /// The package.
        package: String,
        /// Which.
        versions: String,
    },
    /// What is needed is not in the file.
    #[error("`{package}` needs `{need}`, which the file does not have")]
    Unmet {
        /// Who needs it.
        package: String,
        /// What.
        need: String,
    },
    /// The file has several projects, or none.
    #[error("it does not say which project it is of: {0}")]
    Project(String),
    /// It locks sets that exclude one another.
    #[error("it has extras or groups that exclude one another")]
    Conflicts,
}

impl LockProblem {
    /// The package of the file that it is about.
    pub fn package(&self) -> Option<&str> {
        match self {
            Self::Marker { package, .. }
            | Self::Patch { package, .. }
            | Self::NotAWheel { package, .. }
            | Self::NoneFits { package, .. }
            | Self::File { package, .. }
            | Self::Several { package, .. }
            | Self::Unmet { package, .. } => Some(package),
            Self::Syntax { .. }
            | Self::Unknown
            | Self::Version(_)
            | Self::Environment { .. }
            | Self::Absent { .. }
            | Self::Project(_)
            | Self::Conflicts => None,
        }
    }
}

/// What an environment needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Wheels, by the names of their files.
    pub wheels: Vec<LockedWheel>,
    /// Packages of which no wheel fits each of the platforms, by name.
    pub sources: Vec<LockedSource>,
}

/// The wheels that an environment needs, by the names of their files. What is wrong with any
/// package is told of all at once, and so is that a package has only sources.
pub fn choose(text: &str, request: &Request<'_>) -> Result<Vec<LockedWheel>, Vec<LockProblem>> {
    let document = LockDocument::read(text).map_err(|problem| vec![problem])?;
    let (chosen, mut problems) = all(&document, request);
    problems.extend(chosen.sources.into_iter().map(|source| source.instead));
    if problems.is_empty() { Ok(chosen.wheels) } else { Err(problems) }
}

/// The same for those who can build: what has no wheel that fits is named with its sources.
pub fn choose_with_sources(
    document: &LockDocument,
    request: &Request<'_>,
) -> Result<Chosen, Vec<LockProblem>> {
    let (chosen, problems) = all(document, request);
    if problems.is_empty() { Ok(chosen) } else { Err(problems) }
}

/// What was chosen, and what is wrong with the others.
fn all(document: &LockDocument, request: &Request<'_>) -> (Chosen, Vec<LockProblem>) {
    let lock = document.lock();
    let mut problems = Vec::new();
    let mut wheels: BTreeMap<String, LockedWheel> = BTreeMap::new();
    let mut sources: BTreeMap<String, LockedSource> = BTreeMap::new();
    let names = lock.names();
    for name in request.without.iter().filter(|name| !names.contains(*name)) {
        problems.push(LockProblem::Absent { kind: "package", name: name.clone() });
    }
    for target in request.targets {
        let asked = Asked { request, target };
        let entries = match lock.entries(&asked) {
            Ok(entries) => entries,
            Err(found) => {
                problems.extend(
                    found.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>(),
                );
                continue;
            }
        };
        for entry in entries {
            match entry.wheel(target).or_else(|problem| entry.instead_of_wheel(problem).map(Found::Source)) {
                Ok(Found::Wheel(wheel)) => drop(wheels.insert(wheel.file.to_string(), wheel)),
                Ok(Found::Source(source)) => drop(sources.entry(source.name.clone()).or_insert(source)),
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
    }
    // What is built for one platform is built for each, so that all of them have the same.
    wheels.retain(|_, wheel| !sources.contains_key(&normalised(&wheel.file.distribution)));
    let chosen = Chosen { wheels: wheels.into_values().collect(), sources: sources.into_values().collect() };
    (chosen, problems)
}

/// What was found of one package.
enum Found {
    Wheel(LockedWheel),
    Source(LockedSource),
}

/// A lock file of either kind.
trait Lock {
    /// The packages it has, by normalised name.
    fn names(&self) -> BTreeSet<String>;

    /// The packages that are needed, each once.
    fn entries(&self, asked: &Asked<'_>) -> Result<Vec<Entry<'_>>, Vec<LockProblem>>;
}

/// A request, for one of its targets.
#[derive(Debug, Clone, Copy)]
struct Asked<'r> {
    request: &'r Request<'r>,
    target: &'r Target,
}

/// A package that is needed.
#[derive(Debug)]
struct Entry<'l> {
    name: &'l str,
    /// What it is where it has no wheels.
    instead: &'static str,
    wheels: Vec<Candidate<'l>>,
    sources: Option<Sources<'l>>,
}

/// A wheel as a lock file has it.
#[derive(Debug)]
struct Candidate<'l> {
    /// The name of its file, where something says it.
    file: Option<&'l str>,
    url: Option<&'l str>,
    path: Option<&'l str>,
    /// `sha256:` and its digits.
    digest: Option<Cow<'l, str>>,
}

impl Asked<'_> {
    /// Whether a marker holds. Where the last number of the Python's version is not known, it must
    /// not matter.
    fn holds(&self, package: &str, marker: &str) -> Result<bool, LockProblem> {
        let invalid =
            |problem| LockProblem::Marker { package: package.to_owned(), marker: marker.to_owned(), problem };
        let read: Marker = marker.parse().map_err(invalid)?;
        self.alike(package, marker, |patch| {
            let Request { extras, groups, .. } = *self.request;
            read.holds(&Environment { target: self.target, patch, extras, groups }).map_err(invalid)
        })
    }

    /// Whether a Python is one of these versions.
    fn is_python(&self, package: &str, versions: &str) -> Result<bool, LockProblem> {
        let specifiers: VersionSpecifiers = versions.parse().map_err(|_| LockProblem::File {
            package: package.to_owned(),
            problem: format!("`{versions}` is no range of versions"),
        })?;
        let python = self.target.python;
        self.alike(package, versions, |patch| {
            let release = [python.major, python.minor, patch].map(u64::from);
            Ok(specifiers.contains(&Version::new(release)))
        })
    }

    fn alike(
        &self,
        package: &str,
        marker: &str,
        asks: impl Fn(u32) -> Result<bool, LockProblem>,
    ) -> Result<bool, LockProblem> {
        // No Python has had so many releases of one minor version.
        let (first, last) = self.request.patch.map_or((0, 99), |patch| (patch, patch));
        let holds = asks(first)?;
        if holds == asks(last)? {
            return Ok(holds);
        }
        Err(LockProblem::Patch {
            package: package.to_owned(),
            marker: marker.to_owned(),
            python: self.target.python.to_string(),
        })
    }

    /// The file's own word on which Pythons it is for.
    fn fits(&self, requires_python: Option<&str>) -> Result<(), LockProblem> {
        match requires_python {
            Some(versions) if !self.is_python("requires-python", versions)? => {
                Err(LockProblem::Environment {
                    wanted: format!("Python {versions}"),
                    target: self.target.python.to_string(),
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Names that were asked for and that are not among those of the file.
fn absent<'n>(
    kind: &'static str,
    wanted: &'n BTreeSet<String>,
    there: &'n BTreeSet<String>,
) -> impl Iterator<Item = LockProblem> + 'n {
    wanted.difference(there).map(move |name| LockProblem::Absent { kind, name: name.clone() })
}

impl Entry<'_> {
    /// Its sources, where all that is wrong is that no wheel fits.
    fn instead_of_wheel(&self, problem: LockProblem) -> Result<LockedSource, LockProblem> {
        match (&self.sources, &problem) {
            (Some(sources), LockProblem::NotAWheel { .. } | LockProblem::NoneFits { .. }) => {
                sources.locked(self.name, problem)
            }
            _ => Err(problem),
        }
    }

    fn wheel(&self, target: &Target) -> Result<Found, LockProblem> {
        let package = || self.name.to_owned();
        if self.wheels.is_empty() {
            return Err(LockProblem::NotAWheel { package: package(), what: self.instead });
        }
        let invalid = |problem: String| LockProblem::File { package: package(), problem };
        let mut best = None;
        let mut misfit: Option<(&str, Misfit)> = None;
        for candidate in &self.wheels {
            let file = candidate.file.ok_or_else(|| invalid("one of its wheels has no name".to_owned()))?;
            let name: WheelName = unescaped(file).parse().map_err(|error| invalid(format!("{error}")))?;
            match target.fit(&name.tags) {
                // Of two that fit alike, the later build, as the specification of wheels has it.
                Ok(fit) => {
                    let build = name.build.clone();
                    let is_better = best.as_ref().is_none_or(|(than, other, _): &(_, WheelName, _)| {
                        fit < *than || (fit == *than && build > other.build)
                    });
                    if is_better {
                        best = Some((fit, name, candidate));
                    }
                }
                Err(problem) => drop(misfit.get_or_insert((file, problem))),
            }
        }
        let Some((_, file, candidate)) = best else {
            let (of, problem) =
                misfit.map_or_else(Default::default, |(file, misfit)| (file, misfit.to_string()));
            let why = match self.wheels.len() {
                1 => format!("of `{of}`, {problem}"),
                many => format!("of `{of}`, {problem}; the other {} fit no better", many - 1),
            };
            return Err(LockProblem::NoneFits { package: package(), platform: target.platform.clone(), why });
        };
        let digest = candidate.digest.as_deref().and_then(|digest| digest.parse().ok());
        let digest = digest.ok_or_else(|| invalid(format!("`{file}` has no SHA-256 hash")))?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (url, path) = (owned(candidate.url), owned(candidate.path));
        Ok(Found::Wheel(LockedWheel { file, digest, url, path }))
    }
}

/// The name of a wheel as it is without the address around it: of what such a name has, `+` before
/// the local part of a version and `!` behind an epoch are often escaped in addresses.
fn unescaped(file: &str) -> Cow<'_, str> {
    if !file.contains('%') {
        return Cow::Borrowed(file);
    }
    file.replace("%2B", "+").replace("%2b", "+").replace("%21", "!").into()
}

/// The last part of an address or a path.
fn last_part(place: &str) -> Option<&str> {
    let place = place.split(['?', '#']).next().unwrap_or_default();
    place.rsplit(['/', '\\']).next().filter(|part| !part.is_empty())
}
