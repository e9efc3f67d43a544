//! Who wants what, as sets of choices.

use cogpack_catalogue::frameworks::{Build, BuildSource, Release};
use cogpack_frontends_python::common::have_common_version;
use cogpack_frontends_python::requirement::{Requirement, Wanted};
use cogpack_frontends_python::requirements::Stated;
use cogpack_frontends_source::{InFile, Place, SourcePath};
use pep440_rs::{LocalSegment, Version, VersionSpecifier, VersionSpecifiers};

use super::space::{BASE, Space};
use super::{Asked, Fit, FitFinding, Told};
use crate::stacks::solve::Need;

/// A wish, and who has it.
pub(super) struct Wish {
    /// What it is about.
    pub about: About,
    /// Where it is written; nothing for what no file says.
    pub at: Option<(SourcePath, Place)>,
    /// What it says: `build.cuda: "12.4"`.
    pub words: String,
    /// The choices that keep it.
    pub needs: Vec<Need>,
}

/// What a wish is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    Python,
    Gpu { is_wanted: bool },
    Cuda,
    Cudnn,
    Base,
    Framework(String),
}

/// Packages that are of no use without a framework, and are built for the same CUDA as it.
const OF_TORCH: [&str; 2] = ["torchaudio", "torchvision"];

/// The framework that a requirement is of.
pub(super) fn framework_of(stated: &Stated) -> Option<&str> {
    let name = stated.requirement.name.as_ref()?.as_str();
    Some(if OF_TORCH.contains(&name) { "torch" } else { name })
}

/// Whether the table of frameworks may have the package of a requirement.
pub(super) fn could_be_a_framework(requirement: &Requirement) -> bool {
    let name = requirement.name.as_ref().map(|name| name.as_str());
    name.is_some_and(|name| ["torch", "tensorflow", "jax"].contains(&name) || OF_TORCH.contains(&name))
}

/// Whether a requirement leaves this build of the package.
pub(super) fn is_asked_for(stated: &Stated, package: &str, release: &Release, build: &Build) -> bool {
    if stated.requirement.name.as_ref().is_none_or(|name| name.as_str() != package) {
        return true;
    }
    let has_extra = build.extra().is_some_and(|extra| stated.requirement.extras.contains(extra));
    // An extra that the table does not have changes nothing of what it knows.
    let names_extra = release.extras.iter().any(|extra| stated.requirement.extras.contains(extra));
    let versions = match &stated.requirement.wanted {
        Wanted::Versions(versions) => allows(versions, &release.version, &build.source),
        Wanted::Address(_)
        | Wanted::Repository(_)
        | Wanted::Wheel(_)
        | Wanted::Sources(_)
        | Wanted::Directory { .. } => true,
    };
    versions && (has_extra || !names_extra)
}

/// Whether specifiers allow a release in this build; those that name no build of an own index allow all.
fn allows(wanted: &VersionSpecifiers, release: &Version, source: &BuildSource) -> bool {
    let of_index = match source {
        BuildSource::Index(name) => release.clone().with_local(vec![LocalSegment::String(name.clone())]),
        BuildSource::Package | BuildSource::Extra(_) | BuildSource::Base => release.clone(),
    };
    let holds = |specifier: &VersionSpecifier| match specifier.version().is_local() {
        true => specifier.contains(&of_index),
        false => specifier.contains(release),
    };
    wanted.iter().all(holds)
}

/// All wishes, those first that a person is least likely to change.
pub(super) fn all(asked: &Asked<'_>, space: &Space<'_>) -> Vec<Wish> {
    let in_config = |place: Place| Some((asked.config.clone(), place));
    let mut wishes = Vec::new();
    if let Some(base) = asked.base {
        let words = format!("the base `{}`", base.reference);
        let place = space.bases.iter().position(|other| *other == base);
        let needs = vec![Need { of: BASE, choices: place.into_iter().collect(), takes: false }];
        wishes.push(Wish { about: About::Base, at: None, words, needs });
    }
    let wants_gpu = wants_gpu(asked, space);
    let mut of_gpu = Vec::new();
    for known in &space.frameworks {
        of_gpu.extend(space.builds_where(&known.package, |_, build| Some(build.cuda.is_some()) == wants_gpu));
    }
    let brings_itself = !space.frameworks.is_empty() || !space.unknown.is_empty();
    if wants_gpu == Some(true) && !brings_itself {
        of_gpu.push(space.bases_with(None, None));
    }
    match (wants_gpu, asked.gpu) {
        (None, _) => {}
        (Some(is_wanted), said) => {
            let at = said.and_then(|said| in_config(said.place));
            let words = match (is_wanted, at.is_some()) {
                (true, true) => "`build.gpu: true`".to_owned(),
                (true, false) => "a GPU, which `build.cuda` is for".to_owned(),
                (false, true) => "`build.gpu: false`".to_owned(),
                (false, false) => "no GPU, because nothing says `build.gpu: true`".to_owned(),
            };
            wishes.push(Wish { about: About::Gpu { is_wanted }, at, words, needs: of_gpu });
        }
    }
    if let Some(cuda) = asked.cuda.filter(|_| wants_gpu != Some(false) || asked.gpu.is_some()) {
        let wanted = star([cuda.major, cuda.minor]);
        let mut needs = vec![space.cuda_in(&wanted)];
        if !brings_itself {
            needs.push(space.bases_with(Some(&wanted), None));
        }
        let words = format!("`build.cuda: \"{}\"`", cuda.value);
        wishes.push(Wish { about: About::Cuda, at: in_config(cuda.place), words, needs });
    }
    if let Some(cudnn) = asked.cudnn.filter(|_| wants_gpu != Some(false)) {
        let wanted = star(cudnn.numbers().iter().copied());
        let mut needs = vec![space.cudnn_in(&wanted)];
        if !brings_itself {
            needs.push(space.bases_with(None, Some(&wanted)));
        }
        let words = format!("`build.cudnn: \"{}\"`", cudnn.value);
        wishes.push(Wish { about: About::Cudnn, at: in_config(cudnn.place), words, needs });
    }
    if let Some((wanted, file, place)) = &asked.requires_python {
        let is_allowed =
            |minor: u64| have_common_version(&[wanted, &star([3, u32::try_from(minor).unwrap_or(0)])]);
        let needs = vec![space.pythons_where(is_allowed)];
        let (at, words) = (Some((file.clone(), *place)), format!("`requires-python = \"{wanted}\"`"));
        wishes.push(Wish { about: About::Python, at, words, needs });
    }
    if let Some((python, at)) = &asked.python {
        let needs = vec![space.pythons_where(|minor| minor == u64::from(python.minor))];
        let (at, words) = (at.clone(), format!("Python {python}"));
        wishes.push(Wish { about: About::Python, at, words, needs });
    }
    for known in &space.frameworks {
        // A constraint by itself brings no package.
        let constraints = asked.constraints.iter().map(|stated| (stated, false));
        let all = constraints.chain(asked.required.iter().map(|stated| (stated, true)));
        for (stated, takes) in all.filter(|(stated, _)| framework_of(stated) == Some(&known.package)) {
            let is = |release: &Release, build: &Build| is_asked_for(stated, &known.package, release, build);
            let requirement = Requirement { marker: None, ..stated.requirement.clone() };
            wishes.push(Wish {
                about: About::Framework(known.package.clone()),
                at: Some((stated.file.clone(), stated.place)),
                words: format!("`{requirement}`"),
                needs: space
                    .builds_where(&known.package, is)
                    .map(|need| Need { takes, ..need })
                    .into_iter()
                    .collect(),
            });
        }
    }
    wishes
}

/// What is said of CUDA where no GPU is used. To cog it is of no effect then, and so it is here, which
/// is told.
pub(super) fn without_gpu(asked: &Asked<'_>, fit: &Fit) -> Vec<Told> {
    let cuda = asked.cuda.map(|cuda| ("cuda", cuda.place));
    let cudnn = asked.cudnn.map(|cudnn| ("cudnn", cudnn.place));
    let why = match asked.gpu {
        Some(_) => "`build.gpu` is false",
        None => "nothing says `build.gpu: true`",
    };
    let told = |(key, place): (&'static str, Place)| {
        InFile::new(asked.config, FitFinding::WithoutGpu { key, why, place: place.into() })
    };
    cuda.into_iter().chain(cudnn).filter(|_| !fit.gpu).map(told).collect()
}

/// Whether a GPU is wanted; nothing where the requirements name builds themselves, and these decide.
fn wants_gpu(asked: &Asked<'_>, space: &Space<'_>) -> Option<bool> {
    if let Some(said) = asked.gpu {
        return Some(said.value);
    }
    if asked.cuda.is_some() {
        return Some(true);
    }
    let leaves_cpu = |known: &super::space::Known<'_>| {
        let mut by = asked.required.iter().filter(|stated| framework_of(stated) == Some(&known.package));
        by.all(|stated| {
            let is = |(release, build): &(&Release, &Build)| {
                build.cuda.is_none() && is_asked_for(stated, &known.package, release, build)
            };
            known.builds.iter().any(is)
        })
    };
    space.frameworks.iter().all(leaves_cpu).then_some(false)
}

/// `==12.4.*`
pub(super) fn star(numbers: impl IntoIterator<Item = u32>) -> VersionSpecifiers {
    let version = Version::new(numbers.into_iter().map(u64::from));
    VersionSpecifiers::from_iter([VersionSpecifier::equals_star_version(version)])
}
