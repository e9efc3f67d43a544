//! Every code is explained, and every example does what it says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Explanation, all, explain};
use crate::finding::Finding;
use crate::plan::Plan;
use crate::resolve::{KnownConfigs, resolve};
use crate::verify::verify;
use crate::{json, syntax};

/// Codes that no plan of a readable size can have.
const WITHOUT_EXAMPLE: [&str; 5] = [
    "cpk::image::env-twice",
    "cpk::json::size",
    "cpk::layer::nested",
    "cpk::syntax::large",
    "cpk::syntax::many",
];

fn read(text: &str) -> Result<Plan, Vec<Finding>> {
    if text.starts_with(['{', '[']) {
        return json::read(text);
    }
    let parsed = syntax::parse(text);
    if parsed.findings.is_empty() { Ok(parsed.plan) } else { Err(parsed.findings) }
}

fn codes(text: &str) -> BTreeSet<String> {
    let resolved = read(text).and_then(verify).and_then(|plan| resolve(&plan, &KnownConfigs::new()));
    let findings = match resolved {
        Ok(resolved) => resolved.warnings().to_vec(),
        Err(findings) => findings,
    };
    findings.iter().map(Finding::stable_code).collect()
}

/// What a backend refuses, the plan itself may well say.
fn is_of_a_backend(explanation: &Explanation) -> bool {
    explanation.code.starts_with("cpk::unsupported::")
}

#[test]
fn the_plan_that_breaks_a_rule_breaks_that_rule_alone() {
    let mut wrong = Vec::new();
    for explanation in all().filter(|explanation| !explanation.breaks.is_empty()) {
        let expected = match is_of_a_backend(explanation) {
            true => BTreeSet::new(),
            false => BTreeSet::from([explanation.code.to_owned()]),
        };
        let found = codes(explanation.breaks);
        if found != expected {
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

#[test]
fn every_code_is_explained_and_every_explanation_has_a_code() {
    let mut used = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&file).expect("a source is readable");
        used.extend(codes_in(&text));
    }
    let explained = all().filter(|explanation| !is_of_a_backend(explanation));
    let explained: BTreeSet<String> = explained.map(|explanation| explanation.code.to_owned()).collect();
    let missing: Vec<&String> = used.difference(&explained).collect();
    assert!(missing.is_empty(), "no file under texts/ explains {missing:?}");
    let left_over: Vec<&String> = explained.difference(&used).collect();
    assert!(left_over.is_empty(), "no source has the codes {left_over:?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the sources is readable") {
        let path = entry.expect("a folder of the sources is readable").path();
        let is_of_tests = path.file_stem().is_some_and(|stem| stem == "tests" || stem == "texts");
        if path.is_dir() && !is_of_tests {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") && !is_of_tests {
            found.push(path);
        }
    }
    found
}

/// The codes that a source gives to its findings: in `code(…)` of a derive, or as a text of its own.
fn codes_in(source: &str) -> BTreeSet<String> {
    // Unit tests at the end of a file name codes that they look for, perhaps in vain.
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = BTreeSet::new();
    for opening in ["code(cpk::", "code(\"cpk::"] {
        for (at, _) in source.match_indices(opening) {
            let from = at + opening.find("cpk").unwrap_or_default();
            let of_a_code = |letter: char| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || ":-_".contains(letter)
            };
            let length = source[from..].find(|letter| !of_a_code(letter)).unwrap_or_default();
            found.insert(source[from..from + length].to_owned());
        }
    }
    found
}
