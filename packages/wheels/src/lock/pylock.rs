//! `pylock.toml` (PEP 751): every package that any environment needs, each with its marker.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::document::{Named, moved, written};
use super::sources::{self, Sources};
use super::{Asked, Candidate, Entry, Lock, LockProblem, Request, absent, last_part};
use crate::file_name::normalised;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Pylock {
    pub lock_version: Spanned<String>,
    pub requires_python: Option<Spanned<String>>,
    #[serde(default)]
    environments: Vec<String>,
    #[serde(default)]
    extras: Vec<String>,
    #[serde(default)]
    dependency_groups: Vec<String>,
    #[serde(default)]
    default_groups: Vec<String>,
    #[serde(default)]
    pub packages: Vec<Package>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Package {
    name: Spanned<String>,
    marker: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    requires_python: Option<String>,
    vcs: Option<Repository>,
    directory: Option<Directory>,
    archive: Option<File>,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Repository {
    r#type: Option<String>,
    url: Option<String>,
    commit_id: Option<String>,
    subdirectory: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Directory {
    path: Option<String>,
    subdirectory: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct File {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    subdirectory: Option<String>,
}

impl Pylock {
    /// The key of its packages.
    pub const PACKAGES: &str = "packages";

    /// Adds packages that were read from here on.
    pub fn add(&mut self, packages: Vec<Package>, from: usize) {
        self.packages.extend(packages.into_iter().map(|package| Package {
            name: moved(package.name, from),
            marker: package.marker.map(|marker| moved(marker, from)),
            version: package.version.map(|version| moved(version, from)),
            ..package
        }));
    }
}

impl Lock for Pylock {
    fn names(&self) -> BTreeSet<String> {
        names(self.packages.iter().map(|package| package.name.get_ref()))
    }

    fn entries(&self, asked: &Asked<'_>) -> Result<Vec<Entry<'_>>, Vec<LockProblem>> {
        // A later minor version only adds what an older reader may pass over.
        let version = self.lock_version.get_ref();
        if version.split('.').next() != Some("1") {
            return Err(vec![LockProblem::Version(version.clone())]);
        }
        let (extras, groups) = (names(&self.extras), names(&self.dependency_groups));
        let defaults = names(&self.default_groups);
        let request = asked.request;
        let mut problems: Vec<LockProblem> = absent("extra", request.extras, &extras)
            .chain(absent("dependency group", request.groups, &groups))
            .collect();
        problems.extend(asked.fits(self.requires_python.as_ref().map(|said| said.get_ref().as_str())).err());
        let groups = if request.groups.is_empty() { &defaults } else { request.groups };
        let request = Request { groups, ..*request };
        let asked = Asked { request: &request, target: asked.target };
        problems.extend(self.is_for(&asked).err());
        let mut needed: BTreeMap<String, &Package> = BTreeMap::new();
        for package in &self.packages {
            let name = normalised(package.name());
            match package.is_needed(&asked) {
                Ok(true) if !request.without.contains(&name) => match needed.get(&name) {
                    Some(other) => problems.push(LockProblem::Several {
                        package: package.name().to_owned(),
                        versions: [other.version(), package.version()].join(", "),
                    }),
                    None => drop(needed.insert(name, package)),
                },
                Ok(_) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(needed.into_values().map(Package::entry).collect())
        } else {
            Err(problems)
        }
    }
}

impl Pylock {
    fn is_for(&self, asked: &Asked<'_>) -> Result<(), LockProblem> {
        for environment in &self.environments {
            if asked.holds("environments", environment)? {
                return Ok(());
            }
        }
        if self.environments.is_empty() {
            return Ok(());
        }
        Err(LockProblem::Environment {
            wanted: self.environments.join(", or "),
            target: format!("Python {} on {}", asked.target.python, asked.target.platform),
        })
    }
}

impl Package {
    /// What the file says of it by name.
    pub(super) fn named(&self) -> Named<'_> {
        Named {
            name: written(&self.name),
            version: self.version.as_ref().map(written),
            when: self.marker.iter().map(written).collect(),
        }
    }

    fn name(&self) -> &str {
        self.name.get_ref()
    }

    fn version(&self) -> &str {
        self.version.as_ref().map_or("one without a number", |version| version.get_ref().as_str())
    }

    fn is_needed(&self, asked: &Asked<'_>) -> Result<bool, LockProblem> {
        if let Some(marker) = &self.marker
            && !asked.holds(self.name(), marker.get_ref())?
        {
            return Ok(false);
        }
        match &self.requires_python {
            Some(versions) if !asked.is_python(self.name(), versions)? => Err(LockProblem::Environment {
                wanted: format!("`{}` with Python {versions}", self.name),
                target: asked.target.python.to_string(),
            }),
            Some(_) | None => Ok(true),
        }
    }

    fn entry(&self) -> Entry<'_> {
        let is_wheel = |file: &&File| file.file().is_some_and(|file| file.ends_with(".whl"));
        let files = self.wheels.iter().chain(self.archive.iter().filter(is_wheel));
        let instead = if self.vcs.is_some() {
            "a repository"
        } else if self.directory.is_some() {
            "a directory"
        } else if self.archive.is_some() {
            "an archive of sources"
        } else {
            "a set of sources"
        };
        let wheels = files.map(File::candidate).collect();
        Entry { name: self.name(), instead, wheels, sources: self.sources() }
    }

    /// What it is built of where it has no wheel.
    fn sources(&self) -> Option<Sources<'_>> {
        let version = self.version.as_ref().map(|version| version.get_ref().as_str());
        if let Some(Repository { r#type, url, commit_id, subdirectory }) = &self.vcs {
            let (url, commit) = (url.as_deref()?, commit_id.as_deref()?);
            let is_git = r#type.as_deref() == Some("git");
            let place = sources::Candidate::Repository { url, commit };
            return is_git.then_some(Sources { version, place, subdirectory: subdirectory.as_deref() });
        }
        if let Some(Directory { path, subdirectory }) = &self.directory {
            let place = sources::Candidate::Directory { path: path.as_deref()? };
            return Some(Sources { version, place, subdirectory: subdirectory.as_deref() });
        }
        let is_wheel = |file: &File| file.file().is_some_and(|file| file.ends_with(".whl"));
        let file = self.archive.as_ref().or(self.sdist.as_ref()).filter(|file| !is_wheel(file))?;
        let Candidate { path, digest, .. } = file.candidate();
        let digest = digest.map(Cow::into_owned);
        let place = sources::Candidate::Archive { url: file.url.as_deref(), path, digest };
        Some(Sources { version, place, subdirectory: file.subdirectory.as_deref() })
    }
}

impl File {
    fn file(&self) -> Option<&str> {
        let place = || self.url.as_deref().or(self.path.as_deref()).and_then(last_part);
        self.name.as_deref().or_else(place)
    }

    fn candidate(&self) -> Candidate<'_> {
        let digest = self.hashes.get("sha256").map(|digits| format!("sha256:{digits}").into());
        // What uv found in a directory that this machine names to it, it locks with the directory's address,
        // which leads nowhere on another one. By its name and hash it is found wherever packages are.
        let url = self.url.as_deref().filter(|url| !url.starts_with("file:"));
        Candidate { file: self.file(), url, path: self.path.as_deref(), digest }
    }
}

fn names<'n>(names: impl IntoIterator<Item = &'n String>) -> BTreeSet<String> {
    names.into_iter().map(|name| normalised(name)).collect()
}
