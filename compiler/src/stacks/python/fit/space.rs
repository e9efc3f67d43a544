//! What there is to choose from: Pythons, CUDAs, cuDNNs, base images, and builds of frameworks.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_catalogue::entry::{Entry, Role};
use cogpack_catalogue::frameworks::{Build, BuildSource, Distribution, Framework, Frameworks, Release};
use cogpack_content::Platform;
use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use super::Asked;
use super::wishes::{framework_of, is_asked_for};
use crate::stacks::python::on_demand::takes_archives;
use crate::stacks::solve::{Choices, Need, Thing};

/// Pythons by their minor version, the one that most packages have wheels for first.
const PYTHONS: [u64; 7] = [13, 12, 11, 10, 9, 14, 15];

/// The places of things that each project has.
pub(super) const PYTHON: usize = 0;
pub(super) const CUDA: usize = 1;
pub(super) const CUDNN: usize = 2;
pub(super) const BASE: usize = 3;
const FIRST_FRAMEWORK: usize = 4;

/// What there is to choose from, and what each choice is.
#[derive(Clone)]
pub(super) struct Space<'a> {
    pub choices: Choices,
    /// Minor versions of Python 3.
    pub pythons: Vec<u64>,
    /// Versions of CUDA, newest first.
    pub cudas: Vec<Version>,
    /// Versions of cuDNN, newest first.
    pub cudnns: Vec<Version>,
    /// Base images.
    pub bases: Vec<&'a Entry>,
    /// Frameworks that are asked for, each with its builds.
    pub frameworks: Vec<Known<'a>>,
    /// Frameworks of which no release is known that is asked for.
    pub unknown: BTreeMap<String, &'a Framework>,
    /// The platforms that all of this is true on.
    pub platforms: BTreeSet<Platform>,
    /// Minor versions of Python 3 that are unpacked where a base has no Python.
    archives: BTreeSet<u64>,
}

/// A framework of the table.
#[derive(Clone)]
pub(super) struct Known<'a> {
    pub package: String,
    pub framework: &'a Framework,
    pub builds: Vec<(&'a Release, &'a Build)>,
}

impl<'a> Space<'a> {
    /// What there is by `table`, which has of `all` what is true on these platforms.
    pub fn new(
        asked: &Asked<'a>,
        all: &Frameworks,
        table: &'a Frameworks,
        platforms: BTreeSet<Platform>,
    ) -> Self {
        let mut pythons = PYTHONS.to_vec();
        if let Some((python, _)) = &asked.python {
            let minor = u64::from(python.minor);
            pythons.retain(|other| *other != minor);
            pythons.insert(0, minor);
        }
        let mut frameworks = Vec::new();
        let mut unknown = BTreeMap::new();
        for (package, framework) in &table.frameworks {
            let by: Vec<_> =
                asked.required.iter().filter(|stated| framework_of(stated) == Some(package)).collect();
            if by.is_empty() {
                continue;
            }
            // What is there for another platform only is known, and does not fit.
            let everywhere = &all.frameworks[package].releases;
            let is_known = by.iter().all(|stated| {
                everywhere.iter().any(|release| {
                    release.builds.iter().any(|build| is_asked_for(stated, package, release, build))
                })
            });
            if !is_known {
                unknown.insert(package.clone(), framework);
                continue;
            }
            let of = |release: &'a Release| release.builds.iter().map(move |build| (release, build));
            let builds = framework.releases.iter().flat_map(of).collect();
            frameworks.push(Known { package: package.clone(), framework, builds });
        }
        let fits = |entry: &&Entry| {
            entry.roles.contains(&Role::Runtime) && asked.platforms.is_subset(&entry.platforms)
        };
        let known = asked.catalogue.images().iter().map(|listed| {
            // Images live as long as the catalogue that they are in.
            let entry: &'a Entry = &listed.entry;
            entry
        });
        let mut bases: Vec<&Entry> = known.filter(fits).collect();
        if let Some(named) = asked.base
            && !bases.contains(&named)
        {
            bases.push(named);
        }
        let cudas = versions(
            frameworks
                .iter()
                .flat_map(|known| known.builds.iter())
                .filter_map(|(_, build)| build.cuda.as_ref()),
            bases.iter().filter_map(|base| base.cuda.as_ref()).map(line_of),
            asked.cuda.map(|cuda| Version::new([u64::from(cuda.major), u64::from(cuda.minor)])),
        );
        let cudnns = versions(
            frameworks
                .iter()
                .flat_map(|known| known.builds.iter())
                .filter_map(|(_, build)| build.cudnn.as_ref()),
            bases.iter().filter_map(|base| base.cudnn.clone()),
            asked.cudnn.map(|cudnn| Version::new(cudnn.numbers().iter().map(|number| u64::from(*number)))),
        );
        let choices = Choices::default();
        let archives = BTreeSet::new();
        let mut space =
            Self { choices, pythons, cudas, cudnns, bases, frameworks, unknown, platforms, archives };
        space.choices = space.things(table);
        space
    }

    /// What is taken so that all wishes hold, with the Python that is liked best.
    pub fn best(&self, wishes: &[Vec<Need>]) -> Option<BTreeMap<usize, usize>> {
        (0..self.pythons.len()).find_map(|choice| {
            let this = Need { of: PYTHON, choices: BTreeSet::from([choice]), takes: false };
            let wishes: Vec<Vec<Need>> = wishes.iter().cloned().chain([vec![this]]).collect();
            self.choices.solve(&wishes)
        })
    }

    /// The same where a base that has no Python gets one from an archive.
    pub fn with_archives(&self, asked: &Asked<'_>, table: &Frameworks) -> Self {
        let is_there = |minor: &u64| asked.catalogue.python(&line([3, *minor]), asked.platforms).is_some();
        let archives = self.pythons.iter().copied().filter(is_there).collect();
        let mut same = Self { archives, ..self.clone() };
        same.choices = same.things(table);
        same
    }

    /// The same with a base that has whatever is wanted.
    pub fn without_bases(&self) -> Self {
        let mut same = self.clone();
        let things = same.choices.things.iter_mut();
        for needs in things.flat_map(|thing| &mut thing.choices) {
            needs.retain(|need| need.of != BASE);
        }
        same.choices.things[BASE] =
            Thing { choices: vec![Vec::new(); self.bases.len()], is_always_taken: false };
        same
    }

    fn things(&self, table: &Frameworks) -> Choices {
        let nothing = |count: usize| vec![Vec::new(); count];
        let python = Thing { choices: nothing(self.pythons.len()), is_always_taken: true };
        let cuda = Thing { choices: nothing(self.cudas.len()), is_always_taken: false };
        let cudnn = Thing { choices: nothing(self.cudnns.len()), is_always_taken: false };
        let of_base = |base: &&Entry| {
            let is_had = |minor: u64| {
                let is_unpacked = self.archives.contains(&minor) && takes_archives(base);
                is_unpacked || has_python(base, minor, &table.distributions)
            };
            vec![self.pythons_where(is_had)]
        };
        let base = Thing { choices: self.bases.iter().map(of_base).collect(), is_always_taken: true };
        let mut things = vec![python, cuda, cudnn, base];
        for known in &self.frameworks {
            let needs = |(release, build): &(&Release, &Build)| {
                let has = |minor: u64| release.pythons.contains(&Version::new([3, minor]));
                let mut needs = vec![self.pythons_where(has)];
                needs.extend(build.cuda.as_ref().map(|cuda| self.cuda_in(cuda)));
                needs.extend(build.cudnn.as_ref().map(|cudnn| self.cudnn_in(cudnn)));
                if build.source == BuildSource::Base {
                    needs.push(self.bases_with(build.cuda.as_ref(), build.cudnn.as_ref()));
                }
                needs
            };
            let choices = known.builds.iter().map(needs).collect();
            things.push(Thing { choices, is_always_taken: false });
        }
        Choices { things }
    }

    /// The place of a framework among things.
    pub fn place_of(&self, package: &str) -> Option<usize> {
        let place = self.frameworks.iter().position(|known| known.package == package)?;
        Some(FIRST_FRAMEWORK + place)
    }

    /// The framework at a place among things.
    pub fn framework_at(&self, of: usize) -> Option<&Known<'a>> {
        self.frameworks.get(of.checked_sub(FIRST_FRAMEWORK)?)
    }

    pub fn pythons_where(&self, is: impl Fn(u64) -> bool) -> Need {
        Need { of: PYTHON, choices: places(&self.pythons, |minor| is(*minor)), takes: false }
    }

    pub fn cuda_in(&self, wanted: &VersionSpecifiers) -> Need {
        Need { of: CUDA, choices: places(&self.cudas, |cuda| wanted.contains(cuda)), takes: false }
    }

    pub fn cudnn_in(&self, wanted: &VersionSpecifiers) -> Need {
        Need { of: CUDNN, choices: places(&self.cudnns, |cudnn| wanted.contains(cudnn)), takes: false }
    }

    /// Bases with a CUDA, and that one where it is said which; with such a cuDNN, where one is wanted.
    pub fn bases_with(&self, cuda: Option<&VersionSpecifiers>, cudnn: Option<&VersionSpecifiers>) -> Need {
        let has = |base: &&Entry| {
            let has_cuda = base
                .cuda
                .as_ref()
                .is_some_and(|has| cuda.is_none_or(|wanted| wanted.contains(&line_of(has))));
            has_cuda && cudnn.is_none_or(|wanted| base.cudnn.as_ref().is_some_and(|has| wanted.contains(has)))
        };
        Need { of: BASE, choices: places(&self.bases, has), takes: false }
    }

    /// Builds of a framework.
    pub fn builds_where(&self, package: &str, is: impl Fn(&Release, &Build) -> bool) -> Option<Need> {
        let of = self.place_of(package)?;
        let known = self.framework_at(of)?;
        Some(Need { of, choices: places(&known.builds, |(release, build)| is(release, build)), takes: false })
    }
}

fn places<T>(all: &[T], is: impl Fn(&T) -> bool) -> BTreeSet<usize> {
    all.iter().enumerate().filter(|(_, one)| is(one)).map(|(place, _)| place).collect()
}

/// Whether a base brings that Python, or its distribution has packages of it.
pub(super) fn has_python(base: &Entry, minor: u64, distributions: &[Distribution]) -> bool {
    let of_line = line([3, minor]);
    match &base.python {
        Some(python) => of_line.contains(&python.version),
        None => distributions.iter().any(|one| {
            one.id == base.os.id && one.version == base.os.version && one.python == Version::new([3, minor])
        }),
    }
}

/// `==3.12.*`
fn line(numbers: [u64; 2]) -> VersionSpecifiers {
    VersionSpecifiers::from_iter([VersionSpecifier::equals_star_version(Version::new(numbers))])
}

/// The first two numbers of a version.
pub(super) fn line_of(version: &Version) -> Version {
    Version::new(version.release().iter().copied().take(2))
}

/// All versions that are spoken of, newest first: of a range its borders.
fn versions<'v>(
    ranges: impl Iterator<Item = &'v VersionSpecifiers>,
    named: impl Iterator<Item = Version>,
    said: Option<Version>,
) -> Vec<Version> {
    let borders = ranges.flat_map(|range| range.iter().map(|specifier| specifier.version().clone()));
    let all: BTreeSet<Version> = borders.chain(named).chain(said).collect();
    all.into_iter().rev().collect()
}
