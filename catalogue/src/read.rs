//! What the text of a catalogue lists.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::str::FromStr;

use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_ir::plan::ImageConfig;
use pep440_rs::Version;

use crate::config;
use crate::entry::{Entry, Extent, Os, Python, Role};
use crate::finding::{CatalogueFinding, span};
use crate::pythons::{self, PythonArchive};
use crate::reading::{Fields, Text, document};

/// The format that is read.
const FORMAT: &str = "1";

/// What is listed.
pub(crate) struct Lists {
    /// Images, each with the byte at which its entry starts.
    pub images: Vec<(usize, Entry)>,
    /// Pythons.
    pub pythons: Vec<PythonArchive>,
}

/// All that is listed, or all that is wrong.
pub(crate) fn lists(text: &str) -> Result<Lists, Vec<CatalogueFinding>> {
    let document = document(text)?;
    let mut whole = Fields::new("a catalogue", document.get_ref(), 0..0);
    format_of(&mut whole);
    let mut findings = Vec::new();
    let mut images = Vec::new();
    let mut places: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for mut fields in whole.tables("image", "an image") {
        let at = fields.at();
        let entry = entry(&mut fields, &mut findings);
        findings.extend(fields.finish());
        let Some(entry) = entry else { continue };
        match places.get(&entry.reference.normalised(None)) {
            Some(first) => findings.push(CatalogueFinding::Duplicate {
                reference: entry.reference.to_string(),
                at: span(at),
                first: span(first.clone()),
            }),
            None => {
                places.insert(entry.reference.normalised(None), at.clone());
                images.push((at.start, entry));
            }
        }
    }
    let pythons = pythons::read(&mut whole, &mut findings);
    let mut all = whole.finish();
    all.append(&mut findings);
    if all.is_empty() { Ok(Lists { images, pythons }) } else { Err(all) }
}

/// `catalogue = 1`
pub(crate) fn format_of(whole: &mut Fields<'_>) {
    match whole.value("catalogue") {
        None => whole.missing("catalogue", "the format of the file, which is 1"),
        Some(value) => {
            let number = value.get_ref().as_integer().map(|number| number.as_str());
            if number == Some(FORMAT) {
                return;
            }
            let text = value.get_ref().as_str().map(|text| format!("`{text}`"));
            let found = number.map(str::to_owned).or(text).unwrap_or_else(|| "unknown".to_owned());
            whole.note(CatalogueFinding::Format { found, at: span(value.span()) });
        }
    }
}

/// An entry. What is optional and wrong is left out of it: it has been noted, and then no entry of the
/// file is given to anybody.
fn entry(fields: &mut Fields<'_>, findings: &mut Vec<CatalogueFinding>) -> Option<Entry> {
    let reference = fields
        .required(
            "reference",
            "the image's name in its registry, for instance \"docker.io/library/debian:13\"",
        )
        .and_then(|text| reference(fields, &text));
    let digest = fields
        .text("digest")
        .and_then(|text| parsed::<Digest>(fields, "digest", &text, "`sha256:` and 64 hexadecimal digits"));
    let platforms =
        set(fields, "platforms", "the platforms it is there for, for instance [\"linux/amd64\"]", |text| {
            text.parse::<Platform>().map_err(|error| error.rule.to_owned())
        });
    let roles = set(fields, "roles", "what it is for: [\"build\", \"runtime\"], or one of them", |text| {
        Role::ALL
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or("a role is `build` or `runtime`".to_owned())
    });
    let extent = fields
        .required("extent", "how much is in it: \"minimal\", \"runtime\" or \"development\"")
        .and_then(|text| extent(fields, &text));
    let os = match fields.table("os", "`os`") {
        Some(mut inner) => {
            let os = os(&mut inner);
            findings.extend(inner.finish());
            os
        }
        None => {
            fields.missing_unless_there(
                "os",
                "its distribution, for instance { id = \"debian\", version = \"13\" }",
            );
            None
        }
    };
    let python = fields.table("python", "`python`").and_then(|mut inner| {
        let python = python(&mut inner);
        findings.extend(inner.finish());
        python
    });
    let cuda = version(fields, "cuda");
    let cudnn = version(fields, "cudnn");
    let packages = packages(fields);
    let lacks = lacks(fields, &packages);
    let config = config(fields, digest.is_some());
    let env = variables(fields, config.as_ref());
    Some(Entry {
        reference: reference?,
        digest,
        platforms: platforms?,
        roles: roles?,
        extent: extent?,
        os: os?,
        python,
        cuda,
        cudnn,
        packages,
        lacks,
        env,
        config,
    })
}

fn reference(fields: &mut Fields<'_>, text: &Text<'_>) -> Option<ImageReference> {
    match text.0.parse::<ImageReference>() {
        Ok(reference) if reference.digest().is_some() => {
            fields.invalid(
                "reference",
                text,
                "it has a digest",
                "move the digest into `digest = \"sha256:…\"`",
            );
            None
        }
        Ok(reference) => Some(reference),
        Err(error) => {
            fields.invalid("reference", text, error.reason, "for instance \"docker.io/library/debian:13\"");
            None
        }
    }
}

fn extent(fields: &mut Fields<'_>, text: &Text<'_>) -> Option<Extent> {
    let extent = Extent::ALL.into_iter().find(|extent| extent.word() == text.0);
    if extent.is_none() {
        let rule = "an extent is `minimal`, `runtime` or `development`";
        fields.invalid(
            "extent",
            text,
            rule,
            "`development` has compilers, `runtime` what programs need to run",
        );
    }
    extent
}

fn os(fields: &mut Fields<'_>) -> Option<Os> {
    let id = fields.required("id", "what /etc/os-release has for ID").and_then(|text| {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        if text.0.is_empty() || !text.0.bytes().all(is_word) {
            fields.invalid(
                "id",
                &text,
                "it has small letters, digits, `.`, `_` and `-`",
                "for instance \"debian\"",
            );
            return None;
        }
        Some(text.0.to_owned())
    });
    let version =
        fields.required("version", "what /etc/os-release has for VERSION_ID, or \"\" where it has none");
    let codename = fields.text("codename").map(|(text, _)| text.to_owned());
    Some(Os { id: id?, version: version?.0.to_owned(), codename })
}

fn python(fields: &mut Fields<'_>) -> Option<Python> {
    let version = fields
        .required("version", "its version, for instance \"3.12.12\"")
        .and_then(|text| parsed::<Version>(fields, "version", &text, "for instance \"3.12.12\""));
    let interpreter = fields
        .required("interpreter", "the path that starts it, for instance \"/usr/local/bin/python3\"")
        .and_then(|text| absolute(fields, "interpreter", text));
    let prefix = fields
        .required("prefix", "what it is installed below, for instance \"/usr/local\"")
        .and_then(|text| absolute(fields, "prefix", text));
    let venv = fields.text("venv").and_then(|text| absolute(fields, "venv", text));
    Some(Python { version: version?, interpreter: interpreter?, prefix: prefix?, venv })
}

fn absolute(fields: &mut Fields<'_>, key: &str, text: Text<'_>) -> Option<String> {
    if text.0.starts_with('/') && !text.0.contains('\0') {
        return Some(text.0.to_owned());
    }
    fields.invalid(
        key,
        &text,
        "it is a path from the root on",
        "write the whole path, with `/` at its start",
    );
    None
}

fn version(fields: &mut Fields<'_>, key: &'static str) -> Option<Version> {
    let text = fields.text(key)?;
    parsed(fields, key, &text, "for instance \"12.8.1\"")
}

fn packages(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut packages = BTreeMap::new();
    for (name, version) in fields.named_texts("packages") {
        if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            let rule = "the name of a package has no white space and is not empty";
            fields.invalid("packages", &(name, version.1.clone()), rule, "name it as the distribution does");
        }
        packages.insert(name.to_owned(), version.0.to_owned());
    }
    packages
}

fn lacks(fields: &mut Fields<'_>, packages: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut lacks = BTreeSet::new();
    for name in fields.texts("lacks").unwrap_or_default() {
        if packages.contains_key(name.0) {
            let rule = "`packages` says that it is there";
            fields.invalid("lacks", &name, rule, "name it at one of the two places");
        }
        lacks.insert(name.0.to_owned());
    }
    lacks
}

/// What the image sets.
fn config(fields: &mut Fields<'_>, has_digest: bool) -> Option<ImageConfig> {
    let text = fields.text("config")?;
    let help = "write the lines that a plan has below `image`, as `cogpackc catalogue add` does";
    if !has_digest {
        let rule = "it is that of one image, and a name stands for one after the other";
        fields.invalid("config", &text, rule, "write the `digest` of the image beside it");
        return None;
    }
    match config::read(text.0) {
        Ok(config) => Some(config),
        Err(rule) => {
            fields.invalid("config", &text, rule, help);
            None
        }
    }
}

/// The variables, which a config says too.
fn variables(fields: &mut Fields<'_>, config: Option<&ImageConfig>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    let named = fields.named_texts("env");
    if let Some(config) = config {
        if let Some((name, value)) = named.first_key_value() {
            let rule = "`config` says what is set, and this too";
            fields.invalid("env", &(name, value.1.clone()), rule, "say it at one of the two places");
        }
        return config::env(config);
    }
    for (name, value) in named {
        if name.is_empty() || name.contains(['=', '\0']) || value.0.contains('\0') {
            let rule = "a variable has a name without `=`, and neither name nor value has a zero byte";
            fields.invalid(
                "env",
                &(name, value.1.clone()),
                rule,
                "write `NAME = \"value\"` below [image.env]",
            );
        }
        env.insert(name.to_owned(), value.0.to_owned());
    }
    env
}

/// The texts of an array that must be there, each read by `read`, at least one of them.
fn set<T: Ord>(
    fields: &mut Fields<'_>,
    key: &'static str,
    meaning: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<BTreeSet<T>> {
    let Some(texts) = fields.texts(key) else {
        fields.missing_unless_there(key, meaning);
        return None;
    };
    if texts.is_empty() {
        fields.missing(key, meaning);
        return None;
    }
    let mut items = BTreeSet::new();
    for text in texts {
        match read(text.0) {
            Ok(item) => drop(items.insert(item)),
            Err(rule) => fields.invalid(key, &text, rule, meaning),
        }
    }
    Some(items)
}

pub(crate) fn parsed<T: FromStr<Err: ToString>>(
    fields: &mut Fields<'_>,
    key: &str,
    text: &Text<'_>,
    help: &str,
) -> Option<T> {
    match text.0.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            let rule = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(", ");
            fields.invalid(key, text, rule, help);
            None
        }
    }
}
