//! What plans come to when they are resolved.

use miette::Diagnostic;

use super::{EnvValue, KnownConfigs, Resolved, resolve};
use crate::finding::Finding;
use crate::plan::{EnvName, ImageConfig, Input, InputName, StageName};
use crate::syntax::parse;
use crate::verify::verify;

const DESIGN: &str = include_str!("../syntax/tests/design.cpk");

fn resolved_with(text: &str, known: &KnownConfigs) -> Result<Resolved, Vec<Finding>> {
    let parsed = parse(text);
    assert_eq!(parsed.findings, [], "{text}");
    resolve(verify(parsed.plan)?, known)
}

fn resolved(text: &str) -> Resolved {
    match resolved_with(text, &KnownConfigs::new()) {
        Ok(resolved) => resolved,
        Err(findings) => panic!("{findings:#?}\n{text}"),
    }
}

/// The findings of a plan, as codes, warnings included.
fn codes(text: &str) -> Vec<String> {
    let findings = match resolved_with(text, &KnownConfigs::new()) {
        Ok(resolved) => resolved.warnings().to_vec(),
        Err(findings) => findings,
    };
    findings.iter().map(Finding::stable_code).collect()
}

fn end(resolved: &Resolved, stage: &str) -> Vec<String> {
    let id = resolved.id(&StageName::new(stage).expect("is a name"));
    let env = resolved.end_state(id).env.iter();
    env.map(|(name, value)| match value {
        EnvValue::Known(value) => format!("{name}={value}"),
        EnvValue::Open => format!("{name}=?"),
    })
    .collect()
}

#[test]
fn the_design_example_resolves() {
    let resolved = resolved(DESIGN);
    let warnings: Vec<String> = resolved.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["the context `@wheel` is never used"]);
    let stages: Vec<String> = resolved
        .order()
        .iter()
        .map(|id| {
            let stage = resolved.stage(*id);
            let from = stage.from.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} from {from}", stage.name)
        })
        .collect();
    assert_eq!(
        stages,
        [
            "%build-base from image @build",
            "%venv from %build-base",
            "%runtime-base from image @runtime",
            "%app from %runtime-base",
        ]
    );
    assert_eq!(end(&resolved, "app"), ["PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin"]);
    let id = resolved.id(&StageName::new("venv").expect("is a name"));
    let steps = resolved.steps(id);
    assert_eq!(steps.len(), 3);
    assert_eq!(steps[2].layer.map(ToString::to_string).as_deref(), Some("deps"));
    assert_eq!(steps[2].by.map(|by| by.block.to_string()).as_deref(), Some("uv"));
}

#[test]
fn a_changed_variable_keeps_its_place_and_an_unset_one_is_gone() {
    let text = "cpk 1
        stage %a from scratch { env B = \"1\" env A = \"${B}2\" env B = \"3\" env append A \"${B}\" env prepend C \"x\" }
        stage %b from %a { unset B env B = \"${A}\" file \"/${A}\" = \"\" }
        export from %b";
    let resolved = resolved(text);
    assert_eq!(end(&resolved, "a"), ["B=3", "A=12:3", "C=x"]);
    assert_eq!(end(&resolved, "b"), ["A=12:3", "C=x", "B=12:3"]);
}

/// With a list of variables for each op this would take half the memory of a large machine.
#[test]
fn many_variables_in_one_stage_share_what_they_have_in_common() {
    let count = 30_000;
    let mut text = "cpk 1\nstage %a from scratch {\n".to_owned();
    (0..count).for_each(|number| text.push_str(&format!("  env V{number} = \"x\"\n")));
    text.push_str("  env LAST = \"${V0}${V29999}\"\n}\nexport from %a\n");
    let end = end(&resolved(&text), "a");
    assert_eq!(end.len(), count + 1);
    assert_eq!(end[count], "LAST=xx");
}

#[test]
fn what_leans_on_an_unknown_base_stays_open() {
    let text = "cpk 1
        image @base = \"debian\"
        stage %a from image @base { env prepend PATH \"/venv/bin\" env X = \"${HOME}/x\" env Y = \"y\" env PATH = \"${Y}\" }
        export from %a";
    let resolved = resolved(text);
    assert_eq!(end(&resolved, "a"), ["PATH=y", "X=?", "Y=y"]);
    assert_eq!(codes(text), ["cpk::image::unpinned"]);
}

#[test]
fn facts_from_elsewhere_close_what_was_open() {
    let text = "cpk 1
        image @base = \"debian\"
        stage %a from image @base { workdir \"${HOME}/x\" file \"${HOME}/y\" = \"\" }
        export from %a";
    assert_eq!(codes(text), ["cpk::env::open"]);
    let base = InputName::new("base").expect("is a name");
    let home = |home: &str| {
        let env = vec![(EnvName::new("HOME").expect("is a name"), home.to_owned())];
        KnownConfigs::from([(base.clone(), ImageConfig { env, ..ImageConfig::default() })])
    };
    let resolved = resolved_with(text, &home("/root")).expect("resolves");
    let id = resolved.order()[0];
    assert_eq!(resolved.end_state(id).workdir.as_deref(), Some("/root/x"));
    let findings = resolved_with(text, &home("relative")).expect_err("has relative paths");
    assert_eq!(findings.len(), 2);
    let findings = resolved_with(text, &KnownConfigs::from([(base, ImageConfig::default())]));
    let findings = findings.expect_err("has an undefined variable");
    assert!(findings.iter().all(|finding| finding.stable_code() == "cpk::env::undefined"), "{findings:?}");
}

#[test]
fn a_variable_that_nothing_sets_is_an_error_with_a_suggestion() {
    let text = "cpk 1 stage %a from scratch { env HOME = \"/\" workdir \"${HMOE}\" } export from %a";
    let findings = resolved_with(text, &KnownConfigs::new()).expect_err("is refused");
    let help = findings[0].help().map(|help| help.to_string());
    assert_eq!(help.as_deref(), Some("did you mean `${HOME}`?"));
}

#[test]
fn a_parallel_phase_is_a_merge_of_its_stages() {
    let text = "cpk 1
        phase base phase libraries parallel after base phase app after libraries
        stage %base in base from scratch { env A = \"1\" }
        stage %one in libraries { env B = \"2\" }
        stage %two in libraries { env C = \"3\" user \"app\" }
        stage %app in app { copy \"/x\" from phase libraries to \"/y\" }
        export from phase app";
    let resolved = resolved(text);
    let app = resolved.stage(resolved.id(&StageName::new("app").expect("is a name")));
    let Some(Input::Phase(phase)) = app.from.as_ref().map(|from| &from.value) else {
        panic!("{:?}", app.from)
    };
    let merge = resolved.merge(phase);
    assert_eq!(merge.base.to_string(), "%base");
    assert_eq!(merge.branches.len(), 2);
    assert_eq!(end(&resolved, "app"), ["A=1", "B=2", "C=3"]);
    assert_eq!(resolved.export().from.value.to_string(), "%app");
    assert_eq!(resolved.order().len(), 4);
}

#[test]
fn a_merge_that_is_only_read_is_a_merge_too() {
    let text = "cpk 1
        phase libraries parallel
        stage %one in libraries from scratch { run \"one\" }
        stage %two in libraries from scratch { run \"two\" }
        stage %app from scratch {
            copy \"/x\" from phase libraries to \"/y\"
            run \"make\" { mount phase libraries at /z }
        }
        export from %app";
    let resolved = resolved(text);
    let phase = crate::plan::PhaseName::new("libraries").expect("is a name");
    assert_eq!(resolved.merge(&phase).branches.len(), 2);
    assert_eq!(resolved.order().len(), 3);
}

#[test]
fn a_parallel_phase_with_one_stage_is_that_stage() {
    let text = "cpk 1
        phase base parallel phase app after base
        stage %one in base from scratch
        stage %app in app
        export from %app";
    let resolved = resolved(text);
    let app = resolved.stage(resolved.id(&StageName::new("app").expect("is a name")));
    assert_eq!(app.from.as_ref().map(ToString::to_string).as_deref(), Some("%one"));
}

#[test]
fn stages_that_the_export_does_not_need_are_not_in_the_order() {
    let text = "cpk 1
        stage %b from scratch
        stage %a from %b
        stage %dead from %a
        export from %a";
    let resolved = resolved(text);
    let order: Vec<String> = resolved.order().iter().map(|id| resolved.stage(*id).name.to_string()).collect();
    assert_eq!(order, ["%b", "%a"]);
    assert_eq!(codes(text), ["cpk::unused::stage"]);
}

#[test]
fn a_plan_without_an_export_verifies_and_does_not_resolve() {
    assert_eq!(codes("cpk 1 stage %a from scratch"), ["cpk::export::missing"]);
    assert!(verify(parse("cpk 1 stage %a from scratch").plan).is_ok());
}

#[test]
fn many_stages_share_what_they_do_not_change() {
    let mut text = String::from("cpk 1\nstage %s0 from scratch { env A = \"1\" }\n");
    for number in 1..2000 {
        text.push_str(&format!("stage %s{number} from %s{} {{ mkdir \"/{number}\" }}\n", number - 1));
    }
    text.push_str("export from %s1999");
    let resolved = resolved(&text);
    let first = resolved.end_state(resolved.order()[0]);
    let last = resolved.end_state(resolved.order()[1999]);
    assert!(std::sync::Arc::ptr_eq(first, last));
}
