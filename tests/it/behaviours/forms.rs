//! 31–38: the JSON form, and what the block that sets up uv must lead to.

use cogpack_ir::{json, syntax};
use cogpack_tests::places::root;
use cogpack_tests::plans::{plan, resolved};

fn comes_back(ops: &str) -> String {
    let text = plan(&format!("stage %t from scratch\nstage %a from image @i {{\n{ops}\n}}"), "%a");
    let parsed = syntax::parse(&text);
    assert!(parsed.findings.is_empty(), "{:#?}", parsed.findings);
    let written = json::write(&parsed.plan);
    assert_eq!(json::read(&written), Ok(parsed.plan), "{written}");
    written
}

#[test]
fn b31_mounts_of_contexts_stages_and_images_come_back_from_json() {
    for (mount, tagged) in [("@c", "context"), ("%t", "stage"), ("image @i", "image")] {
        let written = comes_back(&format!("run \"x\" {{\n mount {mount} at /m\n}}"));
        assert!(written.contains(tagged), "{written}");
    }
}

#[test]
fn b32_a_run_with_mounts_and_a_copy_come_back_from_json() {
    comes_back("run \"x\" {\n mount @c at /m\n mount %t at /t\n}");
    comes_back("copy \"a\" \"b*\" from @c into \"/d\" { exclude \"**/*.pyc\" }");
}

fn uv_plan() -> String {
    std::fs::read_to_string(root().join("tests/projects/uv-project/plan.cpk"))
        .expect("the project has a plan")
}

/// 33 and 34: a virtual environment is made and filled before anything asks for it, and exported.
#[test]
fn b33_b34_the_virtual_environment_is_made_filled_and_exported() {
    let text = uv_plan();
    let plan = resolved(&text);
    let phase_of = |name: &str| {
        let stage = plan.plan().stages.iter().find(|stage| stage.name.as_str() == name);
        stage.and_then(|stage| stage.phase.as_ref()).map(ToString::to_string)
    };
    assert_eq!(phase_of("uv-venv").as_deref(), Some("build.runtime"));
    assert_eq!(phase_of("uv-sync").as_deref(), Some("build.app-deps"));
    assert_eq!(phase_of("copy-venv").as_deref(), Some("export.runtime"));
    assert!(text.contains("uv venv /venv"));
}

/// 35, 36 and 37: the earlier block copied from a context that nobody defined. Every context a
/// plan names must be declared here, so that plan could not be written.
#[test]
fn b35_b36_b37_dependencies_come_from_a_declared_context() {
    let text = uv_plan();
    assert!(text.contains("context @source = dir"));
    let broken = text.replace("context @source = dir", "context @sauce = dir");
    assert!(cogpack_tests::plans::errors(&broken).contains("cpk::input::unknown"));
}

/// 38: what was there before is removed, and the environment copied, in one op with one meaning.
#[test]
fn b38_the_virtual_environment_replaces_what_was_there() {
    assert!(uv_plan().contains("copy \"/venv\" from phase build.complete to \"/venv\" replace"));
}
