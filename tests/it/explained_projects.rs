//! `cogpackc explain` of codes about projects: the project that breaks a rule breaks it and no other one,
//! and the one that keeps it does not.

use std::collections::BTreeSet;
use std::path::Path;

use cogpack_compiler::stacks::{self, Findings, Request};
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::explain::{self, Explanation, Form};
use cogpack_tests::terminal::cogpackc_in;
use miette::{Diagnostic, Severity};

use crate::explain::alone;

/// What may be said beside: locking takes a package index, and few examples are about what is locked.
pub(crate) const NOT_LOCKED: &str = "project::lock::missing";

/// A project of an example, and the command that says the code where planning does not.
pub(crate) struct Example<'e> {
    pub(crate) files: Vec<(&'e str, String)>,
    command: Option<Vec<&'e str>>,
}

impl<'e> Example<'e> {
    pub(crate) fn of(text: &'e str) -> Self {
        let (files, command) = match text.rsplit_once("\n$ cogpackc ") {
            Some((files, command)) => (files, Some(command.split(' ').collect())),
            None => (text, None),
        };
        let mut read: Vec<(&str, String)> = Vec::new();
        for line in files.lines() {
            match (line.strip_prefix("--- "), read.last_mut()) {
                (Some(path), _) => read.push((path, String::new())),
                (None, Some((_, text))) => *text += &format!("{line}\n"),
                (None, None) => panic!("`{line}` stands before the first file"),
            }
        }
        Self { files: read, command }
    }

    /// The codes of all errors, and those of warnings.
    fn said(&self, request: &Request) -> (BTreeSet<String>, BTreeSet<String>) {
        match &self.command {
            Some(command) => (self.said_to(command), BTreeSet::new()),
            None => self.planned(request),
        }
    }

    fn planned(&self, request: &Request) -> (BTreeSet<String>, BTreeSet<String>) {
        let files = self.files.iter().map(|(path, text)| (*path, text.as_str()));
        let project = MemoryProject::new(files).expect("an example names files of the project");
        let findings: Findings = match project.plan(|source| stacks::plan(source, request)) {
            Ok(planned) => planned.warnings,
            Err(none) => none.findings,
        };
        let (errors, warnings): (Findings, Findings) = findings
            .into_iter()
            .partition(|found| found.finding.severity().unwrap_or_default() == Severity::Error);
        let codes = |found: Findings| {
            let of = |found: &dyn Diagnostic| found.code().expect("every finding has a code").to_string();
            found.iter().map(|found| of(&found.finding)).collect()
        };
        (codes(errors), codes(warnings))
    }

    /// The codes that a command says to the project in a directory.
    fn said_to(&self, command: &[&str]) -> BTreeSet<String> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("can be made");
            std::fs::write(path, text).expect("can be written");
        }
        let answer = cogpackc_in(alone(folder.path()), folder.path(), command);
        let said = answer.text().to_owned() + &answer.stderr;
        let lines = said.lines().filter(|line| line.starts_with("project::") && !line.contains(' '));
        let codes: BTreeSet<String> = lines.map(str::to_owned).collect();
        assert!(answer.code == 1 || codes.is_empty(), "{}: {said}", answer.code);
        codes
    }
}

#[test]
fn projects_do_what_they_say() {
    let examples: Vec<&Explanation> =
        explain::all().filter(|explanation| explanation.form == Form::Project).collect();
    assert!(examples.len() > 150, "only {} codes have projects", examples.len());
    let request = Request::plain();
    let mut wrong = Vec::new();
    for Explanation { code, breaks, keeps, .. } in examples {
        let code = (*code).to_owned();
        let (mut errors, warnings) = Example::of(breaks).said(&request);
        let is_said = errors.remove(&code) || warnings.contains(&code);
        errors.remove(NOT_LOCKED);
        let (mut kept, more) = Example::of(keeps).said(&request);
        let is_kept = !kept.contains(&code) && !more.contains(&code);
        kept.remove(NOT_LOCKED);
        if !is_said || !is_kept || !errors.is_empty() || !kept.is_empty() {
            wrong.push((code, errors, kept));
        }
    }
    assert!(wrong.is_empty(), "the code, what else the first says, and what the second says: {wrong:#?}");
}
