//! Where nothing says what the image starts, the hint names what looks like a model; and no file is read for
//! that where something does say it.

use std::convert::Infallible;

use cogpack_frontends_source::{Answer, MemoryProject, Question, Source, Text, answered};

use super::told;
use crate::stacks::{Request, plan};

const PREDICT: (&str, &str) = ("predict.py", "class Predictor:\n    def run(self, name: str) -> str: ...\n");

/// What is told of a project that starts nothing, and the files in Python that were read for it.
fn asked(files: &[(&str, &str)]) -> (String, Vec<String>) {
    let project = MemoryProject::new(files.iter().copied()).unwrap();
    let (mut source, mut asked) = (Source::default(), Vec::new());
    let read = |question: &Question| {
        let answer = project.answer(question);
        if let (Question::Text(path), Answer::Text(Text::Is(_))) = (question, &answer)
            && path.as_str().ends_with(".py")
        {
            asked.push(path.to_string());
        }
        Ok::<_, Infallible>(answer)
    };
    let Ok(planned) = answered(&mut source, |source| plan(source, &Request::plain()), read);
    let findings = planned.err().map(|none| none.findings).unwrap_or_default();
    let of = |said: &String| said.starts_with("project::python::no-command");
    (findings.iter().map(told).filter(of).collect::<Vec<_>>().join("\n"), asked)
}

#[test]
fn where_nothing_is_started_what_looks_like_a_model_is_named() {
    let app = ("app.py", "def run():\n    print(1)\n");
    let tool = ("a_tool.py", "class Predictor:\n    def run(self, name: str) -> str: ...\n");
    let of_cog = ("model.py", "from cog import BasePredictor\nclass Upscaler(BasePredictor): ...\n");
    let broken = ("predict.py", "def predict(:\n");
    let required = ("requirements.txt", "");
    let pyproject = ("pyproject.toml", "[project]\nname = \"upscale\"\n");
    let settings = ("cogpack.toml", "python = \"3.12\"\n");
    let infer = ("infer.py", "def predict(a: int) -> int: ...\n");
    let told = [
        asked(&[required, app]).0,
        asked(&[required, app, PREDICT, tool]).0,
        asked(&[app, of_cog, broken, tool, pyproject]).0,
        asked(&[required, settings, app, infer]).0,
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::python::no-command requirements.txt: nothing says what the image starts
      write `command = ["python", "app.py"]` in a file `cogpack.toml`, or the words that start yours; for a model `target = "app.py:NAME"`, with its class or function
    project::python::no-command requirements.txt: nothing says what the image starts
      write `target = "predict.py:Predictor"` in a file `cogpack.toml`, and cog's server serves that; or, where it is another program, `command = ["python", "predict.py"]`, or the words that start yours
    project::python::no-command pyproject.toml: nothing says what the image starts
      write `target = "model.py:Upscaler"` below `[tool.cogpack]` in `pyproject.toml`, and cog's server serves that; or, where it is another program, `command = ["python", "model.py"]`, or the words that start yours
    project::python::no-command cogpack.toml: nothing says what the image starts
      write `target = "infer.py:predict"` in a file `cogpack.toml`, and cog's server serves that; or, where it is another program, `command = ["python", "infer.py"]`, or the words that start yours
    "#);
}

#[test]
fn only_where_nothing_is_started_files_are_looked_into() {
    let files = [("app.py", ""), ("setup.py", ""), ("lib/deep.py", ""), PREDICT];
    assert_eq!(asked(&files).1, ["setup.py", "app.py", "predict.py"]);
    let with = |more: (&'static str, &'static str)| asked(&[&files[..], &[more]].concat()).1;
    assert_eq!(with(("main.py", "")), ["setup.py"]);
    assert_eq!(with(("cogpack.toml", "command = [\"python\", \"app.py\"]\n")), ["setup.py"]);
}
