//! What only plans that no text can say would break. All other rules have their cases under
//! `tests/cases/verify/`.

use miette::Diagnostic;

use super::verify;
use crate::finding::Finding;
use crate::plan::{EnvName, ImageConfig, InputName, OpKind, Plan, stock};
use crate::syntax::parse;

fn plan(text: &str) -> Plan {
    let parsed = parse(text);
    assert_eq!(parsed.findings, [], "{text}");
    parsed.plan
}

fn codes(plan: Plan) -> Vec<String> {
    let findings = match verify(plan) {
        Ok(verified) => verified.warnings().to_vec(),
        Err(findings) => findings,
    };
    findings.iter().map(Finding::stable_code).collect()
}

#[test]
fn a_layer_in_a_layer_is_refused() {
    let mut plan = plan(
        "cpk 1 stage %a from scratch { layer outer { mkdir /a } layer inner { mkdir /b } } export from %a",
    );
    let inner = plan.stages[0].ops.pop().expect("has two layers");
    let OpKind::Layer(outer) = &mut plan.stages[0].ops[0].kind else { panic!("is a layer") };
    outer.ops.push(inner);
    assert_eq!(codes(plan), ["cpk::layer::nested"]);
}

#[test]
fn a_variable_recorded_twice_is_refused() {
    let mut plan = plan("cpk 1 image @base = \"debian\" stage %a from image @base export from %a");
    let name = EnvName::new("PATH").expect("is a name");
    let env = vec![(name.clone(), "/bin".to_owned()), (name, "/usr/bin".to_owned())];
    let base = InputName::new("base").expect("is a name");
    plan.images.get_mut(&base).expect("is declared").config =
        Some(ImageConfig { env, ..ImageConfig::default() });
    assert_eq!(codes(plan), ["cpk::image::env-twice"]);
}

#[test]
fn an_unknown_phase_is_told_which_ones_there_are() {
    let text = "cpk 1 stage %a in deploy from scratch export from %a";
    let findings = verify(plan(text)).expect_err("no such phase");
    let help = findings[0].help().expect("has a way out").to_string();
    for name in stock::BUILD.iter().chain(&stock::EXPORT) {
        assert!(help.contains(&format!("`{name}`")), "{help}");
    }
}

#[test]
fn signals_are_those_of_linux() {
    let help = |signal: &str| {
        let text = format!("cpk 1 stage %a from scratch export from %a {{ stop-signal \"{signal}\" }}");
        let findings = verify(plan(&text)).err().unwrap_or_default();
        assert!(findings.iter().all(|finding| finding.stable_code() == "cpk::export::stop-signal"));
        findings.first().and_then(|finding| finding.help()).map(|help| help.to_string())
    };
    for signal in ["SIGTERM", "SIGRTMIN+3", "SIGRTMAX-14", "SIGRTMIN", "15", "64"] {
        assert_eq!(help(signal), None, "{signal}");
    }
    for (signal, meant) in
        [("SIGTREM", "SIGTERM"), ("TERM", "SIGTERM"), ("sigint", "SIGINT"), ("SIGKIL", "SIGKILL")]
    {
        assert_eq!(help(signal), Some(format!("did you mean `{meant}`?")), "{signal}");
    }
    for signal in ["SIGRTMIN+16", "SIGRTMAX-15", "65", "0", "SIG", "", "SIGNOTHING", "SIGTERM+1"] {
        assert!(help(signal).is_some(), "{signal}");
    }
}

#[test]
fn what_side_by_side_stages_write_is_told_by_its_kind() {
    let clash = |one: &str, two: &str| {
        let text = format!(
            "cpk 1 phase p parallel stage %one in p from scratch {{ {one} }}
            stage %two in p from scratch {{ {two} }} export from phase p"
        );
        let findings = verify(plan(&text)).expect_err("they clash");
        let labels: Vec<String> = findings
            .iter()
            .flat_map(|finding| finding.labels().into_iter().flatten())
            .filter_map(|label| label.label().map(str::to_owned))
            .collect();
        labels
    };
    assert_eq!(
        clash("symlink \"b\" at /a", "file \"/a\" = \"\""),
        ["`%two` makes the file `/a` here", "`%one` makes the symlink `/a` here"]
    );
    assert_eq!(
        clash("symlink \"b\" at /a", "mkdir \"/a/b\""),
        ["`%two` makes the directory `/a/b` here", "`%one` makes the symlink `/a` here"]
    );
}

#[test]
fn every_breach_is_reported_in_the_order_of_the_text() {
    let text = "cpk 1
        platform linux/x86_64
        phase one after two phase two after one
        stage %a in one from %nowhere { mkdir \"relative\" run \"\" user \"a b\" }
        stage %a in three from scratch { copy \"*\" from @nothing to \"/a/../b\" }
        export from %c { entrypoint [] }";
    assert_eq!(
        codes(plan(text)),
        [
            "cpk::platform::architecture",
            "cpk::phase::cycle",
            "cpk::stage::unknown",
            "cpk::path::not-absolute",
            "cpk::run::empty",
            "cpk::user::bad",
            "cpk::stage::duplicate",
            "cpk::phase::unknown",
            "cpk::copy::wildcard",
            "cpk::input::unknown",
            "cpk::path::dot-dot",
            "cpk::stage::unknown",
            "cpk::exec::empty",
            "cpk::export::cmd-empty",
        ]
    );
}

#[test]
fn what_is_already_wrong_is_not_reported_again() {
    let text = "cpk 1
        phase one after nowhere phase two after one
        stage %a in two { env A = \"${HOME}\" }
        stage %b from phase two { copy \"/x\" from phase one to \"/x\" }
        export from %b";
    assert_eq!(codes(plan(text)), ["cpk::phase::unknown"]);
}

#[test]
fn branches_may_share_directories_and_not_files() {
    let of = |one: &str, two: &str| {
        codes(plan(&format!(
            "cpk 1
            phase base phase side parallel after base
            context @c = dir \".\"
            stage %base in base from scratch {{ copy \"q\" from @c into \"/q\" }}
            stage %one in side {{ {one} }}
            stage %two in side {{ {two} }}
            export from phase side"
        )))
    };
    let copy = |form: &str| format!("copy {form}");
    for (one, two) in [
        ("mkdir \"/a\"".to_owned(), "mkdir \"/a/\"".to_owned()),
        ("mkdir \"/a\"".to_owned(), "file \"/a/b\" = \"\"".to_owned()),
        (copy("\"x\" from @c into \"/a\""), copy("\"y\" from @c into \"/a\"")),
        (copy("\"x*\" from @c into \"/a\""), copy("\"y\" from @c into \"/a\"")),
        (copy("contents \"x\" from @c to \"/a\""), copy("contents \"y\" from @c to \"/a\"")),
        (copy("contents \"x\" from @c to \"/a\""), "mkdir \"/a\" mode 0700".to_owned()),
        ("file \"/ab\" = \"\"".to_owned(), "file \"/ab.c\" = \"\" file \"/abc\" = \"\"".to_owned()),
        ("remove \"/a\"".to_owned(), "remove \"/a\"".to_owned()),
    ] {
        assert_eq!(of(&one, &two), Vec::<String>::new(), "{one} | {two}");
    }
    for (one, two) in [
        ("file \"/a\" = \"\"".to_owned(), "file \"/a\" = \"\"".to_owned()),
        ("file \"/a\" = \"\"".to_owned(), "file \"/a/b\" = \"\"".to_owned()),
        ("file \"/a/b\" = \"\"".to_owned(), "symlink \"/x\" at \"/a\"".to_owned()),
        ("mkdir \"/a\" mode 0700".to_owned(), "mkdir \"/a\"".to_owned()),
        ("mkdir \"/a\"".to_owned(), "file \"/a\" = \"\"".to_owned()),
        (copy("\"x\" from @c into \"/a\""), copy("\"y/x\" from @c into \"/a\"")),
        (copy("\"x\" from @c to \"/a\""), copy("\"y\" from @c to \"/a\"")),
        (copy("contents \"x\" from @c to \"/a\" replace"), copy("\"y\" from @c into \"/a/b\"")),
        ("remove \"/a\" optional".to_owned(), "mkdir \"/a/b\"".to_owned()),
        ("workdir \"/a\"".to_owned(), "workdir \"/b\"".to_owned()),
        ("unset A".to_owned(), "env A = \"\"".to_owned()),
    ] {
        assert_eq!(of(&one, &two), ["cpk::phase::parallel-clash"], "{one} | {two}");
    }
}

#[test]
fn checks_of_expanded_text_see_through_variables() {
    let text = "cpk 1
        stage %a from scratch {
          env UP = \"../x\" env NOBODY = \"no body\"
          mkdir \"/${UP}\"
          user \"${NOBODY}\"
        }
        export from %a";
    assert_eq!(codes(plan(text)), ["cpk::path::dot-dot", "cpk::user::bad"]);
}

#[test]
fn open_variables_are_given_the_benefit_of_the_doubt() {
    let text = "cpk 1
        image @base = \"debian\"
        stage %a from image @base {
          mkdir \"${HOME}/a\"
          mkdir \"a${HOME}\"
        }
        export from %a";
    assert_eq!(codes(plan(text)), ["cpk::path::not-absolute"]);
}

#[test]
fn files_of_contexts_have_names() {
    let of = |context: &str| {
        codes(plan(&format!(
            "cpk 1 context @c = {context} stage %a from scratch {{ copy contents \".\" from @c to \"/c\" }} export from %a"
        )))
    };
    assert_eq!(of("files { file \".\" = \"x\" }"), ["cpk::path::root"]);
    assert_eq!(of("files { file \"./a\" = \"x\" }"), [""; 0]);
    let http = |name: &str| {
        let hash = "0".repeat(64);
        of(&format!("http \"https://host/x\" {{ checksum sha256:{hash} name \"{name}\" }}"))
    };
    for name in ["a/b", "..", "a\\nb", "\\u{7}", ""] {
        assert_eq!(http(name), ["cpk::context::file-name"], "{name}");
    }
    assert_eq!(http("a b"), [""; 0]);
}

/// The entries of an export keep their places in either form of a plan.
#[test]
fn findings_about_entries_of_the_export_point_at_them() {
    let text =
        "cpk 1 stage %a from scratch export from %a { label \"\" = \"1\" volume \"here\" volume \"/b\" }";
    let json = r#"{ "version": 1, "stages": [{ "name": "a", "from": { "input": "scratch" } }], "export": {
        "from": { "input": "stage", "name": "a" }, "labels": { "": "1" }, "volumes": ["/b", "here"] } }"#;
    let from_json = crate::json::read(json).expect("is a plan");
    for (text, plan) in [(text, plan(text)), (json, from_json)] {
        let findings = verify(plan).expect_err("has two mistakes");
        let guilty = |finding: &Finding| {
            let labels = finding.labels().into_iter().flatten();
            labels.map(|label| text[label.offset()..label.offset() + label.len()].to_owned()).collect()
        };
        let guilty: Vec<Vec<String>> = findings.iter().map(guilty).collect();
        assert_eq!(guilty, [["\"\""], ["\"here\""]], "{text}");
    }
}
