//! Passes: `# test pass NAME` shows what one makes of a plan and what it tells. What they make of random plans is
//! judged in `passes/tests/`.
//!
//! A case may say `# size BYTES` behind an op, which is then how large its layer is, and `# budget LAYERS` on a
//! line of its own. Every pass has a case in which it must leave the plan as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cogpack_ir::finding::Finding;
use cogpack_ir::plan::{ImageConfig, InputName, Plan, for_each_op};
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::syntax::{parse, print};
use cogpack_ir::verify::verify;
use cogpack_passes::facts::Pin;
use cogpack_passes::{Facts, Kind, Level, Note, Optimised, PASSES, Pass, judge, named, of_level, optimise};
use cogpack_tests::cases::{self, Case};
use cogpack_tests::snapshot::Snapshots;

fn again(plan: Plan) -> Result<Resolved, Vec<Finding>> {
    resolve(verify(plan)?, &KnownConfigs::new())
}

fn resolved(text: &str) -> Option<Resolved> {
    let parsed = parse(text);
    assert!(parsed.findings.is_empty(), "{text}\n{:?}", parsed.findings);
    again(parsed.plan).ok()
}

fn optimised(plan: &Resolved, passes: &[&dyn Pass], facts: &Facts) -> Optimised {
    optimise(plan, passes, facts, &again).unwrap_or_else(|broken| panic!("{}\n{broken}", print(plan.plan())))
}

/// What a case says beside its plan.
fn facts(plan: &Resolved, text: &str) -> Facts {
    let mut facts = Facts { shares_prefixes: true, ..Facts::default() };
    let mut sizes = BTreeMap::new();
    for (place, line) in text.lines().enumerate() {
        if let Some((_, size)) = line.split_once("# size ") {
            sizes.insert(place, size.trim().parse::<u64>().expect("a size is a number"));
        }
        if let Some(pin) = line.strip_prefix("# pin ") {
            let (name, digest) = pin.split_once(' ').expect("a pin is a name and a digest");
            let name = InputName::new(name).expect("a pin names an image");
            let digest = digest.parse().expect("a pin has a digest");
            facts.pins.insert(name, Pin { digest, config: Some(ImageConfig::default()) });
        }
        if let Some(budget) = line.strip_prefix("# budget ") {
            facts.budget = Some(budget.trim().parse().expect("a budget is a number"));
        }
    }
    for stage in &plan.plan().stages {
        for_each_op(&stage.ops, &mut |op| {
            let line = text[..op.span.start().min(text.len())].matches('\n').count();
            if let Some(size) = sizes.get(&line) {
                facts.sizes.note(op, *size);
            }
        });
    }
    facts
}

fn told(note: &Note, text: &str) -> String {
    let line = note.span.range().map(|range| text[..range.start].matches('\n').count() + 1);
    let kind = match note.kind {
        Kind::Did => "did",
        Kind::HeldBack => "held back",
    };
    let saves = note.saves.map(|bytes| format!(" (saves {bytes} bytes)")).unwrap_or_default();
    format!("# {} {kind}: {}{saves}", line.map_or("-".to_owned(), |line| line.to_string()), note.text)
}

#[test]
fn cases_become_what_their_snapshots_say() {
    let mut snapshots = Snapshots::default();
    for pass in PASSES {
        let (mut changed, mut unchanged) = (0, 0);
        for Case { name, text, .. } in
            cases::of_folder(&format!("passes/{}", pass.name()), &format!("pass {}", pass.name()))
        {
            let plan = resolved(&text).unwrap_or_else(|| panic!("{name} breaks a rule"));
            let facts = facts(&plan, &text);
            let made = optimised(&plan, &[pass], &facts);
            let mut answer = String::new();
            for note in &made.steps[0].notes {
                writeln!(answer, "{}", told(note, &text)).expect("a String takes all");
            }
            match made.plan() {
                Some(after) => {
                    changed += 1;
                    // With its digest an image is another one to whoever does not know the registry.
                    if pass.level() < Level::Named {
                        judge::kept(pass, &plan, after)
                            .unwrap_or_else(|difference| panic!("{name}: {difference}"));
                    }
                    answer.push_str(&print(after.plan()));
                }
                None => {
                    unchanged += 1;
                    answer.push_str("# left as it is\n");
                    answer.push_str(&print(plan.plan()));
                }
            }
            snapshots.check(&format!("{name}.cpk"), &answer);
        }
        assert!(changed > 0, "no case of {} changes anything", pass.name());
        assert!(unchanged > 0, "no case of {} is left as it is", pass.name());
    }
    snapshots.finish("passes");
}

#[test]
fn levels_name_passes_in_their_order() {
    let names = |level| of_level(level).iter().map(|pass| pass.name()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(Level::None), "");
    assert_eq!(names(Level::Safe), "dedupe-stages drop-dead-stages fold-env");
    assert_eq!(
        names(Level::Layers),
        "dedupe-stages parallelise drop-dead-stages fold-env merge-copies fold-ownership sort-by-change \
         merge-runs drop-add-then-remove split-large merge-layers"
    );
    assert_eq!(named("pin").map(|pass| pass.level()), Some(Level::Named));
    assert!(named("merge").is_none());
}
