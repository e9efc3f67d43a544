//! Any text is read to a schema or to findings, without a panic and to an end: random bytes, random
//! words of Python, good models with a few places changed, and constructs that never stop opening.

use cogpack_frontends_source::{MemoryProject, SourcePath};
use proptest::prelude::*;

use crate::{Target, Use, schema};

/// A model that uses most of what is read.
const MODEL: &str = r#"from typing import Annotated, Literal, Optional, Union
from cog import BaseModel, BaseRunner, ConcatenateIterator, Input, Opaque, Path
from enum import Enum
from data import *

SIZES = ["s", "m"] + [str(n) for n in range(3)]
LIMIT = 2 ** 10 - 1

class Color(str, Enum):
    RED = "red"

class Answer(BaseModel):
    text: str = "none"
    parts: "list[Answer]" = []

class Runner(BaseRunner):
    def setup(self, weights: Optional[Path] = None) -> None: ...

    async def run(
        self,
        a: str = Input("x", description='d' "e", choices=SIZES + ["x"]),
        b: Union[int, "float | None"] = -1.5e3,
        c: Literal["a", 1, None] = None,
        d: Annotated[dict[str, int], Opaque] = {"k": (1, 2)},
        e: list[Path] = [],
        h: str = Input("1", regex=r"\d", min_length=1),
        f: str = Input(default=Color.RED, choices=list(Color)),
        g: int = Input(default=LIMIT, ge=0, le=LIMIT, deprecated=True),
    ) -> Answer:
        return Answer()
"#;

const WORDS: &[&str] = &[
    "class ",
    "def ",
    "run",
    "Runner",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "=",
    "->",
    "|",
    "+",
    "**",
    "\n",
    "\n    ",
    "\n        ",
    "import ",
    "from ",
    "cog",
    ".",
    "*",
    "Input",
    "Optional",
    "Literal",
    "list",
    "dict",
    "None",
    "1",
    "-",
    "'a'",
    "f'{x}'",
    "\"\"\"",
    "#",
    "@",
    "async ",
    "lambda ",
    "if ",
    "for ",
    " in ",
    "x",
    "self",
    "str",
    "int",
    "...",
    "BaseModel",
    "Enum",
    "\\",
    "é",
    "0x",
    "1e9",
    "type ",
    "with ",
    "try:",
    "else",
    "\t",
    "\u{0}",
];

fn target(name: &str, used_for: Use) -> Target {
    Target { file: SourcePath::new("run.py").expect("is a path"), name: name.to_owned(), used_for }
}

fn read(text: &str) {
    let project = MemoryProject::default().with("run.py", text.as_bytes()).expect("is a path");
    let project = project.with("data.py", text.as_bytes()).expect("is a path");
    for (name, used_for) in [("Runner", Use::Run), ("run", Use::Train)] {
        let target = target(name, used_for);
        let found = project.plan(|source| schema(source, &target));
        match found {
            Ok(schema) => {
                let document = schema.openapi("1");
                assert!(document["components"]["schemas"].is_object());
                crate::Signature::from(&schema).validate(&serde_json::Map::new());
            }
            Err(findings) => {
                assert!(!findings.is_empty());
                for found in findings {
                    let labels = miette::Diagnostic::labels(&found.finding).into_iter().flatten();
                    for label in labels {
                        let at = label.offset()..label.offset() + label.len();
                        assert!(text.get(at).is_some(), "{} points out of the text", found.finding);
                    }
                }
            }
        }
    }
}

#[test]
fn the_model_itself_is_read() {
    let project = MemoryProject::new([("run.py", MODEL), ("data.py", "")]).expect("are paths");
    let target = target("Runner", Use::Run);
    let found = project.plan(|source| schema(source, &target));
    assert_eq!(found.map(|schema| schema.inputs.len()).map_err(|findings| format!("{findings:?}")), Ok(8));
}

#[test]
fn what_never_stops_opening_comes_to_an_end() {
    let head = "from cog import Input\ndef run(a: ";
    for (opening, closing) in [
        ("list[", "]"),
        ("(", ")"),
        ("Optional[", "]"),
        ("int | ", ""),
        ("'", ""),
        ("a.", ""),
        ("x(", ")"),
        ("-", ""),
        ("lambda: ", ""),
        ("not ", ""),
        ("{1: ", "}"),
        ("[x for x in ", "]"),
    ] {
        let deep = format!("{}1{}", opening.repeat(5000), closing.repeat(5000));
        read(&format!("{head}{deep}) -> str: ...\n"));
        read(&format!("{head}int = {deep}) -> {deep}: ...\n"));
        read(&format!("A = {deep}\n{head}int = A) -> str: ...\n"));
    }
    let classes: String = (0..300).map(|depth| format!("{}class A{depth}:\n", " ".repeat(depth))).collect();
    read(&format!("{classes}{}x: int\n", " ".repeat(300)));
    let blocks: String = (0..90).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    read(&format!("{blocks}{}from data import run\n", " ".repeat(90)));
    let names: String = (0..500).map(|number| format!("A{number} = A{}\n", number + 1)).collect();
    read(&format!("{names}def run(a: A0 = A0) -> A0: ...\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text(text in ".{0,200}") {
        read(&text);
    }

    #[test]
    fn words_of_python(words in prop::collection::vec(prop::sample::select(WORDS), 0..80)) {
        read(&words.concat());
    }

    #[test]
    fn a_model_with_a_few_places_changed(
        changes in prop::collection::vec((0..MODEL.len(), 0..12_usize, prop::sample::select(WORDS)), 1..6),
    ) {
        let mut text = MODEL.to_owned();
        for (at, length, word) in changes {
            let (from, to) = (at.min(text.len()), (at + length).min(text.len()));
            if text.is_char_boundary(from) && text.is_char_boundary(to) {
                text.replace_range(from..to, word);
            }
        }
        read(&text);
    }
}
