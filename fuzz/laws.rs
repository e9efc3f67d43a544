//! What must hold for any input, however broken: the laws that the fuzz targets and the
//! regression test over `tests/cases/fuzz/` share.
//!
//! A breach panics with what it saw. That a law ends at all, without a panic of its own, is
//! half of what it says.

use std::collections::BTreeMap;

use cogpack_ir::finding::Finding;
use cogpack_ir::plan::Plan;
use cogpack_ir::{json, resolve, syntax, verify};

/// What holds for any text.
pub fn text(text: &str) {
    let parsed = syntax::parse(text);
    point_into(text, &parsed.findings);
    let formatted = match syntax::format(text) {
        Ok(formatted) => formatted,
        Err(findings) => {
            assert!(!findings.is_empty(), "formatting refused without a finding");
            assert!(!parsed.findings.is_empty(), "formatting refuses what parsing takes: {findings:#?}");
            return;
        }
    };
    assert!(parsed.findings.is_empty(), "formatting takes what parsing refuses: {:#?}", parsed.findings);

    let plan = parsed.plan;
    assert_eq!(plan_of(&formatted), plan, "formatting made another plan:\n{formatted}");
    assert_eq!(syntax::format(&formatted).as_ref(), Ok(&formatted), "formatting twice differs");
    let kept = syntax::parse(&formatted).comments;
    assert_eq!(sorted(&kept), sorted(&parsed.comments), "formatting lost or made a comment:\n{formatted}");

    comes_back(&plan);
    judge(plan);
}

/// What holds for any JSON.
pub fn json(text: &str) {
    match json::read(text) {
        Ok(plan) => {
            comes_back(&plan);
            judge(plan);
        }
        Err(findings) => {
            assert!(!findings.is_empty(), "refused without a finding");
            point_into(text, &findings);
        }
    }
}

/// A plan survives its text and its JSON, and each of them has one form.
fn comes_back(plan: &Plan) {
    let printed = syntax::print(plan);
    let again = plan_of(&printed);
    assert_eq!(&again, plan, "the text is of another plan:\n{printed}");
    assert_eq!(syntax::print(&again), printed, "printing twice differs");

    let written = json::write(plan);
    let again = json::read(&written).unwrap_or_else(|findings| panic!("{findings:#?}\nin\n{written}"));
    assert_eq!(&again, plan, "the JSON is of another plan:\n{written}");
    assert_eq!(json::write(&again), written, "writing twice differs");
}

/// Verifying and resolving end, and refuse with a reason.
fn judge(plan: Plan) {
    match verify::verify(plan) {
        Ok(verified) => match resolve::resolve(verified, &BTreeMap::new()) {
            Ok(resolved) => stays_small(&resolved),
            Err(findings) => assert!(!findings.is_empty(), "not resolved, without a finding"),
        },
        Err(findings) => assert!(!findings.is_empty(), "refused without a finding"),
    }
}

/// What Linux takes as one variable of a program (`MAX_ARG_STRLEN`).
const LONGEST_VARIABLE: usize = 128 << 10;

/// Expansion cannot make much out of little: a variable that names itself twice doubles with
/// each statement, so that a short plan would otherwise fill any memory.
fn stays_small(resolved: &resolve::Resolved) {
    for id in resolved.order() {
        for (name, value) in resolved.end_state(*id).env.iter() {
            if let resolve::EnvValue::Known(value) = value {
                assert!(value.len() < LONGEST_VARIABLE, "`{name}` has become {} bytes", value.len());
            }
        }
    }
}

/// Formatting may move comments with the statements they belong to.
fn sorted(comments: &syntax::Comments) -> Vec<&str> {
    let mut texts = comments.texts();
    texts.sort_unstable();
    texts
}

fn plan_of(text: &str) -> Plan {
    let parsed = syntax::parse(text);
    assert!(parsed.findings.is_empty(), "our own text does not read: {:#?}\n{text}", parsed.findings);
    parsed.plan
}

/// Every label lies inside the text, on whole characters, so that it can be shown.
fn point_into(text: &str, findings: &[Finding]) {
    for finding in findings {
        for label in miette::Diagnostic::labels(finding).into_iter().flatten() {
            let range = label.offset()..label.offset() + label.len();
            assert!(text.get(range.clone()).is_some(), "{finding} points at {range:?}");
        }
    }
}
