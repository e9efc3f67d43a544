//! Which Python a project asks for by `.python-version`.

use std::fmt;
use std::str::FromStr;

use cogpack_frontends_source::{InFile, Place, Placed, SourcePath};
use miette::Diagnostic;

/// `3.12` or `3.12.4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonRelease {
    /// 12
    pub minor: u32,
    /// 4, where it is said.
    pub patch: Option<u32>,
}

/// A text that names no release of Python 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be `3.MINOR` or `3.MINOR.PATCH`")]
pub struct NoRelease;

impl FromStr for PythonRelease {
    type Err = NoRelease;

    fn from_str(text: &str) -> Result<Self, NoRelease> {
        let number = |part: &str| match part.bytes().all(|byte| byte.is_ascii_digit()) {
            true => part.parse::<u32>().map_err(|_| NoRelease),
            false => Err(NoRelease),
        };
        let numbers = text.split('.').map(number).collect::<Result<Vec<_>, _>>()?;
        match numbers[..] {
            [3, minor] => Ok(Self { minor, patch: None }),
            [3, minor, patch] => Ok(Self { minor, patch: Some(patch) }),
            _ => Err(NoRelease),
        }
    }
}

impl fmt::Display for PythonRelease {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "3.{}", self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(out, ".{patch}"))
    }
}

/// What is wrong with a `.python-version`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PythonVersionFinding {
    /// No release.
    #[error("`{text}` names no Python that an image can have: {why}")]
    #[diagnostic(
        code("project::python::version-file"),
        help("write one release of CPython, as in `3.12` or `3.12.4`")
    )]
    NoRelease {
        /// What is written.
        text: String,
        /// Why.
        why: &'static str,
        /// Where.
        #[label("not a release")]
        place: Place,
    },
    /// Several.
    #[error("there are several versions of Python here, and an image has one")]
    #[diagnostic(code("project::python::several-versions"), help("keep the one that the image shall have"))]
    Several {
        /// The second.
        #[label("a second one")]
        place: Place,
    },
    /// None.
    #[error("no version of Python is named here")]
    #[diagnostic(code("project::python::no-version"), help("write one, as in `3.12`, or take the file away"))]
    Nothing {
        /// Where it would stand.
        #[label("nothing here")]
        place: Place,
    },
}

/// The release that a `.python-version` names.
pub fn read(file: &SourcePath, text: &str) -> Result<Placed<PythonRelease>, InFile<PythonVersionFinding>> {
    let mut named = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let said = line.split('#').next().unwrap_or_default();
        let word = said.trim().trim_start_matches('\u{feff}');
        if !word.is_empty() {
            let from = start + said.find(word).unwrap_or_default();
            named.push((word, Place::of(text, from, from + word.len())));
        }
        start += line.len();
    }
    let refused = match named[..] {
        [] => PythonVersionFinding::Nothing { place: Place::of(text, 0, 0) },
        [(word, place)] => match word.strip_prefix("cpython-").unwrap_or(word).parse() {
            Ok(release) => return Ok(Placed::new(release, place)),
            Err(NoRelease) => {
                PythonVersionFinding::NoRelease { text: word.to_owned(), why: why_not(word), place }
            }
        },
        [_, (_, place), ..] => PythonVersionFinding::Several { place },
    };
    Err(InFile::new(file, refused))
}

fn why_not(word: &str) -> &'static str {
    if word == "system" {
        "it is that of whoever builds"
    } else if word.starts_with(['<', '>', '=', '~', '!', '^']) {
        "it is a range"
    } else if word.starts_with("pypy") || word.starts_with("graalpy") || word.contains("conda") {
        "packages are chosen for CPython"
    } else if word.ends_with('t') && word.starts_with("3.") {
        "packages are chosen for CPython with its lock"
    } else if word.starts_with("2") {
        "Python 2 is served no more"
    } else {
        "it must be `3.MINOR` or `3.MINOR.PATCH`"
    }
}
