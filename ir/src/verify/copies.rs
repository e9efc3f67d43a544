//! What copies take and where it lands. Paths as such are the business of `paths`.

use std::collections::BTreeMap;

use miette::Diagnostic;

use super::paths::parts;
use super::{paths, patterns};
use crate::finding::{Finding, Place};
use crate::plan::{Copy, CopyForm, Input, Span, Spanned, Stage, Template, for_each_op};

/// What is wrong with a copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CopyFinding {
    /// A wildcard where one path is named.
    #[error("the source `{source_path}` has a wildcard, and this copy takes one path")]
    #[diagnostic(
        code(cpk::copy::wildcard),
        help("copy into a directory: `copy \"{source_path}\" from … into …`, or copy all and say `include`")
    )]
    Wildcard {
        /// The source.
        source_path: String,
        /// The source.
        #[label("`*` and `?` are allowed only before `into`")]
        place: Place,
    },
    /// `**` in a source.
    #[error("the source `{source_path}` has a `**`")]
    #[diagnostic(
        code(cpk::copy::wildcard),
        help("copy the directory above it and say `include \"**/…\"` in a block")
    )]
    DoubleStar {
        /// The source.
        source_path: String,
        /// The source.
        #[label("`**` stands only in `include` and `exclude`")]
        place: Place,
    },
    /// Two sources landing on one path.
    #[error("two sources land on `{path}`")]
    #[diagnostic(code(cpk::copy::landing), help("copy one of them `to` another name"))]
    Landing {
        /// Where they land.
        path: String,
        /// The second source.
        #[label("this would replace the other one")]
        place: Place,
        /// The first source.
        #[label("the other one")]
        first: Place,
    },
    /// `.` into a directory.
    #[error("the source `{source_path}` has no name to land under")]
    #[diagnostic(code(cpk::copy::nameless), help("write `copy contents \"{source_path}\" from … to …`"))]
    Nameless {
        /// The source.
        source_path: String,
        /// The source.
        #[label("the root has no name")]
        place: Place,
    },
    /// `replace` of `/`.
    #[error("`replace` would remove the whole filesystem of the stage")]
    #[diagnostic(
        code("cpk::copy::replaces-root"),
        help("take `replace` away, or start the stage `from scratch`")
    )]
    ReplacesRoot {
        /// The destination.
        #[label("this is everything")]
        place: Place,
    },
    /// There is nothing in `scratch`.
    #[error("`scratch` is empty, so there is nothing to copy from it")]
    #[diagnostic(code(cpk::copy::scratch), help("name an image, a stage or a context"))]
    Scratch {
        /// The input.
        #[label("nothing is here")]
        place: Place,
    },
}

/// Checks the copies of a stage, whose templates are expanded where they can be.
pub(super) fn check(stage: &Stage, findings: &mut Vec<Finding>) {
    for_each_op(&stage.ops, &mut |op| {
        let Some(copy) = op.copy() else { return };
        if copy.from.value == Input::Scratch {
            findings.push(CopyFinding::Scratch { place: copy.from.span.place() }.into());
        }
        wildcards(copy, findings);
        landings(copy, findings);
        let destination = copy.form.destination();
        if copy.replace
            && literal(destination).is_some_and(|path| path.starts_with('/') && paths::normal(&path) == "/")
        {
            findings.push(CopyFinding::ReplacesRoot { place: destination.span.place() }.into());
        }
        patterns::check(&copy.rules, findings);
    });
}

fn wildcards(copy: &Copy, findings: &mut Vec<Finding>) {
    let one_path = match &copy.form {
        CopyForm::To { .. } | CopyForm::Contents { .. } => true,
        CopyForm::Into { .. } => false,
    };
    for source in copy.form.sources() {
        let Some(text) = literal(source) else { continue };
        let (source_path, place) = (text.clone(), source.span.place());
        if one_path && is_wildcard(&text) {
            findings.push(CopyFinding::Wildcard { source_path, place }.into());
        } else if text.contains("**") {
            findings.push(CopyFinding::DoubleStar { source_path, place }.into());
        }
    }
}

fn landings(copy: &Copy, findings: &mut Vec<Finding>) {
    let CopyForm::Into { sources, directory } = &copy.form else { return };
    let directory = literal(directory).unwrap_or_else(|| directory.as_written().to_owned());
    let mut landed: BTreeMap<String, Span> = BTreeMap::new();
    for source in sources {
        let Some(text) = literal(source) else { continue };
        // A wildcard may match anything or nothing; two equal ones surely match the same.
        let name = if is_wildcard(&text) { Some(text.as_str()) } else { parts(&text).last() };
        let Some(name) = name else {
            if !text.is_empty() {
                let place = source.span.place();
                findings.push(CopyFinding::Nameless { source_path: text, place }.into());
            }
            continue;
        };
        if let Some(first) = landed.get(name) {
            let path = paths::normal(&format!("{directory}/{name}"));
            let (place, first) = (source.span.place(), first.place());
            findings.push(CopyFinding::Landing { path, place, first }.into());
        } else {
            landed.insert(name.to_owned(), source.span);
        }
    }
}

/// Whether a source is a pattern rather than a path.
pub(super) fn is_wildcard(source: &str) -> bool {
    source.contains(['*', '?'])
}

/// The text of a template; `None` where it leans on something that is not known.
pub(super) fn literal(template: &Spanned<Template>) -> Option<String> {
    template.as_literal().map(|text| text.into_owned())
}
