//! One requirement: a package, its extras, which versions of it or from where, and when.
//!
//! The form is that of the specification of dependency specifiers (PEP 508). Versions are read by
//! `pep440_rs`, markers by the crate that reads them in lock files.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use cogpack_frontends_source::{Place, SourcePath};
use cogpack_packages_wheels::file_name::normalised;
use cogpack_packages_wheels::lock::marker::{Environment, InvalidMarker, Marker};
use cogpack_packages_wheels::target::{PythonVersion, Target};
use miette::Diagnostic;
use pep440_rs::{VersionSpecifier, VersionSpecifiers};

/// The name of a package as an index compares it: lower case, and `-` for each of `-`, `_`, `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(String);

impl PackageName {
    /// The normal form of a name; nothing for what is no name.
    pub fn new(text: &str) -> Option<Self> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric();
        let (first, last) = (text.bytes().next()?, text.bytes().last()?);
        let is_name = is_letter(first)
            && is_letter(last)
            && text.bytes().all(|byte| is_letter(byte) || matches!(byte, b'-' | b'_' | b'.'));
        is_name.then(|| Self(normalised(text)))
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A requirement as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The package; nothing for a directory, whose own files say which it is.
    pub name: Option<PackageName>,
    /// Extras of the package, by normalised name.
    pub extras: BTreeSet<String>,
    /// Which versions, or from where.
    pub wanted: Wanted,
    /// When it is needed; nothing for always.
    pub marker: Option<Condition>,
}

/// Which versions of a package, or from where it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Versions from an index; any where there is no specifier.
    Versions(VersionSpecifiers),
    /// An address of a file.
    Address(String),
    /// A repository, `git+https://…`.
    Repository(String),
    /// A wheel of the project.
    Wheel(SourcePath),
    /// An archive of sources of the project.
    Sources(SourcePath),
    /// A directory of the project with sources.
    Directory {
        /// Which.
        path: SourcePath,
        /// Whether changes of it are to be seen without installing anew.
        is_editable: bool,
    },
}

/// A marker, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As it is written.
    pub text: String,
    /// What it means.
    pub marker: Marker,
}

impl fmt::Display for Requirement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(out, "{name}")?;
        }
        let extras = match self.extras.is_empty() {
            true => String::new(),
            false => format!("[{}]", Vec::from_iter(self.extras.iter().map(String::as_str)).join(",")),
        };
        let (at, behind) = if self.name.is_some() { (" @ ", "") } else { ("", &*extras) };
        if self.name.is_some() {
            out.write_str(&extras)?;
        }
        match &self.wanted {
            Wanted::Versions(versions) => write!(out, "{}", versions.to_string().replace(", ", ","))?,
            Wanted::Address(address) | Wanted::Repository(address) => write!(out, "{at}{address}")?,
            Wanted::Wheel(path) | Wanted::Sources(path) => write!(out, "{at}./{path}")?,
            Wanted::Directory { path, .. } if path.as_str().is_empty() => write!(out, "{at}.{behind}")?,
            Wanted::Directory { path, .. } => write!(out, "{at}./{path}{behind}")?,
        }
        self.marker.as_ref().map_or(Ok(()), |condition| write!(out, "; {}", condition.text))
    }
}

/// What is wrong with a requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum RequirementFinding {
    /// No name at its beginning.
    #[error("a requirement begins with the name of a package, and this with `{found}`")]
    #[diagnostic(code("project::requirements::name"), help("{way_out}"))]
    Name {
        /// What is there.
        found: String,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("no name of a package")]
        place: Place,
    },
    /// Extras without an end, or no names.
    #[error("the extras of `{name}` are not names in `[` and `]`")]
    #[diagnostic(code("project::requirements::extras"), help("write them as in `{name}[extra,other]`"))]
    Extras {
        /// Of which package.
        name: String,
        /// Where.
        #[label("not a list of names")]
        place: Place,
    },
    /// No specifier.
    #[error("`{text}` says no versions of `{name}`")]
    #[diagnostic(code("project::requirements::version"), help("{way_out}"))]
    Version {
        /// Of which package.
        name: String,
        /// What is written.
        text: String,
        /// What to do.
        way_out: String,
        /// Where.
        #[label("not read as versions")]
        place: Place,
    },
    /// No address.
    #[error("behind `@` stands an address, and `{text}` is none")]
    #[diagnostic(code("project::requirements::address"), help("{way_out}"))]
    Address {
        /// What is written.
        text: String,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not an address")]
        place: Place,
    },
    /// No marker.
    #[error("the marker `{text}` cannot be read: {problem}")]
    #[diagnostic(code("project::requirements::marker"), help("{way_out}"))]
    Marker {
        /// What is written.
        text: String,
        /// What is wrong.
        problem: InvalidMarker,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not a marker")]
        place: Place,
    },
}

/// A text, and where it stands in its file.
#[derive(Debug, Clone, Copy)]
pub struct Written<'t> {
    /// The text.
    pub text: &'t str,
    /// Where it stands.
    pub place: Place,
    /// Whether each of its bytes is one of the file, so that parts of it have places too.
    pub is_verbatim: bool,
}

impl<'t> Written<'t> {
    /// The place of a part, or of the whole where parts have none.
    pub fn part(&self, range: Range<usize>) -> Place {
        match self.is_verbatim {
            true => Place { start: self.place.start + range.start, length: range.len(), ..self.place },
            false => self.place,
        }
    }

    /// Where `part`, which is a part of the text, stands in it.
    fn range_of(&self, part: &str) -> Range<usize> {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        start..start + part.len()
    }

    fn place_of(&self, part: &str) -> Place {
        self.part(self.range_of(part))
    }
}

/// Reads one requirement.
pub fn parse(written: Written<'_>) -> Result<Requirement, RequirementFinding> {
    let text = written.text.trim();
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let end = text.find(|letter| !is_of_name(letter)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let Some(known) = PackageName::new(name) else {
        let found = text.split_whitespace().next().unwrap_or_default();
        let way_out = match found {
            "" => "write the name of a package",
            _ if found.contains("://") => "write the name of the package, ` @ ` and the address",
            _ if found.starts_with(['<', '>', '=', '~', '!']) => "write the name before the versions",
            _ => "names have letters, digits, `-`, `_` and `.`, and begin and end with a letter or a digit",
        };
        let shown = if found.is_empty() { "the end" } else { found };
        let place = written.place_of(if found.is_empty() { written.text } else { found });
        return Err(RequirementFinding::Name { found: shown.to_owned(), way_out, place });
    };
    let (extras, rest) = extras(written, name, rest.trim_start())?;
    let (body, marker) = divided(rest);
    let body = body.trim();
    let wanted = match body.strip_prefix('@') {
        Some(address) => address_of(written, address.trim())?,
        None => Wanted::Versions(versions(written, name, body)?),
    };
    let marker = marker.map(|text| condition(written, text.trim())).transpose()?;
    Ok(Requirement { name: Some(known), extras, wanted, marker })
}

fn extras<'t>(
    written: Written<'_>,
    name: &str,
    rest: &'t str,
) -> Result<(BTreeSet<String>, &'t str), RequirementFinding> {
    let Some(inner) = rest.strip_prefix('[') else { return Ok((BTreeSet::new(), rest)) };
    let refused =
        |part: &str| RequirementFinding::Extras { name: name.to_owned(), place: written.place_of(part) };
    let Some((inner, after)) = inner.split_once(']') else { return Err(refused(rest)) };
    let mut extras = BTreeSet::new();
    if !inner.trim().is_empty() {
        for extra in inner.split(',') {
            let extra = PackageName::new(extra.trim()).ok_or_else(|| refused(inner))?;
            extras.insert(extra.0);
        }
    }
    Ok((extras, after.trim_start()))
}

/// What is before the marker, and the marker. Behind an address a `;` needs a space before it.
fn divided(rest: &str) -> (&str, Option<&str>) {
    let separator = if rest.starts_with('@') { " ;" } else { ";" };
    match rest.split_once(separator) {
        Some((body, marker)) => (body, Some(marker)),
        None => (rest, None),
    }
}

fn address_of(written: Written<'_>, address: &str) -> Result<Wanted, RequirementFinding> {
    let refused = |way_out| RequirementFinding::Address {
        text: address.to_owned(),
        way_out,
        place: written.place_of(if address.is_empty() { written.text } else { address }),
    };
    let Some((scheme, rest)) = address.split_once("://") else {
        return Err(refused("write it as in `name @ https://files.example/name-1.0-py3-none-any.whl`"));
    };
    if rest.is_empty() || address.contains(char::is_whitespace) {
        return Err(refused("write it without spaces, up to the name of the file"));
    }
    match scheme {
        "http" | "https" => Ok(Wanted::Address(address.to_owned())),
        "git+https" | "git+http" | "git+ssh" => Ok(Wanted::Repository(address.to_owned())),
        "file" => {
            Err(refused("write a path relative to this file, as in `./wheels/name-1.0-py3-none-any.whl`"))
        }
        _ if scheme.contains('+') => {
            Err(refused("packages come by `https://`, or out of repositories of git by `git+https://`"))
        }
        _ => Err(refused("packages come by `https://` or `git+https://`")),
    }
}

/// The specifiers, each of which is read for itself so that a wrong one has its place.
fn versions(written: Written<'_>, name: &str, body: &str) -> Result<VersionSpecifiers, RequirementFinding> {
    let inner = body.strip_prefix('(').and_then(|body| body.strip_suffix(')')).unwrap_or(body).trim();
    if inner.is_empty() {
        return Ok(VersionSpecifiers::empty());
    }
    let refused = |part: &str, way_out: String| RequirementFinding::Version {
        name: name.to_owned(),
        text: if part.is_empty() { "," } else { part }.to_owned(),
        way_out,
        place: written.place_of(if part.is_empty() { inner } else { part }),
    };
    let mut all = Vec::new();
    for part in inner.split(',') {
        let part = part.trim();
        let is_sign = |letter: char| matches!(letter, '<' | '>' | '=' | '!' | '~');
        if part.is_empty() && inner.contains(',') {
            return Err(refused(part, "take the `,` away that has nothing beside it".to_owned()));
        }
        let version = part.trim_start_matches(is_sign).trim();
        let sign = part.get(..part.len() - part.trim_start_matches(is_sign).len()).unwrap_or_default();
        match part.parse::<VersionSpecifier>() {
            Ok(specifier) => all.push(specifier),
            Err(_) => {
                let way_out = match sign {
                    "=" => format!("write `=={version}`"),
                    "" if part.starts_with('^') => "write a range, as in `>=1.2,<2`".to_owned(),
                    "" if part.starts_with(|first: char| first.is_ascii_digit()) => {
                        format!("write `=={part}`")
                    }
                    "" => format!(
                        "write versions behind the name, as in `{name}==1.2.0`; a marker stands behind `;`"
                    ),
                    "=>" | "=<" => format!("write `{}={version}`", sign.trim_start_matches('=')),
                    _ => {
                        "write a comparison and a version of numbers and dots, as in `>=1.2,<2` or `==1.2.*`"
                            .to_owned()
                    }
                };
                return Err(refused(part, way_out));
            }
        }
    }
    Ok(all.into_iter().collect())
}

fn condition(written: Written<'_>, text: &str) -> Result<Condition, RequirementFinding> {
    let refused = |problem: InvalidMarker| RequirementFinding::Marker {
        text: text.to_owned(),
        way_out: match problem {
            InvalidMarker::Unknowable(_) => {
                "ask for what is known of an image: its Python, its platform and the extras that are wanted"
            }
            InvalidMarker::Syntax { .. } | InvalidMarker::Depth | InvalidMarker::Comparison(_) => {
                "write it as in `python_version < \"3.12\" and sys_platform == \"linux\"`"
            }
        },
        problem,
        place: written.place_of(if text.is_empty() { written.text } else { text }),
    };
    let marker: Marker = text.parse().map_err(refused)?;
    // Whether each part can be answered does not depend on the environment.
    let platform = cogpack_content::Platform::linux_amd64();
    let target = Target { python: PythonVersion { major: 3, minor: 12 }, platform };
    let (extras, groups) = (BTreeSet::new(), BTreeSet::new());
    let environment = Environment { target: &target, patch: 0, extras: &extras, groups: &groups };
    marker.holds(&environment).map_err(refused)?;
    Ok(Condition { text: text.to_owned(), marker })
}
