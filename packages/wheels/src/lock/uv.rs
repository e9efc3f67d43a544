//! `uv.lock`: a graph of packages, with markers on its edges.
//!
//! Its format is known by what uv writes: there is no specification. What changes its meaning has
//! another `version`, which is refused.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::sources::{self, Sources};
use super::{Asked, Candidate, Entry, Lock, LockProblem, absent, last_part};
use crate::file_name::normalised;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Uv {
    version: u32,
    requires_python: Option<String>,
    #[serde(default)]
    conflicts: Vec<IgnoredAny>,
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: Option<String>,
    source: BTreeMap<String, toml::Value>,
    #[serde(default)]
    resolution_markers: Vec<String>,
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

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    source: Option<BTreeMap<String, toml::Value>>,
    marker: Option<String>,
    #[serde(default)]
    extra: Vec<String>,
}

#[derive(Deserialize)]
struct Wheel {
    url: Option<String>,
    filename: Option<String>,
    path: Option<String>,
    hash: Option<String>,
}

impl Lock for Uv {
    fn names(&self) -> BTreeSet<String> {
        self.packages.iter().map(|package| normalised(&package.name)).collect()
    }

    fn entries(&self, asked: &Asked<'_>) -> Result<Vec<Entry<'_>>, Vec<LockProblem>> {
        if self.version != 1 {
            return Err(vec![LockProblem::Version(self.version.to_string())]);
        }
        if !self.conflicts.is_empty() {
            return Err(vec![LockProblem::Conflicts]);
        }
        let project = self.project().map_err(|problem| vec![problem])?;
        let request = asked.request;
        let mut problems: Vec<LockProblem> =
            asked.fits(self.requires_python.as_deref()).err().into_iter().collect();
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
            && !self.asked.holds(&from.name, marker)?
        {
            return Ok(());
        }
        let package = self.found(from, dependency)?;
        match self.needed.insert(name.clone(), package) {
            Some(other) if !std::ptr::eq(other, package) => {
                return Err(LockProblem::Several {
                    package: package.name.clone(),
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
            dependency.version.as_ref().is_none_or(|version| package.version.as_ref() == Some(version))
                && dependency.source.as_ref().is_none_or(|source| package.source == *source)
        };
        let of_name = self.by_name.get(&normalised(&dependency.name));
        let mut all: Vec<&Package> = of_name.into_iter().flatten().copied().filter(is_meant).collect();
        if all.len() > 1 {
            let mut holding = Vec::new();
            for package in all {
                for marker in &package.resolution_markers {
                    if self.asked.holds(&package.name, marker)? {
                        holding.push(package);
                        break;
                    }
                }
            }
            all = holding;
        }
        match all[..] {
            [package] => Ok(package),
            [] => Err(LockProblem::Unmet { package: from.name.clone(), need: dependency.name.clone() }),
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
            by_name.entry(normalised(&package.name)).or_default().push(package);
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
                one.name, other.name
            ))),
        }
    }
}

impl Package {
    fn is_here(&self) -> bool {
        ["editable", "virtual", "directory"]
            .iter()
            .any(|kind| self.source.get(*kind).and_then(toml::Value::as_str) == Some("."))
    }

    fn version(&self) -> &str {
        self.version.as_deref().unwrap_or("one without a number")
    }

    fn entry(&self) -> Entry<'_> {
        let has = |kind: &str| self.source.contains_key(kind);
        let instead = if has("git") {
            "a repository"
        } else if has("editable") || has("directory") || has("virtual") {
            "a directory"
        } else {
            "a set of sources"
        };
        // A wheel that is named by its path is all that its source is.
        let local = self.source.get("path").and_then(toml::Value::as_str);
        Entry {
            name: &self.name,
            instead,
            wheels: self.wheels.iter().map(|wheel| wheel.candidate(local)).collect(),
            sources: self.sources(),
        }
    }

    /// What it is built of where it has no wheel.
    fn sources(&self) -> Option<Sources<'_>> {
        let said = |kind: &str| self.source.get(kind).and_then(toml::Value::as_str);
        let version = self.version.as_deref();
        let subdirectory = said("subdirectory");
        if let Some(git) = said("git") {
            let (address, commit) = git.split_once('#')?;
            let (url, query) = address.split_once('?').unwrap_or((address, ""));
            let subdirectory = query.split('&').find_map(|part| part.strip_prefix("subdirectory="));
            let place = sources::Candidate::Repository { url, commit };
            return Some(Sources { version, place, subdirectory });
        }
        if let Some(path) = said("editable").or(said("directory")) {
            let place = sources::Candidate::Directory { path };
            return Some(Sources { version, place, subdirectory });
        }
        let sdist = self.sdist.as_ref()?;
        let url = sdist.url.as_deref().or(said("url"));
        let path = sdist.path.as_deref().or(said("path"));
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
            digest: self.hash.clone(),
        }
    }
}
