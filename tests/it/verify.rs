//! `# test verify`: `# error: CODE` or `# warning: CODE` stands on each guilty line, and nowhere else.

use std::collections::BTreeSet;
use std::path::Path;

use cogpack_compiler::World;
use cogpack_ir::finding::Finding;
use cogpack_tests::cases::{self, Case};
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::cogpackc_with_input;
use miette::{Diagnostic, Severity};

/// Line (0 where a finding has no place), `error` or `warning`, and code.
type Remark = (usize, String, String);

fn found(text: &str) -> Vec<Finding> {
    match cogpack_compiler::parse(text) {
        Err(findings) => findings,
        Ok(plan) => match cogpack_compiler::compile(plan.clone(), &World::default()) {
            Err(findings) => findings,
            Ok(resolved) => resolved.warnings().to_vec(),
        },
    }
}

fn remark(finding: &Finding, text: &str) -> Remark {
    let offset = finding.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let line = offset.map_or(0, |offset| text[..offset].matches('\n').count() + 1);
    let severity = match finding.severity() {
        None | Some(Severity::Error) => "error",
        Some(Severity::Warning | Severity::Advice) => "warning",
    };
    let code = finding.code().expect("every finding has a code").to_string();
    (line, severity.to_owned(), code)
}

fn expected(text: &str) -> BTreeSet<Remark> {
    let mut remarks = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        for severity in ["error", "warning"] {
            let Some((before, codes)) = line.split_once(&format!("# {severity}: ")) else { continue };
            // On a line of its own it speaks of the whole plan.
            let line = if before.trim().is_empty() { 0 } else { index + 1 };
            for code in codes.split([',', ' ']).filter(|code| !code.is_empty()) {
                remarks.insert((line, severity.to_owned(), code.to_owned()));
            }
        }
    }
    remarks
}

/// What a person reads of each case: message, labels and way out.
#[test]
fn cases_read_as_is_kept() {
    let mut snapshots = Snapshots::default();
    for Case { name, text, .. } in cases::of("verify") {
        let answer = cogpackc_with_input(Path::new("/"), &["check", "-"], &text);
        snapshots.check(&format!("{name}.txt"), &format!("{}{}", answer.text(), answer.stderr));
    }
    snapshots.finish("verify");
}

#[test]
fn cases_have_the_findings_they_name() {
    let mut wrong = String::new();
    for Case { name, text, .. } in cases::of("verify") {
        let found = found(&text);
        let remarks: BTreeSet<Remark> = found.iter().map(|finding| remark(finding, &text)).collect();
        let expected = expected(&text);
        assert!(!expected.is_empty(), "{name} names no finding");
        if remarks != expected {
            wrong.push_str(&format!("{name}:\n  expected {expected:?}\n  found    {remarks:?}\n"));
        }
        for finding in &found {
            assert!(finding.help().is_some(), "{name}: `{finding}` shows no way out");
            let message = finding.to_string();
            let lower = message.chars().next().is_some_and(|first| !first.is_uppercase());
            assert!(lower && !message.ends_with('.'), "{name}: the message `{message}`");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
