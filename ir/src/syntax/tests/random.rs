//! Properties that hold for all plans and all texts.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::resolve::{KnownConfigs, resolve};
use crate::syntax::{Parsed, format, parse, print};
use crate::verify::verify;
use crate::{arbitrary, json};

#[path = "../../../../fuzz/laws.rs"]
mod laws;

/// What can be put into a text to break it.
const NOISE: [&str; 24] = [
    "{",
    "}",
    "\"",
    "\"\"\"",
    "#",
    "\\",
    "=",
    ",",
    "[",
    "]",
    ":",
    "\n",
    "\r",
    "\0",
    "é",
    "%",
    "@",
    "${",
    " stage ",
    " copy ",
    " from ",
    " sha256: ",
    "\u{feff}",
    " 99999999999999999999 ",
];

/// The words, strings and signs of a text, so that a change meets the grammar and not only letters.
fn tokens(text: &str) -> Vec<&str> {
    text.split_inclusive(|letter: char| letter.is_whitespace() || "{}[]=,\"".contains(letter)).collect()
}

/// Puts a comment on each of the given places, at the end of a line or on a line of its own.
fn with_comments(printed: &str, places: &[(Index, bool)]) -> (String, usize) {
    // A line may be part of a string; only where a comment is read as one does it count.
    let mut text = printed.to_owned();
    let mut count = 0;
    for (number, (place, owns_line)) in places.iter().enumerate() {
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let at = ends[place.index(ends.len())];
        let comment = if *owns_line { format!("\n # {number}") } else { format!(" # {number}") };
        let mut changed = text.clone();
        changed.insert_str(at, &comment);
        let parsed = parse(&changed);
        if parsed.findings.is_empty() && parsed.comments.count() == count + 1 {
            text = changed;
            count += 1;
        }
    }
    (text, count)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_plan_is_read_as_it_was(plan in arbitrary::plan()) {
        let printed = print(&plan);
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.findings, [], "{}", printed);
        prop_assert_eq!(print(&parsed.plan), &printed[..]);
        prop_assert_eq!(parsed.plan, plan, "{}", printed);
    }

    #[test]
    fn a_valid_plan_breaks_no_rule_before_and_after_printing(plan in arbitrary::valid_plan()) {
        let printed = print(&plan);
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.findings, []);
        prop_assert_eq!(&parsed.plan, &plan, "{}", printed);
        let verified = verify(parsed.plan).map_err(|findings| TestCaseError::fail(format!("{findings:#?}\n{printed}")))?;
        let resolved = resolve(verified, &KnownConfigs::new());
        prop_assert!(resolved.is_ok(), "{:#?}\n{}", resolved.err(), printed);
    }

    #[test]
    fn formatting_keeps_every_comment_and_changes_nothing_twice(
        plan in arbitrary::plan(),
        places in prop::collection::vec(any::<(Index, bool)>(), 0..8),
    ) {
        let (text, count) = with_comments(&print(&plan), &places);
        let once = format(&text).map_err(|findings| TestCaseError::fail(format!("{findings:?}\n{text}")))?;
        let parsed = parse(&once);
        prop_assert_eq!(parsed.comments.count(), count, "{}\n=>\n{}", text, once);
        prop_assert_eq!(&parsed.plan, &plan);
        prop_assert_eq!(format(&once), Ok(once.clone()), "{}", text);
    }

    #[test]
    fn the_laws_of_the_fuzz_targets_hold_for_any_plan(plan in arbitrary::plan()) {
        laws::text(&print(&plan));
        laws::json(&json::write(&plan));
    }

    #[test]
    fn broken_texts_are_read_or_reported(
        plan in arbitrary::plan(),
        changes in prop::collection::vec((any::<Index>(), 0..4usize, any::<Index>()), 1..4),
    ) {
        let printed = print(&plan);
        let mut parts: Vec<&str> = tokens(&printed);
        for (place, change, noise) in &changes {
            let at = place.index(parts.len());
            match change {
                0 if parts.len() > 1 => drop(parts.remove(at)),
                1 => parts.insert(at, parts[at]),
                2 => parts[at] = NOISE[noise.index(NOISE.len())],
                _ => parts.insert(at, NOISE[noise.index(NOISE.len())]),
            }
        }
        let text = parts.concat();
        let Parsed { plan, findings, .. } = parse(&text);
        // Either the text still is a plan, and then printing it loses nothing, or it is reported.
        if findings.is_empty() {
            prop_assert_eq!(parse(&print(&plan)).plan, plan, "{}", text);
        }
        for finding in &findings {
            check_labels(finding, &text)?;
        }
    }

    #[test]
    fn any_bytes_are_read_or_reported(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let parsed = parse(&text);
        prop_assert!(!parsed.findings.is_empty());
        for finding in &parsed.findings {
            check_labels(finding, &text)?;
        }
    }
}

/// Labels must lie inside the text and on borders of letters, or showing them would fail.
fn check_labels(finding: &crate::finding::Finding, text: &str) -> Result<(), TestCaseError> {
    use miette::Diagnostic;
    prop_assert!(finding.help().is_some() && finding.code().is_some());
    for label in finding.labels().into_iter().flatten() {
        let range = label.offset()..label.offset() + label.len();
        prop_assert!(text.get(range.clone()).is_some(), "{:?} {:?} in {:?}", finding, range, text);
    }
    Ok(())
}
