//! 13–30: what inputs lead to.

use cogpack_tests::plans::{errors, inputs, plan, resolved, start};

fn only_error(text: &str) -> String {
    let mut codes: Vec<String> = errors(text).into_iter().collect();
    assert_eq!(codes.len(), 1, "{text}\n{codes:?}");
    codes.remove(0)
}

#[test]
fn b13_the_very_first_stage_must_say_where_it_starts() {
    assert_eq!(only_error(&plan("stage %a in build.base", "%a")), "cpk::stage::no-from");
}

/// The first export stage used to start from the last build stage. An image to run in is seldom
/// the one that was built in, so here it must say so.
#[test]
fn b14_the_first_stage_of_exporting_must_say_where_it_starts() {
    let text = plan("stage %a in build.base from scratch\nstage %b in export.base", "%b");
    assert_eq!(only_error(&text), "cpk::stage::no-from");
}

#[test]
fn b15_a_stage_that_nobody_declared_is_an_error() {
    assert_eq!(only_error(&plan("stage %a from %nobody", "%a")), "cpk::stage::unknown");
}

#[test]
fn b16_a_first_phase_and_one_after_empty_ones_have_no_input() {
    for phase in ["build.base", "build.system-deps"] {
        assert_eq!(only_error(&plan(&format!("stage %a in {phase}"), "%a")), "cpk::stage::no-from");
    }
}

#[test]
fn b17_a_phase_starts_from_the_last_stage_of_the_one_before() {
    let text = plan(
        "stage %a in build.base from scratch\nstage %b in build.base\nstage %c in build.system-deps",
        "%c",
    );
    assert_eq!(start(&resolved(&text), "c"), "%b");
}

#[test]
fn b18_a_phase_starts_from_the_nearest_one_before_that_holds_something() {
    let text = plan("stage %a in build.base from scratch\nstage %b in build.app-deps", "%b");
    assert_eq!(start(&resolved(&text), "b"), "%a");
}

#[test]
fn b19_a_stage_in_a_phase_that_nobody_declared_is_an_error() {
    assert_eq!(only_error(&plan("stage %a in build.nowhere from scratch", "%a")), "cpk::phase::unknown");
}

#[test]
fn b20_the_output_of_a_phase_is_its_own_last_stage() {
    let text = plan(
        "stage %a in build.base from scratch\nstage %b in build.base\nstage %c from phase build.base",
        "%c",
    );
    assert_eq!(start(&resolved(&text), "c"), "%b");
}

#[test]
fn b21_the_output_of_an_empty_phase_is_that_of_the_phase_before() {
    let text = plan("stage %a in build.base from scratch\nstage %c from phase build.runtime", "%c");
    assert_eq!(start(&resolved(&text), "c"), "%a");
}

#[test]
fn b22_the_output_of_a_phase_that_nobody_declared_is_an_error() {
    assert_eq!(only_error(&plan("stage %c from phase build.nowhere", "%c")), "cpk::phase::unknown");
}

#[test]
fn b23_an_empty_phase_with_nothing_before_it_has_no_output() {
    assert_eq!(only_error(&plan("stage %c from phase build.base", "%c")), "cpk::phase::empty");
}

#[test]
fn b24_an_unknown_phase_is_named() {
    assert_eq!(only_error(&plan("stage %c from phase nowhere", "%c")), "cpk::phase::unknown");
}

#[test]
fn b25_an_unknown_stage_is_named() {
    let text = plan("stage %c from scratch {\n copy \"/a\" from %nobody to \"/a\"\n}", "%c");
    assert_eq!(only_error(&text), "cpk::stage::unknown");
}

#[test]
fn b26_scratch_contexts_and_images_stay_as_they_are() {
    let text = plan(
        "stage %a from scratch {\n copy \"x\" from @c to \"/x\"\n copy \"/etc\" from image @i to \"/etc\"\n}",
        "%a",
    );
    let resolved = resolved(&text);
    assert_eq!(start(&resolved, "a"), "scratch");
    assert_eq!(inputs(&resolved, "a"), ["@c", "image @i"]);
}

/// A stage that its composer did not know could still ask for an input. A stage is part of its
/// plan here; what is left of the rule is that its phase must be known, whatever it starts from.
#[test]
fn b27_a_phase_must_be_known_even_for_a_stage_from_scratch() {
    assert_eq!(only_error(&plan("stage %a in lost from scratch", "%a")), "cpk::phase::unknown");
}

#[test]
fn b28_a_copy_from_the_completed_build_reads_its_last_stage() {
    let text = plan(
        "stage %a in build.base from scratch\nstage %b in build.app-source\nstage %c in export.base from scratch {\n copy \"/x\" from phase build.complete to \"/x\"\n}",
        "%c",
    );
    assert_eq!(inputs(&resolved(&text), "c"), ["%b"]);
}

#[test]
fn b29_stages_phases_and_contexts_resolve_side_by_side() {
    let text = plan(
        "stage %a in build.base from scratch\nstage %b from image @i {\n copy \"/x\" from %a to \"/x\"\n copy \"/y\" from phase build.base to \"/y\"\n copy \"z\" from @c to \"/z\"\n}",
        "%b",
    );
    assert_eq!(inputs(&resolved(&text), "b"), ["%a", "%a", "@c"]);
}

#[test]
fn b30_a_copy_from_a_phase_that_nobody_declared_is_an_error() {
    let text = plan("stage %c from scratch {\n copy \"/x\" from phase lost to \"/x\"\n}", "%c");
    assert_eq!(only_error(&text), "cpk::phase::unknown");
}
