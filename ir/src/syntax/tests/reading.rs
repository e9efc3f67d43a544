//! What is read of texts, and what is said about the mistakes in them.

use crate::finding::Finding;
use crate::syntax::parse;

const DESIGN: &str = include_str!("design.cpk");

fn messages(text: &str) -> Vec<String> {
    parse(text).findings.iter().map(ToString::to_string).collect()
}

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
fn several_mistakes_are_found_at_once() {
    let text = "cpk 1\nstage %a form scratch {\n  rnu \"x\"\n  copy \"a\" from %b to \"/b\" replce\n  env A = 1\n}\nstag %b\n";
    assert_eq!(
        messages(text),
        [
            "expected `from`, `in` or `{`, found `form`",
            "expected a statement of a stage, found `rnu`",
            "expected `follow`, `mode`, `optional`, `owner`, `replace`, `{` or a statement of a stage, found `replce`",
            "expected a string in quotes, found `1`",
            "expected a declaration, found `stag`",
        ]
    );
}
