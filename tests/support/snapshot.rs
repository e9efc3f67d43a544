//! Golden files under `snapshots/`: compared byte for byte, written anew under `BLESS=1`.

use std::fmt::Write as _;
use std::path::PathBuf;

use similar::TextDiff;

use crate::places;

/// Collects what differs, so that one run shows every difference.
#[derive(Debug, Default)]
pub struct Snapshots {
    differences: String,
    seen: Vec<PathBuf>,
}

impl Snapshots {
    /// Compares `actual` with the file `name` under `snapshots/`.
    pub fn check(&mut self, name: &str, actual: &str) {
        let path = places::root().join("snapshots").join(name);
        self.seen.push(path.clone());
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if expected == actual {
            return;
        }
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(path.parent().expect("it stands below the root")).expect("can be made");
            std::fs::write(&path, actual).expect("a snapshot can be written");
            return;
        }
        let diff = TextDiff::from_lines(expected.as_str(), actual);
        let shown = diff.unified_diff().header("snapshot", "now").to_string();
        writeln!(self.differences, "{}:\n{shown}", places::shown(&path)).expect("a String takes all");
    }

    /// Fails if something differed, or if `folder` under `snapshots/` holds a file that nothing asked for.
    pub fn finish(self, folder: &str) {
        let folder = places::root().join("snapshots").join(folder);
        let stale: Vec<PathBuf> =
            places::files_below(&folder, "").into_iter().filter(|path| !self.seen.contains(path)).collect();
        if std::env::var_os("BLESS").is_some() {
            for path in &stale {
                std::fs::remove_file(path).expect("a stale snapshot can be removed");
            }
        } else {
            assert!(stale.is_empty(), "no case has these snapshots: {stale:#?}");
        }
        assert!(
            self.differences.is_empty(),
            "{}\nIf this is what should be: BLESS=1 cargo test -p cogpack-tests, and read the diff.",
            self.differences
        );
    }
}
