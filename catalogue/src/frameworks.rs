//! What releases of frameworks need: which Pythons they are made for, and which CUDA and cuDNN.
//!
//! The facts are shipped, `data/frameworks.toml`, and derived by the script beside it. What the table
//! does not have is unknown, which is something else than impossible: whoever asks decides. It differs
//! by platform, so [`Frameworks::on`] takes out of it what is true on all that an image is for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cogpack_content::Platform;
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
    /// Its releases, newest first; one is there more than once where platforms differ.
    pub releases: Vec<Release>,
}

/// A release of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// What this is about.
    pub platforms: BTreeSet<Platform>,
    /// The Pythons that it has wheels for, as `3.12`.
    pub pythons: Vec<Version>,
    /// What it is made for, the most common first.
    pub builds: Vec<Build>,
    /// The extras that bring CUDA on some platform, be it another one.
    pub extras: BTreeSet<String>,
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
        static READ: LazyLock<Frameworks> = LazyLock::new(|| {
            // A test reads it without a finding.
            Frameworks::read(include_str!("../data/frameworks.toml")).unwrap_or_default()
        });
        READ.clone()
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

    /// Whether anything is known of a platform.
    pub fn is_about(&self, platform: &Platform) -> bool {
        let mut releases = self.frameworks.values().flat_map(|framework| &framework.releases);
        releases.any(|release| release.platforms.contains(platform))
    }

    /// What is true on each of these platforms: the releases that all of them have, with the Pythons
    /// that all have, and the builds that are asked for in one way on all.
    pub fn on(&self, platforms: &BTreeSet<Platform>) -> Self {
        let of = |framework: &Framework| {
            let mut versions: Vec<&Version> = framework.releases.iter().map(|one| &one.version).collect();
            versions.dedup();
            let releases = versions.into_iter().filter_map(|version| framework.on(version, platforms));
            Framework { index: framework.index.clone(), releases: releases.collect() }
        };
        let frameworks = self.frameworks.iter().map(|(package, framework)| (package.clone(), of(framework)));
        Self { frameworks: frameworks.collect(), distributions: self.distributions.clone() }
    }
}

impl Framework {
    /// What is true of a release on each of these platforms.
    fn on(&self, version: &Version, platforms: &BTreeSet<Platform>) -> Option<Release> {
        let mut merged: Option<Release> = None;
        for platform in platforms {
            let is = |one: &&Release| one.version == *version && one.platforms.contains(platform);
            let here = self.releases.iter().find(is)?;
            merged = Some(match merged {
                None => Release { platforms: platforms.clone(), ..here.clone() },
                Some(so_far) => so_far.and(here),
            });
        }
        let everywhere = self.releases.iter().filter(|one| one.version == *version);
        let extras = everywhere.flat_map(|one| one.extras.iter().cloned()).collect();
        let is_any = |release: &Release| !release.pythons.is_empty() && !release.builds.is_empty();
        merged.filter(is_any).map(|release| Release { extras, ..release })
    }
}

impl Release {
    fn and(mut self, other: &Self) -> Self {
        self.pythons.retain(|python| other.pythons.contains(python));
        self.builds = self.builds.iter().filter_map(|build| build.and(&other.builds)).collect();
        self
    }
}

impl Build {
    /// The extra that asks for it.
    pub fn extra(&self) -> Option<&str> {
        match &self.source {
            BuildSource::Extra(extra) => Some(extra),
            BuildSource::Package | BuildSource::Index(_) | BuildSource::Base => None,
        }
    }

    /// The same build elsewhere too: one that is asked for in the same way, and is for a GPU there too
    /// or for none.
    fn and(&self, others: &[Self]) -> Option<Self> {
        let is_same =
            |other: &&Self| other.source == self.source && other.cuda.is_some() == self.cuda.is_some();
        let other = others.iter().find(is_same)?;
        let both = |one: &Option<VersionSpecifiers>, other: &Option<VersionSpecifiers>| match (one, other) {
            (Some(one), Some(other)) if one != other => {
                Some(one.iter().chain(other.iter()).cloned().collect())
            }
            (Some(range), _) | (None, Some(range)) => Some(range.clone()),
            (None, None) => None,
        };
        Some(Self {
            source: self.source.clone(),
            cuda: both(&self.cuda, &other.cuda),
            cudnn: both(&self.cudnn, &other.cudnn),
        })
    }
}

fn release(fields: &mut Fields<'_>, findings: &mut Vec<CatalogueFinding>) -> Option<Release> {
    let of = fields.required("version", "its version").and_then(|text| version(fields, "version", &text));
    if fields.value("platforms").is_none() {
        fields.missing("platforms", "the platforms it is about, for instance [\"linux/amd64\"]");
    }
    let texts = fields.texts("platforms").unwrap_or_default();
    let platforms = texts.iter().filter_map(|text| platform(fields, text)).collect();
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
    let extras = builds.iter().filter_map(Build::extra).map(str::to_owned).collect();
    Some(Release { version: of?, platforms, pythons, builds, extras })
}

fn platform(fields: &mut Fields<'_>, text: &Text<'_>) -> Option<Platform> {
    let read = text.0.parse();
    if let Err(why) = &read {
        fields.invalid("platforms", text, why, "write it as in `linux/amd64`");
    }
    read.ok()
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
