//! Paths: of ops in the stage's filesystem, of sources in an input, of links.

use std::borrow::Cow;
use std::collections::BTreeMap;

use miette::Diagnostic;

use super::copies::{is_wildcard, literal};
use crate::finding::{Finding, Place};
use crate::plan::{
    CopyForm, MountKind, OpKind, Piece, Plan, Span, Spanned, Stage, Template, for_each_op, volume,
};
use crate::syntax::SyntaxFinding;

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PathFinding {
    /// It does not begin with `/`.
    #[error("{what} `{path}` is not absolute")]
    #[diagnostic(code("cpk::path::not-absolute"), help("write it from the root: `/{path}`"))]
    NotAbsolute {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
        /// The path.
        #[label("this must begin with `/`")]
        place: Place,
    },
    /// It is absolute where it must not be.
    #[error("{what} `{path}` is absolute")]
    #[diagnostic(code(cpk::path::absolute), help("{way_out}"))]
    Absolute {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
        /// What to write.
        way_out: &'static str,
        /// The path.
        #[label("this must not begin with `/`")]
        place: Place,
    },
    /// It has `..` in it.
    #[error("{what} `{path}` has `..` in it")]
    #[diagnostic(code("cpk::path::dot-dot"), help("write where it leads: what `..` means depends on links"))]
    DotDot {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
        /// The path.
        #[label("`..` is not allowed here")]
        place: Place,
    },
    /// It has nothing in it.
    #[error("{what} is an empty path")]
    #[diagnostic(code(cpk::path::empty), help("{way_out}"))]
    Empty {
        /// What the path is for.
        what: &'static str,
        /// What to write.
        way_out: &'static str,
        /// The path.
        #[label("nothing is said here")]
        place: Place,
    },
    /// It has a backslash in it.
    #[error("{what} `{path}` has a backslash in it")]
    #[diagnostic(code(cpk::path::backslash), help("write `/` between directories"))]
    Backslash {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
        /// The path.
        #[label("a backslash separates nothing")]
        place: Place,
    },
    /// It has a control character in it.
    #[error("{what} {path:?} has a control character in it")]
    #[diagnostic(
        code("cpk::path::control-character"),
        help("take it away: no tool on the way handles it well")
    )]
    ControlCharacter {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
        /// The path.
        #[label("a control character is not allowed here")]
        place: Place,
    },
    /// A `*` or `?` that looks like a wildcard and is none.
    #[error("`{path}` names one path, with `*` or `?` in its name")]
    #[diagnostic(
        code("cpk::path::literal-wildcard"),
        severity(Warning),
        help(
            "remove each path by its name, or all of them by a `run`; only sources of `copy … into` have wildcards"
        )
    )]
    LiteralWildcard {
        /// The path.
        path: String,
        /// The path.
        #[label("this is no wildcard")]
        place: Place,
    },
    /// It is `/` where that makes no sense.
    #[error("{what} is `{path}`: the root is always there, and always a directory")]
    #[diagnostic(code(cpk::path::root), help("name something below the root, or take this away"))]
    Root {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: String,
        /// The path.
        #[label("this is the root")]
        place: Place,
    },
}

/// What a path must be, beside well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathRule {
    /// Absolute.
    Absolute,
    /// Absolute, and not `/`.
    BelowRoot,
    /// Of an input: from its root, whether or not it begins with `/`.
    OfInput,
    /// Relative to a root that it does not leave.
    Inside,
    /// The same, and not the root itself.
    BelowInside,
    /// Relative to the plan's directory, which it may leave.
    OnBuilder,
    /// What a link says: anything that a link can say.
    OfLink,
}

/// Checks the paths of the ops of a stage, whose templates are expanded where they can be.
pub(super) fn check(stage: &Stage, findings: &mut Vec<Finding>) {
    for_each_op(&stage.ops, &mut |op| {
        let mut path = |what, path: &Spanned<Template>, rule| template(what, path, rule, findings);
        match &op.kind {
            OpKind::Copy(copy) => {
                for source in copy.form.sources() {
                    path("the source", source, PathRule::OfInput);
                }
                match &copy.form {
                    CopyForm::To { destination, .. } | CopyForm::Contents { destination, .. } => {
                        path("the destination", destination, PathRule::Absolute);
                    }
                    CopyForm::Into { directory, .. } => path("the directory", directory, PathRule::Absolute),
                }
            }
            OpKind::File(file) => path("the file", &file.path, PathRule::BelowRoot),
            OpKind::Mkdir(directory) => path("the directory", &directory.path, PathRule::BelowRoot),
            OpKind::Symlink(link) => {
                path("the link's target", &link.target, PathRule::OfLink);
                path("the link", &link.path, PathRule::BelowRoot);
            }
            OpKind::Remove(remove) => {
                path("the removed path", &remove.path, PathRule::BelowRoot);
                if let Some(text) = literal(&remove.path).filter(|text| is_wildcard(text)) {
                    let place = remove.path.span.place();
                    findings.push(PathFinding::LiteralWildcard { path: text, place }.into());
                }
            }
            OpKind::Workdir(workdir) => path("the working directory", workdir, PathRule::Absolute),
            OpKind::Run { .. } | OpKind::Exec { .. } => {
                if let Some(execution) = op.execution() {
                    if let Some(workdir) = &execution.workdir {
                        path("the working directory", workdir, PathRule::Absolute);
                    }
                    for mount in &execution.mounts {
                        if let Some(target) = mount.kind.target() {
                            path("the mount's target", target, PathRule::Absolute);
                        }
                        if let MountKind::Bind { select: Some(select), .. } = &mount.kind {
                            path("the selected path", select, PathRule::OfInput);
                        }
                    }
                }
            }
            OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {}
        }
    });
}

/// Checks the paths of the export.
pub(super) fn check_export(plan: &Plan, findings: &mut Vec<Finding>) {
    let Some(export) = &plan.export else { return };
    // What would be expanded in a stage is another finding.
    let is_plain = |text: &str| !text.contains("${");
    if let crate::plan::Setting::Set(workdir) = &export.workdir
        && is_plain(workdir)
    {
        text("the working directory", workdir, workdir.span.place(), PathRule::Absolute, findings);
    }
    for volume in export.volumes.added.iter().filter(|volume| is_plain(volume)) {
        text("the volume", volume, volume.span.place(), PathRule::BelowRoot, findings);
    }
    let mut volumes: Vec<_> = export.volumes.added.iter().collect();
    volumes.sort_by_key(|volume| volume.span.range().map(|range| range.start));
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for volume in volumes {
        let form = volume::one_form(&volume.value);
        match seen.get(&form) {
            Some(first) => {
                let what = format!("`volume {}`", form.escape_debug());
                findings.push(
                    SyntaxFinding::Twice { what, first: (*first).into(), second: volume.span.into() }.into(),
                );
            }
            None => drop(seen.insert(form, volume.span)),
        }
    }
}

/// Checks a template as far as its text is known.
fn template(what: &'static str, path: &Spanned<Template>, rule: PathRule, findings: &mut Vec<Finding>) {
    if path.slip().is_some() {
        // Another finding; what the path is to be cannot be told.
        return;
    }
    text(what, &known_text(path), path.span.place(), rule, findings);
}

/// The text of a template, with a word in the place of each variable that is not known. A
/// variable at the start may well hold an absolute path, so there the word is one.
fn known_text(path: &Template) -> Cow<'_, str> {
    path.as_literal().unwrap_or_else(|| {
        let mut text = String::new();
        for piece in path.pieces() {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Variable(_) if text.is_empty() => text.push_str("/variable"),
                Piece::Variable(_) => text.push_str("variable"),
            }
        }
        Cow::Owned(text)
    })
}

/// Checks a path.
pub(super) fn text(
    what: &'static str,
    path: &str,
    place: Place,
    rule: PathRule,
    findings: &mut Vec<Finding>,
) {
    if let Some(finding) = breach(what, path, place, rule) {
        findings.push(finding.into());
    }
}

fn breach(what: &'static str, path: &str, place: Place, rule: PathRule) -> Option<PathFinding> {
    let owned = || path.to_owned();
    if path.is_empty() {
        let way_out = match rule {
            PathRule::OfInput => "write `.` for all of it",
            PathRule::OnBuilder => "write `.` for the directory of the plan",
            PathRule::Absolute
            | PathRule::BelowRoot
            | PathRule::Inside
            | PathRule::BelowInside
            | PathRule::OfLink => "write a path",
        };
        return Some(PathFinding::Empty { what, way_out, place });
    }
    if path.chars().any(char::is_control) {
        return Some(PathFinding::ControlCharacter { what, path: owned(), place });
    }
    if rule == PathRule::OfLink {
        return None;
    }
    if path.contains('\\') {
        return Some(PathFinding::Backslash { what, path: owned(), place });
    }
    let leaves = path.split('/').any(|part| part == "..");
    match rule {
        PathRule::Absolute | PathRule::BelowRoot if !path.starts_with('/') => {
            Some(PathFinding::NotAbsolute { what, path: owned(), place })
        }
        PathRule::Inside | PathRule::BelowInside if path.starts_with('/') => {
            let way_out = "write it relative to the root that it is in";
            Some(PathFinding::Absolute { what, path: owned(), way_out, place })
        }
        PathRule::OnBuilder if path.starts_with('/') => {
            let way_out =
                "write it relative to the directory of the plan, so that the plan works on every machine";
            Some(PathFinding::Absolute { what, path: owned(), way_out, place })
        }
        PathRule::OnBuilder | PathRule::OfLink => None,
        PathRule::Absolute
        | PathRule::BelowRoot
        | PathRule::OfInput
        | PathRule::Inside
        | PathRule::BelowInside
            if leaves =>
        {
            Some(PathFinding::DotDot { what, path: owned(), place })
        }
        PathRule::BelowRoot | PathRule::BelowInside if parts(path).next().is_none() => {
            Some(PathFinding::Root { what, path: owned(), place })
        }
        PathRule::Absolute
        | PathRule::BelowRoot
        | PathRule::OfInput
        | PathRule::Inside
        | PathRule::BelowInside => None,
    }
}

/// The names in a path, without those that say nothing.
pub(super) fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// The path written in one way: `/a/b`, and `/` for the root.
pub(super) fn normal(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for part in parts(path) {
        text.push('/');
        text.push_str(part);
    }
    if text.is_empty() {
        text.push('/');
    }
    text
}
