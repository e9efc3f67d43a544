//! How a filesystem came to be, step by step.
//!
//! A stage's history is that of what it starts from, and then its own. So each shares what it
//! continues: a chain of stages costs its steps once, and not once for every stage after them.

use rpds::ListSync;

use crate::evaluate::ImageLayer;

/// One step of the history of a filesystem, and its layer if it has one.
#[derive(Debug, Clone)]
pub struct HistoryStep {
    /// What was done.
    pub created_by: String,
    /// Who asked for it, or what a base's history remarks.
    pub comment: Option<String>,
    /// When, where a base says so.
    pub created: Option<String>,
    /// What changed.
    pub layer: Option<ImageLayer>,
}

/// Steps, of which a clone costs nothing.
#[derive(Debug, Clone, Default)]
pub struct History {
    newest_first: ListSync<HistoryStep>,
}

impl History {
    /// Adds the latest step.
    pub fn push(&mut self, step: HistoryStep) {
        self.newest_first.push_front_mut(step);
    }

    /// The steps, first to last.
    pub fn steps(&self) -> Vec<&HistoryStep> {
        self.latest(self.newest_first.len())
    }

    /// The steps that this history, which continues `base`, has besides, first to last.
    pub fn since(&self, base: &Self) -> Vec<&HistoryStep> {
        self.latest(self.newest_first.len().saturating_sub(base.newest_first.len()))
    }

    fn latest(&self, count: usize) -> Vec<&HistoryStep> {
        let mut steps: Vec<&HistoryStep> = self.newest_first.iter().take(count).collect();
        steps.reverse();
        steps
    }
}

impl FromIterator<HistoryStep> for History {
    fn from_iter<I: IntoIterator<Item = HistoryStep>>(steps: I) -> Self {
        let mut history = Self::default();
        for step in steps {
            history.push(step);
        }
        history
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(created_by: &str) -> HistoryStep {
        HistoryStep { created_by: created_by.to_owned(), comment: None, created: None, layer: None }
    }

    fn drawn(steps: &[&HistoryStep]) -> String {
        steps.iter().map(|step| step.created_by.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_history_continues_another_and_shares_it() {
        let base: History = ["a", "b"].map(step).into_iter().collect();
        let mut branch = base.clone();
        branch.push(step("c"));
        branch.push(step("d"));
        assert_eq!(drawn(&base.steps()), "a b");
        assert_eq!(drawn(&branch.steps()), "a b c d");
        assert_eq!(drawn(&branch.since(&base)), "c d");
        for (shared, original) in branch.steps().into_iter().zip(base.steps()) {
            assert!(std::ptr::eq(shared, original), "a step of the base is a copy");
        }
    }

    #[test]
    fn a_long_history_is_let_go_without_a_deep_stack() {
        let history: History = (0..1_000_000).map(|_| step("")).collect();
        assert_eq!(history.steps().len(), 1_000_000);
    }
}
