//! Tests: documents come back as they went, and mistakes are named where they are.

use miette::Diagnostic;
use proptest::prelude::*;

use super::{read, sample, write};
use crate::arbitrary;
use crate::plan::{Input, MountKind, OpKind, Plan};

/// Code and guilty text of each finding.
fn found(document: &str) -> Vec<(String, String)> {
    let findings = read(document).expect_err("the document has a mistake");
    findings
        .iter()
        .map(|finding| {
            let code = finding.code().expect("every finding has a code").to_string();
            assert!(finding.help().is_some(), "{code} shows no way out");
            let label = finding.labels().and_then(|mut labels| labels.next());
            let guilty = label.map(|label| &document[label.offset()..label.offset() + label.len()]);
            (code, guilty.unwrap_or_default().to_owned())
        })
        .collect()
}

fn found_codes(document: &str) -> Vec<String> {
    found(document).into_iter().map(|(code, _)| code).collect()
}

fn one(document: &str) -> (String, String) {
    let mut found = found(document);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn plans_come_back_as_they_went() {
    for plan in [Plan::empty(), sample::everything()] {
        let text = write(&plan);
        let again = read(&text).unwrap_or_else(|findings| panic!("{findings:#?}"));
        assert_eq!(again, plan);
        assert_eq!(write(&again), text);
    }
}

#[test]
fn an_empty_plan_says_its_version_and_platform() {
    assert_eq!(
        write(&Plan::empty()),
        "{\n  \"version\": 1,\n  \"platforms\": [\n    \"linux/amd64\"\n  ]\n}\n"
    );
    assert_eq!(read("{\"version\":1}"), Ok(Plan::empty()));
}

#[test]
fn what_is_read_is_in_canonical_order_whatever_the_order_of_keys() {
    let plan = read(
        r#"{"stages": [
             {"ops": [{"mounts": [{"at": "/b", "mount": "tmpfs"}, {"at": "/a", "mount": "tmpfs"}],
                       "script": "x", "op": "run"}],
              "from": {"name": "z", "input": "stage"}, "name": "a"},
             {"name": "z"}],
            "version": 1}"#,
    )
    .unwrap_or_else(|findings| panic!("{findings:#?}"));
    let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["z", "a"]);
    let OpKind::Run { execution, .. } = &plan.stages[1].ops[0].kind else { panic!("is a run") };
    let targets = execution.mounts.iter().filter_map(|mount| mount.kind.target());
    assert_eq!(targets.map(|target| target.as_written()).collect::<Vec<_>>(), ["/a", "/b"]);
}

#[test]
fn spans_are_places_of_the_document() {
    let text = write(&sample::everything());
    let plan = read(&text).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let at = |range: Option<std::ops::Range<usize>>| &text[range.expect("was written")];
    let build = plan.stages.iter().find(|stage| stage.name.as_str() == "build").expect("is there");
    assert_eq!(at(build.name.span.range()), "\"build\"");
    assert!(at(build.ops[1].span.range()).starts_with("{\n          \"op\": \"run\""));
    let image = plan.images.values().nth(1).expect("has three");
    assert_eq!(at(image.span.range()), "\"plain\"");
    let OpKind::Run { execution, .. } = &build.ops[1].kind else { panic!("is a run") };
    let MountKind::Bind { source, .. } = &execution.mounts[0].kind else { panic!("is a bind mount") };
    assert!(matches!(source.value, Input::Context(_)));
    assert!(at(source.span.range()).contains("\"context\""));
}

#[test]
fn what_is_not_json_is_refused_where_it_stops_being_so() {
    for (document, guilty) in [
        ("", ""),
        ("{\"version\": 1", ""),
        ("{\"version\": 1} x", "x"),
        ("{'version': 1}", "'"),
        ("{\"version\" 1}", "1"),
        ("{\"version\": 1,}", "}"),
        ("{\"version\": 01}", "01"),
        ("{\"version\": 1 \"a\": 2}", "\""),
        ("[1, 2", ""),
        ("[1 2]", "2"),
        ("{\"a\": \"b}", "\""),
        ("{\"a\": \"\\q\"}", "\"\\q\""),
        ("{\"a\": \"\\ud800\"}", "\"\\ud800\""),
        ("{\"a\": \"\n\"}", "\"\n\""),
        ("{\"a\": \"\\", "\""),
        ("{\"a\": nul}", "n"),
        ("{\"a\": NaN}", "N"),
        ("{\"a\": é}", "é"),
        ("{}\u{feff}", "\u{feff}"),
    ] {
        assert_eq!(one(document), ("cpk::json::syntax".to_owned(), guilty.to_owned()), "{document:?}");
    }
}

#[test]
fn a_byte_order_mark_before_a_document_is_no_part_of_it() {
    let document = "{\"version\": 1}";
    assert!([document, "\u{feff}{}", " [1]"].into_iter().all(super::is_meant) && !super::is_meant("cpk 1"));
    assert_eq!(read(&format!("\u{feff}{document}")), read(document));
    assert_eq!(one("\u{feff}{} x"), ("cpk::json::syntax".to_owned(), "x".to_owned()));
}

#[test]
fn deep_documents_are_refused_and_do_no_harm() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let document = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(one(&document).0, "cpk::json::depth");
    }
    assert_eq!(one(&"[".repeat(60)).0, "cpk::json::syntax");
}

#[test]
fn another_version_is_all_that_is_said() {
    let document = r#"{"version": 2, "stagez": []}"#;
    assert_eq!(one(document), ("cpk::json::version".to_owned(), "2".to_owned()));
    assert_eq!(one("{}").0, "cpk::json::missing-key");
    assert_eq!(one(r#"{"version": "1"}"#), ("cpk::json::wrong-kind".to_owned(), "\"1\"".to_owned()));
    assert_eq!(one("[]").0, "cpk::json::wrong-kind");
}

#[test]
fn every_mistake_of_a_document_is_found_at_once() {
    let document = r#"{
      "version": 1,
      "platforms": [],
      "platforms": ["linux/amd64", "Linux"],
      "images": { "b ad": { "reference": "UPPER", "digest": "sha256:0", "configs": {} }, "taken": { "reference": "debian" } },
      "contexts": { "taken": { "context": "files" } },
      "phases": { "a": { "after": ["b", "b"] } },
      "stages": [
        { "name": "s", "ops": [
          { "op": "runn", "script": 1 },
          { "op": "layer", "name": "l", "ops": [ { "op": "player", "name": "m" } ] },
          { "op": "file", "path": "/x", "text": "", "base64": "" },
          { "op": "file", "path": "/x" },
          { "op": "file", "path": "/x", "base64": "x", "mode": "0999" },
          { "op": "by", "block": "b", "line": 4294967296 },
          { "op": "copy", "form": "into", "sources": [], "from": { "input": "scratch" }, "destination": "/" },
          { "op": "exec", "argv": [], "mounts": [ { "mount": "secret", "name": "s", "at": "/", "env": "E" } ] }
        ] }
      ],
      "export": { "from": { "input": "scratch" }, "clear": ["cmd", "cmd"], "cmd": [] }
    }"#;
    let found = found(document);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(code, guilty)| (code.strip_prefix("cpk::json::").unwrap_or(code), guilty.as_str()))
        .map(|(code, guilty)| (code, guilty.get(..20).unwrap_or(guilty)))
        .collect();
    assert_eq!(
        found,
        [
            ("value", "[]"),
            ("duplicate-key", "\"platforms\""),
            ("value", "\"b ad\""),
            ("value", "\"UPPER\""),
            ("value", "\"sha256:0\""),
            ("unknown-key", "\"configs\""),
            ("cpk::name::taken", "\"taken\""),
            ("duplicate-value", "\"b\""),
            ("unknown-word", "\"runn\""),
            ("unknown-word", "\"player\""),
            ("conflict", "{ \"op\": \"file\", \"pat"),
            ("missing-key", "{ \"op\": \"file\", \"pat"),
            ("value", "\"x\""),
            ("value", "\"0999\""),
            ("missing-key", "{ \"op\": \"by\", \"block"),
            ("value", "4294967296"),
            ("value", "[]"),
            ("conflict", "{ \"mount\": \"secret\","),
            ("conflict", "{ \"from\": { \"input\":"),
            ("duplicate-value", "\"cmd\""),
        ]
    );
}

#[test]
fn only_so_many_mistakes_are_listed() {
    let document = format!("{{\"version\": 1, \"stages\": [{}1]}}", "1, ".repeat(10_000));
    let found = found_codes(&document);
    assert_eq!(found.len(), 501);
    assert_eq!(found[500], "cpk::syntax::many");
}

#[test]
fn a_document_that_is_too_large_is_not_read() {
    assert_eq!(found_codes(&" ".repeat(super::parse::LARGEST + 1)), ["cpk::json::size"]);
}

#[test]
fn a_near_word_is_offered() {
    let help = |document: &str| {
        let findings = read(document).expect_err("has a mistake");
        findings[0].help().expect("has a help").to_string()
    };
    assert_eq!(help(r#"{"version": 1, "stagess": []}"#), "did you mean `stages`?");
    assert_eq!(help(r#"{"version": 1, "caches": {"c": {"a": 1}}}"#), "nothing may stand here");
    let document = r#"{"version": 1, "stages": [{"name": "s", "from": {"input": "contxt"}}]}"#;
    assert_eq!(help(document), "did you mean `context`?");
}

proptest! {
    #[test]
    fn any_plan_comes_back_as_it_went(plan in arbitrary::plan()) {
        let text = write(&plan);
        let again = read(&text).unwrap_or_else(|findings| panic!("{findings:#?}\n{text}"));
        prop_assert_eq!(&again, &plan);
        prop_assert_eq!(write(&again), text);
    }

    /// A document with a piece taken out, put in or doubled is a plan or a list of findings whose
    /// places are in it; it is never a panic.
    #[test]
    fn broken_documents_have_findings_with_places(
        plan in arbitrary::plan(),
        at in any::<prop::sample::Index>(),
        length in 0..40usize,
        piece in r#"["{}\\[\\],:0-9a-z \u{0}-\u{ff}]{0,3}"#,
    ) {
        let mut text: Vec<char> = write(&plan).chars().collect();
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        text.splice(start..end, piece.chars());
        let text: String = text.into_iter().collect();
        if let Err(findings) = read(&text) {
            prop_assert!(!findings.is_empty());
            for label in findings.iter().filter_map(|finding| finding.labels()).flatten() {
                prop_assert!(text.get(label.offset()..label.offset() + label.len()).is_some());
            }
        }
    }
}
