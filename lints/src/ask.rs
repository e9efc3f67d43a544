//! What only a server can say, asked as a question; and the changes that its answer makes of a plan.
//!
//! Nobody is asked here: whoever has a network does, and gives the answer back. A question says all that is
//! asked for, so that two alike need be asked once.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::{BaseImage, InputName, Plan, Span};
use cogpack_ir::syntax;

use crate::repair::{Edit, Repair};

/// What is to be asked before a finding can be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// What an image is at the moment.
    Image(AskImage),
    /// What a file of a server hashes to.
    File(AskFile),
    /// Which commit a repository's server gives to whoever names none.
    Commit(AskCommit),
    /// Which versions apt takes in an image.
    Versions(AskVersions),
}

impl Question {
    /// Whether what the answer makes of the plan changes the image.
    pub fn is_unsafe(&self) -> bool {
        match self {
            Self::Image(_) | Self::File(_) | Self::Commit(_) => false,
            Self::Versions(_) => true,
        }
    }
}

/// An image's digest, where it has none, and its config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskImage {
    /// As it is declared; with its digest, where the plan has one.
    pub image: Box<BaseImage>,
    /// Where the lines go, and whether that is the start of a line of its own.
    pub(crate) at: (usize, bool),
    /// What each line begins with.
    pub(crate) indentation: String,
}

/// What a file of a server hashes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskFile {
    /// Its address.
    pub url: String,
    /// Whether another address that the server names counts as well.
    pub is_followed: bool,
    /// What the change does: `compares /usr/bin/tool`.
    pub(crate) what: String,
    /// The change, with [`ANSWER`] where the digits of the hash go.
    pub(crate) edits: Vec<Edit>,
}

/// The commit of a repository's HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskCommit {
    /// The repository's address.
    pub url: String,
    /// The change, with [`ANSWER`] where the commit goes.
    pub(crate) edits: Vec<Edit>,
}

/// The versions of packages that apt takes in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskVersions {
    /// The image, as it is declared.
    pub image: Box<BaseImage>,
    /// The packages.
    pub packages: BTreeSet<String>,
    /// Behind which words they go, each with its package.
    pub(crate) places: Vec<(usize, String)>,
}

/// Stands for the answer; it can be in no text of a plan.
pub(crate) const ANSWER: char = '\0';

fn filled(edits: &[Edit], answer: &str) -> Vec<Edit> {
    let fill = |edit: &Edit| Edit { range: edit.range, with: edit.with.replace(ANSWER, answer) };
    edits.iter().map(fill).collect()
}

impl AskImage {
    /// The lines of an image that is what was told: its digest, where the plan has none, and what it sets.
    pub fn answered(&self, told: &BaseImage) -> Repair {
        let reference = &self.image.reference;
        let is_pinned = self.image.digest.is_some() || reference.digest().is_some();
        // The printer knows how each of them is written.
        let mut plan = Plan::empty();
        let image = BaseImage {
            reference: reference.clone(),
            digest: told.digest.filter(|_| !is_pinned),
            config: told.config.clone().filter(|_| self.image.config.is_none()),
            span: Span::NOWHERE,
        };
        let digest = image.digest.as_ref().map(|digest| digest.to_string());
        if let Ok(name) = InputName::new("image") {
            plan.images.insert(name, image);
        }
        let printed = syntax::print(&plan);
        let lines = printed.lines().skip_while(|line| !line.starts_with("image ")).skip(1);
        let lines: Vec<String> = lines
            .take_while(|line| !line.is_empty())
            .map(|line| format!("{}{}", self.indentation, line.strip_prefix("  ").unwrap_or(line)))
            .collect();
        let (at, starts_line) = self.at;
        let with = match starts_line {
            true => lines.iter().map(|line| format!("{line}\n")).collect(),
            false => lines.iter().map(|line| format!("\n{line}")).collect(),
        };
        let what = match digest {
            None => format!("writes what `{}` sets", reference.value),
            Some(digest) => format!("`{}` is {digest} at the moment", reference.value),
        };
        Repair::new(what, vec![Edit::insert(at, with)])
    }
}

impl AskFile {
    /// With what it hashes to, in hexadecimal digits, and how long it is.
    pub fn answered(&self, hash: &str, bytes: &str) -> Repair {
        let what = format!("{}: {bytes} of {} hash to sha256:{hash} at the moment", self.what, self.shown());
        Repair::new(what, filled(&self.edits, hash))
    }

    /// Its address without what may be a key.
    pub fn shown(&self) -> String {
        format!("`{}`", self.url.split(['?', '#']).next().unwrap_or_default())
    }
}

impl AskCommit {
    /// With the commit.
    pub fn answered(&self, commit: &str) -> Repair {
        Repair::new(format!("HEAD of `{}` is {commit} at the moment", self.url), filled(&self.edits, commit))
    }
}

impl AskVersions {
    /// With the version of each; none, where one is missing.
    pub fn answered(&self, versions: &BTreeMap<String, String>) -> Repair {
        let mut edits = Vec::new();
        for (at, package) in &self.places {
            let Some(version) = versions.get(package) else {
                return Repair::none(format!("of `{package}` nobody has told a version"));
            };
            edits.push(Edit::insert(*at, format!("={version}")));
        }
        let told: Vec<String> =
            versions.iter().map(|(package, version)| format!("`{package}={version}`")).collect();
        Repair::with_a_look(
            format!("writes what apt would install at the moment: {}", told.join(", ")),
            LOOK_AT_VERSIONS.to_owned(),
            edits,
        )
    }
}

/// What a person should look at, of a version that is written.
pub const LOOK_AT_VERSIONS: &str =
    "the archive, which drops a version when there is a later one: the build then fails until it is written";
