//! Hostile texts in every place of a plan, as Dockerfiles say them: what a builder would read is
//! what the plan says, or the emitter refuses by name.
//!
//! The judge of random plans is the reader in `cogpack_tests::dockerfile`; the judge of
//! `tests/cases/backends/hostile.cpk`, which says the nastiest of it, are real builders.
//!
//! That the judge sees what it should was tried with twenty mistakes, put into the emitter one by one.
//! Random plans found: `'`, `$` unescaped in words; `\`, `"`, `$` unescaped in quotes; line breaks
//! let through in quotes; words with spaces not in a list; `$` taken for a bare letter; `<<` in a script
//! that stands as it is; line breaks lost from lists; spaces at the ends of volumes. The cases below
//! found: `[` in a source left as it is; letters beyond ASCII in mounts; `=` in the key of a label; and, where
//! random plans found them in some runs only, scripts that stand as they are with spaces at their ends,
//! control characters, a `[`, `--` or `\`. One was found by neither: `\` unescaped in words, since the
//! verifier lets no path have one.

mod judge;
pub mod plans;
mod stand_ins;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use judge::{DIALECTS, Judge, Outcome};

/// How many random plans are judged, in each dialect.
const CASES: u32 = 150;

/// Plans that were once said wrong, or are easy to, as ops of the stage and lines of the export.
const FOUND: &[(&str, &str)] = &[
    // The first `=` ends the key of a label, also in quotes.
    ("", r#"label "a=b" = "c""#),
    // A command gives what has several lines; a shell that reads it takes away no byte, and no builder.
    ("", r#"label "a b" = "\n $(c) ${PATH} `d` \"e\" 'f' \\n\tg""#),
    // Spaces at the ends of a volume are taken off, by some also from between quotes.
    ("", r#"volume "/v/$ ""#),
    // `\[` in a source is looked for with its `\`.
    (r#"copy "a[b]" from %tools to "/o""#, ""),
    (r#"copy "a[b]" from @source to "/o""#, ""),
    // What a `RUN` would not read as it stands.
    (r#"run " a ""#, ""),
    (r#"run "a\nb""#, ""),
    (r##"run "a\n# b""##, ""),
    (r#"run "[\"a\"]""#, ""),
    (r#"run "--mount=type=tmpfs,target=/a b""#, ""),
    (r#"run "a \\""#, ""),
    (r#"run "a <<B""#, ""),
    (r##"run "#a" { mount tmpfs at "/b" }"##, ""),
    // A user is a word.
    (r#"user "a$b:c$1" exec ["x", "y"]"#, ""),
    // Flags are read byte by byte.
    (r#"run "x" { mount tmpfs at "/é" }"#, ""),
    // What `--mount` gives a meaning: its commas and quotes, then words, then flags.
    (r#"run "x" { mount tmpfs at "/a,b c\"d'e$$f" }"#, ""),
    (r#"run "x" { mount cache pip at "/a \"" sharing locked }"#, ""),
    (r#"run "x" { mount secret token at "/s,t=u" }"#, ""),
    // What readers of ignore files trim from the ends of lines, and take for a comment or a `!`.
    (r#"copy contents "." from @source to "/o" { exclude "OsU c\u{2028}" exclude "\u{3000}x\u{a0}" }"#, ""),
    (r#"copy contents "." from @source to "/o" { exclude "y " exclude " z" exclude "\u{feff}z" }"#, ""),
    (r##"copy contents "." from @source to "/o" { exclude "#x" exclude "?!x" }"##, ""),
];

/// A folder with the context `source`.
fn folder(names: &[String]) -> tempfile::TempDir {
    // Every file that is emitted is synced, which is free where there is no disk below.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder can be made");
    let source = folder.path().join("source");
    std::fs::create_dir(&source).expect("can be made");
    // What the directory's own ignore file and the plan leave out is never read.
    for (name, content) in
        [("plain", "plain"), ("x.ignored", ""), ("x.excluded", ""), (".dockerignore", "*.ignored\n")]
    {
        std::fs::write(source.join(name), content).expect("can be written");
    }
    for (number, name) in names.iter().enumerate() {
        std::fs::write(source.join(name), format!("source {number}")).expect("can be written");
    }
    folder
}

/// What comes of a plan in each dialect; nothing for a plan that breaks a rule.
fn outcomes(plan: &str, names: &[String]) -> Result<BTreeMap<&'static str, Outcome>, String> {
    let folder = folder(names);
    let judge = Judge::of(plan, folder.path())?;
    Ok(DIALECTS.iter().map(|spoken| (spoken.0, judge.outcome(*spoken))).collect())
}

#[test]
fn what_a_builder_reads_is_what_the_plan_says() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let said = RefCell::new(BTreeMap::<&str, u32>::new());
    let result = TestRunner::new(config).run(&plans::plan(), |(plan, names)| {
        for (dialect, outcome) in outcomes(&plan, &names).map_err(TestCaseError::reject)? {
            match outcome {
                Outcome::Same => *said.borrow_mut().entry(dialect).or_default() += 1,
                Outcome::Refused(_) => {}
                Outcome::Different(how) => return Err(TestCaseError::fail(format!("{how}\n{plan}"))),
            }
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    // What is refused is not judged, so most must be said.
    for (dialect, _, _) in DIALECTS {
        let said = said.borrow().get(dialect).copied().unwrap_or_default();
        assert!(said > CASES / 2, "only {said} of {CASES} plans are said in {dialect}");
    }
}

#[test]
fn what_was_once_said_wrong_is_said_right() {
    let names = [
        "a[b]",
        "OsU c\u{2028}",
        "OsU c",
        "\u{3000}x\u{a0}",
        "x",
        "y ",
        "y",
        " z",
        "z",
        "\u{feff}z",
        "#x",
        "y!x",
    ];
    let names = names.map(str::to_owned);
    for (op, line) in FOUND {
        let plan = plans::written(&names, "", &[(*op).to_owned()], false, line);
        for (dialect, outcome) in outcomes(&plan, &names).unwrap_or_else(|why| panic!("{why}\n{plan}")) {
            if let Outcome::Different(how) = outcome {
                panic!("{dialect}: {how}\n{plan}");
            }
        }
    }
}
