//! What cannot be seen of a project is an error: no stack and no block is left out because its evidence
//! could not be read.

use std::convert::Infallible;

use cogpack_frontends_source::{Answer, MemoryProject, Names, Question, Source, Text, answered};

use super::{LOCK, plan, told};
use crate::stacks::Request;

const YAML: &str = "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n";

/// What is told of a project when the machine refuses one question about it.
fn without(files: &[(&str, &str)], refused: &str) -> String {
    let project = MemoryProject::new(files.iter().copied()).unwrap();
    let mut source = Source::default();
    let mut was_asked = false;
    let read = |question: &Question| {
        let why = "permission denied".to_owned();
        let is_refused = |path: &dyn std::fmt::Display| path.to_string() == refused;
        let answer = match question {
            Question::Text(path) if is_refused(path) => Some(Answer::Text(Text::Unreadable(why))),
            Question::Names(path) if is_refused(path) => Some(Answer::Names(Names::Unreadable(why))),
            Question::Text(_) | Question::Names(_) | Question::Kind(_) | Question::Digest(_) => None,
        };
        was_asked |= answer.is_some();
        Ok::<_, Infallible>(answer.unwrap_or_else(|| project.answer(question)))
    };
    let planned = answered(&mut source, |source| plan(source, &Request::plain()), read);
    assert!(was_asked, "nobody asked for `{refused}`");
    match planned {
        Ok(Ok(planned)) => format!("planned, with {} warnings", planned.warnings.len()),
        Ok(Err(findings)) => findings.iter().map(told).collect::<Vec<_>>().join("\n"),
        Err(never) => match never {},
    }
}

#[test]
fn a_stack_or_a_block_whose_detection_fails_is_an_error() {
    let predict =
        ("predict.py", "class Predictor:\n    def run(self, name: str) -> str:\n        return name\n");
    let model = [("cog.yaml", YAML), ("pylock.cog.toml", LOCK), predict];
    let with = |file| [&model[..], &[(file, "")]].concat();
    let package = "[project]\nname = \"own\"\nversion = \"1\"\n[project.scripts]\nown = \"own:main\"\n";
    let installed = [("pyproject.toml", package), ("src/own.py", "")];
    let mut told = vec![without(&model, ".")];
    for file in ["cog.yaml", "pylock.cog.toml", "predict.py"] {
        told.push(without(&model, file));
    }
    for file in
        ["cogpack.toml", "pyproject.toml", "requirements.txt", ".python-version", "uv.lock", "pylock.toml"]
    {
        told.push(without(&with(file), file));
    }
    for file in ["setup.py", "setup.cfg"] {
        told.push(without(&[("main.py", ""), (file, "")], file));
    }
    told.push(without(&installed, "src"));
    for told in &told {
        assert!(told.contains("permission denied"), "{told}");
        assert!(!told.starts_with("planned"), "{told}");
    }
}
