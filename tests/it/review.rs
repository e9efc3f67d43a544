//! The recipe for reviewing plans: a kept plan that is fresh passes, a stale one fails with what differs, and
//! the workflow of `docs/` has no command that does not do what it says.

use std::fs;
use std::path::Path;

use cogpack_tests::places::root;
use cogpack_tests::terminal::{Answer, cogpackc};

/// A model with a lock, in a folder of its own.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for name in ["cog.yaml", "predict.py", "pylock.cog.toml"] {
        let from = root().join("tests/projects/string-model").join(name);
        fs::copy(from, folder.path().join(name)).expect("the project has the file");
    }
    folder
}

fn check(folder: &Path, more: &[&str]) -> Answer {
    cogpackc(folder, &[&["plan", ".", "--check", "plan.cpk"], more].concat())
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("can be read");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("can be written");
}

#[test]
fn a_kept_plan_is_fresh_until_the_project_says_something_else() {
    let folder = project();
    let missing = check(folder.path(), &[]);
    assert_eq!((missing.code, missing.text()), (2, ""));
    assert!(missing.stderr.contains("hint: `cogpackc plan … -O plan.cpk` writes it"), "{}", missing.stderr);

    let written = cogpackc(folder.path(), &["plan", ".", "-O", "plan.cpk"]);
    assert_eq!((written.code, written.text(), written.stderr.as_str()), (0, "", ""));
    let plan = folder.path().join("plan.cpk");
    let kept = fs::read_to_string(&plan).expect("it was written");
    assert_eq!(kept, cogpackc(folder.path(), &["plan"]).text());
    let fresh = check(folder.path(), &[]);
    assert_eq!((fresh.code, fresh.text(), fresh.stderr.as_str()), (0, "", "plan.cpk is up to date\n"));

    // What its keeper writes beside it is not the project's business.
    change(&plan, "export from", "# Reviewed.\nexport   from");
    assert_eq!(check(folder.path(), &[]).code, 0);

    change(&folder.path().join("cog.yaml"), "run:", "environment:\n  - MODE=fast\nrun:");
    let stale = check(folder.path(), &[]);
    assert_eq!(stale.code, 1, "{}", stale.stderr);
    assert!(stale.text().starts_with("--- plan.cpk\n+++ the plan of .\n@@ "), "{}", stale.text());
    assert!(stale.text().contains("+  env MODE = \"fast\"\n"), "{}", stale.text());
    assert!(stale.text().contains("-# Reviewed.\n"), "{}", stale.text());
    assert!(stale.stderr.contains("hint: the same command with `-O plan.cpk` in place of `--check`"));
    let told: serde_json::Value =
        serde_json::from_slice(&check(folder.path(), &["--format", "json"]).stdout).expect("is JSON");
    assert_eq!((&told["up_to_date"], &told["diff"]), (&false.into(), &stale.text().into()));

    assert_eq!(cogpackc(folder.path(), &["plan", ".", "-O", "plan.cpk"]).code, 0);
    assert_eq!(check(folder.path(), &[]).code, 0);
    // A mistake in the project leaves the kept plan as it is.
    let kept = fs::read_to_string(&plan).expect("it was written");
    fs::write(folder.path().join("cog.yaml"), "build: 1\n").expect("can be written");
    assert_eq!(cogpackc(folder.path(), &["plan", ".", "-O", "plan.cpk"]).code, 1);
    assert_eq!(fs::read_to_string(&plan).expect("it is there"), kept);
}

#[test]
fn a_plan_may_be_kept_as_json() {
    let folder = project();
    assert_eq!(cogpackc(folder.path(), &["plan", "--as", "json", "-O", "plan.json"]).code, 0);
    let fresh = cogpackc(folder.path(), &["plan", "--check", "plan.json"]);
    assert_eq!(fresh.code, 0, "{}", fresh.stderr);
    change(&folder.path().join("plan.json"), "cog.server.http", "cog.server");
    let stale = cogpackc(folder.path(), &["plan", "--check", "plan.json"]);
    assert_eq!(stale.code, 1);
    let changed: Vec<&str> = stale.text().lines().skip(3).filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(changed.len(), 2, "{}", stale.text());
}

/// The command lines of the workflow, each with the words of a shell that stand behind it.
fn commands() -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/review-workflow.yml")).expect("the workflow is there");
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("cogpackc "));
    lines.map(str::to_owned).collect()
}

/// The answers to the commands of the workflow; where one goes to a file, it does.
fn run_workflow(folder: &Path) -> Vec<(String, Answer)> {
    let run = |line: String| {
        let (command, file) = line.split_once(" > ").map_or((line.as_str(), None), |(c, f)| (c, Some(f)));
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let answer = cogpackc(folder, &words);
        if let Some(file) = file {
            fs::write(folder.join(file), &answer.stdout).expect("can be written");
        }
        (line, answer)
    };
    commands().into_iter().map(run).collect()
}

#[test]
fn the_workflow_passes_a_fresh_plan_and_stops_a_stale_one() {
    let folder = project();
    assert_eq!(cogpackc(folder.path(), &["plan", ".", "-O", "plan.cpk"]).code, 0);
    let fresh = run_workflow(folder.path());
    assert!(fresh.len() >= 2, "only {} commands were found", fresh.len());
    for (line, answer) in &fresh {
        assert_eq!(answer.code, 0, "{line}: {}{}", answer.text(), answer.stderr);
    }
    change(&folder.path().join("plan.cpk"), "cog.server.http", "cog.server");
    let stale = run_workflow(folder.path());
    assert!(stale[0].0.contains("--check plan.cpk"), "{stale:?}");
    assert_eq!(stale[0].1.code, 1);
}

#[test]
fn the_page_names_the_workflow_and_its_commands_exist() {
    let page = fs::read_to_string(root().join("docs/review.md")).expect("the page is there");
    assert!(page.contains("(review-workflow.yml)"));
    let mut seen = 0;
    for line in page.lines().filter(|line| line.starts_with("cogpackc ")) {
        let words = line.split(" > ").next().unwrap_or_default().split(' ');
        let understood = cogpack_cli::command().try_get_matches_from(words);
        assert!(understood.is_ok(), "{line}: {}", understood.unwrap_err());
        seen += 1;
    }
    assert!(seen >= 2, "only {seen} commands were found");
}

/// A project is compared as it was planned, by the options that building and planning take.
#[test]
fn a_project_is_compared_with_what_it_was_planned_with() {
    let folder = project();
    let at = folder.path();
    let written = cogpackc(at, &["plan", ".", "--precompile", "-O", "kept.cpk"]);
    assert_eq!((written.code, written.stderr.as_str()), (0, ""));
    let explained = |more: &[&str]| cogpackc(at, &[&["explain", ".", "--since", "kept.cpk"], more].concat());
    let same = explained(&["--precompile"]);
    assert_eq!((same.code, same.text()), (0, "the plan of . since kept.cpk: nothing runs again\n"));
    // Without them it is another plan.
    let other = explained(&[]);
    assert_eq!(other.code, 0, "{}", other.stderr);
    assert_ne!(other.text(), same.text());
    for (words, code) in [(&["kept.cpk", "."][..], 1), (&["kept.cpk", ".", "--precompile"], 0)] {
        let answer = cogpackc(at, &[&["diff"], words].concat());
        assert_eq!((answer.code, answer.stderr.as_str()), (code, ""), "{words:?}: {}", answer.text());
    }
    // Where there is no project they mean nothing.
    let refused = |words: &[&str]| {
        let answer = cogpackc(at, words);
        assert_eq!((answer.code, answer.text()), (2, ""), "{words:?}");
        answer.stderr
    };
    insta::assert_snapshot!(refused(&["explain", "kept.cpk", "--since", "kept.cpk", "--base", "debian"]), @r"
    error: `--base` is for projects, and `kept.cpk` is a plan

    hint: a plan says all of it itself: leave the option away, or name a project's directory
    ");
    insta::assert_snapshot!(refused(&["explain", "cpk::stage::cycle", "--base", "debian"]), @r"
    error: `--base` is for projects, and codes are explained

    hint: name a project and what it is compared with: `cogpackc explain DIR --since OLD`
    ");
    let elsewhere = refused(&["explain", ".", "--since", "kept.cpk", "--platform", "linux/s390x"]);
    assert!(elsewhere.contains("linux/s390x"), "{elsewhere}");
}
