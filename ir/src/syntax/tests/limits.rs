//! Texts that want to cost more than their length.

#![expect(clippy::disallowed_methods, reason = "what is tested is how long something takes")]

use std::time::{Duration, Instant};

use crate::finding::Finding;
use crate::syntax::{SyntaxFinding, parse};

/// Far above what any of these takes without optimisation, far below what anything takes whose
/// cost grows faster than the text.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a text is filled with.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "{}",
    "{ ",
    "\"",
    "\"\"\"",
    "\"\"\"\n",
    "\\\"\"\"\n",
    "\\\"",
    "\"\\",
    "\"x\n",
    "\\",
    "stage",
    "stage ",
    "stage %a {",
    "stage %a {\n",
    "stage %a { run \"x\"\n",
    "stage %a { x { }\n }\n",
    "stage %a in\n",
    "stage %a { } x\n",
    "image @a = \"a\"\n",
    "image @a = \"a\" x\n",
    "image @a = \"a\" user \"x\"\n",
    "export from {\n}\n",
    "cpk 1\n",
    "copy ",
    "phase a after ",
    "secret ",
    "from phase ",
    "a\n",
    "a {\n",
    "run \"\" x\n",
    "${",
    "$",
    "#",
    "#\n",
    "\n",
    "\r",
    " ",
    "[",
    "=",
    "\u{feff}",
    "é",
    "\0",
];

fn check(piece: &str, before: &str, length: usize, after: &str) {
    let text = format!("{before}{}{after}", piece.repeat(length / piece.len()));
    let start = Instant::now();
    let parsed = parse(&text);
    let taken = start.elapsed();
    assert!(taken < PATIENCE, "{before:?} {piece:?} took {taken:?}");
    assert!(parsed.findings.len() <= 501, "{piece:?}");
    let is_harmless = piece.trim().is_empty() || piece.starts_with('#');
    assert!(is_harmless || !parsed.findings.is_empty(), "{before:?} {piece:?}");
}

#[test]
fn a_megabyte_of_anything_is_reported_soon() {
    for piece in PIECES {
        check(piece, "", 1 << 20, "");
    }
}

#[test]
fn a_block_of_anything_is_reported_soon() {
    for piece in PIECES {
        check(piece, "cpk 1\nstage %a {\n", 1 << 17, "");
        check(piece, "cpk 1\nstage %a {\nrun \"\" {\n", 1 << 17, "\n}\n}\n");
    }
}

#[test]
fn an_image_of_anything_is_reported_soon() {
    for piece in PIECES {
        check(piece, "cpk 1\nimage @a = \"a\"\n ", 1 << 17, "");
    }
}

#[test]
fn what_is_too_deep_is_not_read() {
    let deep = |depth: usize| format!("cpk 1\nstage %a {}{}", "{".repeat(depth), "}".repeat(depth));
    let is_too_deep = |depth| {
        parse(&deep(depth))
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::Syntax(SyntaxFinding::TooDeep { .. })))
    };
    assert_eq!((is_too_deep(16), is_too_deep(17), is_too_deep(100_000)), (false, true, true));
}

#[test]
fn a_text_is_read_alike_whether_one_thread_reads_it_or_two() {
    let stages = |count: usize| {
        let stages = (0..count).map(|number| {
            format!("# {number}\nstage %s{number:05} {{\n  run \"echo\" {{\n    network none\n  }} # {number}\n}}\n")
        });
        stages.collect::<String>()
    };
    let parsed = parse(&format!("cpk 1\n{}", stages(20_000)));
    assert_eq!(parsed.findings, []);
    assert_eq!((parsed.plan.stages.len(), parsed.comments.count()), (20_000, 40_000));
    let again = parse(&format!("cpk 1\n{}", stages(100)));
    assert_eq!(again.plan.stages, parsed.plan.stages[..100]);
    let twice = parse(&format!("cpk 1\n{0}cache c\n{0}cache c\nrnu\n", stages(10_000)));
    let messages: Vec<String> = twice.findings.iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
}
