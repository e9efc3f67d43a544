//! `check --format sarif`: one log of SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), which
//! code review sites show on the lines of a change.
//!
//! Paths are relative to the directory that the command runs in, so that a log is the same on every machine.
//! What a plan's text says is not in it, and so neither is a secret.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use cogpack_ir::explain;
use cogpack_lints::{Edit, Repair, Safety};
use miette::Diagnostic;
use serde_json::{Value, json};

use super::fix::unsafe_way_out;
use super::found::{Found, Severity};
use crate::plan_file::PlanFile;
use crate::report::json::text;
use crate::source_text::SourceText;

/// A log in the making.
pub struct Log {
    directory: PathBuf,
    artifacts: Vec<Value>,
    /// By code: its place in the list, and the rule.
    rules: BTreeMap<String, (usize, Value)>,
    results: Vec<Value>,
}

impl Log {
    /// A log without results, with paths relative to `directory`.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, artifacts: Vec::new(), rules: BTreeMap::new(), results: Vec::new() }
    }

    /// Adds what was found about a plan.
    pub fn add(&mut self, plan: &PlanFile, found: &[Found]) {
        let location = json!({ "uri": self.uri(plan), "index": self.artifacts.len() });
        self.artifacts.push(json!({
            "location": { "uri": location["uri"] },
            "encoding": "UTF-8",
            "length": plan.text.len(),
        }));
        let source = SourceText::new(&plan.shown, &plan.text);
        for found in found {
            let result = self.result(found, &location, &source);
            self.results.push(result);
        }
    }

    /// The document.
    pub fn text(self) -> String {
        let mut rules: Vec<(usize, Value)> = self.rules.into_values().collect();
        rules.sort_by_key(|(index, _)| *index);
        let rules: Vec<Value> = rules.into_iter().map(|(_, rule)| rule).collect();
        text(&json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "cogpackc",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                } },
                "columnKind": "unicodeCodePoints",
                "artifacts": self.artifacts,
                "results": self.results,
            }],
        }))
    }

    fn result(&mut self, found: &Found, location: &Value, source: &SourceText<'_>) -> Value {
        let level = level(found.severity);
        let next = self.rules.len();
        let (index, _) =
            self.rules.entry(found.code.clone()).or_insert_with(|| (next, rule(&found.code, level)));
        let mut message = match found.help() {
            Some(help) => format!("{found}\n\nhelp: {help}"),
            None => found.to_string(),
        };
        // What a reader of the log applies by one click must be safe, and SARIF has no word for what is not.
        if let Repair::Edits { what, safety: Safety::Unsafe(look), .. } = &found.repair {
            message += &format!("\n\n{}", unsafe_way_out(what, look));
        }
        let mut labels = found.labels().into_iter().flatten();
        let place = match labels.next() {
            Some(label) => {
                let region = region(source, label.offset(), label.offset() + label.len());
                json!({ "physicalLocation": { "artifactLocation": location, "region": region } })
            }
            None => json!({ "physicalLocation": { "artifactLocation": location } }),
        };
        let mut result = json!({
            "ruleId": found.code,
            "ruleIndex": *index,
            "level": level,
            "message": { "text": message },
            "locations": [place],
        });
        if let Repair::Edits { what, safety: Safety::Safe, edits } = &found.repair {
            let replacement = |edit: &Edit| {
                json!({
                    "deletedRegion": region(source, edit.range.0, edit.range.1),
                    "insertedContent": { "text": edit.with },
                })
            };
            let replacements: Vec<Value> = edits.iter().map(replacement).collect();
            result["fixes"] = json!([{
                "description": { "text": what },
                "artifactChanges": [{ "artifactLocation": location, "replacements": replacements }],
            }]);
        }
        result
    }

    /// The plan's path from the directory of the command, as a relative reference.
    fn uri(&self, plan: &PlanFile) -> String {
        let Some(path) = &plan.path else { return "plan.cpk".to_owned() };
        let words = |path: &Path| -> Vec<String> {
            let mut words = Vec::new();
            for component in path.components() {
                match component {
                    Component::Normal(word) => words.push(word.to_string_lossy().into_owned()),
                    Component::ParentDir => drop(words.pop()),
                    Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
                }
            }
            words
        };
        let (from, to) = (words(&self.directory), words(path));
        let shared = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
        let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
        let down = to[shared..].iter().map(|word| encoded(word));
        up.chain(down).collect::<Vec<_>>().join("/")
    }
}

/// A part of a path as a part of an address.
fn encoded(word: &str) -> String {
    let mut encoded = String::with_capacity(word.len());
    for byte in word.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    }
}

/// What is known of a code.
fn rule(code: &str, level: &str) -> Value {
    let mut rule = json!({ "id": code, "defaultConfiguration": { "level": level } });
    if let Some(explanation) = explain::explain(code) {
        let mut markdown = explanation.text.to_owned();
        for (what, example) in
            [("This has the finding", explanation.breaks), ("This has not", explanation.keeps)]
        {
            if !example.is_empty() {
                markdown += &format!("\n\n{what}:\n\n```\n{}\n```", example.trim_end());
            }
        }
        rule["shortDescription"] = json!({ "text": explanation.title });
        rule["help"] = json!({ "text": explanation.text, "markdown": markdown });
    }
    rule
}

/// From one offset up to another one, in lines and columns that begin with 1; the end is behind the last
/// letter.
fn region(source: &SourceText<'_>, start: usize, end: usize) -> Value {
    let (start, end) = (source.place(start), source.place(end));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}
