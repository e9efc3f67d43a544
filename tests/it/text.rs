//! `# test text`: the printed plan, and that text, comments and JSON come back as they went.

use cogpack_ir::plan::Plan;
use cogpack_ir::{explain, json, syntax};
use cogpack_tests::cases::{self, Case};
use cogpack_tests::places::{files_below, root, shown};
use cogpack_tests::snapshot::Snapshots;

fn parsed(name: &str, text: &str) -> Plan {
    let parsed = syntax::parse(text);
    assert!(parsed.findings.is_empty(), "{name}: {:#?}", parsed.findings);
    parsed.plan
}

/// Everything that holds for any text without a mistake in it.
fn comes_back(name: &str, text: &str) -> String {
    let plan = parsed(name, text);
    let printed = syntax::print(&plan);
    let again = parsed(name, &printed);
    assert_eq!(again, plan, "{name}: the printed plan is another plan");
    assert_eq!(syntax::print(&again), printed, "{name}: printing twice gives another text");

    let formatted = syntax::format(text).unwrap_or_else(|findings| panic!("{name}: {findings:#?}"));
    assert_eq!(parsed(name, &formatted), plan, "{name}: formatting changed the plan");
    assert_eq!(syntax::format(&formatted).as_ref(), Ok(&formatted), "{name}: formatting twice differs");
    assert_eq!(comments_of(&formatted), comments_of(text), "{name}: formatting lost or made a comment");
    if comments_of(text).is_empty() {
        assert_eq!(formatted, printed, "{name}: formatting and printing differ");
    }

    let written = json::write(&plan);
    let read = json::read(&written).unwrap_or_else(|findings| panic!("{name}: {findings:#?}"));
    assert_eq!(read, plan, "{name}: JSON gives another plan");
    assert_eq!(json::write(&read), written, "{name}: JSON written twice differs");
    printed
}

/// The comments of a text, sorted; formatting may move them with their declarations.
fn comments_of(text: &str) -> Vec<String> {
    let comments = syntax::parse(text).comments;
    let texts: Vec<String> = comments.texts().into_iter().map(str::to_owned).collect();
    // None is lost on the way from the text: a `#` at the start of a line, outside strings.
    let of_lines = text.lines().filter(|line| line.trim_start().starts_with('#')).count();
    assert!(texts.len() >= of_lines || text.contains("\"\"\""), "{text}");
    texts
}

#[test]
fn cases_print_as_their_snapshots_say() {
    let mut snapshots = Snapshots::default();
    for Case { name, text, .. } in cases::of("text") {
        snapshots.check(&format!("{name}.cpk"), &comes_back(&name, &text));
        let formatted = syntax::format(&text).expect("`comes_back` has formatted it");
        snapshots.check(&format!("{name}.formatted.cpk"), &formatted);
    }
    snapshots.finish("text");
}

#[test]
fn every_plan_in_the_tree_comes_back() {
    let mut count = 0;
    for folder in ["tests/cases/text", "tests/cases/backends", "tests/projects", "examples", "snapshots"] {
        for path in files_below(&root().join(folder), ".cpk") {
            let text = std::fs::read_to_string(&path).expect("a plan is UTF-8 text");
            comes_back(&shown(&path), &text);
            count += 1;
        }
    }
    assert!(count >= 60, "only {count} plans were found");
}

/// A plan that breaks a rule is a plan all the same, as long as its text can be read.
#[test]
fn plans_that_break_a_rule_come_back() {
    let cases = cases::of("verify").into_iter().map(|Case { name, text, .. }| (name, text));
    let examples = explain::all()
        .flat_map(|known| [known.breaks, known.keeps].map(|text| (known.code.to_owned(), text.to_owned())));
    let mut count = 0;
    for (name, text) in cases.chain(examples) {
        let is_text = !text.is_empty() && !text.starts_with(['{', '[']);
        if is_text && syntax::parse(&text).findings.is_empty() {
            comes_back(&name, &text);
            count += 1;
        }
    }
    assert!(count >= 200, "only {count} plans were found");
}
