//! What packages are built in: an image with a compiler that makes what runs on the runtime base.
//!
//! The two are chosen each for itself. What is compiled needs at run time the C library that it was
//! compiled with, and a Python of that minor version in the place where it was; so the image to build in
//! is of the same release of a distribution, and has its Python below the same directory.

use std::collections::BTreeSet;

use cogpack_catalogue::entry::Role;
use cogpack_catalogue::{Catalogue, Choice, Cudnn, Entry, NoneFits, Wanted, choose as choose_image};
use cogpack_content::{Digest, ImageReference};
use cogpack_frontends_source::InFile;
use cogpack_ir::plan::ImageConfig;
use cogpack_packages_wheels::target::PythonVersion;

use super::certificates;
use super::facts::{Decided, System};
use super::finding::PythonFinding;
use super::lock::Locked;
use super::said::Said;
use super::versions::{candidates, of};
use crate::stacks::why::Candidate;
use crate::stacks::{Findings, Request};

/// An image to build in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildBase {
    /// Its name.
    pub reference: ImageReference,
    /// Its digest, where it is known.
    pub digest: Option<Digest>,
    /// What the image of that digest sets, where it is known.
    pub config: Option<ImageConfig>,
    /// The path that starts its Python.
    pub interpreter: String,
    /// Whether it is known to have public authorities.
    pub has_certificates: bool,
    /// Who says that it is this one, where somebody does.
    pub named_by: Option<&'static str>,
}

/// The package by which an image is known to have a compiler.
const COMPILER: &str = "gcc";

/// The image to build in, or why there is none; and all that were looked at. Nothing where nothing is built.
pub(super) fn choose(
    request: &Request,
    catalogue: &Catalogue,
    said: &Said,
    python: &Decided<PythonVersion>,
    system: &System,
    packages: &Locked,
) -> (Result<Option<BuildBase>, Findings>, Vec<Candidate>) {
    if packages.sources.is_empty() {
        return (Ok(None), Vec::new());
    }
    let named = named(request, said);
    let stated = said.settings().stated.as_ref().filter(|_| request.build_base.is_none() && named.is_some());
    let lock = packages.lock.as_ref().unwrap_or(&said.config);
    let file = stated.map_or(lock, |stated| &stated.file);
    let names =
        || packages.sources.iter().map(|built| format!("`{}`", built.name)).collect::<Vec<_>>().join(", ");
    let (chosen, candidates) = look(request, catalogue, said, python, system);
    let finding = |refused| match refused {
        Refused::NoneFits(none) => {
            let (wanted, nearest) = (none.wanted.clone(), none.instead());
            PythonFinding::NoBuildBase { packages: names(), wanted, nearest }
        }
        Refused::Unknown(named) => PythonFinding::UnknownBase { named: named.to_string() },
        Refused::Unfit { named, against } => {
            PythonFinding::BuildBase { named: named.to_string(), against, packages: names() }
        }
    };
    let chosen = chosen.map(Some).map_err(|refused| vec![InFile::new(file, finding(refused).into())]);
    (chosen, candidates)
}

/// Why no image is taken.
pub(super) enum Refused {
    NoneFits(NoneFits),
    Unknown(ImageReference),
    Unfit { named: ImageReference, against: String },
}

/// The image that is named.
fn named<'n>(request: &'n Request, said: &'n Said) -> Option<&'n ImageReference> {
    request.build_base.as_ref().or(said.settings().build_base.as_ref().map(|named| &named.value))
}

/// The same before it is known which packages there are: where any of them are to be built, it is there.
pub(super) fn look(
    request: &Request,
    catalogue: &Catalogue,
    said: &Said,
    python: &Decided<PythonVersion>,
    system: &System,
) -> (Result<BuildBase, Refused>, Vec<Candidate>) {
    let wanted = Wanted {
        role: Role::Build,
        platforms: request.platforms.clone(),
        python: Some(of(python.value)),
        prefix: Some(system.prefix.clone()),
        cuda: None,
        cudnn: Cudnn::Unused,
        os: Some(system.os.clone()),
        packages: BTreeSet::from([COMPILER.to_owned()]),
    };
    let choice = choose_image(catalogue, &wanted);
    let chosen = match named(request, said) {
        None => choice.entry(&wanted).map(|chosen| (chosen.clone(), None)).map_err(Refused::NoneFits),
        Some(named) => of_named(request, catalogue, &choice, named),
    };
    let candidates = candidates(&choice, chosen.as_ref().ok().map(|(chosen, _)| chosen));
    let build_base = chosen.map(|(chosen, named_by)| BuildBase {
        has_certificates: chosen.has(certificates::PACKAGE) == Some(true),
        // One without a Python is ruled out.
        interpreter: chosen.python.map(|python| python.interpreter).unwrap_or_default(),
        reference: chosen.reference,
        digest: chosen.digest,
        config: chosen.config,
        named_by,
    });
    (build_base, candidates)
}

/// The image that is named, which is held to the same.
fn of_named(
    request: &Request,
    catalogue: &Catalogue,
    choice: &Choice,
    named: &ImageReference,
) -> Result<(Entry, Option<&'static str>), Refused> {
    let Some(listed) = catalogue.find(named) else { return Err(Refused::Unknown(named.clone())) };
    let of_named = choice.considered.iter().find(|(entry, _)| entry.reference == listed.entry.reference);
    let against = of_named.map_or(&[][..], |(_, against)| against);
    if !against.is_empty() {
        let against = against.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        return Err(Refused::Unfit { named: named.clone(), against });
    }
    let named_by = match request.build_base {
        Some(_) => "`--build-base` says so",
        None => "the setting `build-base` says so",
    };
    Ok((listed.entry.clone(), Some(named_by)))
}
