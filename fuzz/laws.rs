//! What must hold for any input, however broken: the laws that the fuzz targets and the
//! regression test over `tests/cases/fuzz/` share.
//!
//! A breach panics with what it saw. That a law ends at all, without a panic of its own, is
//! half of what it says.

use std::collections::BTreeMap;

use cogpack_ir::finding::Finding;
use cogpack_ir::plan::Plan;
use cogpack_ir::{json, resolve, syntax, verify};
use miette::{GraphicalReportHandler, GraphicalTheme, Report};

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

    comments_stay(&plan);
    comes_back(&plan);
    judge(text, plan);
}

/// What holds for any JSON.
pub fn json(text: &str) {
    match json::read(text) {
        Ok(plan) => {
            comes_back(&plan);
            judge(text, plan);
        }
        Err(findings) => {
            assert!(!findings.is_empty(), "refused without a finding");
            point_into(text, &findings);
        }
    }
}

/// A comment that stands where formatting puts comments stays there: above each statement, behind
/// it and behind its block, at the end of each block and after everything.
fn comments_stay(plan: &Plan) {
    let printed = syntax::print(plan);
    let places = Canonical::of(&printed);
    // Few at once: a comment must not be kept only because another one is near.
    for turn in 0..9 {
        let mut commented = String::new();
        let mut declaration = 0_usize;
        for (number, (line, place)) in printed.lines().zip(&places).enumerate() {
            let is_outer = !line.starts_with(' ');
            declaration += usize::from(is_outer && place.above.is_some());
            let is_turn = |kind: usize| turn == 3 * kind + declaration % 3;
            if let Some(indent) = place.above.filter(|_| is_turn(0)) {
                commented.push_str(&format!("{:indent$}# above {number}\n", ""));
            }
            commented.push_str(line);
            if place.behind && is_turn(if is_outer { 1 } else { 2 }) {
                commented.push_str(&format!("  # behind {number}"));
            }
            commented.push('\n');
        }
        if turn == 0 {
            commented.push_str("\n# after everything\n");
        }
        assert_eq!(syntax::format(&commented).as_ref(), Ok(&commented), "a comment moved");
    }
}

/// Where comments stand beside one line of a canonical text.
#[derive(Clone, Copy, Default)]
struct Canonical {
    /// On a line of their own above it, set in by so much.
    above: Option<usize>,
    /// Behind it.
    behind: bool,
}

impl Canonical {
    /// The places beside each line of `printed`, told from how canonical text is laid out.
    fn of(printed: &str) -> Vec<Self> {
        let lines: Vec<&str> = printed.lines().collect();
        let mut places = Vec::new();
        let (mut depth, mut in_text, mut in_list) = (0, false, false);
        for (number, line) in lines.iter().enumerate() {
            let words = line.trim_start();
            let indent = line.len() - words.len();
            let (was_in_text, was_in_list) = (in_text, in_list);
            // Behind the end of one text another may begin.
            let rest = if in_text { words.strip_prefix("\"\"\"") } else { Some(words) };
            in_text = rest.is_none_or(|rest| rest.ends_with("\"\"\""));
            if !was_in_text && !in_text {
                in_list = if in_list { !words.starts_with(']') } else { words.ends_with('[') };
            }
            let closes = words == "}" && !was_in_text;
            depth -= usize::from(closes);
            // The properties of an image stand in no braces.
            let begins = |indent: usize| indent == 2 * depth || (depth == 0 && indent == 2);
            let is_first = !was_in_text && !was_in_list && begins(indent) && !words.is_empty();
            let above = is_first.then_some(if closes { indent + 2 } else { indent });
            let opens = words.ends_with(" {") && !in_text && !in_list;
            depth += usize::from(opens);
            let next = lines.get(number + 1).map_or(0, |next| next.len() - next.trim_start().len());
            let is_last = opens || next <= 2 * depth || (depth == 0 && next == 2);
            let behind = !in_text && !in_list && is_last && !words.is_empty();
            places.push(Self { above, behind });
        }
        places
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

/// Verifying and resolving the plan that `text` says end, and refuse with a reason.
fn judge(text: &str, plan: Plan) {
    let resolved = verify::verify(plan).and_then(|verified| resolve::resolve(verified, &BTreeMap::new()));
    match resolved {
        Ok(resolved) => {
            point_into(text, resolved.warnings());
            stays_small(&resolved);
        }
        Err(findings) => {
            assert!(!findings.is_empty(), "refused without a finding");
            point_into(text, &findings);
        }
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

/// Every label lies inside the text, on whole characters, and what it says can be drawn there.
fn point_into(text: &str, findings: &[Finding]) {
    for finding in findings {
        for label in miette::Diagnostic::labels(finding).into_iter().flatten() {
            let range = label.offset()..label.offset() + label.len();
            assert!(text.get(range.clone()).is_some(), "{finding} points at {range:?}");
        }
    }
    // Wider lines are cut before they are drawn, where people see them.
    if text.lines().all(|line| line.len() < WIDEST_DRAWN) {
        findings.iter().take(MOST_DRAWN).for_each(|finding| draw(text, finding));
    }
}

/// Drawing copies the text each time.
const MOST_DRAWN: usize = 20;

/// What the library that draws takes as one line.
const WIDEST_DRAWN: usize = 60_000;

fn draw(text: &str, finding: &Finding) {
    let report = Report::new(finding.clone()).with_source_code(text.to_owned());
    let mut drawn = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    let result = handler.render_report(&mut drawn, report.as_ref());
    assert!(result.is_ok() && drawn.contains(&finding.stable_code()), "{finding} cannot be drawn:\n{drawn}");
}
