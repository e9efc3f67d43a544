//! The grammar for editors and code review sites knows every word of the language.

use std::collections::BTreeSet;

use cogpack_tests::places::root;
use serde_json::Value;

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("grammar").join(name)).expect("the grammar is there")
}

/// The words of `cpk.pest`: its rules `kw_… = @{ "word" … }`.
fn words_of_the_language() -> BTreeSet<String> {
    let rules = read("cpk.pest");
    let words = rules.lines().filter(|line| line.starts_with("kw_"));
    words.map(|line| line.split('"').nth(1).expect("a keyword's rule quotes it").to_owned()).collect()
}

#[test]
fn every_word_is_coloured_and_every_coloured_word_is_one() {
    let grammar: Value = serde_json::from_str(&read("cpk.tmLanguage.json")).expect("is JSON");
    let mut coloured = BTreeSet::new();
    for kind in ["declaration", "operation", "word"] {
        let pattern = grammar["repository"][kind]["match"].as_str().expect("a kind has a pattern");
        let start = pattern.find(")(?:").expect("the words follow what stands before them") + 4;
        let end = start + pattern[start..].find(')').expect("the words end");
        for word in pattern[start..end].split('|') {
            assert!(coloured.insert(word.to_owned()), "`{word}` is coloured twice");
        }
    }
    assert_eq!(coloured, words_of_the_language());
}

#[test]
fn every_name_that_is_included_is_there() {
    let text = read("cpk.tmLanguage.json");
    let grammar: Value = serde_json::from_str(&text).expect("is JSON");
    let repository = grammar["repository"].as_object().expect("there is a repository");
    let mut included = BTreeSet::new();
    for part in text.split("\"include\": \"#").skip(1) {
        included.insert(part.split('"').next().expect("a name ends").to_owned());
    }
    assert_eq!(included, repository.keys().cloned().collect());
    // What JavaScript's, Ruby's and PCRE's dialects share; an editor uses one of these.
    for (name, rule) in repository {
        for key in ["match", "begin", "end"] {
            let Some(pattern) = rule[key].as_str() else { continue };
            for foreign in ["(?>", "(?i", "\\h", "\\p", "++", "*+", "?+", "\\G", "\\A"] {
                assert!(!pattern.contains(foreign), "`{name}` has `{foreign}`");
            }
        }
    }
}
