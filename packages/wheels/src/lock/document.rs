//! A lock file that has been read. It may be megabytes long, so it is parsed once, whoever asks what of it.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::pylock::Pylock;
use super::uv::Uv;
use super::{Lock, LockProblem};

/// A lock file of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockDocument(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Pylock(Pylock),
    Uv(Uv),
}

/// The version of a lock file's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormVersion<'l> {
    /// That of a `pylock.toml`: `1.0`.
    Pylock(Written<'l>),
    /// That of a `uv.lock`, and where it stands.
    Uv(u32, Range<usize>),
}

/// A text of the file, and the bytes that it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'l> {
    /// The text.
    pub text: &'l str,
    /// Where it stands.
    pub at: Range<usize>,
}

/// What the file says of a package beside what it is had from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'l> {
    /// Its name.
    pub name: Written<'l>,
    /// Its version, where it has one before it is built.
    pub version: Option<Written<'l>>,
    /// When it is meant: where any of these markers holds, or always where there is none.
    pub when: Vec<Written<'l>>,
}

impl LockDocument {
    /// What a text says as a lock file, of whichever kind it is.
    pub fn read(text: &str) -> Result<Self, LockProblem> {
        let syntax = |error| syntax(text, &error);
        let document = DeTable::parse(text).map_err(syntax)?;
        let has = |key: &str| document.get_ref().contains_key(key);
        let kind = if has("lock-version") && !has("metadata") {
            Kind::Pylock(Pylock::deserialize(Deserializer::from(document)).map_err(syntax)?)
        } else if has("version") && has("requires-python") {
            Kind::Uv(Uv::deserialize(Deserializer::from(document)).map_err(syntax)?)
        } else {
            return Err(LockProblem::Unknown);
        };
        Ok(Self(kind))
    }

    /// The version of its form.
    pub fn version(&self) -> FormVersion<'_> {
        match &self.0 {
            Kind::Pylock(pylock) => FormVersion::Pylock(written(&pylock.lock_version)),
            Kind::Uv(uv) => FormVersion::Uv(*uv.version.get_ref(), uv.version.span()),
        }
    }

    /// Which Pythons it says it is for.
    pub fn requires_python(&self) -> Option<Written<'_>> {
        let said = match &self.0 {
            Kind::Pylock(pylock) => &pylock.requires_python,
            Kind::Uv(uv) => &uv.requires_python,
        };
        said.as_ref().map(written)
    }

    /// Its packages, in its order.
    pub fn packages(&self) -> Vec<Named<'_>> {
        match &self.0 {
            Kind::Pylock(pylock) => pylock.packages.iter().map(|package| package.named()).collect(),
            Kind::Uv(uv) => uv.packages.iter().map(|package| package.named()).collect(),
        }
    }

    pub(super) fn lock(&self) -> &dyn Lock {
        match &self.0 {
            Kind::Pylock(pylock) => pylock,
            Kind::Uv(uv) => uv,
        }
    }
}

pub(super) fn written(text: &Spanned<String>) -> Written<'_> {
    Written { text: text.get_ref(), at: text.span() }
}

/// What its reader says of a text that is no such document.
fn syntax(text: &str, error: &toml::de::Error) -> LockProblem {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    LockProblem::Syntax {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        message: error.message().lines().collect::<Vec<_>>().join(", "),
    }
}
