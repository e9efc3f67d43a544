//! What is said to programs: the JSON that `docs/json.md` describes.
//!
//! The types here are the format. Every document is an object with a `version`, and its other
//! keys tell what it is; several follow each other where a command has several things to say.

use cogpack_backends_dockerfile::Note;
use miette::{Diagnostic, LabeledSpan};
use serde::Serialize;

use super::severity;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::source_text::SourceText;

/// What `version` says in every document.
pub const VERSION: u32 = 1;

/// What was found about a plan.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    file: &'a str,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    code: Option<String>,
    severity: &'static str,
    message: String,
    help: Option<String>,
    labels: Vec<Label>,
    /// The last lines that a failed op wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Label {
    /// Counted from 1.
    line: usize,
    /// Counted from 1, in characters.
    column: usize,
    /// In bytes from the start of the file.
    offset: usize,
    /// In bytes.
    length: usize,
    text: Option<String>,
}

/// Why a command could not run.
#[derive(Serialize)]
struct FailureReport<'a> {
    version: u32,
    failure: FailureBody<'a>,
}

#[derive(Serialize)]
struct FailureBody<'a> {
    message: &'a str,
    /// What is behind it, outermost first.
    causes: &'a [String],
    hint: Option<&'a str>,
}

/// Something said that is neither.
#[derive(Serialize)]
struct Remark<'a> {
    version: u32,
    message: &'a str,
}

/// Findings about `plan`.
pub(super) fn findings(findings: &[&dyn Diagnostic], plan: &PlanFile) -> String {
    let source = SourceText::new(&plan.shown, &plan.text);
    report(plan, findings.iter().map(|it| finding(*it, &source)).collect())
}

/// A finding about an op that ran, with the end of what it wrote.
pub(super) fn finding_with_output(about: &dyn Diagnostic, output: &[String], plan: &PlanFile) -> String {
    let shown = finding(about, &SourceText::new(&plan.shown, &plan.text));
    report(plan, vec![Finding { output: Some(output.to_vec()), ..shown }])
}

/// What the reader of a Dockerfile should know, each note on its place in the plan.
pub(super) fn notes(notes: &[&Note], plan: &PlanFile) -> String {
    let source = SourceText::new(&plan.shown, &plan.text);
    let note = |note: &&Note| Finding {
        code: None,
        severity: "note",
        message: note.what.clone(),
        help: None,
        labels: note
            .span
            .place()
            .map(|span| label(&LabeledSpan::underline(span), &source))
            .into_iter()
            .collect(),
        output: None,
    };
    report(plan, notes.iter().map(note).collect())
}

/// A failure.
pub(super) fn failure(failure: &Failure) -> String {
    let Failure { message, causes, hint } = failure;
    text(&FailureReport { version: VERSION, failure: FailureBody { message, causes, hint: hint.as_deref() } })
}

/// A line of talk.
pub(super) fn remark(message: &str) -> String {
    text(&Remark { version: VERSION, message })
}

/// A document, two spaces deep, with a line break at its end.
pub fn text(document: &impl Serialize) -> String {
    // The types that come here hold nothing that JSON cannot say.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn report(plan: &PlanFile, findings: Vec<Finding>) -> String {
    text(&Report { version: VERSION, file: &plan.shown, findings })
}

fn finding(about: &dyn Diagnostic, source: &SourceText<'_>) -> Finding {
    Finding {
        code: about.code().map(|code| code.to_string()),
        severity: severity(about),
        message: about.to_string(),
        help: about.help().map(|help| help.to_string()),
        labels: about.labels().into_iter().flatten().map(|it| label(&it, source)).collect(),
        output: None,
    }
}

fn label(label: &LabeledSpan, source: &SourceText<'_>) -> Label {
    let place = source.place(label.offset());
    Label {
        line: place.line,
        column: place.column,
        offset: label.offset(),
        length: label.len(),
        text: label.label().map(str::to_owned),
    }
}
