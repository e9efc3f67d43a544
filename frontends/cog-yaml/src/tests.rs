//! Whole documents: what is understood of a good one, and that no text ends in a panic.

use proptest::prelude::*;

use cogpack_frontends_source::{InFile, MemoryProject, SourcePath};

use crate::{CogYaml, CogYamlFinding, Strictness, named_files, read};

/// Every key, each in its newest form where there are several.
const EVERY_KEY: &str = r#"# the whole of it
build:
  python_version: 3.10
  python_requirements: requirements.txt
  system_packages: &apt
    - ffmpeg
    - libgl1=1.6.0-1
  run:
    - 'echo "one: two"'
    - command: |
        curl -H @/run/secrets/token https://models.example/a
      mounts:
        - { type: secret, id: token, target: /run/secrets/token }
  gpu: true
  cuda: "12.4"
  cudnn: 9
  sdk_version: 0.17.0
model: registry.example/team/größe
run: "src/run.py:Runner"
train: train.py:train
environment: [LOG_LEVEL=debug, EMPTY=]
weights:
  - name: sd-xl.base
    target: /src//weights/./base
    source:
      - uri: hf://org/repo@main
        include: ["*.safetensors"]
      - uri: file://./local
"#;

type Findings = Vec<InFile<CogYamlFinding>>;

fn read_strictly(text: &str) -> Result<(CogYaml, Findings), Findings> {
    read(&SourcePath::new("cog.yaml").expect("is a path"), text, Strictness::Strict)
        .map_err(|refused| refused.findings)
}

fn every_key() -> String {
    EVERY_KEY.replace("größe", "size")
}

#[test]
fn values_know_their_bytes_and_their_lines() {
    let text = every_key();
    let (cog, warnings) = read_strictly(&text).expect("has no mistake");
    assert!(warnings.is_empty(), "{warnings:?}");
    let python = cog.build.python_version.expect("is said");
    assert_eq!((python.value.to_string(), python.place.line), ("3.10".to_owned(), 3));
    assert_eq!(&text[python.place.start..][..python.place.length], "3.10");
    let run = cog.run.expect("is said");
    assert_eq!((run.to_string(), run.place.line), ("src/run.py:Runner".to_owned(), 19));
    assert_eq!(&text[run.place.start..][..run.place.length], "\"src/run.py:Runner\"");
    assert_eq!(cog.weights[0].target.value, "/src/weights/base");
    assert_eq!(cog.build.commands[1].secrets[0].id.as_str(), "token");
}

#[test]
fn places_are_bytes_behind_characters_of_several() {
    let findings = read_strictly(EVERY_KEY).expect_err("the name has letters that no name has");
    let [InFile { finding, .. }] = &findings[..] else { panic!("{findings:?}") };
    assert!(EVERY_KEY[finding.start()..].starts_with("registry.example/team/größe"), "{finding}");
}

#[test]
fn values_behind_an_alias_are_where_they_are_written() {
    let (cog, _) = read_strictly("image: &name registry.example/a\nrun: run.py:R\nbuild:\n  python_version: '3.12'\n  run:\n    - *name\n")
        .expect("has no mistake");
    assert_eq!(cog.build.commands[0].line.place, cog.image.expect("is said").place);
}

#[test]
fn what_is_true_or_false_is_said_in_the_words_of_either_yaml() {
    let build = |rest: &str| read_strictly(&format!("build:\n  python_version: '3.12'\n  {rest}\n"));
    let gpu = |word: &str| build(&format!("gpu: {word}")).map(|(cog, _)| cog.build.gpu.map(|gpu| gpu.value));
    for word in ["true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"] {
        assert_eq!(gpu(word), Ok(Some(true)), "{word}");
    }
    for word in ["false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"] {
        assert_eq!(gpu(word), Ok(Some(false)), "{word}");
    }
    for word in ["'yes'", "\"true\"", "!!str yes", "yES", "oN", "t", "1", "0", "enabled", "|\n    yes"] {
        assert!(gpu(word).is_err(), "{word}");
    }
    // Where a text is asked for, each of these words is one, with quotes and without.
    let (cog, _) = build("system_packages: [yes, \"no\"]\n  run: [yes, 'off']").expect("has no mistake");
    let packages: Vec<&str> = cog.build.system_packages.iter().map(|package| &*package.name).collect();
    let lines: Vec<&str> = cog.build.commands.iter().map(|command| &**command.line).collect();
    assert_eq!((&packages[..], &lines[..]), (&["yes", "no"][..], &["yes", "off"][..]));
}

#[test]
fn an_empty_document_says_nothing() {
    for text in ["", "# nothing\n", "---\n", "null\n", "\u{feff}", "build:\nrun:\nweights: []\n"] {
        assert_eq!(read_strictly(text), Ok((CogYaml::default(), Vec::new())), "{text:?}");
    }
}

#[test]
fn a_document_that_grows_behind_aliases_is_refused_at_once() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in "bcdefghij".chars().zip("abcdefghi".chars()) {
        text.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(", ")));
    }
    let findings = read_strictly(&text).expect_err("it has thousands of millions of values");
    let told = findings.iter().any(|found| found.finding.to_string().contains("more than 20000 values"));
    assert!(told, "{findings:?}");
}

#[test]
fn brackets_in_brackets_are_refused_at_once() {
    for opening in ["[", "{a: ", "- ", "[{? "] {
        let text = format!("build: {}\n", opening.repeat(100_000));
        assert!(read_strictly(&text).is_err(), "{opening}");
    }
}

#[test]
fn files_that_are_named_are_looked_for() {
    let text = "run: runn.py:R\nbuild:\n  python_version: '3.12'\n  python_requirements: docs\n";
    let (cog, _) = read_strictly(text).expect("has no mistake");
    let path = SourcePath::new("cog.yaml").expect("is a path");
    let project =
        MemoryProject::new([("cog.yaml", text), ("run.py", ""), ("docs/a", "")]).expect("are paths");
    let findings = project.plan(|source| named_files::named_files(&cog, &path, source));
    let told: Vec<String> = findings.iter().map(|found| found.finding.to_string()).collect();
    assert_eq!(
        told,
        [
            "`build.python_requirements` names the file `docs`, and that is a directory",
            "`run` names the file `runn.py`, and there is none",
        ]
    );
}

/// What is in documents, and what must not be.
const PIECES: &[&str] = &[
    "\t",
    " ",
    "\n",
    "\r\n",
    ":",
    ": ",
    "- ",
    "-",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "!x ",
    "|",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "\\",
    "#",
    " #",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "?",
    "? ",
    "~",
    "null",
    "@",
    "`",
    "\u{feff}",
    "ß",
    "\u{2028}",
    "\0",
    "build",
    "run",
    "weights",
    "true",
    "3.10",
    "0x1f",
    "1e999",
];

/// Findings point into the text and say what to do.
fn holds(text: &str) {
    use miette::Diagnostic;
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let found = read(&SourcePath::new("cog.yaml").expect("is a path"), text, strictness);
        let (findings, is_good) = match &found {
            Ok((_, warnings)) => (warnings, true),
            Err(refused) => (&refused.findings, false),
        };
        assert_eq!(is_good, !findings.iter().any(|found| found.finding.is_error()), "{text:?}");
        for InFile { finding, .. } in findings {
            assert!(finding.help().is_some(), "{finding}");
            for label in finding.labels().into_iter().flatten() {
                assert!(
                    text.get(label.offset()..label.offset() + label.len()).is_some(),
                    "{text:?}: {finding}"
                );
            }
        }
        assert_eq!(found, read(&SourcePath::new("cog.yaml").expect("is a path"), text, strictness));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_ends_in_a_panic(text in "\\PC{0,200}") {
        holds(&text);
    }

    #[test]
    fn no_pieces_of_yaml_do(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        holds(&pieces.concat());
    }

    #[test]
    fn no_document_with_slips_does(
        slips in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), prop::sample::select(PIECES)), 1..6)
    ) {
        let mut text = every_key();
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
        holds(&text);
    }
}
