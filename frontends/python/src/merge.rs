//! What all files of a project require together: each package once, with everybody who wants it.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_frontends_source::{InFile, Place};
use cogpack_packages_wheels::lock::marker::{Environment, InvalidMarker};
use miette::Diagnostic;
use pep440_rs::VersionSpecifiers;

use crate::common::have_common_version;
use crate::requirement::{PackageName, Requirement, Wanted};
use crate::requirements::Stated;

/// All that is required of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The extras that anybody wants.
    pub extras: BTreeSet<String>,
    /// Who wants it, in the order of reading.
    pub by: Vec<Stated>,
}

/// Wishes that no version fulfils.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ConflictFinding {
    /// Versions that have none in common.
    #[error("no version of `{package}` fits all who want it: {chain}")]
    #[diagnostic(
        code("project::requirements::conflict"),
        help("change one of these, so that some version fits all of them")
    )]
    Versions {
        /// The package.
        package: PackageName,
        /// Who wants what.
        chain: String,
        /// The last of them.
        #[label("wanted here")]
        place: Place,
        /// Another in the same file.
        #[label("and here")]
        other: Option<Place>,
    },
    /// Two places to take it from.
    #[error("`{package}` is to come from two places: {chain}")]
    #[diagnostic(code("project::requirements::two-places"), help("keep one of them"))]
    Places {
        /// The package.
        package: PackageName,
        /// Who wants what.
        chain: String,
        /// The last of them.
        #[label("from here")]
        place: Place,
        /// Another in the same file.
        #[label("and from here")]
        other: Option<Place>,
    },
}

/// All packages, by name.
pub type Packages = BTreeMap<PackageName, Merged>;

/// The packages that are required in an environment, by name, and the wishes that exclude each
/// other. Directories without a name are left aside: their own files say what they are.
pub fn merge(
    required: &[Stated],
    constraints: &[Stated],
    environment: &Environment<'_>,
) -> Result<(Packages, Vec<InFile<ConflictFinding>>), InvalidMarker> {
    let mut merged = Packages::new();
    let holds = |requirement: &Requirement| match &requirement.marker {
        Some(condition) => condition.marker.holds(environment),
        None => Ok(true),
    };
    for stated in required {
        let Some(name) = &stated.requirement.name else { continue };
        if !holds(&stated.requirement)? {
            continue;
        }
        let entry = merged.entry(name.clone()).or_insert(Merged { extras: BTreeSet::new(), by: Vec::new() });
        entry.extras.extend(stated.requirement.extras.iter().cloned());
        entry.by.push(stated.clone());
    }
    for stated in constraints {
        let entry = stated.requirement.name.as_ref().and_then(|name| merged.get_mut(name));
        if let Some(entry) = entry
            && holds(&stated.requirement)?
        {
            entry.by.push(stated.clone());
        }
    }
    let findings = merged.iter().filter_map(|(package, merged)| conflict(package, &merged.by)).collect();
    Ok((merged, findings))
}

fn versions(stated: &Stated) -> Option<&VersionSpecifiers> {
    match &stated.requirement.wanted {
        Wanted::Versions(versions) => Some(versions),
        Wanted::Address(_)
        | Wanted::Repository(_)
        | Wanted::Wheel(_)
        | Wanted::Sources(_)
        | Wanted::Directory { .. } => None,
    }
}

/// The fewest wishes that exclude each other: two where two do, or else all.
fn conflict(package: &PackageName, by: &[Stated]) -> Option<InFile<ConflictFinding>> {
    let fixed: Vec<&Stated> = by.iter().filter(|stated| versions(stated).is_none()).collect();
    let elsewhere = fixed.iter().find(|stated| stated.requirement.wanted != fixed[0].requirement.wanted);
    if let Some(second) = elsewhere {
        return Some(told(package, &[fixed[0], second], false));
    }
    let with_versions: Vec<(&Stated, &VersionSpecifiers)> =
        by.iter().filter_map(|stated| Some((stated, versions(stated)?))).collect();
    let all: Vec<&VersionSpecifiers> = with_versions.iter().map(|(_, versions)| *versions).collect();
    if have_common_version(&all) {
        return None;
    }
    for (number, (one, versions)) in with_versions.iter().enumerate() {
        if !have_common_version(&[versions]) {
            return Some(told(package, &[one], true));
        }
        for (other, others) in with_versions.iter().take(number) {
            if !have_common_version(&[versions, others]) {
                return Some(told(package, &[other, one], true));
            }
        }
    }
    let everybody: Vec<&Stated> = with_versions.iter().map(|(stated, _)| *stated).collect();
    Some(told(package, &everybody, true))
}

fn told(package: &PackageName, by: &[&Stated], is_about_versions: bool) -> InFile<ConflictFinding> {
    // Callers name at least one.
    let last = by[by.len() - 1];
    let who = |stated: &&Stated| {
        let Stated { requirement, file, place, .. } = stated;
        let wish = Requirement { marker: None, ..requirement.clone() };
        format!("{file}:{} wants `{wish}`", place.line)
    };
    let chain = by.iter().map(who).collect::<Vec<_>>().join(", ");
    let other = by.iter().rev().skip(1).find(|stated| stated.file == last.file).map(|stated| stated.place);
    let (package, place) = (package.clone(), last.place);
    let finding = match is_about_versions {
        true => ConflictFinding::Versions { package, chain, place, other },
        false => ConflictFinding::Places { package, chain, place, other },
    };
    InFile::new(&last.file, finding)
}
