//! Every code is explained, and every example does what it says.

use std::collections::BTreeSet;

use super::{Explanation, all, explain};
use crate::finding::Finding;
use crate::plan::Plan;
use crate::resolve::{KnownConfigs, resolve};
use crate::verify::verify;
use crate::{json, syntax};

/// Codes that no plan of a readable size can have, or no plan at all.
const WITHOUT_EXAMPLE: [&str; 30] = [
    // What breaks it is a plan in its other form.
    "cpk::syntax::json",
    // A mistake of ours, for which there is no plan that we know of.
    "cpk::internal::llb",
    "cpk::oci::input",
    // Megabytes, or hundreds of mistakes.
    "cpk::json::size",
    "cpk::syntax::large",
    "cpk::syntax::many",
    "cpk::unsupported::long-line",
    // They lie with the daemon and not with the plan.
    "cpk::unsupported::capability",
    "cpk::unsupported::parallel",
    // They lie with the command line, or with what a program does.
    "cpk::build::failed",
    "cpk::build::not-allowed",
    "cpk::build::secret",
    "cpk::build::ssh",
    "cpk::build::parallel",
    "cpk::build::unknown-owner",
    "cpk::unsupported::beside",
    "cpk::unsupported::runtime",
    // It is found where programs are run, and takes something that runs them.
    "cpk::oci::mount",
    // It takes a base image beside the plan.
    "cpk::image::triggers",
    "cpk::unsupported::platforms",
    "cpk::unsupported::triggers",
    "cpk::debs::architecture",
    "cpk::debs::conflict",
    "cpk::debs::invalid",
    "cpk::debs::script",
    "cpk::wheels::conflict",
    "cpk::packages::digest",
    "cpk::wheels::invalid",
    "cpk::packages::missing",
    "cpk::wheels::python",
];

fn read(text: &str) -> Result<Plan, Vec<Finding>> {
    if text.starts_with(['{', '[']) {
        return json::read(text);
    }
    let parsed = syntax::parse(text);
    if parsed.findings.is_empty() { Ok(parsed.plan) } else { Err(parsed.findings) }
}

fn findings(text: &str) -> Vec<Finding> {
    let resolved = read(text).and_then(verify).and_then(|plan| resolve(plan, &KnownConfigs::new()));
    match resolved {
        Ok(resolved) => resolved.warnings().to_vec(),
        Err(findings) => findings,
    }
}

fn codes(text: &str) -> BTreeSet<String> {
    findings(text).iter().map(Finding::stable_code).collect()
}

/// What a backend refuses, the plan itself may well say.
fn is_of_a_backend(explanation: &Explanation) -> bool {
    ["cpk::unsupported::", "cpk::oci::", "cpk::llb::"]
        .iter()
        .any(|family| explanation.code.starts_with(family))
}

#[test]
fn the_plan_that_breaks_a_rule_breaks_that_rule_alone() {
    let mut wrong = Vec::new();
    for explanation in all().filter(|explanation| !explanation.breaks.is_empty()) {
        let found = codes(explanation.breaks);
        let is_right = match is_of_a_backend(explanation) {
            // That a base is not recorded may be what a backend cannot do without.
            true => !findings(explanation.breaks).iter().any(Finding::is_error),
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
    let examples = all().filter(|explanation| !explanation.keeps.is_empty());
    let found = examples.map(|explanation| (explanation.code, codes(explanation.keeps)));
    let wrong: Vec<_> = found.filter(|(_, found)| !found.is_empty()).collect();
    assert_eq!(wrong, []);
}

#[test]
fn every_explanation_is_whole() {
    for explanation in all() {
        let Explanation { code, title, text, breaks, keeps } = explanation;
        assert!(title.chars().next().is_some_and(|first| !first.is_uppercase()), "{code}: {title}");
        assert!(!title.ends_with('.'), "{code}: {title}");
        assert!(text.contains("\n\n"), "{code} says only why, or only how");
        assert_eq!(breaks.is_empty(), keeps.is_empty(), "{code}");
        assert_eq!(breaks.is_empty(), WITHOUT_EXAMPLE.contains(code), "{code}");
    }
    assert_eq!(explain("cpk::stage::cycle").map(|found| found.code), Some("cpk::stage::cycle"));
    assert_eq!(explain("cpk::stage::circle"), None);
}
