//! What releases of frameworks need: which Pythons they are made for, and which CUDA and cuDNN.
//!
//! The facts are shipped, `data/frameworks.toml`, and derived by the script beside it. What the table
//! does not have is unknown, which is something else than impossible: whoever asks decides.

use std::collections::BTreeMap;

use pep440_rs::{Version, VersionSpecifiers};

use crate::finding::{CatalogueFinding, span};
use crate::reading::{Fields, Text, document};

/// All that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frameworks {
    /// By the name of the package.
    pub frameworks: BTreeMap<String, Framework>,
    /// Which Python a distribution has packages of.
    pub distributions: Vec<Distribution>,
}

/// A framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framework {
    /// Where its builds are that the package index has not: an address with `{build}` in it.
    pub index: Option<String>,
    /// Its releases, newest first.
    pub releases: Vec<Release>,
}

/// A release of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// The Pythons that it has wheels for, as `3.12`.
    pub pythons: Vec<Version>,
    /// What it is made for, the most common first.
    pub builds: Vec<Build>,
}

/// What a release is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// How it is asked for.
    pub source: BuildSource,
    /// The CUDA it works with; none for the CPU.
    pub cuda: Option<VersionSpecifiers>,
    /// The cuDNN it works with, where that is known.
    pub cudnn: Option<VersionSpecifiers>,
}

/// How a build is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildSource {
    /// By the name of the package alone.
    Package,
    /// From the framework's own index, by this name in its address.
    Index(String),
    /// By an extra of the package, which brings CUDA's libraries as packages.
    Extra(String),
    /// By the name of the package alone; CUDA's libraries are those of the base image.
    Base,
}

/// Which Python a distribution has packages of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// `ID` of `/etc/os-release`.
    pub id: String,
    /// `VERSION_ID`.
    pub version: String,
    /// The Python, as `3.12`.
    pub python: Version,
}

/// The format that is read.
const FORMAT: &str = "1";

impl Frameworks {
    /// What is known without anybody saying anything.
    pub fn shipped() -> Self {
        // A test reads it without a finding.
        Self::read(include_str!("../data/frameworks.toml")).unwrap_or_default()
    }

    /// What `text` says, or all that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Vec<CatalogueFinding>> {
        let document = document(text)?;
        let mut whole = Fields::new("a table of frameworks", document.get_ref(), 0..0);
        match whole.value("frameworks") {
            Some(value) if value.get_ref().as_integer().is_some_and(|it| it.as_str() == FORMAT) => {}
            Some(value) => whole.note(CatalogueFinding::InvalidValue {
                key: "frameworks".to_owned(),
                value: text.get(value.span()).unwrap_or_default().to_owned(),
                rule: "only format 1 is known".to_owned(),
                help: "write `frameworks = 1`".to_owned(),
                at: span(value.span()),
            }),
            None => whole.missing("frameworks", "the format of the file, which is 1"),
        }
        let mut read = Self::default();
        let mut findings = Vec::new();
        for mut fields in whole.tables("framework", "a framework") {
            let package = fields.required("package", "the name of the package");
            let index = fields.text("index").map(|(index, _)| index.to_owned());
            findings.extend(fields.finish());
            if let Some((package, _)) = package {
                read.frameworks.insert(package.to_owned(), Framework { index, releases: Vec::new() });
            }
        }
        for mut fields in whole.tables("distribution", "a distribution") {
            let id = fields.required("id", "`ID` of `/etc/os-release`").map(|(text, _)| text.to_owned());
            let of = fields.required("version", "`VERSION_ID`").map(|(text, _)| text.to_owned());
            let python = fields
                .required("python", "which Python it has")
                .and_then(|it| version(&mut fields, "python", &it));
            findings.extend(fields.finish());
            if let (Some(id), Some(version), Some(python)) = (id, of, python) {
                read.distributions.push(Distribution { id, version, python });
            }
        }
        for mut fields in whole.tables("release", "a release") {
            let package = fields.required("package", "the name of the framework");
            let release = release(&mut fields, &mut findings);
            if let Some(named) = &package
                && !read.frameworks.contains_key(named.0)
            {
                fields.invalid("package", named, "no `[[framework]]` has that name", "add one");
            }
            findings.extend(fields.finish());
            if let (Some((package, _)), Some(release)) = (package, release)
                && let Some(framework) = read.frameworks.get_mut(package)
            {
                framework.releases.push(release);
            }
        }
        for framework in read.frameworks.values_mut() {
            framework.releases.sort_by(|one, other| other.version.cmp(&one.version));
        }
        findings.extend(whole.finish());
        if findings.is_empty() { Ok(read) } else { Err(findings) }
    }
}

fn release(fields: &mut Fields<'_>, findings: &mut Vec<CatalogueFinding>) -> Option<Release> {
    let of = fields.required("version", "its version").and_then(|text| version(fields, "version", &text));
    let texts = fields.texts("python").unwrap_or_default();
    let pythons = texts.iter().filter_map(|text| version(fields, "python", text)).collect();
    let mut builds = Vec::new();
    for mut inner in fields.tables("builds", "a build") {
        let index = inner.text("index").map(|(name, _)| BuildSource::Index(name.to_owned()));
        let extra = inner.text("extra").map(|(name, _)| BuildSource::Extra(name.to_owned()));
        let base = inner.text("libraries").and_then(|text| match text.0 {
            "base" => Some(BuildSource::Base),
            _ => {
                inner.invalid(
                    "libraries",
                    &text,
                    "they are of the `base`, or of the wheels",
                    "leave it away",
                );
                None
            }
        });
        let source = index.or(extra).or(base).unwrap_or(BuildSource::Package);
        let cuda = inner.text("cuda").and_then(|text| specifiers(&mut inner, "cuda", &text));
        let cudnn = inner.text("cudnn").and_then(|text| specifiers(&mut inner, "cudnn", &text));
        findings.extend(inner.finish());
        builds.push(Build { source, cuda, cudnn });
    }
    Some(Release { version: of?, pythons, builds })
}

fn version(fields: &mut Fields<'_>, key: &str, text: &Text<'_>) -> Option<Version> {
    let read = text.0.parse().ok();
    if read.is_none() {
        fields.invalid(key, text, "it is no version", "write it as in `3.12`");
    }
    read
}

fn specifiers(fields: &mut Fields<'_>, key: &str, text: &Text<'_>) -> Option<VersionSpecifiers> {
    let read = text.0.parse().ok();
    if read.is_none() {
        fields.invalid(key, text, "it is no range of versions", "write it as in `>=12.1,<13`");
    }
    read
}
