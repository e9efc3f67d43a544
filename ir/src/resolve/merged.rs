//! What holds after the merge of a `parallel` phase.

use std::sync::Arc;

use super::state::State;

/// What holds after a merge: what held at its start, with what each branch changed. The verifier
/// refuses two branches that change the same, so their order decides only where new variables
/// stand.
pub(super) fn merged_state(start: &Arc<State>, ends: &[&Arc<State>]) -> Arc<State> {
    let mut merged = State::clone(start);
    for end in ends.iter().filter(|end| !Arc::ptr_eq(end, start)) {
        for name in start.env.names().filter(|name| end.variable(name.as_str()).is_none()) {
            merged.env.unset(name);
        }
        for (name, value) in
            end.env.iter().filter(|(name, value)| start.variable(name.as_str()) != Some(value))
        {
            merged.env.set(name.clone(), value.clone());
        }
        if end.workdir != start.workdir {
            merged.workdir.clone_from(&end.workdir);
        }
        if end.user != start.user {
            merged.user.clone_from(&end.user);
        }
        if end.shell != start.shell {
            merged.shell = end.shell.clone();
        }
    }
    if merged == **start { start.clone() } else { Arc::new(merged) }
}
