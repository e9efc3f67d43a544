//! What packages are built in: an image with a compiler that makes what runs on the runtime base.
//!
//! The two are chosen each for itself. What is compiled needs at run time the C library that it was
//! compiled with, and a Python of that minor version in the place where it was; so the image to build in
//! is of the same release of a distribution, and has its Python below the same directory.

use std::collections::BTreeSet;

use cogpack_catalogue::entry::Role;
use cogpack_catalogue::{Catalogue, Cudnn, NoneFits, Wanted, choose as choose_image};
use cogpack_content::{Digest, ImageReference};
use cogpack_frontends_source::InFile;
use cogpack_ir::plan::ImageConfig;
use cogpack_packages_wheels::target::PythonVersion;

use super::certificates;
use super::facts::{Base, Decided};
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
    /// Why this one, in a few words.
    pub because: &'static str,
}

/// The package by which an image is known to have a compiler.
const COMPILER: &str = "gcc";

/// The image to build in, and all that were looked at; none where nothing is built.
pub(super) fn choose(
    request: &Request,
    catalogue: &Catalogue,
    said: &Said,
    python: &Decided<PythonVersion>,
    base: &Base,
    packages: &Locked,
) -> Result<(Option<BuildBase>, Vec<Candidate>), Findings> {
    if packages.sources.is_empty() {
        return Ok((None, Vec::new()));
    }
    let wanted = Wanted {
        role: Role::Build,
        platforms: request.platforms.clone(),
        python: Some(of(python.value)),
        prefix: Some(base.system.prefix.clone()),
        cuda: None,
        cudnn: Cudnn::Unused,
        os: Some(base.system.os.clone()),
        packages: BTreeSet::from([COMPILER.to_owned()]),
    };
    let choice = choose_image(catalogue, &wanted);
    let of_settings = said.settings().build_base.as_ref();
    let named = request.build_base.as_ref().or(of_settings.map(|named| &named.value));
    let stated = said.settings().stated.as_ref().filter(|_| request.build_base.is_none() && named.is_some());
    let lock = packages.lock.as_ref().unwrap_or(&said.config);
    let file = stated.map_or(lock, |stated| &stated.file);
    let told = |finding: PythonFinding| vec![InFile::new(file, finding.into())];
    let names =
        || packages.sources.iter().map(|built| format!("`{}`", built.name)).collect::<Vec<_>>().join(", ");
    let (chosen, because) = match named {
        None => {
            let none = |none: NoneFits| {
                let (wanted, nearest) = (none.wanted.clone(), none.instead());
                told(PythonFinding::NoBuildBase { packages: names(), wanted, nearest })
            };
            let because = "packages are built from sources, and this one has a compiler for the base";
            (choice.entry(&wanted).map_err(none)?.clone(), because)
        }
        Some(named) => {
            let Some(listed) = catalogue.find(named) else {
                return Err(told(PythonFinding::UnknownBase { named: named.to_string() }));
            };
            let of_named =
                choice.considered.iter().find(|(entry, _)| entry.reference == listed.entry.reference);
            let against = of_named.map_or(&[][..], |(_, against)| against);
            if !against.is_empty() {
                let against = against.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let named = named.to_string();
                return Err(told(PythonFinding::BuildBase { named, against, packages: names() }));
            }
            let because = match request.build_base {
                Some(_) => "`--build-base` says so",
                None => "the setting `build-base` says so",
            };
            (listed.entry.clone(), because)
        }
    };
    let candidates = candidates(&choice, &chosen);
    let has_certificates = chosen.has(certificates::PACKAGE) == Some(true);
    // One without a Python is ruled out.
    let interpreter = chosen.python.map(|python| python.interpreter).unwrap_or_default();
    let (reference, digest, config) = (chosen.reference, chosen.digest, chosen.config);
    let build_base = BuildBase { reference, digest, config, interpreter, has_certificates, because };
    Ok((Some(build_base), candidates))
}
