//! Laws of the comparison, over random plans.

use std::collections::BTreeMap;

use cogpack_ir::arbitrary::valid_plan;
use cogpack_ir::plan::{InputName, OpKind, Plan, for_each_op, order};
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::verify::verify;
use proptest::prelude::*;

use crate::{Compared, Difference, OnlyIf, edits};

fn resolved(plan: &Plan) -> Resolved {
    let verified = verify(plan.clone()).unwrap_or_else(|findings| panic!("{findings:?}"));
    resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn between(old: &Plan, new: &Plan) -> Difference {
    let nothing: BTreeMap<InputName, cogpack_content::Digest> = BTreeMap::new();
    let (one, other) = (resolved(old), resolved(new));
    let [old, new] = [(old, &one), (new, &other)].map(|(written, resolved)| Compared {
        written,
        resolved,
        contents: &nothing,
    });
    Difference::between(old, new)
}

#[test]
fn what_differs_of_the_variables_is_told_of_each_op() {
    let plan = |ops: &str| {
        let text = format!("cpk 1\nstage %app from scratch {{ {ops} }} export from %app {{}}");
        cogpack_ir::syntax::parse(&text).plan
    };
    let old = plan(
        r#"env A = "1" run "a" env B = "1" run "b" env C = "1" run "c" unset A env B = "2" run "d" unset C run "e""#,
    );
    let new = plan(
        r#"env A = "2" run "a" env B = "3" run "b" env C = "2" run "c" unset A env B = "2" run "d" unset C user "u" run "e""#,
    );
    let told = between(&old, &new).runs.into_iter().map(|run| run.cause.to_string());
    let expected = [
        "`run a` of %app sees another `A`",
        "`run b` of %app sees another `A` and `B`",
        "`run c` of %app sees another `A` and 2 more variables",
        "`run d` of %app sees another `C`",
        "`run e` of %app sees another user",
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn a_program_that_mounts_what_it_stands_on_is_spared_by_its_files() {
    let only_if = |execution: &str| {
        let plan = |variable: &str| {
            let text = format!(
                r#"cpk 1 image @base = "debian"
                   stage %a from image @base {{ env V = "{variable}" run "a" }}
                   stage %b from %a {{ unset V run "b" {{ {execution} }} run "c" }}
                   export from %b {{}}"#
            );
            cogpack_ir::syntax::parse(&text).plan
        };
        let runs = between(&plan("1"), &plan("2")).runs;
        runs.into_iter().map(|run| run.only_if).collect::<Vec<_>>()
    };
    let by_files = OnlyIf { reads_others: true, runs: Vec::new() };
    let after_it = OnlyIf { reads_others: false, runs: vec![1] };
    assert_eq!(only_if("mount %a at /mnt"), [None, Some(by_files), Some(after_it)]);
    assert_eq!(only_if("mount image @base at /mnt"), [None, None, None]);
}

#[test]
fn a_cache_of_another_name_is_told_and_runs_nothing() {
    let plan = |name: &str| {
        let text = format!(
            r#"cpk 1 cache {name} stage %a from scratch {{ run "a" {{ mount cache {name} at /x }} }} export from %a {{}}"#
        );
        cogpack_ir::syntax::parse(&text).plan
    };
    let told = between(&plan("one"), &plan("other"));
    assert_eq!((told.stages.len(), told.runs.len()), (1, 0));
}

/// Gives every stage another name.
fn renamed(plan: &Plan) -> Plan {
    let text = cogpack_ir::syntax::print(plan);
    let mut other = cogpack_ir::syntax::parse(&text.replace("%s", "%other")).plan;
    order::canonicalise(&mut other);
    other
}

/// Whether an op says something that reads like a stage's name, and would be renamed with it.
fn speaks_of_stages(plan: &Plan) -> bool {
    let mut speaks = false;
    for stage in &plan.stages {
        for_each_op(&stage.ops, &mut |op| {
            speaks |= match &op.kind {
                OpKind::Run { script, .. } => script.value.contains("%s"),
                OpKind::Exec { argv, .. } => argv.value.iter().any(|word| word.contains("%s")),
                OpKind::File(file) => file.content.0.windows(2).any(|two| two == b"%s"),
                OpKind::Copy(_)
                | OpKind::Mkdir(_)
                | OpKind::Symlink(_)
                | OpKind::Remove(_)
                | OpKind::Env(_)
                | OpKind::Workdir(_)
                | OpKind::User(_)
                | OpKind::Shell(_)
                | OpKind::Layer(_)
                | OpKind::By(_) => false,
            };
        });
    }
    speaks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_does_not_differ_from_itself(plan in valid_plan()) {
        let found = between(&plan, &plan);
        prop_assert!(found.is_empty());
        prop_assert!(found.edits.is_empty() && found.runs.is_empty() && found.gone.is_empty());
        prop_assert!(found.layers.iter().all(|layer| layer.state == crate::LayerState::Stays));
    }

    #[test]
    fn other_names_run_nothing(plan in valid_plan()) {
        prop_assume!(!speaks_of_stages(&plan));
        let other = renamed(&plan);
        prop_assume!(other.stages.len() == plan.stages.len());
        let found = between(&plan, &other);
        prop_assert!(found.runs.is_empty(), "{:?}", found.runs);
        prop_assert!(found.layers.iter().all(|layer| layer.state == crate::LayerState::Stays));
    }

    #[test]
    fn edits_turn_one_plan_into_the_other(old in valid_plan(), new in valid_plan()) {
        let found = between(&old, &new);
        prop_assert_eq!(found.is_empty(), old == new);
        let mut made = edits::apply(&old, &found.edits).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        order::canonicalise(&mut made);
        prop_assert_eq!(&made, &new);
        prop_assert_eq!(cogpack_ir::syntax::print(&made), cogpack_ir::syntax::print(&new));
    }

    /// Edits need not know which stages are the same: any pairing will do.
    #[test]
    fn edits_hold_for_any_plans_and_any_pairs(
        old in cogpack_ir::arbitrary::plan(),
        new in cogpack_ir::arbitrary::plan(),
        shuffled in any::<u64>(),
    ) {
        let mut places: Vec<usize> = (0..new.stages.len()).collect();
        let mut state = shuffled;
        for place in (1..places.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            places.swap(place, usize::try_from(state >> 33).unwrap_or(0) % (place + 1));
        }
        let same: Vec<(usize, usize)> = (0..old.stages.len()).zip(places).collect();
        let patch = edits::between(&old, &new, &same);
        let made = edits::apply(&old, &patch);
        // The verifier is not asked, but what JSON refuses is no plan.
        if let Ok(made) = made {
            prop_assert_eq!(made, new);
        } else {
            prop_assert!(cogpack_ir::json::read(&cogpack_ir::json::write(&new)).is_err());
        }
    }
}

#[test]
fn edits_that_name_nothing_are_refused() {
    let plan = Plan::empty();
    for edit in [
        r#"{"op":"remove","path":"/stages/0"}"#,
        r#"{"op":"add","path":"/stages/7","value":1}"#,
        r#"{"op":"turn","path":"/stages"}"#,
        r#"{"op":"test","path":"/version","value":2}"#,
        r#"{"path":"/version"}"#,
        r#"{"op":"replace","path":"/version","value":99}"#,
    ] {
        let edit = serde_json::from_str(edit).unwrap();
        assert!(edits::apply(&plan, &[edit]).is_err());
    }
}
