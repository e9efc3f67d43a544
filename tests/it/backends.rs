//! `# test backends`: what each backend makes of a plan, or why it refuses it.

use cogpack_tests::artifacts;
use cogpack_tests::cases::{self, Case};
use cogpack_tests::places::{files_below, root};
use cogpack_tests::snapshot::Snapshots;

#[test]
fn cases_are_emitted_as_their_snapshots_say() {
    let mut snapshots = Snapshots::default();
    for Case { name, path, .. } in cases::of("backends") {
        for (file, text) in artifacts::of(&path) {
            snapshots.check(&format!("{name}/{file}"), &text);
        }
    }
    snapshots.finish("backends");
}

#[test]
fn every_stage_of_a_dockerfile_is_used() {
    let mut count = 0;
    for path in files_below(&root().join("snapshots"), "") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with("Dockerfile") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a Dockerfile is text");
        let stages: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("FROM ").and_then(|from| from.rsplit_once(" AS ")))
            .map(|(_, stage)| stage)
            .collect();
        let Some((_, before)) = stages.split_last() else { continue };
        for stage in before {
            count += 1;
            let is_used = [format!("FROM {stage} AS"), format!("--from={stage} "), format!("from={stage},")]
                .iter()
                .any(|use_of| text.contains(use_of));
            assert!(is_used, "{}: nothing uses the stage `{stage}`", path.display());
        }
    }
    assert!(count > 20, "only {count} stages were looked at");
}
