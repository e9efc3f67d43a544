//! What stages start from and what phases give out.

use super::cycles::{CycleKind, cycles};
use super::{Outlet, PhaseGraph, StageGraph};
use crate::plan::{Input, PhaseName, StageName};
use crate::syntax::parse;

/// Reads a plan and hands its graph to `look`.
fn with_graph<T>(text: &str, look: impl FnOnce(&StageGraph<'_>) -> T) -> T {
    let parsed = parse(&format!("cpk 1\n{text}"));
    assert_eq!(parsed.findings, [], "{text}");
    let phases = parsed.plan.phases();
    look(&StageGraph::new(&parsed.plan, PhaseGraph::new(&parsed.plan, &phases)))
}

fn shown(outlet: &Outlet) -> String {
    match outlet {
        Outlet::Nothing => "nothing".to_owned(),
        Outlet::One(input) => input.to_string(),
        Outlet::Several(inputs) => inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
        Outlet::Broken => "broken".to_owned(),
    }
}

fn start(text: &str, stage: &str) -> String {
    with_graph(text, |graph| {
        let place = graph.place(&StageName::new(stage).expect("is a name")).expect("is there");
        shown(graph.start(place))
    })
}

fn output(text: &str, phase: &str) -> String {
    with_graph(text, |graph| shown(&graph.concrete(&Input::Phase(PhaseName::new(phase).expect("is a name")))))
}

fn circles(text: &str) -> Vec<(CycleKind, String)> {
    with_graph(text, |graph| cycles(graph).iter().map(|cycle| (cycle.kind, cycle.to_string())).collect())
}

const CHAIN: &str = "phase p1 phase p2 after p1 phase p3 after p2 phase p4 after p3\n";

#[test]
fn a_stage_starts_from_the_one_before_it_in_its_phase() {
    let text = "stage %a in build.base from scratch stage %b in build.base";
    assert_eq!(start(text, "b"), "%a");
}

#[test]
fn the_first_stage_of_a_phase_starts_from_the_phase_before() {
    let text = format!("{CHAIN} stage %a in p1 from scratch stage %b in p1 stage %c in p2");
    assert_eq!(start(&text, "c"), "%b");
}

#[test]
fn empty_phases_are_looked_through() {
    let text = format!("{CHAIN} stage %a in p1 from scratch stage %d in p4");
    assert_eq!(start(&text, "d"), "%a");
    assert_eq!(output(&text, "p3"), "%a");
}

#[test]
fn a_stage_with_nothing_before_it_has_no_start() {
    assert_eq!(start("stage %a in build.base", "a"), "nothing");
    assert_eq!(start(&format!("{CHAIN} stage %b in p2"), "b"), "nothing");
    assert_eq!(start("stage %a", "a"), "nothing");
}

#[test]
fn the_export_chain_does_not_start_from_the_build_chain() {
    let text = "stage %a in build.base from scratch stage %b in export.base";
    assert_eq!(start(text, "b"), "nothing");
}

#[test]
fn the_output_of_a_phase_is_its_last_stage() {
    let text = format!("{CHAIN} stage %a in p1 from scratch stage %b in p1 stage %c in p2");
    assert_eq!(output(&text, "p1"), "%b");
    assert_eq!(output(&text, "p4"), "%c");
    let text = "stage %a in build.base from scratch stage %b in build.app-source";
    assert_eq!(output(text, "build.complete"), "%b");
}

#[test]
fn the_output_of_empty_phases_is_nothing() {
    assert_eq!(output(CHAIN, "p1"), "nothing");
    assert_eq!(output(CHAIN, "p4"), "nothing");
    assert_eq!(output(CHAIN, "unknown"), "broken");
}

#[test]
fn several_phases_before_an_empty_one_are_listed() {
    let text = "phase a phase b phase c after a, b phase d after c
        stage %a in a from scratch stage %b in b from scratch stage %d in d";
    assert_eq!(output(text, "c"), "%a or %b");
    assert_eq!(start(text, "d"), "%a or %b");
}

#[test]
fn two_ways_to_one_phase_are_one_output() {
    let text = "phase a phase b after a phase c after a phase d after b, c
        stage %a in a from scratch stage %d in d";
    assert_eq!(start(text, "d"), "%a");
}

#[test]
fn a_parallel_phase_gives_out_a_merge_and_its_stages_start_side_by_side() {
    let text = "phase a phase b parallel after a phase c after b
        stage %a in a from scratch stage %one in b stage %two in b stage %c in c";
    assert_eq!(start(text, "one"), "%a");
    assert_eq!(start(text, "two"), "%a");
    assert_eq!(start(text, "c"), "phase b");
}

#[test]
fn inputs_that_name_no_phase_stay_as_they_are() {
    for from in ["scratch", "image @x", "@x"] {
        assert_eq!(start(&format!("stage %a in build.base from {from}"), "a"), from);
    }
    assert_eq!(start("stage %a from %unknown", "a"), "broken");
    assert_eq!(start("stage %a from phase unknown", "a"), "broken");
}

#[test]
fn stages_come_after_what_they_read() {
    let text = "phase p parallel
        stage %z from scratch stage %a from %z { copy \"/x\" from %m to \"/x\" copy \"/y\" from phase p to \"/y\" }
        stage %m from scratch stage %p1 in p from scratch stage %p2 in p from scratch { copy \"/\" from %z to \"/\" }";
    let order = with_graph(text, |graph| {
        let names = graph.order().into_iter().map(|place| graph.stage(place).name.to_string());
        names.collect::<Vec<_>>()
    });
    assert_eq!(order, ["%p1", "%m", "%z", "%p2", "%a"]);
}

#[test]
fn plans_without_circles_have_none() {
    let text =
        format!("{CHAIN} stage %a in p1 from scratch stage %b in p2 {{ copy \"/\" from phase p1 to \"/\" }}");
    assert_eq!(circles(&text), []);
}

#[test]
fn circles_of_stages_are_found_with_their_whole_path() {
    assert_eq!(
        circles("stage %a from %c stage %b from %a stage %c from %b"),
        [(CycleKind::Stages, "`%a` → `%c` → `%b` → `%a`".to_owned())]
    );
    assert_eq!(
        circles("stage %a from scratch { copy \"/\" from %a to \"/\" }"),
        [(CycleKind::Stages, "`%a` → `%a`".to_owned())]
    );
    assert_eq!(
        circles("stage %a in build.base from scratch { copy \"/\" from phase build.base to \"/\" }"),
        [(CycleKind::Stages, "`%a` → `phase build.base` → `%a`".to_owned())]
    );
}

#[test]
fn two_circles_that_share_a_stage_are_both_found() {
    let text = "stage %a from %b { copy \"/\" from %c to \"/\" } stage %b from %a stage %c from %a";
    let found = circles(text);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn circles_of_phases_are_found_and_hide_what_follows_from_them() {
    let text = "phase a after c phase b after a phase c after b
        stage %a in a from scratch { copy \"/\" from phase c to \"/\" } stage %c in c from scratch";
    assert_eq!(
        circles(text),
        [(CycleKind::Phases, "`phase a` → `phase c` → `phase b` → `phase a`".to_owned())]
    );
}

#[test]
fn reading_a_later_phase_is_a_circle_even_where_no_stage_of_it_needs_the_reader() {
    let text = format!(
        "{CHAIN} stage %a in p1 from scratch {{ copy \"/\" from phase p3 to \"/\" }} stage %c in p3 from scratch"
    );
    assert_eq!(
        circles(&text),
        [(CycleKind::Both, "`%a` → `phase p3` → `phase p2` → `phase p1` → `%a`".to_owned())]
    );
    let through = format!(
        "{CHAIN} stage %a in p1 from scratch {{ copy \"/\" from %x to \"/\" }} stage %x from phase p2 \
         stage %b in p2 from scratch"
    );
    assert_eq!(
        circles(&through),
        [(CycleKind::Both, "`%x` → `phase p2` → `phase p1` → `%a` → `%x`".to_owned())]
    );
}

#[test]
fn a_hundred_thousand_stages_in_a_row_are_no_trouble() {
    let mut text = String::from("stage %s0 from scratch\n");
    for number in 1..100_000 {
        text.push_str(&format!("stage %s{number} from %s{}\n", number - 1));
    }
    with_graph(&text, |graph| {
        assert_eq!(graph.order().len(), 100_000);
        assert_eq!(cycles(graph), []);
    });
    let closed = text.replace("stage %s0 from scratch", "stage %s0 from %s99999");
    with_graph(&closed, |graph| {
        let found = cycles(graph);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path.len(), 100_000);
    });
}
