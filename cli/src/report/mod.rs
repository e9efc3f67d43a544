//! How findings and failures look: for people, as miette draws them; for programs, as JSON.

pub mod json;

use std::collections::BTreeMap;
use std::ffi::OsString;

use cogpack_backends_dockerfile::Note;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Severity};

use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::progress::text::plain;
use crate::source_text::{Place, SHOWN_AROUND, SourceText};
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

impl Format {
    /// What a command line asks for that could not be understood as a whole.
    pub fn asked_for_in(words: &[OsString]) -> Self {
        let options = || words.iter().take_while(|word| *word != "--");
        let as_two =
            options().zip(options().skip(1)).any(|(name, value)| name == "--format" && value == "json");
        if as_two || options().any(|word| word == "--format=json") { Self::Json } else { Self::Text }
    }
}

/// What clap has to say: help and version are data, a misuse is talk.
pub fn usage(error: &clap::Error, format: Format, console: &mut Console<'_>) -> u8 {
    let text = error.render();
    if error.use_stderr() {
        let text = match format {
            Format::Json => json::failure(&misuse(&text.to_string())),
            Format::Text if console.colours_talk() => text.ansi().to_string(),
            Format::Text => text.to_string(),
        };
        console.talk(&text);
        return COULD_NOT_RUN;
    }
    let text = if console.colours_data() { text.ansi().to_string() } else { text.to_string() };
    console.data(text.as_bytes());
    DONE
}

/// What clap says of a misuse: first what is wrong, and after a blank line how to do it right.
fn misuse(said: &str) -> Failure {
    let said = said.trim();
    let (wrong, right) = said.split_once("\n\n").unwrap_or((said, ""));
    let wrong: Vec<&str> = wrong.lines().map(str::trim).collect();
    let message = wrong.join(" ");
    let failure = Failure::new(message.strip_prefix("error: ").unwrap_or(&message));
    match right {
        "" => failure,
        right => failure.with_hint(right.trim()),
    }
}

/// Why a command could not run.
pub fn failure(failure: &Failure, format: Format, console: &mut Console<'_>) {
    console.talk(&failure_text(failure, format));
}

/// The same as whole lines.
pub fn failure_text(failure: &Failure, format: Format) -> String {
    if format == Format::Json {
        return json::failure(failure);
    }
    let mut text = format!("error: {}\n", plain(&failure.message));
    for cause in &failure.causes {
        text += &format!("  because: {}\n", plain(cause));
    }
    if let Some(hint) = &failure.hint {
        text += &format!("\nhint: {}\n", plain(hint));
    }
    text
}

/// A line of talk that is about no place of a plan.
pub fn remark(message: &str, format: Format, console: &mut Console<'_>) {
    match format {
        Format::Json => console.talk(&json::remark(message)),
        Format::Text => console.say(message),
    }
}

/// What the reader of a Dockerfile should know.
pub fn notes(notes: &[&Note], plan: &PlanFile, format: Format, console: &mut Console<'_>) {
    match format {
        Format::Json if notes.is_empty() => {}
        Format::Json => console.talk(&json::notes(notes, plan)),
        Format::Text => notes.iter().for_each(|note| console.say(&format!("note: {}", plain(&note.what)))),
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
        Format::Json => json::findings(findings, plan),
    };
    match stream {
        Stream::Data => console.data(text.as_bytes()),
        Stream::Talk => console.talk(&text),
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
    console.talk(&json::finding_with_output(finding, output, plan));
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
        .with_context_lines(SHOWN_AROUND);
    let (name, lines) = (plain(&plan.shown), plain(&plan.text));
    let source = SourceText::new(&name, &lines);
    let mut text = String::new();
    for group in alike(findings) {
        let last = group.len() - 1;
        for (number, finding) in group.into_iter().enumerate() {
            let (opens, closes) = (number == 0, number == last);
            let placed =
                Placed { finding, source: &source, far_away: far_away(finding, &source), opens, closes };
            // A String takes whatever is written to it.
            let _ = handler.render_report(&mut text, &placed);
            text.push('\n');
        }
    }
    text
}

/// The place of a finding whose lines are too long to be shown.
fn far_away(finding: &dyn Diagnostic, source: &SourceText<'_>) -> Option<Place> {
    let labels: Vec<miette::LabeledSpan> = finding.labels().into_iter().flatten().collect();
    let is_far = |label: &miette::LabeledSpan| {
        source.is_too_long_around(label.offset(), label.offset().saturating_add(label.len()))
    };
    let first = labels.iter().find(|label| label.primary()).or(labels.first())?;
    labels.iter().any(is_far).then(|| source.place(first.offset()))
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
    /// Where it is, if its lines are not shown.
    far_away: Option<Place>,
    /// Whether it is the first of those alike, which says their code.
    opens: bool,
    /// Whether it is the last of them, which says their way out.
    closes: bool,
}

impl std::fmt::Display for Placed<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&plain(&self.finding.to_string()))?;
        match self.far_away {
            Some(Place { line, column }) => write!(out, " [{}:{line}:{column}]", self.source.name()),
            None => Ok(()),
        }
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
        let help = self.finding.help().filter(|_| self.closes)?;
        Some(Box::new(plain(&help.to_string()).into_owned()))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.far_away.is_none().then_some(self.source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let labels = self.finding.labels().filter(|_| self.far_away.is_none())?;
        Some(Box::new(labels.map(|mut label| {
            label.set_label(label.label().map(|text| plain(text).into_owned()));
            label
        })))
    }
}

fn severity(finding: &dyn Diagnostic) -> &'static str {
    match finding.severity() {
        None | Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Advice) => "advice",
    }
}
