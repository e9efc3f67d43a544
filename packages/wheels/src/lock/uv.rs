//! `uv.lock`: a graph of packages, with markers on its edges.
//!
//! Its format is known by what uv writes: there is no specification. What changes its meaning has
//! another `version`, which is refused.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::document::{Named, moved, written};
use super::sources::{self, Sources};
use super::{Asked, Candidate, Entry, Lock, LockProblem, absent, last_part};
use crate::file_name::normalised;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Uv {
    pub version: Spanned<u32>,
    pub requires_python: Option<Spanned<String>>,
    #[serde(default, rename = "conflicts", deserialize_with = "are_some")]
    has_conflicts: bool,
    #[serde(default, rename = "package")]
    pub packages: Vec<Package>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Package {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    source: Source,
    #[serde(default)]
    resolution_markers: Vec<Spanned<String>>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<Dependency>>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Vec<Dependency>>,
    #[serde(default)]
    wheels: Vec<Wheel>,
    sdist: Option<Wheel>,
}

/// Where a package is from: one of these, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Source {
    registry: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    editable: Option<String>,
    directory: Option<String>,
    r#virtual: Option<String>,
    subdirectory: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    source: Option<Source>,
    marker: Option<String>,
    #[serde(default)]
    extra: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Wheel {
    url: Option<String>,
    filename: Option<String>,
    path: Option<String>,
    hash: Option<String>,
}

/// Whether a list has anything in it.
fn are_some<'de, D: Deserializer<'de>>(list: D) -> Result<bool, D::Error> {
    Ok(!Vec::<IgnoredAny>::deserialize(list)?.is_empty())
}

impl Uv {
    /// The key of its packages.
    pub const PACKAGES: &str = "package";

    /// Adds packages that were read from here on.
    pub fn add(&mut self, packages: Vec<Package>, from: usize) {
        let moved = |text| moved(text, from);
        self.packages.extend(packages.into_iter().map(|package| Package {
            name: moved(package.name),
            version: package.version.map(moved),
            resolution_markers: package.resolution_markers.into_iter().map(moved).collect(),
            ..package
        }));
    }
}

impl Lock for Uv {
    fn names(&self) -> BTreeSet<String> {
        self.packages.iter().map(|package| normalised(package.name.get_ref())).collect()
    }

    fn entries(&self, asked: &Asked<'_>) -> Result<Vec<Entry<'_>>, Vec<LockProblem>> {
        if *self.version.get_ref() != 1 {
            return Err(vec![LockProblem::Version(self.version.get_ref().to_string())]);
        }
        if self.has_conflicts {
            return Err(vec![LockProblem::Conflicts]);
        }
        let project = self.project().map_err(|problem| vec![problem])?;
        let request = asked.request;
        let mut problems: Vec<LockProblem> = asked
            .fits(self.requires_python.as_ref().map(|said| said.get_ref().as_str()))
            .err()
            .into_iter()
            .collect();
        problems.extend(absent("extra", request.extras, &keys(&project.optional_dependencies)));
        problems.extend(absent("dependency group", request.groups, &keys(&project.dev_dependencies)));
        let mut walk = Walk {
            by_name: self.by_name(),
            asked,
            needed: BTreeMap::new(),
            seen: BTreeSet::new(),
            waiting: VecDeque::new(),
        };
        let groups =
            project.dev_dependencies.iter().filter(|(name, _)| request.groups.contains(&normalised(name)));
        let extras = project
            .optional_dependencies
            .iter()
            .filter(|(name, _)| request.extras.contains(&normalised(name)));
        let chosen = extras.chain(groups).flat_map(|(_, dependencies)| dependencies);
        for dependency in project.dependencies.iter().chain(chosen) {
            problems.extend(walk.follow(project, dependency).err());
        }
        while let Some((package, dependency)) = walk.waiting.pop_front() {
            problems.extend(walk.follow(package, dependency).err());
        }
        // The project itself is a directory, which may be named among the needs of its extras.
        let needed = walk.needed.into_values().filter(|package| !std::ptr::eq(*package, project));
        if problems.is_empty() { Ok(needed.map(Package::entry).collect()) } else { Err(problems) }
    }
}

fn keys(lists: &BTreeMap<String, Vec<Dependency>>) -> BTreeSet<String> {
    lists.keys().map(|name| normalised(name)).collect()
}

struct Walk<'l, 'a> {
    by_name: BTreeMap<String, Vec<&'l Package>>,
    asked: &'a Asked<'a>,
    needed: BTreeMap<String, &'l Package>,
    /// What was followed: a package, with an extra or without.
    seen: BTreeSet<(String, Option<&'l str>)>,
    waiting: VecDeque<(&'l Package, &'l Dependency)>,
}

impl<'l> Walk<'l, '_> {
    fn follow(&mut self, from: &'l Package, dependency: &'l Dependency) -> Result<(), LockProblem> {
        let name = normalised(&dependency.name);
        if self.asked.request.without.contains(&name) {
            return Ok(());
        }
        if let Some(marker) = &dependency.marker
            && !self.asked.holds(from.name(), marker)?
        {
            return Ok(());
        }
        let package = self.found(from, dependency)?;
        match self.needed.insert(name.clone(), package) {
            Some(other) if !std::ptr::eq(other, package) => {
                return Err(LockProblem::Several {
                    package: package.name().to_owned(),
                    versions: [other.version(), package.version()].join(", "),
                });
            }
            Some(_) | None => {}
        }
        if self.seen.insert((name.clone(), None)) {
            self.waiting.extend(package.dependencies.iter().map(|dependency| (package, dependency)));
        }
        for extra in &dependency.extra {
            if self.seen.insert((name.clone(), Some(extra))) {
                let more = package.optional_dependencies.get(extra).into_iter().flatten();
                self.waiting.extend(more.map(|dependency| (package, dependency)));
            }
        }
        Ok(())
    }

    /// The package that a dependency means: where a name is there more than once, the dependency
    /// says its version and source, or the packages say when each is meant.
    fn found(&self, from: &Package, dependency: &Dependency) -> Result<&'l Package, LockProblem> {
        let is_meant = |package: &&Package| {
            let version = package.version.as_ref().map(Spanned::get_ref);
            dependency.version.as_ref().is_none_or(|wanted| version == Some(wanted))
                && dependency.source.as_ref().is_none_or(|source| package.source == *source)
        };
        let of_name = self.by_name.get(&normalised(&dependency.name));
        let mut all: Vec<&Package> = of_name.into_iter().flatten().copied().filter(is_meant).collect();
        if all.len() > 1 {
            let mut holding = Vec::new();
            for package in all {
                for marker in &package.resolution_markers {
                    if self.asked.holds(package.name(), marker.get_ref())? {
                        holding.push(package);
                        break;
                    }
                }
            }
            all = holding;
        }
        match all[..] {
            [package] => Ok(package),
            [] => Err(LockProblem::Unmet { package: from.name().to_owned(), need: dependency.name.clone() }),
            [..] => Err(LockProblem::Several {
                package: dependency.name.clone(),
                versions: all.iter().map(|package| package.version()).collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

impl Uv {
    fn by_name(&self) -> BTreeMap<String, Vec<&Package>> {
        let mut by_name: BTreeMap<String, Vec<&Package>> = BTreeMap::new();
        for package in &self.packages {
            by_name.entry(normalised(package.name())).or_default().push(package);
        }
        by_name
    }

    /// The package that lies where the lock file does.
    fn project(&self) -> Result<&Package, LockProblem> {
        let mut projects = self.packages.iter().filter(|package| package.is_here());
        match (projects.next(), projects.next()) {
            (Some(project), None) => Ok(project),
            (None, _) => Err(LockProblem::Project("no package has its directory".to_owned())),
            (Some(one), Some(other)) => Err(LockProblem::Project(format!(
                "`{}` and `{}` both have its directory",
                one.name(),
                other.name()
            ))),
        }
    }
}

impl Package {
    /// What the file says of it by name.
    pub(super) fn named(&self) -> Named<'_> {
        Named {
            name: written(&self.name),
            version: self.version.as_ref().map(written),
            when: self.resolution_markers.iter().map(written).collect(),
        }
    }

    fn is_here(&self) -> bool {
        let Source { editable, r#virtual, directory, .. } = &self.source;
        [editable, r#virtual, directory].into_iter().any(|place| place.as_deref() == Some("."))
    }

    fn name(&self) -> &str {
        self.name.get_ref()
    }

    fn version(&self) -> &str {
        self.version.as_ref().map_or("one without a number", |version| version.get_ref().as_str())
    }

    fn entry(&self) -> Entry<'_> {
        let Source { git, editable, directory, r#virtual, .. } = &self.source;
        let instead = if git.is_some() {
            "a repository"
        } else if editable.is_some() || directory.is_some() || r#virtual.is_some() {
            "a directory"
        } else {
            "a set of sources"
        };
        // A wheel that is named by its path is all that its source is.
        let local = self.source.path.as_deref();
        Entry {
            name: self.name(),
            instead,
            wheels: self.wheels.iter().map(|wheel| wheel.candidate(local)).collect(),
            sources: self.sources(),
        }
    }

    /// What it is built of where it has no wheel.
    fn sources(&self) -> Option<Sources<'_>> {
        let Source { git, editable, directory, url, path, subdirectory, .. } = &self.source;
        let version = self.version.as_ref().map(|version| version.get_ref().as_str());
        let subdirectory = subdirectory.as_deref();
        if let Some(git) = git {
            let (address, commit) = git.split_once('#')?;
            let (url, query) = address.split_once('?').unwrap_or((address, ""));
            let subdirectory = query.split('&').find_map(|part| part.strip_prefix("subdirectory="));
            let place = sources::Candidate::Repository { url, commit };
            return Some(Sources { version, place, subdirectory });
        }
        if let Some(path) = editable.as_deref().or(directory.as_deref()) {
            let place = sources::Candidate::Directory { path };
            return Some(Sources { version, place, subdirectory });
        }
        let sdist = self.sdist.as_ref()?;
        let url = sdist.url.as_deref().or(url.as_deref());
        let path = sdist.path.as_deref().or(path.as_deref());
        let place = sources::Candidate::Archive { url, path, digest: sdist.hash.clone() };
        Some(Sources { version, place, subdirectory })
    }
}

impl Wheel {
    fn candidate<'l>(&'l self, local: Option<&'l str>) -> Candidate<'l> {
        let place = || self.url.as_deref().or(self.path.as_deref()).and_then(last_part);
        Candidate {
            file: self.filename.as_deref().or_else(place),
            url: self.url.as_deref(),
            path: self.path.as_deref().or(local),
            digest: self.hash.as_deref().map(Cow::Borrowed),
        }
    }
}
