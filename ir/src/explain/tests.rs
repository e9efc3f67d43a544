//! Every code is explained, and every example does what it says.

use std::collections::BTreeSet;

use super::{Explanation, Form, all, explain};
use crate::finding::Finding;
use crate::plan::Plan;
use crate::resolve::{KnownConfigs, resolve};
use crate::verify::verify;
use crate::{json, syntax};

/// Mistakes of ours, which would be mended where a plan or a project showed them, and what is about a
/// machine, a server, an image or a command line and no file of a project.
const WITHOUT_EXAMPLE: [&str; 28] = [
    "cpk::git::commit",
    "cpk::git::directory",
    "cpk::git::fetch",
    "cpk::git::large",
    "cpk::git::program",
    "cpk::git::submodule",
    "cpk::internal::llb",
    "cpk::oci::input",
    "cpk::packages::download",
    "cpk::unsupported::platforms",
    "project::catalogue::file",
    "project::catalogue::os",
    "project::compose::complete",
    "project::compose::cycle",
    "project::compose::export",
    "project::compose::foreign-stage",
    "project::compose::input-twice",
    "project::compose::name",
    "project::compose::nobody-provides",
    "project::compose::provided-twice",
    "project::compose::stage-twice",
    "project::compose::unknown-phase",
    "project::file::unreadable",
    "project::fit::other-platform",
    "project::input::form",
    "project::lock::unsolvable",
    "project::schema::endless",
    "project::stack::several",
];

/// Codes that take a base image beside the plan; no config of it is known here.
const OF_A_BASE: [&str; 2] = ["cpk::image::triggers", "cpk::unsupported::triggers"];

fn read(code: &str, text: &str) -> Result<Plan, Vec<Finding>> {
    if text.starts_with(['{', '[']) && code != "cpk::syntax::json" {
        return json::read(text);
    }
    let parsed = syntax::parse(text);
    if parsed.findings.is_empty() { Ok(parsed.plan) } else { Err(parsed.findings) }
}

fn findings(code: &str, text: &str) -> Vec<Finding> {
    let resolved = read(code, text).and_then(verify).and_then(|plan| resolve(plan, &KnownConfigs::new()));
    match resolved {
        Ok(resolved) => resolved.warnings().to_vec(),
        Err(findings) => findings,
    }
}

fn codes(code: &str, text: &str) -> BTreeSet<String> {
    findings(code, text).iter().map(Finding::stable_code).collect()
}

/// What scripts make is shown to commands, by `tests/it/explain.rs`.
fn has_plans(explanation: &Explanation) -> bool {
    explanation.form == Form::Plan && !explanation.breaks.is_empty()
}

/// What a backend, a builder or the reader of packages refuses, the plan itself may well say, and what a
/// lint says of it is legal. `tests/it/explain.rs` shows their plans to those.
fn is_decided_elsewhere(explanation: &Explanation) -> bool {
    let families = ["build", "debs", "git", "llb", "oci", "packages", "unsupported", "wheels"];
    let family = explanation.code.split("::").nth(1).unwrap_or_default();
    explanation.code.starts_with("lint::")
        || families.contains(&family)
        || OF_A_BASE.contains(&explanation.code)
}

#[test]
fn the_plan_that_breaks_a_rule_breaks_that_rule_alone() {
    let mut wrong = Vec::new();
    for explanation in all().filter(|explanation| has_plans(explanation)) {
        let found = codes(explanation.code, explanation.breaks);
        let is_right = match is_decided_elsewhere(explanation) {
            // That a base is not recorded may be what a backend cannot do without.
            true => !findings(explanation.code, explanation.breaks).iter().any(Finding::is_error),
            false => found == BTreeSet::from([explanation.code.to_owned()]),
        };
        if !is_right {
            wrong.push((explanation.code, found));
        }
    }
    assert_eq!(wrong, []);
}

#[test]
fn the_plan_that_keeps_a_rule_has_nothing_to_report() {
    let examples = all().filter(|explanation| has_plans(explanation));
    let found = examples.map(|explanation| (explanation.code, codes(explanation.code, explanation.keeps)));
    let wrong: Vec<_> = found.filter(|(code, found)| *found != expected(code)).collect();
    assert_eq!(wrong, []);
}

/// What is found in a plan that keeps the rule.
fn expected(code: &str) -> BTreeSet<String> {
    // It needs no base, or one that has been read.
    let unread = OF_A_BASE.contains(&code) && code != "cpk::unsupported::triggers";
    unread.then(|| "cpk::image::unpinned".to_owned()).into_iter().collect()
}

#[test]
fn every_explanation_is_whole() {
    for explanation in all() {
        let Explanation { code, title, text, form, breaks, keeps } = explanation;
        assert!(title.chars().next().is_some_and(|first| !first.is_uppercase()), "{code}: {title}");
        assert!(!title.ends_with('.'), "{code}: {title}");
        assert!(text.contains("\n\n"), "{code} says only why, or only how");
        assert_eq!(breaks.is_empty(), keeps.is_empty(), "{code}");
        assert_eq!(breaks.is_empty(), WITHOUT_EXAMPLE.contains(code), "{code}");
        assert_eq!(breaks.is_empty(), text.contains("There is no example: "), "{code}");
        for example in [breaks, keeps] {
            let ends_with_a_command =
                example.lines().next_back().is_some_and(|line| line.contains("cogpackc "));
            match form {
                Form::Plan => assert!(!ends_with_a_command, "{code}"),
                Form::Script => assert!(ends_with_a_command, "{code}"),
                Form::Project => assert!(example.starts_with("--- "), "{code}"),
            }
        }
    }
    assert_eq!(explain("cpk::stage::cycle").map(|found| found.code), Some("cpk::stage::cycle"));
    assert_eq!(explain("cpk::stage::circle"), None);
}
