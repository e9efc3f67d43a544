//! `tests/cases/fuzz/`: inputs that once broke something, held to the laws of the fuzz targets.

use cogpack_tests::places::{files_below, root, shown};

#[path = "../../fuzz/laws.rs"]
mod laws;

/// Runs `law` on every file of `folder` with this ending and says which file it was that broke it.
fn hold(folder: &str, ending: &str, law: fn(&str)) -> usize {
    let files = files_below(&root().join(folder), ending);
    for path in &files {
        let text = std::fs::read_to_string(path).expect("fuzz inputs that are kept are UTF-8");
        if std::panic::catch_unwind(|| law(&text)).is_err() {
            panic!("{} breaks a law of fuzz/laws.rs; its message is above", shown(path));
        }
    }
    files.len()
}

#[test]
fn inputs_that_once_broke_something_hold() {
    hold("tests/cases/fuzz", ".cpk", laws::text);
    hold("tests/cases/fuzz", ".json", laws::json);
}

#[test]
fn seeds_of_the_fuzz_targets_hold() {
    assert!(hold("fuzz/corpus/parse", ".cpk", laws::text) >= 10, "the seeds of `parse` are gone");
    assert!(hold("fuzz/corpus/json", ".json", laws::json) >= 5, "the seeds of `json` are gone");
}
