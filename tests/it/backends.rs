//! `# test backends`: what each backend makes of a plan, or why it refuses it.

use cogpack_tests::artifacts;
use cogpack_tests::cases::{self, Case};
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
