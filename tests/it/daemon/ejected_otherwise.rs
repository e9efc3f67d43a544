//! What becomes of rows of the copy suite, where that is not what the contract says: what a dialect
//! refuses, and what a build fails at. As text it is a snapshot of a tool.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cogpack_tests::places::root;

use super::ejected_rows::Case;

/// The rows that did not become what the contract says, by row, what became of it, and way.
#[derive(Debug, Default)]
pub struct Otherwise(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Otherwise {
    /// Notes what became of a row.
    pub fn add(&mut self, case: &Case, became: String) {
        self.0.entry(case.shown()).or_default().entry(became).or_default().push(case.way());
    }

    /// Takes what another one says of a row.
    pub fn repeat(&mut self, case: &Case, other: &Self) {
        let became = other.0.get(&case.shown()).into_iter().flatten();
        for (became, _) in became.filter(|(_, ways)| ways.contains(&case.way())) {
            self.add(case, became.clone());
        }
    }

    /// Reads a snapshot.
    pub fn read(snapshot: &str) -> Self {
        let text = std::fs::read_to_string(root().join("snapshots").join(snapshot)).unwrap_or_default();
        let mut read = Self::default();
        let mut row = "";
        for line in text.lines() {
            match line.strip_prefix("    ").and_then(|rest| rest.split_once(": ")) {
                Some((ways, became)) => {
                    let ways = ways.split(' ').map(str::to_owned).collect();
                    read.0.entry(row.to_owned()).or_default().insert(became.to_owned(), ways);
                }
                None => row = line,
            }
        }
        read
    }

    /// As it stands in a snapshot.
    pub fn text(mut self) -> String {
        let mut text = String::new();
        for (row, became) in &mut self.0 {
            // A String takes whatever is written to it.
            let _ = writeln!(text, "{row}");
            for (became, ways) in became {
                ways.sort();
                let _ = writeln!(text, "    {}: {became}", ways.join(" "));
            }
        }
        text
    }
}
