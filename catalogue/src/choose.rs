//! The image that fits what is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cogpack_content::Platform;
use miette::{Diagnostic, SourceSpan};
use pep440_rs::VersionSpecifiers;

use crate::catalogue::{Catalogue, Listed};
use crate::entry::{Entry, Os, Role};
use crate::rank::Rank;
use crate::ruled_out::{self, RuledOut};

/// What an image is wanted for, and what must be in it. What is left open rules nothing out.
///
/// Versions are compared as packages' are (PEP 440): `==12.8.*` is any 12.8, `==12.8` is 12.8.0.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What it is for.
    pub role: Role,
    /// All platforms it must be there for.
    pub platforms: BTreeSet<Platform>,
    /// The Python it must have. One that has none does not fit, so where Python is installed
    /// anyway this is left open.
    pub python: Option<VersionSpecifiers>,
    /// The directory that Python must be installed below.
    pub prefix: Option<String>,
    /// The CUDA it must have.
    pub cuda: Option<VersionSpecifiers>,
    /// What is wanted of a cuDNN in it.
    pub cudnn: Cudnn,
    /// The distribution it must be.
    pub os: Option<WantedOs>,
    /// Packages of the distribution that it must be known to have. Those that can be installed are
    /// not asked for here; it is a way to ask for compilers (`gcc`) or libraries (`libcublas-12-8`).
    pub packages: BTreeSet<String>,
}

/// What is wanted of a cuDNN in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cudnn {
    /// Nobody uses one: an image without it goes before.
    Unused,
    /// Whoever runs may use one, and nobody says so: an image with one goes before others of its catalogue,
    /// and one without it fits as well.
    Welcome,
    /// An image must have one of these versions.
    Needed(VersionSpecifiers),
}

impl Cudnn {
    /// The versions of which an image must have one.
    pub fn needed(&self) -> Option<&VersionSpecifiers> {
        match self {
            Self::Unused | Self::Welcome => None,
            Self::Needed(versions) => Some(versions),
        }
    }
}

/// A distribution that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedOs {
    /// Its id, for instance `debian`.
    pub id: String,
    /// Its version or code name, for instance `12` or `bookworm`.
    pub version: Option<String>,
}

/// What was chosen, and what there was to choose from.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The image to take.
    pub chosen: Option<Entry>,
    /// Every image, with all that rules it out: first those that fit, best first, and then the
    /// others, those that come nearest first.
    pub considered: Vec<(Entry, Vec<RuledOut>)>,
}

/// No image fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("no base image is known {wanted}")]
#[diagnostic(
    code(project::catalogue::none),
    help("{}give one with `--catalogue FILE`, whose entry `cogpackc catalogue add IMAGE` writes{}", instead(.nearest), or_of_debs(*.has_cuda))
)]
pub struct NoneFits {
    /// What was wanted, in words.
    pub wanted: String,
    /// The images that come nearest, each with what rules it out.
    pub nearest: Vec<(String, Vec<RuledOut>)>,
    /// Whether a CUDA or a cuDNN is wanted of it, which Debian's packages do not bring.
    pub has_cuda: bool,
    /// Where it is asked for, in the file that the finding is of.
    #[label("asked for here")]
    pub place: Option<SourceSpan>,
}

/// Takes the best of the images that fit. Equal catalogues and wishes give equal choices.
pub fn choose(catalogue: &Catalogue, wanted: &Wanted) -> Choice {
    let judged = |listed: &Listed| (listed.clone(), ruled_out::all(&listed.entry, wanted));
    let mut judged: Vec<(Listed, Vec<RuledOut>)> = catalogue.images().iter().map(judged).collect();
    judged.sort_by_cached_key(|(listed, reasons)| (reasons.len(), Rank::of(listed, wanted)));
    let considered: Vec<(Entry, Vec<RuledOut>)> =
        judged.into_iter().map(|(listed, reasons)| (listed.entry, reasons)).collect();
    let chosen = considered.first().filter(|(_, reasons)| reasons.is_empty());
    Choice { chosen: chosen.map(|(entry, _)| entry.clone()), considered }
}

impl Choice {
    /// The image to take, or a finding that names the nearest ones.
    pub fn entry(&self, wanted: &Wanted) -> Result<&Entry, NoneFits> {
        const SHOWN: usize = 3;
        self.chosen.as_ref().ok_or_else(|| NoneFits {
            wanted: wanted.to_string(),
            nearest: self
                .considered
                .iter()
                .take(SHOWN)
                .map(|(entry, reasons)| (entry.reference.to_string(), reasons.clone()))
                .collect(),
            has_cuda: wanted.cuda.is_some() || wanted.cudnn.needed().is_some(),
            place: None,
        })
    }
}

impl NoneFits {
    /// What rules out the images that come nearest, a line each.
    pub fn instead(&self) -> String {
        instead(&self.nearest)
    }
}

impl WantedOs {
    /// Whether `os` is it.
    pub fn is(&self, os: &Os) -> bool {
        let is_version = |wanted: &String| {
            os.version == *wanted || os.codename.as_ref().is_some_and(|name| name == wanted)
        };
        os.id == self.id && self.version.as_ref().is_none_or(is_version)
    }
}

impl fmt::Display for WantedOs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(out, "{} {version}", self.id),
            None => out.write_str(&self.id),
        }
    }
}

/// `for running, with Python ==3.12.*`
impl fmt::Display for Wanted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.role {
            Role::Build => "for building in",
            Role::Runtime => "for running",
        })?;
        let versions =
            [("Python", self.python.as_ref()), ("CUDA", self.cuda.as_ref()), ("cuDNN", self.cudnn.needed())];
        let mut with: Vec<String> = Vec::new();
        for (what, wanted) in versions {
            let Some(wanted) = wanted else { continue };
            with.push(format!("{what} {wanted}").trim_end().to_owned());
        }
        with.extend(self.prefix.iter().map(|prefix| format!("Python in `{prefix}`")));
        with.extend(self.packages.iter().map(|name| format!("`{name}`")));
        if let Some(os) = &self.os {
            write!(out, ", of {os}")?;
        }
        if !self.platforms.is_empty() {
            let platforms: Vec<String> = self.platforms.iter().map(ToString::to_string).collect();
            write!(out, ", on {}", platforms.join(" and "))?;
        }
        match with.is_empty() {
            true => Ok(()),
            false => write!(out, ", with {}", with.join(", ")),
        }
    }
}

fn or_of_debs(has_cuda: bool) -> &'static str {
    match has_cuda {
        true => "",
        false => "; or make the base of Debian packages, with `--base debian`",
    }
}

fn instead(nearest: &[(String, Vec<RuledOut>)]) -> String {
    // Several images of one make are ruled out alike: that is said once.
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (reference, reasons) in nearest {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        alike.entry(reasons.join("; ")).or_default().push(reference);
    }
    alike.iter().map(|(reasons, names)| format!("{}: {reasons}\n", names.join(", "))).collect()
}
