//! Inputs of `cogpackc predict` that a project's model does not take: told with the lines that declare
//! them, before anything is locked, built or started.

use cogpack_tests::terminal::cogpackc;
use tempfile::TempDir;

const PREDICTOR: &str = r#"from cog import BaseRunner, Input, Path

class Predictor(BaseRunner):
    def run(
        self,
        prompt: str,
        steps: int = Input(default=20, ge=1, le=50),
        style: str = Input(default="oil", choices=["oil", "ink"]),
        image: Path | None = None,
        masks: list[Path] = [],
    ) -> str:
        return prompt
"#;

fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("is writable");
    write("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n");
    write("predict.py", PREDICTOR);
    folder
}

/// What is said of these inputs, and that nothing else was begun.
fn refused(folder: &TempDir, words: &[&str]) -> String {
    let mut line = vec!["predict", ".", "--builder", "direct"];
    line.extend(words);
    let answer = cogpackc(folder.path(), &line);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert!(answer.text().is_empty(), "{}", answer.text());
    let left = std::fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(left, 2, "the project stays as it is");
    answer.stderr
}

#[test]
fn inputs_are_judged_by_the_lines_that_declare_them() {
    let folder = project();
    let words = ["-i", "promt=a cat", "-i", "steps=90", "-i", "style=pen", "-i", "image=cat.png"];
    insta::assert_snapshot!(refused(&folder, &words), @r##"
    project::input::unknown

      × the model has no input `promt`
       ╭─[predict.py:4:9]
     3 │ class Predictor(BaseRunner):
     4 │     def run(
       ·         ─┬─
       ·          ╰── this takes no such input
     5 │         self,
       ╰────
      help: did you mean `prompt`?

    project::input::missing

      × the input `prompt` is missing, and has no default
       ╭─[predict.py:6:9]
     5 │         self,
     6 │         prompt: str,
       ·         ───┬──
       ·            ╰── it is declared here
     7 │         steps: int = Input(default=20, ge=1, le=50),
       ╰────
      help: give it a value: `-i prompt=TEXT`

    project::input::bounds

      × the input `steps` is 90, which is more than 50
       ╭─[predict.py:7:9]
     6 │         prompt: str,
     7 │         steps: int = Input(default=20, ge=1, le=50),
       ·         ──┬──
       ·           ╰── it is declared here
     8 │         style: str = Input(default="oil", choices=["oil", "ink"]),
       ╰────
      help: give a number from 1 to 50

    project::input::choice

      × the input `style` is `pen`, which is none of its choices
       ╭─[predict.py:8:9]
     7 │         steps: int = Input(default=20, ge=1, le=50),
     8 │         style: str = Input(default="oil", choices=["oil", "ink"]),
       ·         ──┬──
       ·           ╰── it is declared here
     9 │         image: Path | None = None,
       ╰────
      help: give one of "oil", "ink"

    project::input::file

      × the input `image` is a file, and `cat.png` is no address of one
        ╭─[predict.py:9:9]
      8 │         style: str = Input(default="oil", choices=["oil", "ink"]),
      9 │         image: Path | None = None,
        ·         ──┬──
        ·           ╰── it is declared here
     10 │         masks: list[Path] = [],
        ╰────
      help: write `-i image=@PATH` for a file of this machine, or an http, https or data address
    "##);
}

#[test]
fn inputs_given_as_json_are_judged_as_well() {
    let folder = project();
    let said = refused(&folder, &["--json", r#"{"prompt": 7, "steps": "many"}"#]);
    insta::assert_snapshot!(said, @r##"
    project::input::wrong-type

      × the input `prompt` must be `str`, not the number 7
       ╭─[predict.py:6:9]
     5 │         self,
     6 │         prompt: str,
       ·         ───┬──
       ·            ╰── it is declared here
     7 │         steps: int = Input(default=20, ge=1, le=50),
       ╰────
      help: write `-i prompt=TEXT`

    project::input::wrong-type

      × the input `steps` must be `int`, not the text `many`
       ╭─[predict.py:7:9]
     6 │         prompt: str,
     7 │         steps: int = Input(default=20, ge=1, le=50),
       ·         ──┬──
       ·           ╰── it is declared here
     8 │         style: str = Input(default="oil", choices=["oil", "ink"]),
       ╰────
      help: write `-i steps=1`
    "##);
    let said = refused(&folder, &["-i", "prompt=a", "-i", "steps=2", "-i", "steps=3", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&said).expect("is JSON");
    let finding = &document["findings"][0];
    assert_eq!(finding["code"], "project::input::twice", "{said}");
    assert_eq!(finding["labels"][0]["line"], 7, "{said}");
}

#[test]
fn a_file_that_is_not_there_is_told_before_a_build() {
    let folder = project();
    let line = ["predict", ".", "--builder", "direct", "-i", "prompt=@home", "-i", "masks=@none.png"];
    let answer = cogpackc(folder.path(), &line);
    assert_eq!(answer.code, 2, "what is not there is no matter of the model");
    insta::assert_snapshot!(answer.stderr, @r##"
    error: cannot read the input `masks` in `none.png`: No such file or directory (os error 2)

    hint: what stands behind `@` is the path of a file
    "##);
}

#[test]
fn a_document_in_place_of_the_files_judges_too() {
    let folder = project();
    let outside = tempfile::tempdir().expect("a temporary folder can be made");
    let document = outside.path().join("openapi.json");
    let text = r#"{"components": {"schemas": {"Input": {"required": ["n"], "properties": {"n": {"type": "integer"}}}}}}"#;
    std::fs::write(&document, text).expect("is writable");
    let path = document.to_str().expect("the path is UTF-8");
    insta::assert_snapshot!(refused(&folder, &["--openapi-schema", path, "-i", "m=1"]), @r##"
    project::input::unknown

      × the model has no input `m`
      help: its inputs are n

    project::input::missing

      × the input `n` is missing, and has no default
      help: give it a value: `-i n=1`
    "##);
}

#[test]
fn what_could_not_be_used_in_the_end_is_refused_in_the_beginning() {
    let folder = project();
    std::fs::write(folder.path().join("list.json"), "[]").expect("is writable");
    let said = |words: &[&str]| {
        let line = [&["predict", ".", "--builder", "direct", "-i", "prompt=a"], words].concat();
        let line: Vec<&str> = match words.contains(&"--json") {
            true => line.into_iter().filter(|word| !["-i", "prompt=a"].contains(word)).collect(),
            false => line,
        };
        let answer = cogpackc(folder.path(), &line);
        assert_eq!((answer.code, answer.text()), (2, ""), "{}", answer.stderr);
        answer.stderr
    };
    let told = [
        said(&["-o", "none/x/y"]),
        said(&["-o", "predict.py/made/"]),
        said(&["--json", r#"{"prompt": "a", "steps": 1, "steps": 2}"#]),
        said(&["--openapi-schema", "list.json"]),
    ];
    insta::assert_snapshot!(told.join("\n").replace(&folder.path().display().to_string(), "DIR"), @r"
    error: no output can be written to `none/x/y`: `none/x` is not there

    hint: name a file in a directory that is there, or a directory, as in `-o made/`, which is made

    error: no output can be written to `predict.py/made/`: `predict.py` is no directory

    hint: name a file in a directory that is there, or a directory, as in `-o made/`, which is made

    error: the inputs in `--json` cannot be told apart: `steps` is given twice at line 1 column 39

    hint: leave one of the two out

    error: read the OpenAPI document `list.json`
      because: it has neither `Input` nor `TrainingInput` below `components` and `schemas`

    hint: it is all that `/openapi.json` of a running model answers
    ");
}

#[test]
fn a_plan_judges_by_its_label() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let document =
        r#"{\"components\": {\"schemas\": {\"Input\": {\"properties\": {\"n\": {\"type\": \"integer\"}}}}}}"#;
    let plan = format!(
        "cpk 1\nstage %app from scratch {{\n  mkdir \"/a\"\n}}\nexport from %app {{\n  label run.cog.openapi_schema = \"{document}\"\n}}\n"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let answer = cogpackc(folder.path(), &["predict", "plan.cpk", "--builder", "direct", "-i", "n=many"]);
    assert_eq!(answer.code, 1);
    insta::assert_snapshot!(answer.stderr, @r##"
    project::input::wrong-type

      × the input `n` must be `int | None`, not the text `many`
      help: write `-i n=1`
    "##);
    let words = ["predict", "plan.cpk", "--builder", "direct", "-i", "n=many", "--format", "json"];
    let answer = cogpackc(folder.path(), &words);
    assert_eq!(answer.code, 1);
    let document: serde_json::Value = serde_json::from_str(&answer.stderr).expect("is JSON");
    assert_eq!(
        (&document["file"], &document["findings"][0]["code"]),
        (&"plan.cpk".into(), &"project::input::wrong-type".into())
    );
}
