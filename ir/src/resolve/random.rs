//! Properties of resolution, over random plans.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::{KnownConfigs, Resolved, resolve};
use crate::finding::Finding;
use crate::plan::Plan;
use crate::syntax::{parse, print};
use crate::verify::verify;
use crate::{arbitrary, explain};

/// One stage of a plan that is likely to be valid: its phase, its start, and its ops, as numbers
/// to choose by.
type Choice = (u8, u8, Vec<(u8, u8)>);

const PHASES: [&str; 5] = ["base", "left", "right", "sides", "last"];
const WORDS: [&str; 4] = ["A", "B", "HOME", "PATH"];

fn text(choices: &[Choice], export: u8) -> String {
    let mut text = String::from(
        "cpk 1
        image @known = \"known\"
          digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
          env HOME = \"/root$\" env PATH = \"/bin\" workdir \"/w\"
        image @unknown = \"unknown\"
        context @files = dir \".\"
        phase base phase left after base phase right after base phase sides parallel after left
        phase last after sides\n",
    );
    for (number, (phase, from, ops)) in choices.iter().enumerate() {
        text.push_str(&format!("stage %s{number}"));
        let phase = usize::from(phase % 8);
        if let Some(phase) = PHASES.get(phase) {
            text.push_str(&format!(" in {phase}"));
        }
        let mut sets_all = false;
        match from % 8 {
            0 => text.push_str(" from image @known"),
            1 => text.push_str(" from image @unknown"),
            2 if number > 0 => text.push_str(&format!(" from %s{}", number - 1)),
            3 if phase > 0 => text.push_str(&format!(" from phase {}", PHASES[phase.min(5) - 1])),
            _ if phase > 0 && phase < PHASES.len() => {}
            _ => {
                text.push_str(" from scratch");
                sets_all = true;
            }
        }
        text.push_str(" {\n");
        if sets_all {
            text.push_str("env A = \"a\" env B = \"\" env HOME = \"/h\" env PATH = \"/p\"\n");
        }
        for (number, (kind, word)) in ops.iter().enumerate() {
            let name = WORDS[usize::from(*word) % 4];
            let other = WORDS[usize::from(word / 4) % 4];
            text.push_str(&match kind % 12 {
                0 => format!("env {name} = \"/{number}\"\n"),
                1 => format!("env {name} = \"${{{other}}}{number}\"\n"),
                2 => format!("env prepend {name} \"${{{other}}}/x\"\n"),
                3 => format!("env append {name} \"$${{{other}\"\n"),
                4 => format!("unset {name}\n"),
                5 => format!("workdir \"/{number}$${{{name}\"\n"),
                6 => format!("file \"/${{{name}}}\" = \"\"\n"),
                7 => format!("run \"true\" {{ env {name} = \"${{{other}}}\" workdir \"/${{{name}}}\" }}\n"),
                8 if phase > 0 => {
                    format!("copy \"a\" from phase {} to \"/{number}\"\n", PHASES[phase.min(5) - 1])
                }
                9 => format!("layer l{number} {{ mkdir \"/${{{name}}}/b\" env {other} = \"in\" }}\n"),
                10 => "user \"app\"\n".to_owned(),
                _ => "copy contents \".\" from @files to \"/${A}\"\n".to_owned(),
            });
        }
        text.push_str("}\n");
    }
    match PHASES.get(usize::from(export) % 8) {
        Some(phase) => text.push_str(&format!("export from phase {phase}\n")),
        None => text.push_str("export from %s0\n"),
    }
    text
}

fn choices() -> impl Strategy<Value = (Vec<Choice>, u8)> {
    let ops = proptest::collection::vec((any::<u8>(), any::<u8>()), 0..5);
    (proptest::collection::vec((any::<u8>(), any::<u8>(), ops), 1..6), any::<u8>())
}

fn resolved(plan: Plan) -> Result<Resolved, Vec<Finding>> {
    verify(plan).and_then(|plan| resolve(plan, &KnownConfigs::new()))
}

proptest! {
    #[test]
    fn resolving_the_text_of_a_resolved_plan_changes_nothing((choices, export) in choices()) {
        let text = text(&choices, export);
        let parsed = parse(&text);
        prop_assert_eq!(&parsed.findings, &[], "{}", text);
        let Ok(once) = resolved(parsed.plan) else { return Ok(()) };
        let printed = print(once.plan());
        let twice = match resolved(parse(&printed).plan) {
            Ok(twice) => twice,
            Err(findings) => return Err(TestCaseError::fail(format!("{findings:?}\n{printed}"))),
        };
        prop_assert_eq!(once.plan(), twice.plan());
        prop_assert_eq!(once.order(), twice.order());
        for id in once.order() {
            prop_assert_eq!(once.end_state(*id), twice.end_state(*id), "{}", printed);
            prop_assert!(once.stage(*id).from.is_some());
            prop_assert_eq!(once.steps(*id).len() + 1, once.states[id.index()].len());
        }
    }

    #[test]
    fn any_plan_is_judged_without_a_panic_and_in_words(plan in arbitrary::plan()) {
        let findings = match resolved(plan) {
            Ok(resolved) => resolved.warnings().to_vec(),
            Err(findings) => findings,
        };
        for finding in findings {
            let code = finding.stable_code();
            prop_assert!(explain::explain(&code).is_some(), "{} is not explained", code);
        }
    }
}

#[test]
fn enough_of_the_likely_plans_are_valid() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let valid = (0..400)
        .filter(|_| {
            let (choices, export) = choices().new_tree(&mut runner).expect("can be made").current();
            resolved(parse(&text(&choices, export)).plan).is_ok()
        })
        .count();
    assert!(valid >= 60, "only {valid} of 400");
}
