//! Labels of several lines, which the command gives.

use cogpack_backends_contract::Backend;
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::{KnownConfigs, resolve};
use cogpack_ir::syntax::parse;
use cogpack_ir::verify::verify;

use super::{BUILT_IN, Dialect, lower_for, stages, with_base};
use crate::Dockerfile;
use crate::artifact::Artifact;
use crate::surroundings::{Root, Surroundings};

fn plan(labels: &str) -> String {
    with_base(&format!("export from image @base {{ {labels} }}"))
}

/// What becomes of these labels: the instructions, the words that give them, and what those read.
fn given(text: &str) -> (String, Vec<String>, Vec<(String, String)>) {
    let Artifact { dockerfile, command, given, .. } =
        lower_for(BUILT_IN, text).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    let words = command.words.into_iter().filter(|word| word.starts_with("--build-arg="));
    let lines: Vec<String> =
        stages(&dockerfile).lines().filter(|it| !it.starts_with(['#', 'F'])).map(str::to_owned).collect();
    (lines.join("; "), words.collect(), given.into_iter().collect())
}

#[test]
fn the_command_gives_a_label_of_several_lines() {
    let (lines, words, read) = given(&plan(r#"label "run.cog.pip_freeze" = "a==1\nb==2" label other = "1""#));
    let name = "LABEL_RUN_COG_PIP_FREEZE";
    assert_eq!(lines, format!("LABEL other=\"1\"; ARG {name}; LABEL run.cog.pip_freeze=\"${{{name}}}\""));
    assert_eq!(words, [format!("--build-arg={name}=\"$(cat labels/run.cog.pip_freeze)\"")]);
    assert_eq!(read, [("labels/run.cog.pip_freeze".to_owned(), "a==1\nb==2".to_owned())]);
}

#[test]
fn no_two_labels_and_no_variable_are_mixed_up() {
    let (lines, words, read) = given(&with_base(
        r#"stage %app from image @base { env LABEL_A_B = "x" }
        export from %app { label "a b" = "1\n1" label "A b" = "2\n2" label "a/b" = "3\n3" }"#,
    ));
    let said: Vec<&str> = lines.split("; ").filter(|line| line.starts_with("LABEL")).collect();
    assert_eq!(
        said,
        [
            "LABEL \"A b\"=\"${LABEL_A_B_2}\"",
            "LABEL \"a b\"=\"${LABEL_A_B_3}\"",
            "LABEL a/b=\"${LABEL_A_B_4}\""
        ]
    );
    assert_eq!(
        words,
        [
            "--build-arg=LABEL_A_B_2=\"$(cat labels/A-b-2)\"",
            "--build-arg=LABEL_A_B_3=\"$(cat labels/a-b-3)\"",
            "--build-arg=LABEL_A_B_4=\"$(cat labels/a-b-4)\""
        ]
    );
    let read: Vec<&str> = read.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(read, ["2\n2", "1\n1", "3\n3"]);
}

#[test]
fn what_a_command_cannot_give_is_refused() {
    let codes = |text: &str| -> Vec<&str> {
        lower_for(BUILT_IN, text).err().into_iter().flatten().map(|gap| gap.code).collect()
    };
    assert_eq!(codes(&plan(r#"label a = "1\n2\n""#)), ["cpk::unsupported::line-break"]);
    let long = |count: usize| plan(&format!("label a = \"\\n{}\"", "x".repeat(count)));
    assert_eq!(codes(&long(120_000)), ["cpk::unsupported::line-break"]);
    assert_eq!(codes(&long(119_999)), [""; 0]);
}

/// The words that give a label where the Dockerfile stands like this.
fn words_at(surroundings: Surroundings) -> Result<Vec<String>, Vec<String>> {
    let parsed = parse(&plan("label a = \"1\\n2\""));
    let verified = verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let resolved = resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"));
    let backend = Dockerfile { dialect: Dialect::Legacy, surroundings };
    let words = |it: Artifact| it.command.words.into_iter().filter(|word| word.contains("LABEL")).collect();
    backend.lower(&resolved).map(words).map_err(|gaps| gaps.into_iter().map(|gap| gap.what).collect())
}

#[test]
fn the_file_lies_where_the_dockerfile_does() {
    let root = |file: &str| Root {
        context: InputName::new("src").expect("is a name"),
        path: ".".to_owned(),
        file: file.to_owned(),
        beside: None,
    };
    let at = |file: &str| {
        words_at(Surroundings { root: Some(root(file)), ..Surroundings::default() }).expect("is lowered")
    };
    assert_eq!(at("deploy/Dockerfile"), ["--build-arg=LABEL_A=\"$(cat deploy/labels/a)\""]);
    assert_eq!(at("to go/Dockerfile"), ["--build-arg=LABEL_A=\"$(cat 'to go/labels/a')\""]);
    assert_eq!(at("Dockerfile"), ["--build-arg=LABEL_A=\"$(cat labels/a)\""]);
    let alone = words_at(Surroundings { alone: true, ..Surroundings::default() });
    let refused = "the value of the label `a`, of several lines, which has to lie beside the Dockerfile";
    assert_eq!(alone, Err(vec![refused.to_owned()]));
}
