//! How findings and failures look: for people, as miette draws them; for programs, as JSON.

use std::collections::BTreeMap;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Severity};
use serde::Serialize;

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::source_text::SourceText;
use crate::{COULD_NOT_RUN, DONE};

/// Which stream a report goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The report is what the command is for.
    Data,
    /// The report is about what the command is for.
    Talk,
}

/// Whom a report is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// People.
    #[default]
    Text,
    /// Programs.
    Json,
}

/// What clap has to say: help and version are data, a misuse is talk.
pub fn usage(error: &clap::Error, console: &mut Console<'_>) -> u8 {
    if error.use_stderr() {
        let text = error.render();
        let text = if console.colours_talk() { text.ansi().to_string() } else { text.to_string() };
        let _ = console.stderr.write_all(text.as_bytes());
        return COULD_NOT_RUN;
    }
    let text = error.render();
    let text = if console.colours_data() { text.ansi().to_string() } else { text.to_string() };
    console.data(text.as_bytes());
    DONE
}

/// Why a command could not run.
pub fn failure(failure: &Failure, console: &mut Console<'_>) {
    console.say(&format!("error: {}", failure.message));
    for cause in &failure.causes {
        console.say(&format!("  because: {cause}"));
    }
    if let Some(hint) = &failure.hint {
        console.say(&format!("\nhint: {hint}"));
    }
}

/// Shows findings about `plan` and counts the errors among them.
pub fn findings(
    findings: &[&dyn Diagnostic],
    plan: &PlanFile,
    format: Format,
    stream: Stream,
    console: &mut Console<'_>,
) -> usize {
    let errors = findings.iter().filter(|finding| severity(**finding) == "error").count();
    let text = match format {
        Format::Text => drawn(findings, plan, stream, console),
        Format::Json => as_json(findings, plan),
    };
    match stream {
        Stream::Data => console.data(text.as_bytes()),
        Stream::Talk => {
            let _ = console.stderr.write_all(text.as_bytes());
        }
    }
    errors
}

/// Shows, as JSON, a finding about an op that ran, with the end of what it wrote.
pub fn finding_with_output(
    finding: &dyn Diagnostic,
    output: &[String],
    plan: &PlanFile,
    console: &mut Console<'_>,
) {
    let mut shown = json_finding(finding, &SourceText::new(&plan.shown, &plan.text));
    shown.output = Some(output.to_vec());
    let text = json_text(&JsonReport { version: 1, file: &plan.shown, findings: vec![shown] });
    let _ = console.stderr.write_all(text.as_bytes());
}

fn drawn(findings: &[&dyn Diagnostic], plan: &PlanFile, stream: Stream, console: &Console<'_>) -> String {
    let (coloured, terminal) = match stream {
        Stream::Data => (console.colours_data(), console.stdout_is_terminal),
        Stream::Talk => (console.colours_talk(), console.stderr_is_terminal),
    };
    let theme = if coloured { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(console.width())
        .with_links(terminal && coloured)
        .with_context_lines(1);
    let source = SourceText::new(&plan.shown, &plan.text);
    let mut text = String::new();
    for group in alike(findings) {
        let last = group.len() - 1;
        for (number, finding) in group.into_iter().enumerate() {
            let (opens, closes) = (number == 0, number == last);
            let placed = Placed { finding, source: &source, opens, closes };
            // A String takes whatever is written to it.
            let _ = handler.render_report(&mut text, &placed);
            text.push('\n');
        }
    }
    text
}

/// Findings with one code and one way out, which a person reads once; in the order of the first of
/// each group.
fn alike<'f>(findings: &[&'f dyn Diagnostic]) -> Vec<Vec<&'f dyn Diagnostic>> {
    let mut groups: Vec<Vec<&dyn Diagnostic>> = Vec::new();
    let mut group_of = BTreeMap::new();
    for finding in findings {
        let code = finding.code().map(|code| code.to_string());
        let help = finding.help().map(|help| help.to_string());
        let group = *group_of.entry((code, severity(*finding), help)).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(*finding),
            None => groups.push(vec![*finding]),
        }
    }
    groups
}

/// A finding together with the text it speaks of.
#[derive(Debug)]
struct Placed<'a> {
    finding: &'a dyn Diagnostic,
    source: &'a SourceText<'a>,
    /// Whether it is the first of those alike, which says their code.
    opens: bool,
    /// Whether it is the last of them, which says their way out.
    closes: bool,
}

impl std::fmt::Display for Placed<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self.finding, out)
    }
}

impl std::error::Error for Placed<'_> {}

impl Diagnostic for Placed<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.finding.code().filter(|_| self.opens)
    }

    fn severity(&self) -> Option<Severity> {
        self.finding.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.finding.help().filter(|_| self.closes)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.finding.labels()
    }
}

fn severity(finding: &dyn Diagnostic) -> &'static str {
    match finding.severity() {
        None | Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Advice) => "advice",
    }
}

/// The JSON form: an object with a version and a list, two spaces deep.
#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    file: &'a str,
    findings: Vec<JsonFinding>,
}

#[derive(Serialize)]
struct JsonFinding {
    code: Option<String>,
    severity: &'static str,
    message: String,
    help: Option<String>,
    labels: Vec<JsonLabel>,
    /// The last lines that a failed op wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Vec<String>>,
}

#[derive(Serialize)]
struct JsonLabel {
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

fn as_json(findings: &[&dyn Diagnostic], plan: &PlanFile) -> String {
    let source = SourceText::new(&plan.shown, &plan.text);
    let report = JsonReport {
        version: 1,
        file: &plan.shown,
        findings: findings.iter().map(|finding| json_finding(*finding, &source)).collect(),
    };
    json_text(&report)
}

fn json_text(report: &JsonReport<'_>) -> String {
    // The types above hold nothing that JSON cannot say.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

fn json_finding(finding: &dyn Diagnostic, source: &SourceText<'_>) -> JsonFinding {
    let labels = finding.labels().into_iter().flatten().map(|label| {
        let place = source.place(label.offset());
        JsonLabel {
            line: place.line,
            column: place.column,
            offset: label.offset(),
            length: label.len(),
            text: label.label().map(str::to_owned),
        }
    });
    JsonFinding {
        code: finding.code().map(|code| code.to_string()),
        severity: severity(finding),
        message: finding.to_string(),
        help: finding.help().map(|help| help.to_string()),
        labels: labels.collect(),
        output: None,
    }
}
