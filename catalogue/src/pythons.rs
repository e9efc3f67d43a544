//! Pythons that come as archives: what there is for images that have none of the version asked for.
//!
//! An archive is one of a Python that may lie anywhere (`install_only` of python-build-standalone): a
//! directory `python/` with `bin/`, `lib/` and what else an installation has, made for the GNU C library.

use std::collections::BTreeSet;

use cogpack_content::{Digest, Platform};
use pep440_rs::{Version, VersionSpecifiers};

use crate::entry::Os;
use crate::finding::{CatalogueFinding, span};
use crate::read::parsed;
use crate::reading::Fields;

/// An archive of a Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonArchive {
    /// The whole version, `3.12.16`.
    pub version: Version,
    /// The platform whose programs are in it.
    pub platform: Platform,
    /// Where it is.
    pub url: String,
    /// What it hashes to.
    pub digest: Digest,
}

/// Where python-build-standalone is, for which mirrors stand.
pub(crate) const USUAL_PLACE: &str = "https://github.com/astral-sh/python-build-standalone/releases/download";

impl PythonArchive {
    /// Whether another entry is about the same Python.
    fn is_like(&self, other: &Self) -> bool {
        self.version == other.version && self.platform == other.platform
    }
}

/// What is wanted and there for all platforms: the newest version of the first list that has one, with its
/// archives in the order of the platforms.
pub(crate) fn first<'a>(
    lists: &'a [Vec<PythonArchive>],
    wanted: &VersionSpecifiers,
    platforms: &BTreeSet<Platform>,
) -> Option<(&'a Version, Vec<&'a PythonArchive>)> {
    lists.iter().find_map(|archives| newest(archives, wanted, platforms))
}

fn newest<'a>(
    archives: &'a [PythonArchive],
    wanted: &VersionSpecifiers,
    platforms: &BTreeSet<Platform>,
) -> Option<(&'a Version, Vec<&'a PythonArchive>)> {
    let versions: BTreeSet<&Version> = archives.iter().map(|archive| &archive.version).collect();
    versions.into_iter().rev().filter(|version| wanted.contains(version)).find_map(|version| {
        let of = |platform: &Platform| {
            archives.iter().find(|archive| archive.version == *version && archive.platform == *platform)
        };
        let all: Option<Vec<_>> = platforms.iter().map(of).collect();
        all.map(|all| (version, all))
    })
}

/// Lists with others before them, which stand for what is about the same Python.
pub(crate) fn with(
    lists: Vec<Vec<PythonArchive>>,
    mut others: Vec<Vec<PythonArchive>>,
) -> Vec<Vec<PythonArchive>> {
    for mut list in lists {
        list.retain(|archive| !others.iter().flatten().any(|other| other.is_like(archive)));
        others.push(list);
    }
    others
}

/// Distributions whose C library is musl, by `ID`: what is made for the GNU C library does not run there.
const MUSL: [&str; 4] = ["adelie", "alpine", "chimera", "postmarketos"];

impl Os {
    /// Whether programs run that are made for the GNU C library, as far as the name of the distribution
    /// tells it.
    pub fn is_gnu(&self) -> bool {
        !MUSL.contains(&self.id.as_str())
    }
}

/// The `[[python]]` of a file.
pub(crate) fn read(whole: &mut Fields<'_>, findings: &mut Vec<CatalogueFinding>) -> Vec<PythonArchive> {
    let mut archives: Vec<PythonArchive> = Vec::new();
    let mut places = Vec::new();
    for mut fields in whole.tables("python", "a Python") {
        let at = fields.at();
        let archive = archive(&mut fields);
        findings.extend(fields.finish());
        let Some(archive) = archive else { continue };
        match archives.iter().position(|other| other.is_like(&archive)) {
            Some(first) => findings.push(CatalogueFinding::PythonTwice {
                version: archive.version.to_string(),
                platform: archive.platform.to_string(),
                at: span(at),
                first: span(std::ops::Range::clone(&places[first])),
            }),
            None => {
                archives.push(archive);
                places.push(at);
            }
        }
    }
    archives
}

fn archive(fields: &mut Fields<'_>) -> Option<PythonArchive> {
    let version = fields
        .required("version", "its whole version, for instance \"3.12.12\"")
        .and_then(|text| parsed::<Version>(fields, "version", &text, "for instance \"3.12.12\""));
    let platform = fields
        .required("platform", "whose programs are in it, for instance \"linux/amd64\"")
        .and_then(|text| match text.0.parse::<Platform>() {
            Ok(platform) => Some(platform),
            Err(error) => {
                fields.invalid("platform", &text, error.rule, "for instance \"linux/amd64\"");
                None
            }
        });
    let url = fields.required("url", "the address of the archive").and_then(|text| {
        let is_address = text.0.starts_with("https://") || text.0.starts_with("http://");
        if !is_address {
            let rule = "it is no address of a web server";
            fields.invalid("url", &text, rule, "write it with `https://` at its start");
        }
        is_address.then(|| text.0.to_owned())
    });
    let digest = fields
        .required("digest", "what the archive hashes to, \"sha256:…\"")
        .and_then(|text| parsed::<Digest>(fields, "digest", &text, "`sha256:` and 64 hexadecimal digits"));
    Some(PythonArchive { version: version?, platform: platform?, url: url?, digest: digest? })
}
