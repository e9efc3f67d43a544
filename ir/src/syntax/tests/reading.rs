//! What is read of texts, and what is said about the mistakes in them.

use miette::Diagnostic;

use crate::finding::Finding;
use crate::syntax::parse;

const DESIGN: &str = include_str!("design.cpk");

/// Texts with mistakes, each followed by what is said about it: the code, the message, the text
/// at each label and the way out.
const MISTAKES: &str = include_str!("mistakes.txt");

#[test]
fn a_plan_with_most_constructs_is_read_whole() {
    let parsed = parse(DESIGN);
    assert_eq!(parsed.findings, []);
    assert_eq!(parsed.comments.count(), 3);
    let plan = parsed.plan;
    assert_eq!((plan.images.len(), plan.contexts.len(), plan.declared_phases.len()), (2, 2, 5));
    assert_eq!(plan.stages.iter().map(|stage| stage.ops.len()).collect::<Vec<_>>(), [0, 4, 0, 4]);
}

#[test]
fn a_text_that_is_too_large_is_not_read() {
    let parsed = parse(&" ".repeat(crate::syntax::scan::LARGEST + 1));
    assert_eq!(parsed.findings.iter().map(Finding::stable_code).collect::<Vec<_>>(), ["cpk::syntax::large"]);
}

#[test]
fn json_is_named_where_the_text_form_is_wanted() {
    for text in ["{ \"version\": 1 }", "\u{feff}\n{", "[1]"] {
        let findings = parse(text).findings;
        let codes: Vec<_> = findings.iter().map(Finding::stable_code).collect();
        assert_eq!(codes, ["cpk::syntax::json"], "{text}");
        assert!(findings[0].help().is_some_and(|help| help.to_string().contains("-o cpk")));
    }
}

#[test]
fn mistakes_are_told_with_their_place_and_a_way_out() {
    let mut told = String::new();
    for case in MISTAKES.split_inclusive("\n\n\n") {
        let text = case.split_once("-----\n").map_or(case, |(text, _)| text);
        told.push_str(text);
        told.push_str("-----\n");
        for finding in parse(text).findings {
            told.push_str(&format!("{}: {finding}\n", finding.stable_code()));
            for label in finding.labels().into_iter().flatten() {
                let guilty = &text[label.offset()..label.offset() + label.len()];
                told.push_str(&format!("  {guilty:?} {}\n", label.label().unwrap_or_default()));
            }
            told.push_str(&format!(
                "  help: {}\n",
                finding.help().map(|help| help.to_string()).unwrap_or_default()
            ));
        }
        told.push_str("\n\n");
    }
    assert_eq!(told, MISTAKES, "{told}");
}
