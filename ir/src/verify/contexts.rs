//! Contexts: what a build reads from outside the plan, and whether it is the same tomorrow.

use std::collections::BTreeMap;

use cogpack_content::Certificate;
use miette::Diagnostic;

use super::addresses::{self, Way};
use super::paths::{self, PathRule};
use super::patterns;
use crate::finding::{Finding, Place};
use crate::plan::context::{
    DebsContext, GitContext, HttpContext, InlineFile, LockedFile, OciContext, WheelsContext,
};
use crate::plan::{Context, ContextKind, InputName, Plan};

/// What is wrong with a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ContextFinding {
    /// A commit that is none.
    #[error("`{commit}` is not a commit: it must be 40 or 64 hexadecimal digits")]
    #[diagnostic(
        code(cpk::context::commit),
        help("write the whole id that `git rev-parse` prints; branches and tags move")
    )]
    Commit {
        /// The text.
        commit: String,
        /// The text.
        #[label("not a commit")]
        place: Place,
    },
    /// A file name that is none, or that cannot be told.
    #[error("{reason}")]
    #[diagnostic(code("cpk::context::file-name"), help("{way_out}"))]
    FileName {
        /// The rule it breaks.
        reason: String,
        /// What to write.
        way_out: &'static str,
        /// The name, or the context.
        #[label("this needs a file name")]
        place: Place,
    },
    /// A tag that no layout has.
    #[error("`{tag}` is not a tag of a layout")]
    #[diagnostic(
        code("cpk::context::tag"),
        help(
            "write what the layout's `index.json` says in `org.opencontainers.image.ref.name`, for instance `latest`"
        )
    )]
    Tag {
        /// The text.
        tag: String,
        /// The text.
        #[label("not a tag")]
        place: Place,
    },
    /// Content that may change under the plan.
    #[error("the context `{name}` is not pinned: two builds of this plan may read two contents")]
    #[diagnostic(code(cpk::context::unpinned), severity(Warning), help("write `{property}` into its block"))]
    Unpinned {
        /// The context.
        name: String,
        /// What would pin it.
        property: &'static str,
        /// The context.
        #[label("what this gives is not fixed")]
        place: Place,
    },
    /// A file that is also a directory.
    #[error("`{path}` is a file and a directory at once")]
    #[diagnostic(code("cpk::context::file-and-directory"), help("give one of them another path"))]
    FileAndDirectory {
        /// The path.
        path: String,
        /// The file below it.
        #[label("this needs `{path}` to be a directory")]
        place: Place,
        /// The file itself.
        #[label("and here it is a file")]
        file: Place,
    },
    /// Wheels without a Python to install them for.
    #[error("the wheels of `{name}` do not say which Python they are installed for")]
    #[diagnostic(
        code("cpk::context::wheels-python"),
        help("write for instance `python \"3.12\"` into the block")
    )]
    NoPython {
        /// The context.
        name: String,
        /// The context.
        #[label("its `lib/pythonX.Y` is not known")]
        place: Place,
    },
    /// A Python version that is no `major.minor`.
    #[error("`{python}` is not a Python version: it must read `major.minor`")]
    #[diagnostic(code("cpk::context::wheels-python"), help("write for instance `python \"3.12\"`"))]
    Python {
        /// The text.
        python: String,
        /// The text.
        #[label("not a version")]
        place: Place,
    },
    /// The certificate of an authority that is none.
    #[error("`{file}` is not the certificate of one authority: {problem}")]
    #[diagnostic(
        code("cpk::context::certificate"),
        help(
            "write one certificate as PEM, from `-----BEGIN CERTIFICATE-----` on, and each other under a name of its own"
        )
    )]
    Certificate {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
        /// The file.
        #[label("not a certificate")]
        place: Place,
    },
    /// A locked file without a hash.
    #[error("`{file}` has no hash")]
    #[diagnostic(code("cpk::context::no-hash"), help("write `hash sha256:…` into its block"))]
    NoHash {
        /// The file.
        file: String,
        /// The file.
        #[label("what this is, is not fixed")]
        place: Place,
    },
}

/// Checks the contexts.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Finding>) {
    for (name, context) in &plan.contexts {
        match &context.kind {
            ContextKind::Directory(directory) => {
                let place = directory.path.span.place();
                paths::text("the directory", &directory.path, place, PathRule::OnBuilder, findings);
                patterns::check(&directory.rules, findings);
            }
            ContextKind::Http(http) => check_http(name, context, http, findings),
            ContextKind::Git(git) => check_git(name, context, git, findings),
            ContextKind::Oci(layout) => check_oci(layout, findings),
            ContextKind::Files(files) => check_files(files, findings),
            ContextKind::Wheels(wheels) => check_wheels(name, context, wheels, findings),
            ContextKind::Debs(debs) => check_debs(debs, findings),
        }
    }
}

fn check_http(name: &InputName, context: &Context, http: &HttpContext, findings: &mut Vec<Finding>) {
    let is_address = addresses::check_web(&http.url, Way::Download, findings);
    if let Some(file) = &http.name {
        if !is_file_name(file) {
            let reason = format!("`{}` is not a file name", file.escape_debug());
            let way_out = "write a name without `/` and control characters; the copy says where it lands";
            findings.push(ContextFinding::FileName { reason, way_out, place: file.span.place() }.into());
        }
    } else if is_address && last_part(&http.url).is_none() {
        let reason = format!("`{}` ends in no file name", http.url.value);
        let way_out = "write `name \"…\"` into its block";
        findings.push(ContextFinding::FileName { reason, way_out, place: http.url.span.place() }.into());
    }
    if http.checksum.is_none() {
        let (property, place) = ("checksum sha256:…", context.span.place());
        findings.push(ContextFinding::Unpinned { name: name.to_string(), property, place }.into());
    }
}

/// Whether every system and tool takes `text` for the name of one file.
fn is_file_name(text: &str) -> bool {
    let is_letter = |letter: char| !['/', '\\'].contains(&letter) && !letter.is_control();
    !["", ".", ".."].contains(&text) && text.chars().all(is_letter)
}

/// The file name that an address ends in.
fn last_part(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next()?;
    let (_, path) = path.split_once("://")?.1.split_once('/')?;
    path.rsplit('/').next().filter(|part| is_file_name(part))
}

fn check_git(name: &InputName, context: &Context, git: &GitContext, findings: &mut Vec<Finding>) {
    addresses::check_git(&git.url, findings);
    match &git.commit {
        None => {
            let (property, place) = ("commit …", context.span.place());
            findings.push(ContextFinding::Unpinned { name: name.to_string(), property, place }.into());
        }
        Some(commit) => {
            let is_hex = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_hex || ![40, 64].contains(&commit.len()) {
                let place = commit.span.place();
                findings.push(ContextFinding::Commit { commit: commit.value.clone(), place }.into());
            }
        }
    }
    if let Some(subdir) = &git.subdir {
        paths::text("the directory", subdir, subdir.span.place(), PathRule::Inside, findings);
    }
}

fn check_oci(layout: &OciContext, findings: &mut Vec<Finding>) {
    paths::text("the layout", &layout.path, layout.path.span.place(), PathRule::OnBuilder, findings);
    if let Some(tag) = &layout.tag
        && !is_reference_name(tag)
    {
        let (tag, place) = (tag.escape_debug().to_string(), tag.span.place());
        findings.push(ContextFinding::Tag { tag, place }.into());
    }
}

/// Whether `text` may be the `org.opencontainers.image.ref.name` of an index. Its specification
/// allows less, but tools write what they like.
fn is_reference_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

fn check_files(files: &BTreeMap<String, InlineFile>, findings: &mut Vec<Finding>) {
    let normal: BTreeMap<String, &InlineFile> =
        files.iter().map(|(path, file)| (paths::normal(path), file)).collect();
    for (path, file) in files {
        paths::text("the file", path, file.span.place(), PathRule::BelowInside, findings);
        let path = paths::normal(path);
        let above =
            path.match_indices('/').map(|(at, _)| &path[..at]).find_map(|above| normal.get_key_value(above));
        if let Some((above, other)) = above {
            let (place, file) = (file.span.place(), other.span.place());
            let path = above.trim_start_matches('/').to_owned();
            findings.push(ContextFinding::FileAndDirectory { path, place, file }.into());
        }
    }
}

fn check_wheels(name: &InputName, context: &Context, wheels: &WheelsContext, findings: &mut Vec<Finding>) {
    match &wheels.python {
        None => {
            let place = context.span.place();
            findings.push(ContextFinding::NoPython { name: name.to_string(), place }.into());
        }
        Some(python) => {
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let is_version =
                python.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor));
            if !is_version {
                let place = python.span.place();
                findings.push(ContextFinding::Python { python: python.value.clone(), place }.into());
            }
        }
    }
    if let Some(interpreter) = &wheels.interpreter {
        paths::text("the interpreter", interpreter, interpreter.span.place(), PathRule::BelowRoot, findings);
    }
    for (file, locked) in &wheels.wheels {
        // PEP 427: name, version, perhaps a build, and three tags.
        let parts = file.strip_suffix(".whl").map(|stem| stem.split('-').collect::<Vec<_>>());
        let is_wheel = parts.is_some_and(|parts| {
            (5..=6).contains(&parts.len()) && parts.iter().all(|part| is_package_word(part))
        });
        let way_out = "write it as the package index does: `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`";
        check_locked(file, locked, is_wheel, "a wheel", way_out, findings);
    }
}

fn check_debs(debs: &DebsContext, findings: &mut Vec<Finding>) {
    for (file, locked) in &debs.packages {
        let parts = file.strip_suffix(".deb").map(|stem| stem.split('_').collect::<Vec<_>>());
        let is_deb =
            parts.is_some_and(|parts| parts.len() == 3 && parts.iter().all(|part| is_package_word(part)));
        let way_out = "write it as the archive does: `NAME_VERSION_ARCHITECTURE.deb`";
        check_locked(file, locked, is_deb, "a Debian package", way_out, findings);
    }
    for (file, archive) in &debs.archives {
        let is_tar = [".tar", ".tar.gz", ".tar.xz", ".tar.zst"].iter().any(|ending| file.ends_with(ending))
            && is_file_name(file);
        let way_out = "write a name without `/` that ends in `.tar`, `.tar.gz`, `.tar.xz` or `.tar.zst`, as it is packed";
        check_locked(file, &archive.file, is_tar, "an archive", way_out, findings);
        let place = archive.place.span.place();
        paths::text("the directory", &archive.place, place, PathRule::BelowRoot, findings);
    }
    for (file, certificate) in &debs.certificates {
        let place = certificate.span.place();
        let is_named = file.strip_suffix(".crt").is_some_and(|stem| {
            stem.starts_with(|letter: char| letter.is_ascii_alphanumeric())
                && stem.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
        });
        if !is_named {
            let reason = format!("`{}` is not the file name of a certificate", file.escape_debug());
            let way_out = "write it as a name of letters, digits, `.`, `_` and `-` that ends in `.crt`";
            findings.push(ContextFinding::FileName { reason, way_out, place }.into());
        }
        let problem = match Certificate::all_of(&certificate.text) {
            Ok(all) if all.len() == 1 => continue,
            Ok(all) => format!("it holds {}", all.len()),
            Err(problem) => problem.to_string(),
        };
        findings.push(ContextFinding::Certificate { file: file.clone(), problem, place }.into());
    }
}

fn check_locked(
    file: &str,
    locked: &LockedFile,
    well_named: bool,
    what: &str,
    way_out: &'static str,
    findings: &mut Vec<Finding>,
) {
    let place = locked.span.place();
    if !well_named {
        let reason = format!("`{}` is not the file name of {what}", file.escape_debug());
        findings.push(ContextFinding::FileName { reason, way_out, place }.into());
    }
    if locked.digest.is_none() {
        findings.push(ContextFinding::NoHash { file: file.to_owned(), place }.into());
    }
    if let Some(url) = &locked.url {
        addresses::check_web(url, Way::Package, findings);
    }
}

/// Whether `part` of a package's file name has what names, versions and tags are made of, as the
/// package index and the archives write them.
fn is_package_word(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || ".+~!_%-".contains(letter))
}
