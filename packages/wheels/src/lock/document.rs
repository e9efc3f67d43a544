//! A lock file that has been read. It may be megabytes long, so it is parsed once, whoever asks what of it,
//! and a package at a time: a parser holds a dozen times as much as the text that it reads.

use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, Deserializer, ValueDeserializer};

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
        match Self::by_package(text) {
            Some(document) => Ok(document),
            None => Self::from_table(text, parsed(text)?),
        }
    }

    /// What a text says that has a header for each of its packages, after all else that it has. Nothing of
    /// any other text, nor where something is wrong.
    fn by_package(text: &str) -> Option<Self> {
        let mut parts = parts(text);
        let (_, head) = parts.next()?;
        let table = parsed(head).ok()?;
        if [Pylock::PACKAGES, Uv::PACKAGES].iter().any(|key| table.get_ref().contains_key(*key)) {
            return None;
        }
        let mut document = Self::from_table(head, table).ok()?;
        for (at, part) in parts {
            match &mut document.0 {
                Kind::Pylock(pylock) => pylock.add(packages(part, Pylock::PACKAGES)?, at),
                Kind::Uv(uv) => uv.add(packages(part, Uv::PACKAGES)?, at),
            }
        }
        Some(document)
    }

    fn from_table(text: &str, document: Spanned<DeTable<'_>>) -> Result<Self, LockProblem> {
        let syntax = |error| syntax(text, &error);
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

/// The same text, so many bytes farther on.
pub(super) fn moved(text: Spanned<String>, by: usize) -> Spanned<String> {
    let at = text.span();
    Spanned::new(at.start + by..at.end + by, text.into_inner())
}

fn parsed(text: &str) -> Result<Spanned<DeTable<'_>>, LockProblem> {
    DeTable::parse(text).map_err(|error| syntax(text, &error))
}

/// A text from one header of a package to the next, and where each part begins. What is before the first
/// is a part as well.
fn parts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let headers = [Pylock::PACKAGES, Uv::PACKAGES].map(|key| format!("[[{key}]]"));
    let mut begins = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("[[") && headers.iter().any(|header| header == line.trim_end()) {
            begins.push(at);
        }
        at += line.len();
    }
    let ends: Vec<usize> = begins[1..].iter().copied().chain([text.len()]).collect();
    begins.into_iter().zip(ends).map(|(begin, end)| (begin, &text[begin..end]))
}

/// The packages of a part that has nothing else.
fn packages<P: DeserializeOwned>(part: &str, key: &str) -> Option<Vec<P>> {
    let mut table = DeTable::parse(part).ok()?.into_inner();
    let packages = table.remove(key).filter(|_| table.is_empty())?;
    Vec::deserialize(ValueDeserializer::from(packages)).ok()
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
