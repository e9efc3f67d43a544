//! Packages of which there are only sources, as a plan can have them built.
//!
//! A lock file says where sources are, and a plan names only what it can hold a build to: an archive with
//! its hash, a commit of a repository, a directory of the project.

use cogpack_content::Digest;
use cogpack_frontends_python::requirement::PackageName;
use cogpack_frontends_source::{DigestOf, InFile, Kind, Source, SourcePath, Unread};
use cogpack_packages_wheels::lock::sources::{LockedSource, SourcePlace};
use pep440_rs::Version;

use super::finding::PythonFinding;
use super::lock::without_login;
use crate::stacks::Findings;

/// A package that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its name, normalised.
    pub name: PackageName,
    /// Its version, where the lock says it.
    pub version: Option<Version>,
    /// What it is built of.
    pub of: BuiltOf,
    /// The directory of that which is built, where it is not its root.
    pub subdirectory: Option<SourcePath>,
}

/// What a package is built of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuiltOf {
    /// An archive at an address.
    Address {
        /// The address.
        url: String,
        /// What the archive must hash to.
        digest: Digest,
    },
    /// An archive of the project.
    File {
        /// Its path.
        path: SourcePath,
        /// What it must hash to.
        digest: Digest,
        /// What its name ends in, by which archives are told apart.
        ending: &'static str,
    },
    /// A commit of a repository.
    Repository {
        /// Its address.
        url: String,
        /// The commit.
        commit: String,
    },
    /// A directory of the project.
    Directory(SourcePath),
}

impl Built {
    /// As `pip freeze` names it.
    pub fn frozen(&self) -> String {
        match (&self.of, &self.version) {
            (BuiltOf::Repository { url, commit }, _) => format!("{} @ git+{url}@{commit}", self.name),
            (_, Some(version)) => format!("{}=={version}", self.name),
            (BuiltOf::Address { url, .. }, None) => format!("{} @ {url}", self.name),
            (BuiltOf::File { path, .. } | BuiltOf::Directory(path), None) => {
                format!("{} @ ./{path}", self.name)
            }
        }
    }
}

/// What names of archives end in.
const ARCHIVES: [&str; 5] = [".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz"];

/// The packages of a lock that are to be built, or why some of them cannot be.
pub(super) fn checked(
    source: &Source,
    lock: &SourcePath,
    locked: Vec<LockedSource>,
) -> Result<Result<Vec<Built>, Findings>, Unread> {
    let mut built = Vec::new();
    let mut findings = Findings::new();
    for package in locked {
        let name = package.name.clone();
        match one(source, lock, package)? {
            Ok(package) => built.push(package),
            Err(problem) => {
                findings.push(InFile::new(lock, PythonFinding::LockedSources { name, problem }.into()));
            }
        }
    }
    Ok(if findings.is_empty() { Ok(built) } else { Err(findings) })
}

fn one(source: &Source, lock: &SourcePath, package: LockedSource) -> Result<Result<Built, String>, Unread> {
    let Some(name) = PackageName::new(&package.name) else {
        return Ok(Err("this is no name of a package".to_owned()));
    };
    let version = match package.version.as_deref().map(str::parse::<Version>).transpose() {
        Ok(version) => version,
        Err(_) => return Ok(Err("its version is none".to_owned())),
    };
    let subdirectory = match package.subdirectory.as_deref().map(SourcePath::new).transpose() {
        Ok(subdirectory) => subdirectory.filter(|directory| !directory.as_str().is_empty()),
        Err(problem) => return Ok(Err(format!("the directory in them: {problem}"))),
    };
    if subdirectory.as_ref().is_some_and(|directory| !directory.as_str().bytes().all(is_plain)) {
        return Ok(Err("the directory in them has a name with odd characters".to_owned()));
    }
    let below = |path: &str| lock.directory().join(path).map_err(|problem| problem.to_string());
    let of = match package.place {
        SourcePlace::Archive { url: Some(url), digest, .. } => {
            let url = without_login(url.split('#').next().unwrap_or_default());
            match is_address(&url, &["https://", "http://"]) {
                true => Ok(BuiltOf::Address { url, digest }),
                false => Err(format!("`{url}` is no address on the web")),
            }
        }
        SourcePlace::Archive { url: None, path, digest } => {
            match below(path.as_deref().unwrap_or_default()) {
                Err(problem) => Err(problem),
                Ok(path) => match (source.digest(&path)?, ending(&path)) {
                    (DigestOf::Is(found, _), Some(ending)) if *found == digest => {
                        Ok(BuiltOf::File { path, digest, ending })
                    }
                    (DigestOf::Is(found, _), _) if *found != digest => {
                        Err(format!("`{path}` is another file than the one that was locked"))
                    }
                    (DigestOf::Is(..), _) => {
                        Err(format!("`{path}` is no archive that Python packages come in"))
                    }
                    (DigestOf::Absent, _) => Err(format!("there is no file `{path}`")),
                    (DigestOf::Unreadable(why), _) => Err(format!("`{path}`: {why}")),
                },
            }
        }
        SourcePlace::Repository { url, commit } => {
            let is_commit =
                matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            let schemes = ["https://", "http://", "ssh://", "git://"];
            match (is_commit, is_address(&url, &schemes)) {
                (true, true) => Ok(BuiltOf::Repository { url: without_login(&url), commit }),
                (false, _) => Err(format!("`{commit}` is no commit in full")),
                (true, false) => Err(format!("`{url}` is no address of a repository")),
            }
        }
        SourcePlace::Directory { path } => match below(&path) {
            Err(problem) => Err(problem),
            Ok(path) if path.as_str().is_empty() => {
                Err("they are the project itself, which is installed where it lies if it is a package"
                    .to_owned())
            }
            Ok(path) => match source.kind(&path)? {
                Some(Kind::Directory) => Ok(BuiltOf::Directory(path)),
                Some(_) | None => Err(format!("there is no directory `{path}`")),
            },
        },
    };
    Ok(of.map(|of| Built { name, version, of, subdirectory }))
}

/// What an archive's name ends in.
fn ending(path: &SourcePath) -> Option<&'static str> {
    ARCHIVES.into_iter().find(|ending| path.name().ends_with(ending))
}

/// An address that stands in a line of requirements as one word.
fn is_address(url: &str, schemes: &[&str]) -> bool {
    let is_known = schemes.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme));
    is_known && !url.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

/// A letter that means itself in an address and in a shell.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/')
}
