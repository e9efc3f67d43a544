//! Packages of which a lock file names sources: an archive, a commit of a repository, a directory.

use std::collections::BTreeSet;

use cogpack_content::Digest;

use super::{LockProblem, last_part};

/// A package that is to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedSource {
    /// Its name, normalised.
    pub name: String,
    /// Its version, where the lock file says it.
    pub version: Option<String>,
    /// Where its sources are.
    pub place: SourcePlace,
    /// The directory of them that is built, where it is not their root.
    pub subdirectory: Option<String>,
    /// Why no wheel of it is taken.
    pub instead: LockProblem,
}

/// Where sources are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePlace {
    /// An archive, at an address or at a path from the lock file on.
    Archive {
        /// Its address.
        url: Option<String>,
        /// Its path, where it has no address.
        path: Option<String>,
        /// What it must hash to.
        digest: Digest,
    },
    /// One commit of a repository.
    Repository {
        /// Its address, as git takes it.
        url: String,
        /// The commit, in full.
        commit: String,
    },
    /// A directory, by its path from the lock file on.
    Directory {
        /// The path.
        path: String,
    },
}

/// The packages of a `pylock.toml` that have no wheels at all, by name; none of a text that is no such
/// file.
pub fn without_wheels(text: &str) -> BTreeSet<String> {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let packages = table.get("packages").and_then(toml::Value::as_array);
    let has_none = |package: &&toml::Value| {
        package.get("wheels").and_then(toml::Value::as_array).is_none_or(|wheels| wheels.is_empty())
            && !package.get("archive").is_some_and(is_wheel)
    };
    let name = |package: &toml::Value| package.get("name")?.as_str().map(str::to_owned);
    packages.into_iter().flatten().filter(has_none).filter_map(name).collect()
}

/// Whether an archive is a wheel, which a lock calls so where it was named by its path or address.
fn is_wheel(archive: &toml::Value) -> bool {
    let said = |key| archive.get(key).and_then(toml::Value::as_str);
    said("name").or(said("path")).or(said("url")).is_some_and(|place| place.ends_with(".whl"))
}

/// Sources as a lock file has them.
#[derive(Debug, Clone)]
pub(super) struct Sources<'l> {
    pub version: Option<&'l str>,
    pub place: Candidate<'l>,
    pub subdirectory: Option<&'l str>,
}

/// Where they are.
#[derive(Debug, Clone)]
pub(super) enum Candidate<'l> {
    Archive { url: Option<&'l str>, path: Option<&'l str>, digest: Option<String> },
    Repository { url: &'l str, commit: &'l str },
    Directory { path: &'l str },
}

impl Sources<'_> {
    /// The package of that name; `instead` says why no wheel of it is taken.
    pub fn locked(&self, name: &str, instead: LockProblem) -> Result<LockedSource, LockProblem> {
        let place = match &self.place {
            Candidate::Archive { url, path, digest } => {
                let digest = digest.as_deref().and_then(|digest| digest.parse().ok());
                let digest = digest.ok_or_else(|| {
                    let file = url.or(*path).and_then(last_part).unwrap_or("the archive");
                    let problem = format!("`{file}` has no SHA-256 hash");
                    LockProblem::File { package: name.to_owned(), problem }
                })?;
                let path = path.filter(|_| url.is_none()).map(str::to_owned);
                SourcePlace::Archive { url: url.map(str::to_owned), path, digest }
            }
            Candidate::Repository { url, commit } => {
                SourcePlace::Repository { url: (*url).to_owned(), commit: (*commit).to_owned() }
            }
            Candidate::Directory { path } => SourcePlace::Directory { path: (*path).to_owned() },
        };
        Ok(LockedSource {
            name: crate::file_name::normalised(name),
            version: self.version.map(str::to_owned),
            place,
            subdirectory: self.subdirectory.map(str::to_owned),
            instead,
        })
    }
}
