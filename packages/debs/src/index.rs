//! What an archive says of its packages: `Release`, and the `Packages` that it vouches for.

use cogpack_content::Digest;

use crate::file_name::DebName;
use crate::paragraphs::{Paragraph, paragraphs};
use crate::relations::{Relation, groups};
use crate::version::Version;

/// A package that an archive has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: Version,
    /// `amd64`, or `all`.
    pub architecture: String,
    /// What the file must hash to.
    pub digest: Digest,
    /// Where it is, below the archive.
    pub path: String,
    /// The archive, by its place in the list of those that were asked.
    pub archive: usize,
    /// What it needs: of each group any one.
    pub needs: Vec<Vec<Relation>>,
    /// What it cannot be beside.
    pub conflicts: Vec<Relation>,
    /// What it also is.
    pub provides: Vec<Relation>,
    /// Whether every Debian system has it.
    pub is_essential: bool,
    /// How much it belongs to a system: the lower, the more.
    pub rank: usize,
}

/// From what no system is without to what few want.
const PRIORITIES: [&str; 4] = ["required", "important", "standard", "optional"];

impl Candidate {
    /// The name of its file, as plans have it.
    pub fn file_name(&self) -> DebName {
        DebName {
            package: self.package.clone(),
            version: self.version.without_epoch().to_owned(),
            architecture: self.architecture.clone(),
        }
    }

    fn read(paragraph: &Paragraph, archive: usize) -> Option<Self> {
        let list = |field: &str| groups(paragraph.get(field).unwrap_or(""));
        let all = |fields: [&str; 2]| fields.into_iter().flat_map(list).collect::<Vec<_>>();
        Some(Self {
            package: paragraph.get("Package")?.to_owned(),
            version: Version::new(paragraph.get("Version")?),
            architecture: paragraph.get("Architecture")?.to_owned(),
            digest: format!("sha256:{}", paragraph.get("SHA256")?).parse().ok()?,
            path: paragraph.get("Filename")?.to_owned(),
            archive,
            needs: all(["Pre-Depends", "Depends"]),
            conflicts: all(["Conflicts", "Breaks"]).into_iter().flatten().collect(),
            provides: list("Provides").into_iter().flatten().collect(),
            is_essential: paragraph.get("Essential") == Some("yes"),
            rank: PRIORITIES
                .iter()
                .position(|priority| paragraph.get("Priority") == Some(priority))
                .unwrap_or(PRIORITIES.len()),
        })
    }
}

/// The packages of a `Packages`. One that lacks what is needed to get it is passed over.
pub fn candidates(text: &str, archive: usize) -> Vec<Candidate> {
    paragraphs(text).filter_map(|paragraph| Candidate::read(&paragraph, archive)).collect()
}

/// What a `Release` says of a file of its suite: its digest. Nothing where it does not name it.
pub fn vouched(release: &Paragraph, file: &str) -> Option<Digest> {
    let line = release.get("SHA256")?.lines().find(|line| line.split_whitespace().nth(2) == Some(file))?;
    format!("sha256:{}", line.split_whitespace().next()?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_their_index_are_read() {
        let hash = Digest::of(b"a").hex();
        let text = format!(
            "Package: a\nVersion: 1:2-3\nArchitecture: all\nDepends: b (>= 1) | c, d\nPre-Depends: e\nProvides: f (= 1)\nSHA256: {hash}\nFilename: pool/a.deb\nEssential: yes\n\nPackage: lame\n"
        );
        let found = candidates(&text, 0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].file_name().to_string(), "a_2-3_all.deb");
        assert_eq!(found[0].needs.len(), 3);
        assert!(found[0].is_essential);
        let release = format!("Suite: stable\nSHA256:\n {hash}  10 main/binary-amd64/Packages.xz\n");
        let release = paragraphs(&release).next().expect("is one");
        assert_eq!(vouched(&release, "main/binary-amd64/Packages.xz"), Some(Digest::of(b"a")));
        assert_eq!(vouched(&release, "main/binary-arm64/Packages.xz"), None);
    }
}
