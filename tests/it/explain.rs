//! `cogpackc explain`: the example that breaks a rule breaks it, the one that keeps it does not. Examples
//! that are projects stand in `explained_projects.rs`.

use std::path::Path;
use std::process::Command;

use cogpack_cli::Environment;
use cogpack_compiler::World;
use cogpack_ir::explain::{self, Explanation, Form};
use cogpack_ir::json;
use cogpack_tests::plans::folder_with;
use cogpack_tests::terminal::{Answer, cogpackc_in, cogpackc_with_input};
use cogpack_tests::{runtimes, skipped};
use miette::Diagnostic;

use crate::triggers::write_layout;

fn codes(text: &str) -> Vec<String> {
    let read = match text.starts_with(['{', '[']) {
        true => json::read(text),
        false => cogpack_compiler::parse(text),
    };
    let findings = match read {
        Err(findings) => findings,
        Ok(plan) => match cogpack_compiler::compile(plan, &World::default()) {
            Err(findings) => findings,
            Ok(resolved) => resolved.warnings().to_vec(),
        },
    };
    findings.iter().map(|finding| finding.code().expect("every finding has a code").to_string()).collect()
}

/// Codes that only a running build says: programs have to run on a base image, or a daemon has to build.
/// Their plans are checked as far as a plan can be; a unit test each shows what says the code.
pub(crate) const SEEN_WHEN_IT_RUNS: [&str; 3] =
    ["cpk::build::failed", "cpk::build::parallel", "cpk::build::unknown-owner"];

/// Codes that are said only where programs can be run.
const RUNS_PROGRAMS: [&str; 2] = ["cpk::oci::mount", "cpk::unsupported::emulator"];

#[test]
fn examples_do_what_they_say() {
    let place = Place::new();
    let mut count = 0;
    for explanation in explain::all().filter(|explanation| !explanation.breaks.is_empty()) {
        let Explanation { code, form, breaks, keeps, .. } = explanation;
        count += 1;
        if *form != Form::Plan {
            continue;
        }
        if SEEN_WHEN_IT_RUNS.contains(code) {
            assert_eq!((codes(breaks), codes(keeps)), (vec![], vec![]), "{code}");
        } else if code.starts_with("lint::") {
            let found = |text: &str| {
                let answer = cogpackc_with_input(Path::new("/"), &["check", "-", "--format", "json"], text);
                let said: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("is JSON");
                let found = said["findings"].as_array().expect("is a list").clone();
                found.iter().filter_map(|one| one["code"].as_str().map(str::to_owned)).collect::<Vec<_>>()
            };
            let beside =
                if *code == "lint::allow::unknown" { vec!["lint::user::root".to_owned()] } else { vec![] };
            let breaking: Vec<String> =
                found(breaks).into_iter().filter(|code| !beside.contains(code)).collect();
            assert_eq!((breaking, found(keeps)), (vec![(*code).to_owned()], vec![]), "{code}");
        } else if commands(code).is_empty() {
            let (breaking, keeping) = (codes(breaks), codes(keeps));
            assert!(breaking.contains(&(*code).to_owned()), "{code}: {breaking:?}");
            assert!(!keeping.contains(&(*code).to_owned()), "{code}: {keeping:?}");
        } else {
            place.refused_and_taken(explanation);
        }
    }
    assert!(count > 150, "only {count} codes have examples");
}

#[test]
fn scripts_do_what_they_say() {
    let scripts: Vec<&Explanation> =
        explain::all().filter(|explanation| explanation.form == Form::Script).collect();
    assert!(scripts.len() > 5, "only {} codes have scripts", scripts.len());
    for Explanation { code, breaks, keeps, .. } in scripts {
        let calls = |program: &&str| breaks.split_whitespace().any(|word| word == *program);
        let mut programs = ["ar", "tar", "python3", "head", "tr"].into_iter().filter(calls);
        if let Some(missing) = programs.find(|program| !is_on_path(program)) {
            skipped(&format!("{code}: there is no `{missing}` on PATH"));
            continue;
        }
        let (breaking, keeping) = (answer_to(breaks), answer_to(keeps));
        let said = breaking.text().to_owned() + &breaking.stderr;
        assert!(said.contains(&format!("{code}\n")), "{code}: {said}");
        let kept = keeping.text().to_owned() + &keeping.stderr;
        // Locking takes a package index, so no project of an example has more packages than its own lock names.
        let lacks_a_lock = code.starts_with("project::") && kept.starts_with("project::lock::missing\n");
        let as_wished = if lacks_a_lock { 1 } else { 0 };
        assert_eq!((breaking.code, keeping.code), (1, as_wished), "{code}: {kept}");
        assert!(!kept.contains(&format!("{code}\n")), "{code}: {kept}");
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Runs a script in an empty directory; what its last line gets as an answer, a call of `cogpackc`.
fn answer_to(script: &str) -> Answer {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (lines, call) = script.trim_end().rsplit_once('\n').expect("a script has several lines");
    let status = Command::new("sh").args(["-euc", lines]).current_dir(folder.path()).status();
    assert!(status.expect("there is a shell").success(), "{lines}");
    let words: Vec<&str> = call.split(' ').collect();
    let name = words.iter().position(|word| *word == "cogpackc").expect("it ends with a call");
    let mut environment = alone(folder.path());
    for variable in &words[..name] {
        // Both name the directory of the plan.
        match *variable {
            "COGPACK_DEBS=." => environment.debs = vec![".".to_owned()],
            "PIP_FIND_LINKS=." => environment.find_links.put_first(folder.path()),
            other => panic!("{other}"),
        }
    }
    cogpackc_in(environment, folder.path(), &words[name + 1..])
}

/// An environment that knows no package index, no archive and no daemon, and keeps things below `path`.
pub(crate) fn alone(path: &Path) -> Environment {
    Environment {
        store: Some(path.join("store")),
        apt: Some(path.join("no-archives")),
        ..Environment::default()
    }
}

/// The command lines of which one says this code; none where reading and checking a plan does.
fn commands(code: &str) -> &'static [&'static [&'static str]] {
    const BUILD: &[&str] =
        &["build", "plan.cpk", "--builder", "direct", "--progress", "quiet", "-o", "type=oci,dest=out.tar"];
    const NO_NETWORK: &[&str] =
        &["build", "plan.cpk", "--builder", "direct", "--no-network", "-o", "type=oci,dest=out.tar"];
    match code {
        "cpk::syntax::json" => &[&["fmt", "--check", "plan.cpk"]],
        "cpk::image::triggers" => &[&["plan.cpk", "-O", "out/", "-o", "llb"]],
        "cpk::unsupported::installed-context" => &[&["plan.cpk", "-o", "llb.txt"]],
        "cpk::unsupported::beside" => &[&["plan.cpk", "-o", "dockerfile"]],
        "cpk::unsupported::capability" | "cpk::unsupported::parallel" => {
            &[&["plan.cpk", "-O", "out/", "-o", "llb", "--limits", "none"]]
        }
        "cpk::unsupported::emulator" | "cpk::unsupported::runtime" | "cpk::oci::mount" => &[BUILD],
        _ => match code.split("::").nth(1) {
            Some("build") if code.ends_with("::network") => &[NO_NETWORK],
            Some("build") => &[BUILD],
            Some("debs" | "packages" | "wheels") => &[&["plan.cpk", "-O", "out/", "-o", "oci"]],
            Some("llb" | "oci" | "unsupported") => &[
                &["plan.cpk", "-O", "out/", "-o", "llb"],
                &["plan.cpk", "-O", "out/", "-o", "dockerfile"],
                &["plan.cpk", "-O", "out/", "-o", "dockerfile", "--dialect", "legacy"],
                &["plan.cpk", "-O", "out/", "-o", "oci"],
            ],
            _ => &[],
        },
    }
}

/// Where the plans are shown to backends and builders: beside what they read, on a machine that knows no
/// package index, no archive and no daemon.
struct Place {
    folder: tempfile::TempDir,
    environment: Environment,
}

impl Place {
    /// `files` has a file, a directory and a link, `ignoring` an ignore file, and `packages` a wheel that is
    /// empty; `base` and `onbuild` are layouts, the second with build triggers.
    fn new() -> Self {
        let folder = folder_with(&[
            ("files/a.txt", "a"),
            ("files/b.txt", "b"),
            ("files/tree/c.txt", "c"),
            ("ignoring/.dockerignore", "*.log"),
            ("packages/six-1.17.0-py2.py3-none-any.whl", ""),
        ]);
        let path = folder.path();
        std::os::unix::fs::symlink("a.txt", path.join("files/link")).expect("a link can be made");
        write_layout(&path.join("base"), &serde_json::Value::Null);
        write_layout(&path.join("onbuild"), &serde_json::json!(["RUN make"]));
        let environment = alone(path);
        Self { folder, environment }
    }

    fn environment(&self, code: &str) -> Environment {
        let mut environment = self.environment.clone();
        match code {
            "cpk::packages::digest" => {
                let packages = self.folder.path().join("packages");
                environment.find_links.put_first(&packages);
            }
            code if RUNS_PROGRAMS.contains(&code) => {
                environment.docker.path = runtimes::environment().docker.path
            }
            _ => {}
        }
        environment
    }

    /// What the command lines say to a plan.
    fn said(&self, code: &str, text: &str) -> String {
        std::fs::write(self.folder.path().join("plan.cpk"), text).expect("can be written");
        let answers = commands(code)
            .iter()
            .map(|arguments| cogpackc_in(self.environment(code), self.folder.path(), arguments));
        answers.map(|answer| answer.text().to_owned() + &answer.stderr).collect()
    }

    /// Some command says the code to the plan that breaks the rule, and none to the one that keeps it.
    fn refused_and_taken(&self, explanation: &Explanation) {
        let Explanation { code, breaks, keeps, .. } = explanation;
        if RUNS_PROGRAMS.contains(code) && runtimes::any().is_none() {
            return;
        }
        let line = format!("{code}\n");
        let breaking = self.said(code, breaks);
        assert!(breaking.contains(&line), "{code}: {breaking}");
        // What this plan names is at a place of the network.
        if *code != "cpk::packages::missing" {
            let keeping = self.said(code, keeps);
            assert!(!keeping.contains(&line), "{code}: {keeping}");
        }
    }
}
