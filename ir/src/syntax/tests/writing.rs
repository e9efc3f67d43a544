//! What texts look like when they are printed and formatted.

use crate::syntax::{format, parse, print};

const DESIGN: &str = include_str!("design.cpk");

#[test]
fn a_printed_plan_reads_back_as_it_was() {
    let plan = parse(DESIGN).plan;
    let printed = print(&plan);
    let again = parse(&printed);
    assert_eq!(again.findings, []);
    assert_eq!(again.plan, plan);
    assert_eq!(print(&again.plan), printed);
}

#[test]
fn formatting_keeps_comments_and_changes_nothing_twice() {
    let once = format(DESIGN).expect("has no mistakes");
    assert_eq!(parse(&once).comments.count(), 3);
    assert_eq!(format(&once).as_ref(), Ok(&once));
    assert_eq!(once, include_str!("design.formatted.cpk"));
}

#[test]
fn stages_of_one_name_are_ordered_once_and_for_all() {
    let text = "cpk 1\nstage %b\nstage %a {\n  copy \"x\" from %a to \"/x\"\n}\nstage %a\n";
    let plan = parse(text).plan;
    let printed = print(&plan);
    assert_eq!(parse(&printed).plan, plan);
    assert_eq!(print(&parse(&printed).plan), printed);
}
