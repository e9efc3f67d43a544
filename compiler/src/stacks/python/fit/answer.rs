//! What the choices of the solver mean for the plan.

use std::collections::BTreeMap;

use cogpack_catalogue::Cudnn;
use cogpack_catalogue::frameworks::{Build, BuildSource, Framework, Release};
use cogpack_content::Platform;
use cogpack_frontends_python::requirements::Stated;
use cogpack_frontends_source::{InFile, SourcePath};
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::{Version, VersionSpecifiers};

use super::conflict::FitFinding;
use super::space::{Known, PYTHON, Space};
use super::wishes::{About, Wish, framework_of, is_asked_for, star};
use super::{Asked, Chosen, CudaOfBase, Fit};

/// The answer, and what its author should know.
pub(super) fn of(
    asked: &Asked<'_>,
    space: &Space<'_>,
    wishes: &[Wish],
    taken: &BTreeMap<usize, usize>,
) -> (Fit, Vec<InFile<FitFinding>>) {
    let minor = taken.get(&PYTHON).map_or(space.pythons[0], |choice| space.pythons[*choice]);
    let python = PythonVersion { major: 3, minor: u32::try_from(minor).unwrap_or(u32::MAX) };
    let mut frameworks: Vec<Chosen> = taken
        .iter()
        .filter_map(|(of, choice)| {
            let known = space.framework_at(*of)?;
            let (release, build) = known.builds[*choice];
            Some(Chosen {
                package: known.package.clone(),
                release: Some(release.version.clone()),
                source: build.source.clone(),
                cuda: build.cuda.clone(),
                cudnn: build.cudnn.clone(),
                index: index(asked, known.framework.index.as_deref(), &build.source),
                adds: adds(asked, &known.package, &build.source)
                    .into_iter()
                    .chain(bound(asked, known, release, minor))
                    .collect(),
                by: by(asked, &known.package),
            })
        })
        .collect();
    let said_gpu = wishes.iter().find_map(|wish| match wish.about {
        About::Gpu { is_wanted } => Some(is_wanted),
        About::Python | About::Cuda | About::Cudnn | About::Base | About::Framework(_) => None,
    });
    let mut warnings = Vec::new();
    for (package, framework) in &space.unknown {
        let source = unknown_build(asked, package, framework, said_gpu == Some(true));
        frameworks.push(Chosen {
            package: package.clone(),
            release: None,
            index: index(asked, framework.index.as_deref(), &source),
            adds: adds(asked, package, &source).into_iter().collect(),
            source,
            cuda: None,
            cudnn: None,
            by: by(asked, package),
        });
        let newest = framework.releases.first().map(|release| release.version.to_string());
        warnings.extend(asked.required.iter().find(|stated| framework_of(stated) == Some(package)).map(
            |stated| {
                let finding = FitFinding::UnknownRelease {
                    wanted: stated.requirement.to_string(),
                    newest: newest.unwrap_or_default(),
                    place: stated.place.into(),
                };
                InFile::new(&stated.file, finding)
            },
        ));
    }
    warnings
        .extend(space.frameworks.iter().filter_map(|known| on_other_platform(asked, space, &known.package)));
    let fit = Fit {
        python,
        gpu: said_gpu.unwrap_or_else(|| frameworks.iter().any(|chosen| chosen.cuda.is_some())),
        of_base: of_base(asked, space, &frameworks, said_gpu == Some(true)),
        frameworks,
    };
    (fit, warnings)
}

/// What is told of a framework that is for another platform too than the table is about.
fn on_other_platform(asked: &Asked<'_>, space: &Space<'_>, package: &str) -> Option<InFile<FitFinding>> {
    let other = asked.platforms.iter().find(|platform| !space.platforms.contains(platform))?;
    let stated = asked.required.iter().find(|stated| framework_of(stated) == Some(package))?;
    let (wanted, place) = (stated.requirement.to_string(), stated.place.into());
    let taken = space.platforms.first().cloned().unwrap_or_else(Platform::linux_amd64);
    let finding = FitFinding::OtherPlatform { wanted, platform: other.clone(), taken, place };
    Some(InFile::new(&stated.file, finding))
}

/// The CUDA and cuDNN that must be in the base.
fn of_base(asked: &Asked<'_>, space: &Space<'_>, frameworks: &[Chosen], gpu: bool) -> Option<CudaOfBase> {
    let said_cudnn = asked.cudnn.map(|cudnn| star(cudnn.numbers().iter().copied()));
    let cudnn = said_cudnn.clone().map_or(Cudnn::Welcome, Cudnn::Needed);
    if let Some(chosen) = frameworks.iter().find(|chosen| chosen.source == BuildSource::Base) {
        let cuda = chosen.cuda.clone()?;
        let said = asked.cuda.map(|cuda| star([cuda.major, cuda.minor]));
        let both = |one: VersionSpecifiers, other: Option<VersionSpecifiers>| {
            one.iter().cloned().chain(other.iter().flat_map(|other| other.iter().cloned())).collect()
        };
        let needed = chosen.cudnn.clone().map(|cudnn| Cudnn::Needed(both(cudnn, said_cudnn.clone())));
        return Some(CudaOfBase { cuda: both(cuda, said), cudnn: needed.unwrap_or(cudnn) });
    }
    let brings_itself = !frameworks.is_empty() || !space.unknown.is_empty();
    (gpu && !brings_itself).then(|| CudaOfBase {
        cuda: asked.cuda.map_or_else(VersionSpecifiers::empty, |cuda| star([cuda.major, cuda.minor])),
        cudnn,
    })
}

/// How a build is asked for of a release that nobody knows: as of the newest one that is known.
fn unknown_build(asked: &Asked<'_>, package: &str, framework: &Framework, gpu: bool) -> BuildSource {
    let builds = || framework.releases.iter().flat_map(|release| &release.builds);
    let of_kind = builds().find(|build| build.cuda.is_some() == gpu && build.source != BuildSource::Base);
    match (of_kind.map(|build| &build.source), asked.cuda.filter(|_| gpu)) {
        (Some(BuildSource::Package), Some(cuda)) if framework.index.is_some() => {
            BuildSource::Index(format!("cu{}{}", cuda.major, cuda.minor))
        }
        (Some(BuildSource::Extra(_)), Some(cuda)) if package == "jax" => {
            BuildSource::Extra(format!("cuda{}", cuda.major))
        }
        (Some(source), _) => source.clone(),
        (None, _) => BuildSource::Package,
    }
}

/// The address of a build; nothing where the project says itself where packages are.
fn index(asked: &Asked<'_>, address: Option<&str>, source: &BuildSource) -> Option<String> {
    match source {
        BuildSource::Index(_) if asked.names_an_index => None,
        BuildSource::Index(name) => Some(address?.replace("{build}", name)),
        BuildSource::Package | BuildSource::Extra(_) | BuildSource::Base => None,
    }
}

fn by(asked: &Asked<'_>, package: &str) -> Option<(SourcePath, u32)> {
    let stated: &Stated = asked.required.iter().find(|stated| framework_of(stated) == Some(package))?;
    Some((stated.file.clone(), u32::try_from(stated.place.line).unwrap_or(u32::MAX)))
}

/// The requirement that brings a build by its extra, where nobody has written it.
fn adds(asked: &Asked<'_>, package: &str, source: &BuildSource) -> Option<String> {
    let BuildSource::Extra(extra) = source else { return None };
    let is_written = asked
        .required
        .iter()
        .any(|stated| framework_of(stated) == Some(package) && stated.requirement.extras.contains(extra));
    (!is_written).then(|| format!("{package}[{extra}]"))
}

/// A bound for whoever chooses versions, where there is a newer release that the requirements alone
/// would allow, and that something else rules out.
fn bound(asked: &Asked<'_>, known: &Known<'_>, chosen: &Release, minor: u64) -> Option<String> {
    let by = || {
        asked
            .required
            .iter()
            .chain(asked.constraints)
            .filter(|stated| framework_of(stated) == Some(&known.package))
    };
    let is_newer = |(release, build): &(&Release, &Build)| {
        release.version > chosen.version
            && release.pythons.contains(&Version::new([3, minor]))
            && by().all(|stated| is_asked_for(stated, &known.package, release, build))
    };
    known.builds.iter().any(is_newer).then(|| format!("{}<={}", known.package, chosen.version))
}
