//! 1–12: phases and stages.

use cogpack_ir::plan::PhaseName;
use cogpack_ir::syntax;
use cogpack_tests::plans::{errors, plan, resolved, start};

fn phases_of(text: &str) -> Vec<String> {
    let plan = syntax::parse(text).plan;
    plan.declared_phases.keys().map(PhaseName::to_string).collect()
}

#[test]
fn b01_new_phases_of_building_and_of_exporting_can_be_declared() {
    let text = "cpk 1\nphase build.mine\nphase export.mine after build.mine\n";
    assert_eq!(phases_of(text), ["build.mine", "export.mine"]);
}

/// Adding a phase again gave the same phase. In a text, saying a thing twice is a slip.
#[test]
fn b02_a_phase_is_declared_once() {
    let codes = errors("cpk 1\nphase p\nphase p\nstage %a in p from scratch\nexport from %a\n");
    assert_eq!(codes, ["cpk::name::taken".to_owned()].into());
}

#[test]
fn b03_a_stage_stands_in_its_own_phase_only() {
    let text = plan("stage %a in build.base from scratch\nstage %b in build.runtime", "%b");
    let resolved = resolved(&text);
    let phases: Vec<_> = resolved
        .plan()
        .stages
        .iter()
        .map(|stage| (stage.name.to_string(), stage.phase.as_ref().map(ToString::to_string)))
        .collect();
    let expected = [("%a", "build.base"), ("%b", "build.runtime")];
    assert_eq!(phases, expected.map(|(stage, phase)| (stage.to_owned(), Some(phase.to_owned()))));
}

#[test]
fn b04_a_stage_is_named_once() {
    let codes = errors(&plan("stage %a from scratch\nstage %a from scratch", "%a"));
    assert_eq!(codes, ["cpk::stage::duplicate".to_owned()].into());
}

#[test]
fn b05_an_image_what_follows_it_and_an_exported_image_are_three_stages() {
    let text = plan(
        "stage %base in build.base from image @i\nstage %next in build.runtime\nstage %out in export.base from image @i {\n copy \"/a\" from phase build.complete to \"/a\"\n}",
        "%out",
    );
    let resolved = resolved(&text);
    assert_eq!(resolved.plan().stages.len(), 3);
    assert_eq!(start(&resolved, "next"), "%base");
    assert_eq!(start(&resolved, "out"), "image @i");
}

#[test]
fn b06_without_from_a_stage_starts_from_the_one_before_it_in_its_phase() {
    let text = plan("stage %a in build.base from scratch\nstage %b in build.base", "%b");
    assert_eq!(start(&resolved(&text), "b"), "%a");
}

#[test]
fn b07_the_first_of_a_phase_starts_from_the_last_of_the_phase_before() {
    let text = plan(
        "stage %a in build.base from scratch\nstage %b in build.base\nstage %c in build.system-deps",
        "%c",
    );
    assert_eq!(start(&resolved(&text), "c"), "%b");
}

#[test]
fn b08_empty_phases_are_looked_through() {
    let text = plan("stage %a in build.base from scratch\nstage %b in build.app-source", "%b");
    assert_eq!(start(&resolved(&text), "b"), "%a");
}

#[test]
fn b09_a_phase_is_its_last_stage() {
    let text = plan(
        "stage %a in build.base from scratch\nstage %b in build.base\nstage %c in export.base from phase build.base",
        "%c",
    );
    assert_eq!(start(&resolved(&text), "c"), "%b");
}

#[test]
fn b10_what_a_stage_provides_its_environment_and_its_directory_are_kept() {
    let text = plan(
        "stage %a from scratch {\n  provides torch\n  env A = \"1\"\n  workdir \"/src\"\n  mkdir \"/x\"\n}",
        "%a",
    );
    let resolved = resolved(&text);
    let stage = resolved.stage(resolved.order()[0]);
    assert!(stage.provides.iter().any(|word| word.value == "torch"));
    let state = resolved.end_state(resolved.order()[0]);
    assert_eq!(state.workdir.as_deref(), Some("/src"));
    assert!(state.variable("A").is_some());
}

#[test]
fn b11_contexts_survive_resolving() {
    let text = plan("stage %a from scratch {\n copy \"x\" from @c to \"/x\"\n}", "%a");
    let resolved = resolved(&text);
    assert_eq!(resolved.plan().contexts, syntax::parse(&text).plan.contexts);
}

#[test]
fn b12_a_stage_that_says_nothing_has_no_written_start() {
    let plan = syntax::parse("cpk 1\nstage %a in build.base\n").plan;
    assert_eq!(plan.stages[0].from, None);
}
