//! Python on demand: from an archive that the catalogue lists, for an image that has no Python.
//!
//! The archive is of a Python that may lie anywhere, and part of the plan by its address and hash, so
//! nothing is chosen while the image is built. It is unpacked below a directory of its own, beside
//! whatever the image has: on an image by that image's `tar`, and beside Debian packages by us, as they are.

use std::collections::BTreeSet;

use cogpack_catalogue::{Catalogue, Entry, Wanted, choose};
use cogpack_content::{Digest, Platform};
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::{Version, VersionSpecifiers};

use crate::stacks::Request;
use crate::stacks::why::Decision;

/// Where it is unpacked.
pub const PREFIX: &str = "/opt/python";

/// The archives of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDemand {
    /// The whole version.
    pub version: Version,
    /// One for each platform.
    pub archives: Vec<Archive>,
}

/// An archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Whose programs are in it.
    pub platform: Platform,
    /// Where it is.
    pub url: String,
    /// What it hashes to.
    pub digest: Digest,
    /// What `uname -m` prints on the platform; known of all where there are several.
    pub machine: Option<&'static str>,
}

impl OnDemand {
    /// What is told of it, and of what else has no such Python.
    pub(super) fn decision(&self, python: &str, others: &str) -> Decision {
        Decision {
            what: "Python on demand".to_owned(),
            value: format!("{}, unpacked to `{PREFIX}`", self.version),
            at: None,
            because: format!("no {others} has Python {python}, and this archive of it has a hash"),
        }
    }
}

/// The path that starts it.
pub(super) fn interpreter(python: PythonVersion) -> String {
    format!("{PREFIX}/bin/python{python}")
}

/// What makes a Python out of nothing on this base, where something does.
pub(super) fn of(
    request: &Request,
    catalogue: &Catalogue,
    base: &Entry,
    python: &VersionSpecifiers,
) -> Option<OnDemand> {
    // An image for several machines tells by `uname -m` which one it is.
    let is_told = request.platforms.len() < 2 || request.platforms.iter().all(|one| machine(one).is_some());
    if !takes_archives(base) || !is_told {
        return None;
    }
    archives(catalogue, python, &request.platforms)
}

/// The archives of the newest version that is allowed and there for all these platforms.
pub(super) fn archives(
    catalogue: &Catalogue,
    python: &VersionSpecifiers,
    platforms: &BTreeSet<Platform>,
) -> Option<OnDemand> {
    let (version, archives) = catalogue.python(python, platforms)?;
    let of_plan = |archive: &cogpack_catalogue::PythonArchive| Archive {
        platform: archive.platform.clone(),
        url: archive.url.clone(),
        digest: archive.digest,
        machine: machine(&archive.platform),
    };
    Some(OnDemand { version: version.clone(), archives: archives.into_iter().map(of_plan).collect() })
}

/// The best base that has all that is wanted but the Python, where there is an archive of that.
pub(super) fn base(
    request: &Request,
    catalogue: &Catalogue,
    wanted: &Wanted,
    python: &VersionSpecifiers,
) -> Option<Entry> {
    let considered = choose(catalogue, &Wanted { python: None, ..wanted.clone() }).considered;
    let fits = considered.into_iter().filter(|(_, against)| against.is_empty()).map(|(entry, _)| entry);
    fits.into_iter().find(|entry| of(request, catalogue, entry, python).is_some())
}

/// Whether an archive can be unpacked on a base, and is of use there: it has no Python, the C library is
/// that of GNU, and nothing is known that says that it has no `tar`.
pub(super) fn takes_archives(base: &Entry) -> bool {
    base.python.is_none() && base.os.is_gnu() && base.has("tar") != Some(false)
}

/// What `uname -m` prints on a platform, as far as it is known.
fn machine(platform: &Platform) -> Option<&'static str> {
    match platform.to_string().as_str() {
        "linux/amd64" => Some("x86_64"),
        "linux/arm64" => Some("aarch64"),
        _ => None,
    }
}
