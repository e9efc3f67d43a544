//! An image as the catalogue knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_ir::plan::ImageConfig;
use pep440_rs::Version;

/// An image, and what is known of its insides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in a registry.
    pub reference: ImageReference,
    /// The digest that the name had when somebody looked; `None` where nobody has looked.
    pub digest: Option<Digest>,
    /// The platforms it is there for.
    pub platforms: BTreeSet<Platform>,
    /// What it is good for.
    pub roles: BTreeSet<Role>,
    /// How much it is stocked with.
    pub extent: Extent,
    /// Its distribution.
    pub os: Os,
    /// The Python that `python3` starts in it.
    pub python: Option<Python>,
    /// The CUDA in it, as far as its version is known.
    pub cuda: Option<Version>,
    /// The cuDNN in it, as far as its version is known.
    pub cudnn: Option<Version>,
    /// Packages of its distribution by name, with their versions; a version that is not known is
    /// empty. In an entry that nobody has looked into, these are only the ones of note.
    pub packages: BTreeMap<String, String>,
    /// Packages that it is known not to have, of those of note. Where all that it has are listed, none need
    /// be named.
    pub lacks: BTreeSet<String>,
    /// The variables that its config sets.
    pub env: BTreeMap<String, String>,
    /// All that its config sets, as of the image that has the digest; never without a digest.
    pub config: Option<ImageConfig>,
}

/// What an image can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Stages that make what is copied into the final image can start from it.
    Build,
    /// The final image can start from it.
    Runtime,
}

/// How much an image is stocked with, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// A distribution, or one thing on top of it.
    Minimal,
    /// What programs need to run.
    Runtime,
    /// Compilers and headers as well.
    Development,
}

/// A distribution, as `/etc/os-release` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Os {
    /// `ID`, for instance `debian`.
    pub id: String,
    /// `VERSION_ID`, for instance `12`.
    pub version: String,
    /// `VERSION_CODENAME`, for instance `bookworm`.
    pub codename: Option<String>,
}

/// A Python in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// Its version, as far as it is known.
    pub version: Version,
    /// The path that starts it, for instance `/usr/local/bin/python3`.
    pub interpreter: String,
    /// What it is installed below, for instance `/usr/local`.
    pub prefix: String,
    /// The directory of a virtual environment that uses it.
    pub venv: Option<String>,
}

impl Entry {
    /// Whether a package of its distribution is in it, as far as that is known.
    pub fn has(&self, package: &str) -> Option<bool> {
        match (self.packages.contains_key(package), self.lacks.contains(package)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            // Who has looked has listed all packages, and every Debian has this one.
            (false, false) => self.packages.contains_key("base-files").then_some(false),
        }
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Build, Self::Runtime];

    /// The word for it in a catalogue.
    pub fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Runtime => "runtime",
        }
    }
}

impl Extent {
    /// All of them, least first.
    pub const ALL: [Self; 3] = [Self::Minimal, Self::Runtime, Self::Development];

    /// The word for it in a catalogue.
    pub fn word(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Runtime => "runtime",
            Self::Development => "development",
        }
    }
}

impl fmt::Display for Os {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.id, self.version)
    }
}
