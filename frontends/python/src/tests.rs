//! No text ends in a panic, findings point into their files, and equal files give equal answers.

use std::collections::BTreeSet;

use cogpack_content::Platform;
use cogpack_packages_wheels::lock::marker::Environment;
use cogpack_packages_wheels::target::{PythonVersion, Target};
use miette::Diagnostic;
use proptest::prelude::*;

use cogpack_frontends_source::{InFile, MemoryProject, SourcePath, Text};

use crate::requirements;

const REQUIREMENTS: &str = "numpy[extra]>=1.26,<3 ; python_version < \"3.13\"  # why\n\
    -r more.txt\n-c limits.txt\n--index-url https://index.example/simple\n\
    torch==2.5.1 \\\n    --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\
    name @ https://files.example/name-1.0-py3-none-any.whl#sha256=0 ; extra == 'a'\n\
    ./wheels/own-1.0-py3-none-any.whl\n-e .\ngit+https://git.example/repo@main#egg=repo\n";

const PIECES: &[&str] = &[
    "-r ",
    "-c",
    "-e ",
    "--",
    "--hash=",
    "==",
    ">=",
    "~=",
    "@ ",
    "://",
    ";",
    "; ",
    "[",
    "]",
    "(",
    ")",
    ",",
    "#",
    " #",
    "\\\n",
    "\\",
    "\r\n",
    "\n",
    "\t",
    "\"",
    "'",
    "a",
    "1.0",
    "*",
    "!",
    "${A}",
    "\u{feff}",
    "ß",
    "\0",
    "=",
    "..",
    "/",
    "requirements.txt",
    "more.txt",
    " and ",
    "python_version",
    " in ",
    "1!2+c.dev",
    "99999999999999999999",
];

/// What every finding keeps to.
pub(crate) fn checked<F: Diagnostic>(project: &MemoryProject, findings: &[InFile<F>]) {
    for InFile { file, finding } in findings {
        assert!(finding.code().is_some() && finding.help().is_some(), "{finding}");
        let Text::Is(text) = project.plan(|source| source.text(file).cloned()) else {
            panic!("{finding} is of no file")
        };
        for label in finding.labels().into_iter().flatten() {
            assert!(text.get(label.offset()..label.offset() + label.len()).is_some(), "{text:?}: {finding}");
        }
    }
}

/// A text with slips in it.
pub(crate) fn slipped(text: &str, slips: &[(prop::sample::Index, bool, &'static str)]) -> String {
    let mut text = text.to_owned();
    for (at, takes_away, piece) in slips {
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        match takes_away {
            true => drop(text.remove(at)),
            false => text.insert_str(at, piece),
        }
    }
    text
}

fn requirements_hold(text: &str) {
    let project =
        MemoryProject::new([("requirements.txt", text), ("more.txt", text), ("limits.txt", "a<2\nb>1\n")]);
    let project =
        project.expect("are paths").with("wheels/own-1.0-py3-none-any.whl", b"").expect("is a path");
    let file = SourcePath::new("requirements.txt").expect("is a path");
    let read = || project.plan(|source| requirements::read(&file, source));
    let (understood, findings) = read();
    checked(&project, &findings);
    assert_eq!((understood, findings), read());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_requirements_end_in_a_panic(text in "\\PC{0,120}") {
        requirements_hold(&text);
    }

    #[test]
    fn no_pieces_of_requirements_do(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30)) {
        requirements_hold(&pieces.concat());
    }

    #[test]
    fn no_requirements_with_slips_do(
        slips in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), prop::sample::select(PIECES)), 1..6)
    ) {
        requirements_hold(&slipped(REQUIREMENTS, &slips));
    }
}

const PYPROJECT: &str = r#"[project]
name = "model"
requires-python = ">=3.11"
dependencies = ["numpy>=2,<3; python_version < '3.13'", 'torch[a]==2.5.1']
optional-dependencies = { extra = ["six"] }
[dependency-groups]
test = ["pytest", { include-group = "dev" }]
dev = ["ruff"]
[tool.cogpack]
base = "debian"
python = "3.12"
"#;

const LOCK: &str = r#"version = 1
requires-python = ">=3.11"
[[package]]
name = "numpy"
version = "2.1.0"
resolution-markers = ["sys_platform == 'linux'"]
"#;

/// Pieces of TOML.
const TOML: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "\r\n",
    ",",
    ".",
    "#",
    "\\",
    "\\u0000",
    "1",
    "true",
    "1979-05-27",
    "project",
    "dependencies",
    "tool.cogpack",
    "include-group",
    "test",
    "package",
    "version",
    ">=",
    ";",
    "ß",
    "\0",
    "\u{feff}",
];

fn project_holds(files: &[(&str, &str)]) {
    let project = MemoryProject::new(files.iter().copied()).expect("are paths");
    let read = || project.plan(|source| crate::project::read(&SourcePath::root(), None, source));
    let (understood, findings) = read();
    checked(&project, &findings);
    let target = Target { python: PythonVersion { major: 3, minor: 12 }, platform: Platform::linux_amd64() };
    let (extras, groups) = (BTreeSet::new(), BTreeSet::new());
    let environment = Environment { target: &target, patch: 0, extras: &extras, groups: &groups };
    let table = understood.pyproject.as_ref().and_then(|pyproject| pyproject.project.as_ref());
    let required = table.map(|table| table.dependencies.clone()).unwrap_or_default();
    for lock in &understood.locks {
        checked(&project, &lock.misfits(&required, &environment));
    }
    let (_, conflicts) =
        crate::merge::merge(&required, &[], &environment).expect("markers were looked at before");
    checked(&project, &conflicts);
    assert_eq!((understood, findings), read());
}

#[test]
fn groups_in_groups_do_not_end_in_a_panic() {
    let mut text = "[dependency-groups]\n".to_owned();
    for number in 0..300 {
        text.push_str(&format!("g{number} = [{{ include-group = \"g{}\" }}]\n", number + 1));
    }
    project_holds(&[("pyproject.toml", &text)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_pieces_of_toml_do(pieces in prop::collection::vec(prop::sample::select(TOML), 0..30)) {
        let text = pieces.concat();
        project_holds(&[("pyproject.toml", &text), ("uv.lock", &text), (".python-version", &text), ("setup.cfg", &text)]);
    }

    #[test]
    fn no_project_with_slips_does(
        slips in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), prop::sample::select(TOML)), 1..5),
        others in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), prop::sample::select(TOML)), 0..3),
    ) {
        project_holds(&[("pyproject.toml", &slipped(PYPROJECT, &slips)), ("uv.lock", &slipped(LOCK, &others))]);
    }
}
