//! Whole projects: the resolved plan and all three artifacts.

use std::path::PathBuf;

use cogpack_tests::artifacts;
use cogpack_tests::places::{files_below, root};
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::cogpackc;

/// The plans of projects and examples, with the name of each.
fn plans() -> Vec<(String, PathBuf)> {
    let mut plans = Vec::new();
    for folder in ["tests/projects", "examples"] {
        for path in files_below(&root().join(folder), ".cpk") {
            let project =
                path.parent().and_then(|project| project.file_name()).expect("a plan is in a project");
            let plan = path.file_stem().expect("a plan has a name").to_string_lossy();
            plans.push((format!("{}/{plan}", project.to_string_lossy()), path));
        }
    }
    plans
}

#[test]
fn projects_resolve_and_are_emitted_as_their_snapshots_say() {
    let mut snapshots = Snapshots::default();
    for (name, path) in plans() {
        let folder = path.parent().expect("a plan is in a project");
        let plan = path.file_name().and_then(|name| name.to_str()).expect("a plan has a name");
        let resolved = cogpackc(folder, &["resolve", plan]);
        assert_eq!(resolved.code, 0, "{name}: {}", resolved.stderr);
        snapshots.check(&format!("projects/{name}/resolved.cpk"), resolved.text());
        for (file, text) in artifacts::of(&path) {
            snapshots.check(&format!("projects/{name}/{file}"), &text);
        }
    }
    snapshots.finish("projects");
}

/// What people review of the smallest model is short, and nothing of it is hidden.
#[test]
fn the_plan_of_a_text_model_is_below_eighty_lines() {
    let planned = cogpackc(&root().join("tests/projects"), &["plan", "string-model"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let lines = planned.text().lines().count();
    assert!(lines < 80, "{lines} lines:\n{}", planned.text());
    let mut snapshots = Snapshots::default();
    snapshots.check("plans/string-model.cpk", planned.text());
    snapshots.finish("plans");
}
