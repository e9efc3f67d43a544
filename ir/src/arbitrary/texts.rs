//! Names and texts, the unpleasant ones above all.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::names;
use crate::plan::{EnvName, InputName, Spanned, Template};

/// Words of the language that are names as well.
const WORDS: [&str; 16] = [
    "stage", "image", "cache", "phase", "from", "in", "at", "user", "env", "mount", "optional", "parallel",
    "after", "prepend", "none", "export",
];

/// Pieces that break careless quoting.
const PIECES: [&str; 36] = [
    "\"",
    "\"\"",
    "\"\"\"",
    "\\",
    "\\n",
    "\\u{41}",
    "$",
    "$$",
    "${",
    "}",
    "${A}",
    "$${A}",
    "${A.b}",
    "#",
    " ",
    "  ",
    " \n",
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    "\t",
    "\t\n",
    "\0",
    "\u{7f}",
    "\u{85}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "\u{1f600}",
    "{",
    "/",
    "/usr",
    "a",
    "\nstage %x {",
    "word",
];

/// A word that is a name of every kind.
pub(super) fn name() -> BoxedStrategy<String> {
    prop_oneof![
        2 => select(&WORDS[..]).prop_map(str::to_owned),
        3 => "[a-c]",
        2 => "[a-zA-Z0-9][a-zA-Z0-9_-]{0,6}(\\.[a-z0-9_-]{1,4})?",
    ]
    .boxed()
}

pub(super) fn input_name() -> BoxedStrategy<InputName> {
    name().prop_map(names::input).boxed()
}

pub(super) fn env_name() -> BoxedStrategy<EnvName> {
    let word =
        prop_oneof![select(&WORDS[..]).prop_map(str::to_owned), "[A-C]", "[a-zA-Z_][a-zA-Z0-9_.-]{0,6}"];
    word.prop_map(names::env).boxed()
}

/// Any text at all.
pub fn text() -> BoxedStrategy<String> {
    prop_oneof![
        2 => vec(select(&PIECES[..]), 0..6).prop_map(|pieces| pieces.concat()),
        1 => "[ -~]{0,12}",
        1 => "\\PC{0,6}",
        1 => "(/[A-Za-z0-9._+@-]{0,4}){1,4}",
    ]
    .boxed()
}

pub(super) fn spanned_text() -> BoxedStrategy<Spanned<String>> {
    text().prop_map(Spanned::nowhere).boxed()
}

pub(super) fn template() -> BoxedStrategy<Spanned<Template>> {
    text().prop_map(|text| Spanned::nowhere(Template::written(&text))).boxed()
}

/// A list of texts, now and then one too long for a line.
pub(super) fn list() -> BoxedStrategy<Vec<String>> {
    prop_oneof![4 => vec(text(), 0..4), 1 => vec("[a-z ]{10,30}", 3..8)].boxed()
}
