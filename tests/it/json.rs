//! `# test json`: a JSON document below lines that name its findings, `# error: CODE on line N`
//! (0 where a finding has no place), or that say `# reads` where there is none.

use std::collections::BTreeSet;

use cogpack_ir::finding::Finding;
use cogpack_ir::{json, verify};
use cogpack_tests::cases::{self, Case};

/// The document of a case. The lines above it become blank, so that places stay what they are.
fn document_of(text: &str) -> String {
    let head = text.lines().take_while(|line| line.starts_with('#')).map(|line| line.len() + 1).sum();
    let blank = |byte: char| if byte == '\n' { '\n' } else { ' ' };
    let (head, document) = text.split_at(head);
    head.chars().map(blank).chain(document.chars()).collect()
}

fn remark(finding: &Finding, text: &str) -> String {
    let line = finding.start().map_or(0, |start| text[..start].matches('\n').count() + 1);
    format!("{} on line {line}", finding.stable_code())
}

#[test]
fn documents_have_the_findings_they_name() {
    let mut wrong = String::new();
    for Case { name, text, .. } in cases::of("json") {
        let document = document_of(&text);
        let found = match json::read(&document).and_then(verify::verify) {
            Ok(verified) => verified.warnings().to_vec(),
            Err(findings) => findings,
        };
        let remarks: BTreeSet<String> = found.iter().map(|finding| remark(finding, &document)).collect();
        let expected: BTreeSet<String> =
            text.lines().filter_map(|line| line.strip_prefix("# error: ")).map(str::to_owned).collect();
        let reads = text.lines().any(|line| line == "# reads");
        assert_eq!(reads, expected.is_empty(), "{name} names no finding, and does not say that it has none");
        if remarks != expected {
            wrong.push_str(&format!("{name}:\n  expected {expected:?}\n  found    {remarks:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
