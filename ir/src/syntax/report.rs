//! The list of what is wrong with a text, which ends where nobody would read on.

use super::findings::SyntaxFinding;
use crate::finding::{self, Finding, MOST};

/// Findings in the order in which they were met: at most one more than is shown.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<SyntaxFinding>);

impl Report {
    /// Adds a finding, where there is room.
    pub(super) fn push(&mut self, finding: SyntaxFinding) {
        if !self.is_full() {
            self.0.push(finding);
        }
    }

    /// Adds the findings of another list, whatever its length.
    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether it is of no use to look for more.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() > MOST
    }

    /// The findings in the order of the text.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.0.into_iter().map(Finding::Syntax).collect();
        finding::sort(&mut findings);
        finding::shorten(&mut findings);
        findings
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
