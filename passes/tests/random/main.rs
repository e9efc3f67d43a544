//! Whatever passes make of random plans, alone and one after the other, the interpreter finds the same meaning in
//! it, and a pass has nothing to do a second time.
//!
//! These tests stand beside the passes, so that `tests/mutants/run` can ask them about one bug after the other
//! without building all the rest.

mod plans;
mod sketches;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use cogpack_ir::arbitrary::valid_plan;
use cogpack_ir::finding::Finding;
use cogpack_ir::plan::{Plan, for_each_op};
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::syntax::{parse, print};
use cogpack_ir::verify::verify;
use cogpack_meaning::Invented;
use cogpack_passes::{Facts, Level, Optimised, PASSES, Pass, judge, named, optimise};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::test_runner::TestRunner;

use plans::plan;
use sketches::sketch;

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

/// Which passes run, one after the other.
fn sequence() -> BoxedStrategy<Vec<&'static str>> {
    let one = (0..PASSES.len()).prop_map(|place| vec![place]);
    let all = Just((0..PASSES.len()).collect::<Vec<usize>>());
    let some = subsequence((0..PASSES.len()).collect::<Vec<usize>>(), 2..PASSES.len()).prop_shuffle();
    let places = prop_oneof![3 => one, 1 => all, 2 => some];
    places.prop_map(|places| places.into_iter().map(|place| PASSES[place].name()).collect()).boxed()
}

/// What is asked about, and which passes run, one after the other.
type Case = (String, Vec<&'static str>);

/// Asks the interpreter about so many random plans; by pass: how often it changed a plan that can be built.
fn judged(cases: impl Strategy<Value = Case>, count: u32) -> BTreeMap<&'static str, u32> {
    let changed: RefCell<BTreeMap<&'static str, u32>> = RefCell::default();
    let (asked, built) = (Cell::new(0u32), Cell::new(0u32));
    let config = ProptestConfig {
        cases: count,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&(cases, 1..5usize, any::<u64>()), |case| {
        let ((text, passes), budget, seed) = case;
        let Some(plan) = resolved(&text) else { return Ok(()) };
        let passes: Vec<&dyn Pass> =
            passes.iter().map(|name| named(name).expect("there is such a pass")).collect();
        let facts = Facts { budget: Some(budget), shares_prefixes: seed % 2 == 0, ..Facts::default() };
        let facts = with_sizes(&plan, facts, seed);
        let made = optimise(&plan, &passes, &facts, &again);
        let made = made.map_err(|broken| TestCaseError::fail(format!("{text}\n{broken}")))?;
        if made.plan().is_none() {
            return Ok(());
        }
        let world = Invented::of(&plan, seed);
        let mut before = (&plan, judge::meaning(&plan, &world));
        asked.set(asked.get() + 1);
        built.set(built.get() + u32::from(before.1.is_ok()));
        for step in &made.steps {
            let Some(after) = &step.after else { continue };
            let meaning = judge::meaning(after, &world);
            let pass = named(step.pass).expect("it has just run");
            let judged = judge::kept_in(pass, &before.1, &meaning);
            let texts = || format!("{}\n{}\n{}", step.pass, print(before.0.plan()), print(after.plan()));
            prop_assert!(judged.is_ok(), "{}: {}", judged.unwrap_err(), texts());
            *changed.borrow_mut().entry(step.pass).or_default() += u32::from(before.1.is_ok());
            before = (after, meaning);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(built.get() * 5 > asked.get(), "only {} of {} plans can be built", built.get(), asked.get());
    changed.into_inner()
}

/// Whether each pass has changed so many plans that can be built.
fn all_had_work(changed: &BTreeMap<&'static str, u32>, least: u32) {
    for pass in PASSES.iter().filter(|pass| pass.level() < Level::Named) {
        let times = changed.get(pass.name()).copied().unwrap_or_default();
        assert!(
            times >= least,
            "{} has changed only {times} plans that can be built: {changed:?}",
            pass.name()
        );
    }
}

/// Some layers are large.
fn with_sizes(plan: &Resolved, mut facts: Facts, seed: u64) -> Facts {
    for (place, stage) in plan.plan().stages.iter().enumerate() {
        for_each_op(&stage.ops, &mut |op| {
            facts.sizes.note(op, ((seed >> (place % 32)) % 1_000) << 20);
        });
    }
    facts
}

/// How many times as many plans are asked about as in each run of the tests: `PROPTEST_CASES`, of which 256 are
/// meant if nothing is said, in as many as that.
fn times() -> u32 {
    (ProptestConfig::default().cases / 256).max(1)
}

#[test]
fn whatever_passes_make_of_plans_means_the_same() {
    all_had_work(&judged((plan(), sequence()), 2_500 * times()), 10);
}

#[test]
fn whatever_passes_make_of_sketches_means_the_same() {
    let cases = (sketch(), any::<Index>()).prop_map(|(sketch, at)| {
        let mut passes = sketch.passes.to_vec();
        let first = at.index(passes.len());
        passes.rotate_left(first);
        (sketch.text, passes)
    });
    all_had_work(&judged(cases, 5_000 * times()), 10);
}

#[test]
fn whatever_passes_make_of_any_plan_means_the_same() {
    judged((valid_plan().prop_map(|plan| print(&plan)), sequence()), 2_500 * times());
}

#[test]
fn passes_have_nothing_to_do_a_second_time() {
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let asked = TestRunner::new(config).run(&(plan(), 0..PASSES.len()), |(text, place)| {
        let Some(plan) = resolved(&text) else { return Ok(()) };
        let pass = PASSES[place];
        let facts = Facts { budget: Some(3), shares_prefixes: true, ..Facts::default() };
        if let Some(once) = optimised(&plan, &[pass], &facts).plan() {
            let twice = optimised(once, &[pass], &facts);
            let again = twice.plan().map(|plan| print(plan.plan()));
            prop_assert!(again.is_none(), "{}\n{}\n{:?}", pass.name(), print(once.plan()), again);
        }
        Ok(())
    });
    asked.unwrap_or_else(|failure| panic!("{failure}"));
}
