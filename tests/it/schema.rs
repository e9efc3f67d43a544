//! `# test schema`: a model as one Python file, or as several behind lines `--- PATH`. The answer is
//! what its OpenAPI document says of it, or what a person reads that is wrong with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cogpack_frontends_schema::model::Handler;
use cogpack_frontends_schema::{Schema, Target, Use, document, schema};
use cogpack_frontends_source::{MemoryProject, Named, Source, SourcePath, Text};
use cogpack_tests::cases::{self, Case};
use cogpack_tests::places::{files_below, root};
use cogpack_tests::snapshot::Snapshots;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, NamedSource, Report};

/// A case taken apart.
struct Model {
    project: MemoryProject,
    target: Target,
    /// Whether the answer is the whole document; most show only what is their own.
    whole: bool,
}

impl Model {
    fn of(text: &str) -> Self {
        let (head, parts) = match text.split_once("\n--- ") {
            Some((head, parts)) => (head, format!("\n--- {parts}")),
            None => (text, String::new()),
        };
        let said = |what: &str| head.lines().skip(2).find_map(|line| line.strip_prefix(what));
        let (target, used_for) = match said("# train: ") {
            Some(target) => (target, Use::Train),
            None => (said("# run: ").unwrap_or("run.py:Runner"), Use::Run),
        };
        let named = Named::read(target).expect("a case names a target");
        let file = SourcePath::new(named.path).expect("is a path");
        let target = Target { file, name: named.name.to_owned(), used_for };
        let mut project = MemoryProject::default();
        if parts.is_empty() {
            project = project.with("run.py", text.as_bytes()).expect("is a path");
        }
        for part in parts.split("\n--- ").skip(1) {
            let (path, text) = part.split_once('\n').unwrap_or((part, ""));
            let text = if text.is_empty() { String::new() } else { format!("{}\n", text.trim_end()) };
            project = project.with(path, text.as_bytes()).expect("a case names files of the project");
        }
        Self { project, target, whole: said("# whole").is_some() }
    }

    fn answer(&self) -> String {
        let found = self.project.plan(|source: &Source| schema(source, &self.target));
        match found {
            Ok(schema) if self.whole => document::print(&schema.openapi("0.0.0")),
            Ok(schema) => own_part(&schema),
            Err(findings) => {
                let mut drawn = String::new();
                let handler =
                    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
                assert!(!findings.is_empty(), "no schema, and nothing is wrong");
                for found in findings {
                    judge(&found.finding);
                    let text = self.text(&found.file);
                    let report = Report::new(found.finding)
                        .with_source_code(NamedSource::new(found.file.to_string(), text));
                    handler.render_report(&mut drawn, report.as_ref()).expect("a String takes all");
                    drawn.push('\n');
                }
                drawn
            }
        }
    }

    fn text(&self, file: &SourcePath) -> String {
        match self.project.plan(|source| source.text(file).cloned()) {
            Text::Is(text) => text.to_string(),
            Text::Absent | Text::NotAFile(_) | Text::NotUtf8(_) | Text::TooLong(_) | Text::Unreadable(_) => {
                String::new()
            }
        }
    }
}

fn judge(finding: &impl Diagnostic) {
    assert!(finding.code().is_some(), "`{finding}` has no code");
    assert!(finding.help().is_some(), "`{finding}` shows no way out");
    let message = finding.to_string();
    let capital = message.chars().next().is_none_or(char::is_uppercase);
    assert!(!capital && !message.ends_with('.'), "the message `{message}`");
}

/// The handler, and the components that other models do not have.
fn own_part(schema: &Schema) -> String {
    let Handler { name, declared: _, class: _, is_async, concurrency, streaming, setup } = &schema.handler;
    let mut text = String::new();
    let is_async = if *is_async { "async " } else { "" };
    write!(text, "{is_async}{name}").expect("a String takes all");
    if let Some(concurrency) = concurrency {
        write!(text, ", {concurrency} at a time").expect("a String takes all");
    }
    if *streaming {
        text.push_str(", streaming");
    }
    if let Some(setup) = setup {
        let is_async = if setup.is_async { "async " } else { "" };
        let weights = if setup.weights { " with weights" } else { "" };
        write!(text, ", after {is_async}setup{weights}").expect("a String takes all");
    }
    let mut document = schema.openapi("0.0.0");
    let components = document["components"]["schemas"].as_object_mut().expect("is an object");
    let of_all = ["Status", "HTTPValidationError", "ValidationError"];
    components.retain(|name, _| {
        !of_all.contains(&&**name) && !name.ends_with("Request") && !name.ends_with("Response")
    });
    format!("{text}\n{}", document::print(&document["components"]["schemas"]))
}

#[test]
fn models_are_read_or_refused_as_is_kept() {
    let mut snapshots = Snapshots::default();
    for Case { name, text, .. } in cases::of("schema") {
        let model = Model::of(&text);
        let answer = model.answer();
        assert_eq!(answer, model.answer(), "{name}: read twice, it differs");
        let ending = if answer.starts_with('{') { "json" } else { "txt" };
        snapshots.check(&format!("{name}.{ending}"), &answer);
    }
    snapshots.finish("schema");
}

/// Files that no case can be, shown by `scope::files` of the room itself.
const SHOWN_BY_A_UNIT_TEST: [&str; 3] =
    ["project::schema::endless", "project::schema::not-text", "project::schema::too-long"];

/// The codes that the room gives to what it finds in files.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for path in files_below(&root().join("frontends/schema/src"), ".rs") {
        let text = std::fs::read_to_string(&path).expect("a source is UTF-8");
        let is_code = |word: &&str| {
            let of_a_code = |letter: char| letter.is_ascii_lowercase() || ":-".contains(letter);
            word.starts_with("project::schema::") && word.chars().all(of_a_code)
        };
        let quoted = text.split('"').filter(is_code);
        codes.extend(quoted.map(str::to_owned));
    }
    codes
}

#[test]
fn every_finding_of_a_model_has_a_case() {
    let codes = codes();
    assert!(codes.len() > 30, "the search for codes found only {codes:?}");
    let mut seen = BTreeSet::new();
    for path in files_below(&root().join("snapshots/schema"), ".txt") {
        let text = std::fs::read_to_string(&path).expect("a snapshot is UTF-8");
        seen.extend(
            text.lines().map(str::trim).filter(|line| line.starts_with("project::")).map(str::to_owned),
        );
    }
    seen.extend(SHOWN_BY_A_UNIT_TEST.map(str::to_owned));
    let unseen: Vec<&String> = codes.difference(&seen).collect();
    assert!(unseen.is_empty(), "no case under tests/cases/schema shows {unseen:#?}");
}
