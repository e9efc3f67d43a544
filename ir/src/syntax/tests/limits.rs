//! Texts that want to cost more than their length.

use std::time::{Duration, Instant};

use crate::syntax::parse;

const MEGABYTE: usize = 1 << 20;

/// Far above what any of these takes without optimisation, far below what anything worse than
/// linear takes.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_megabyte_of_anything_is_reported_soon() {
    let pieces = [
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
        "image @a = \"a\"\n",
        "image @a = \"a\" x\n",
        "${",
        "$",
        "#",
        "#\n",
        "\n",
        "\r",
        " ",
        "[",
        "=",
        ",",
        "\u{feff}",
        "é",
        "\0",
        "cpk 1\n",
        "copy ",
        "phase a after ",
        "a\n",
        "secret ",
        "from phase ",
        "stage %a { run \"x\"\n",
        "stage %a { x { }\n }\n",
        "export from {\n}\n",
    ];
    for piece in pieces {
        let text = piece.repeat(MEGABYTE / piece.len());
        for text in [
            text.clone(),
            format!("cpk 1\nstage %a {{\n{text}"),
            format!("cpk 1\nstage %a {{\nrun \"\" {{\n{text}\n}}\n}}\n"),
            format!("cpk 1\nimage @a = \"a\"\n {text}"),
        ] {
            let start = Instant::now();
            let parsed = parse(&text);
            let taken = start.elapsed();
            assert!(taken < PATIENCE, "{piece:?} took {taken:?}");
            let is_blank = piece.trim().is_empty() || piece.starts_with('#');
            assert!(is_blank || !parsed.findings.is_empty(), "{piece:?}");
            assert!(parsed.findings.len() <= 501, "{piece:?}");
            if std::env::var_os("SHOW").is_some() {
                println!("{piece:?} {taken:?} {}", parsed.findings.len());
            }
        }
    }
}
