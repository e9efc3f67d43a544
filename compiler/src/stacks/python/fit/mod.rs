//! Which Python, which builds of frameworks and which base fit all that is asked for.
//!
//! What is asked for comes from `cog.yaml`, the requirements and whoever plans; what fits what, from
//! the catalogue of base images and the table of frameworks. A solver chooses, so that a wish for an
//! old torch brings an old enough Python. Where nothing fits, [`conflict`] tells wishes that cannot be
//! kept together and none too many, who has them, and what each of them would have to be.
//!
//! A release that the table does not have is no mistake: it is told, and nothing is made up about it.

mod answer;
mod conflict;
mod shown;
mod space;
mod wishes;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use cogpack_catalogue::frameworks::BuildSource;
use cogpack_catalogue::{Catalogue, Cudnn, Entry, Frameworks};
use cogpack_content::Platform;
use cogpack_frontends_cog_yaml::versions::{CudaVersion, CudnnVersion};
use cogpack_frontends_python::requirements::Stated;
use cogpack_frontends_source::{InFile, Place, Placed, SourcePath};
use cogpack_packages_wheels::target::{PythonVersion, Target};
use pep440_rs::{Version, VersionSpecifiers};

use super::lock::Locked;

pub use conflict::FitFinding;

/// Everything that has a say.
#[derive(Debug, Clone)]
pub(in crate::stacks) struct Asked<'a> {
    /// The file that has the keys of `build`.
    pub config: &'a SourcePath,
    /// The Python that is settled already, and where it is named.
    pub python: Option<(PythonVersion, Option<(SourcePath, Place)>)>,
    /// The Pythons that the project says it runs on.
    pub requires_python: Option<(VersionSpecifiers, SourcePath, Place)>,
    /// `build.gpu`
    pub gpu: Option<&'a Placed<bool>>,
    /// `build.cuda`
    pub cuda: Option<&'a Placed<CudaVersion>>,
    /// `build.cudnn`
    pub cudnn: Option<&'a Placed<CudnnVersion>>,
    /// What is required of packages, of those that count for the platforms.
    pub required: &'a [Stated],
    /// Which versions there may be of them.
    pub constraints: &'a [Stated],
    /// Whether the project says itself where packages come from.
    pub names_an_index: bool,
    /// The base that was named.
    pub base: Option<&'a Entry>,
    /// The bases that are known.
    pub catalogue: &'a Catalogue,
    /// What the image is for.
    pub platforms: &'a BTreeSet<Platform>,
}

/// What fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stacks) struct Fit {
    /// Which Python.
    pub python: PythonVersion,
    /// The frameworks.
    pub frameworks: Vec<Chosen>,
    /// Whether a GPU is to be used.
    pub gpu: bool,
    /// The CUDA and cuDNN that the base must have; nothing where wheels bring them or nobody needs any.
    pub of_base: Option<CudaOfBase>,
}

/// What a base must have for a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stacks) struct CudaOfBase {
    /// Which CUDA.
    pub cuda: VersionSpecifiers,
    /// Which cuDNN. Where nobody says any, one is welcome: no list of packages tells whether a program opens it.
    pub cudnn: Cudnn,
}

/// A framework, and the build of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stacks) struct Chosen {
    /// The name of its package.
    pub package: String,
    /// The newest known release that fits; nothing where none is known that is asked for.
    pub release: Option<Version>,
    /// How its build is asked for.
    pub source: BuildSource,
    /// The CUDA of the build.
    pub cuda: Option<VersionSpecifiers>,
    /// The cuDNN of the build.
    pub cudnn: Option<VersionSpecifiers>,
    /// Its own index, where the build is there.
    pub index: Option<String>,
    /// Requirements more, without which another build or release would be taken.
    pub adds: Vec<String>,
    /// Who asks for it.
    pub by: Option<(SourcePath, u32)>,
}

/// A finding, and its file.
pub(in crate::stacks) type Told = InFile<FitFinding>;

/// What fits all of it, and what its author should know; or what does not fit together.
pub(in crate::stacks) fn fit(asked: &Asked<'_>) -> Result<(Fit, Vec<Told>), Box<Told>> {
    let (fit, mut warnings) = best(asked)?;
    warnings.extend(wishes::without_gpu(asked, &fit));
    Ok((fit, warnings))
}

fn best(asked: &Asked<'_>) -> Result<(Fit, Vec<Told>), Box<Told>> {
    let needs_table = asked.cuda.is_some()
        || asked.gpu.is_some_and(|gpu| gpu.value)
        || asked.required.iter().any(|stated| wishes::could_be_a_framework(&stated.requirement));
    let all = if needs_table { Frameworks::shipped() } else { Frameworks::default() };
    // A platform that the table is not about is taken for one that it is about, which is told.
    let known: BTreeSet<Platform> =
        asked.platforms.iter().filter(|platform| all.is_about(platform)).cloned().collect();
    let known = if known.is_empty() { BTreeSet::from([Platform::linux_amd64()]) } else { known };
    let table = all.on(&known);
    let space = space::Space::new(asked, &all, &table, known);
    let wishes = wishes::all(asked, &space);
    let needs: Vec<_> = wishes.iter().map(|wish| wish.needs.clone()).collect();
    if let Some(taken) = space.best(&needs) {
        return Ok(answer::of(asked, &space, &wishes, &taken));
    }
    // Where no base has the Python, one will do that has none, and an archive of it.
    let space = space.with_archives(asked, &table);
    if let Some(taken) = space.best(&needs) {
        return Ok(answer::of(asked, &space, &wishes, &taken));
    }
    // Where it is only that no base is known, whoever chooses the base tells what speaks against each.
    let without_bases = space.without_bases();
    match without_bases.best(&needs).filter(|_| asked.base.is_none()) {
        Some(taken) => Ok(answer::of(asked, &without_bases, &wishes, &taken)),
        None => Err(Box::new(conflict::of(asked, &space, &wishes))),
    }
}

impl Fit {
    /// The same for a base that these packages lie on: where they bring a cuDNN, nobody uses another one.
    pub fn beside(mut self, packages: &Locked, platforms: &BTreeSet<Platform>) -> Self {
        let python = self.python;
        let brings =
            |platform: &Platform| packages.brings_cudnn(&Target { python, platform: platform.clone() });
        if let Some(of_base) = self.of_base.as_mut().filter(|of_base| of_base.cudnn == Cudnn::Welcome)
            && platforms.iter().all(brings)
        {
            of_base.cudnn = Cudnn::Unused;
        }
        self
    }

    /// The name of the builds of torch that are not those of the package index.
    pub fn torch_builds(&self) -> Option<&str> {
        self.frameworks.iter().find_map(|chosen| match (&chosen.index, &chosen.source) {
            (Some(_), BuildSource::Index(name)) => Some(name.as_str()),
            (_, BuildSource::Index(_) | BuildSource::Package | BuildSource::Extra(_) | BuildSource::Base) => {
                None
            }
        })
    }
}
