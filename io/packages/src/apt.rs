//! The Debian archives that a machine names: `/etc/apt`, or a directory like it.
//!
//! Read are `sources.list`, `sources.list.d/*.list` and `*.sources`, as far as they name archives of
//! packages on the web. Archives on disks and discs are passed over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cogpack_packages_debs::paragraphs::{Paragraph, paragraphs};
use url::Url;

/// A suite of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where the archive is.
    pub archive: Url,
    /// `bookworm`, `bookworm-updates`.
    pub suite: String,
    /// `main`, `contrib`.
    pub components: Vec<String>,
    /// For which machines; all where nothing is said.
    pub architectures: Vec<String>,
    /// Who signs it; nothing where any key that the machine trusts will do.
    pub signed_by: Option<SignedBy>,
}

/// Who signs an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// The keys in these files.
    Files(Vec<PathBuf>),
    /// A key that stands in the configuration itself.
    Key(String),
    /// Files of keys that somebody has read already, such as those of an image.
    Read(Vec<Vec<u8>>),
}

impl Source {
    /// Whether it is for this machine.
    pub fn is_for(&self, architecture: &str) -> bool {
        self.architectures.is_empty() || self.architectures.iter().any(|one| one == architecture)
    }

    /// Whether it belongs to a release: `bookworm-updates` and `bookworm-security` to `bookworm`.
    pub fn is_of(&self, suite: &str) -> bool {
        self.suite.strip_prefix(suite).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '/']))
    }

    /// The address of a file of the suite.
    pub fn of_suite(&self, below: &str) -> Url {
        below_archive(&self.archive, &format!("dists/{}/{below}", self.suite))
    }
}

/// The address of a file of an archive.
pub fn below_archive(archive: &Url, below: &str) -> Url {
    let mut url = archive.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(below.split('/'));
    }
    url
}

/// The archives that a directory like `/etc/apt` names; none where it is not there.
pub fn sources(directory: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    if let Some(text) = read(&directory.join("sources.list"))? {
        found.extend(of_list(&text));
    }
    let parts = directory.join("sources.list.d");
    let mut names: Vec<PathBuf> = match fs::read_dir(&parts) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    names.sort();
    for path in names {
        let ending = path.extension().and_then(|ending| ending.to_str());
        if let Some(ending @ ("list" | "sources")) = ending
            && let Some(text) = read(&path)?
        {
            found.extend(if ending == "list" { of_list(&text) } else { of_paragraphs(&text) });
        }
    }
    Ok(found)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Those of a text like `sources.list`: `deb [arch=amd64 signed-by=/key] ADDRESS SUITE COMPONENT…`
pub fn of_list(text: &str) -> Vec<Source> {
    text.lines().filter_map(line).collect()
}

/// Those of a text like `debian.sources`.
pub fn of_paragraphs(text: &str) -> Vec<Source> {
    paragraphs(text).flat_map(of_paragraph).collect()
}

fn line(line: &str) -> Option<Source> {
    let line = line.split('#').next().unwrap_or("").trim();
    let rest = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t']))?.trim();
    let (options, rest) = match rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        Some((options, rest)) => (options, rest),
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let (archive, suite) = (address(words.next()?)?, words.next()?.to_owned());
    let option = |name: &str| {
        options
            .split_whitespace()
            .find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or("")
    };
    let list =
        |text: &str| text.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let keys: Vec<PathBuf> = list(option("signed-by")).into_iter().map(PathBuf::from).collect();
    Some(Source {
        archive,
        suite,
        components: words.map(str::to_owned).collect(),
        architectures: list(option("arch")),
        signed_by: (!keys.is_empty()).then_some(SignedBy::Files(keys)),
    })
}

fn of_paragraph(paragraph: Paragraph) -> Vec<Source> {
    let words = |field: &str| {
        let value = paragraph.get(field).unwrap_or("");
        value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let is_off = paragraph.get("Enabled").is_some_and(|value| ["no", "false", "0", "off"].contains(&value));
    if is_off || !words("Types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let signed_by = paragraph.get("Signed-By").map(|value| {
        if value.contains("-----BEGIN") {
            SignedBy::Key(
                value.lines().map(|line| if line == "." { "" } else { line }).collect::<Vec<_>>().join("\n"),
            )
        } else {
            SignedBy::Files(value.split_whitespace().map(PathBuf::from).collect())
        }
    });
    let mut found = Vec::new();
    for archive in words("URIs").iter().filter_map(|text| address(text)) {
        for suite in words("Suites") {
            found.push(Source {
                archive: archive.clone(),
                suite,
                components: words("Components"),
                architectures: words("Architectures"),
                signed_by: signed_by.clone(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_lists_are_read() {
        let folder = tempfile::tempdir().expect("can be made");
        let parts = folder.path().join("sources.list.d");
        fs::create_dir(&parts).expect("can be made");
        let write = |path: PathBuf, text: &str| fs::write(path, text).expect("can be written");
        write(
            folder.path().join("sources.list"),
            "# deb http://no.example/ x main\ndeb [arch=amd64,arm64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib # yes\ndeb-src http://a.example/debian bookworm main\ndeb cdrom:[x]/ bookworm main\n",
        );
        write(
            parts.join("b.sources"),
            "Types: deb deb-src\nURIs: https://b.example/debian/\nSuites: trixie trixie-updates\nComponents: main\n\nEnabled: no\nTypes: deb\nURIs: http://c.example/\nSuites: x\n",
        );
        write(parts.join("c.save"), "deb http://d.example/ x main\n");
        let found = sources(folder.path()).expect("can be read");
        let shown: Vec<String> =
            found.iter().map(|source| source.of_suite("InRelease").to_string()).collect();
        assert_eq!(
            shown,
            [
                "http://a.example/debian/dists/bookworm/InRelease",
                "https://b.example/debian/dists/trixie/InRelease",
                "https://b.example/debian/dists/trixie-updates/InRelease",
            ]
        );
        assert_eq!(found[0].signed_by, Some(SignedBy::Files(vec!["/k.gpg".into()])));
        assert!(found[0].is_for("arm64") && !found[0].is_for("s390x") && found[1].is_for("s390x"));
        assert!(found[2].is_of("trixie") && !found[2].is_of("trix"));
        assert!(sources(&folder.path().join("missing")).expect("is nothing").is_empty());
    }
}
