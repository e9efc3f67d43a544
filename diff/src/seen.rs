//! What an op sees otherwise than before, in a few words.
//!
//! Two ops in a row mostly see the same, but for what was set between them. So the variables that differ are
//! kept from one question to the next, and only what was set in between is compared again.

use std::collections::BTreeSet;

use cogpack_ir::plan::{EnvName, OpKind};
use cogpack_ir::resolve::{State, Step};

use crate::side::Side;

/// A stage and one of its steps.
type Place = (usize, usize);

/// The variables that differ at one place of each plan.
#[derive(Default)]
pub(crate) struct Seen<'p> {
    at: Option<(Place, Place)>,
    names: BTreeSet<&'p EnvName>,
}

impl<'p> Seen<'p> {
    /// What differs between what an op of the old plan sees and what one of the new sees.
    pub(crate) fn between(
        &mut self,
        old: &Side<'p>,
        new: &Side<'p>,
        old_place: Place,
        new_place: Place,
    ) -> String {
        let (before, now) = (state(old, old_place), state(new, new_place));
        let differs = |name: &EnvName| before.variable(name.as_str()) != now.variable(name.as_str());
        match self.at.replace((old_place, new_place)) {
            Some((old_last, new_last)) if leads(old_last, old_place) && leads(new_last, new_place) => {
                let steps = &old.steps[old_place.0][old_last.1..old_place.1];
                for name in set_by(steps).chain(set_by(&new.steps[new_place.0][new_last.1..new_place.1])) {
                    match differs(name) {
                        true => self.names.insert(name),
                        false => self.names.remove(name),
                    };
                }
            }
            Some(_) | None => {
                let all = before.env.names().chain(now.env.names());
                self.names = all.filter(|name| differs(name)).collect();
            }
        }
        told(&self.names, before, now)
    }
}

fn state<'p>(side: &Side<'p>, (stage, step): Place) -> &'p State {
    side.steps[stage][step].state
}

/// Whether one place is at or before another in its stage.
fn leads(one: Place, other: Place) -> bool {
    one.0 == other.0 && one.1 <= other.1
}

fn set_by<'s, 'p>(steps: &'s [Step<'p>]) -> impl Iterator<Item = &'p EnvName> + use<'s, 'p> {
    steps.iter().filter_map(|step| match &step.op.kind {
        OpKind::Env(change) => Some(&change.name.value),
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    })
}

/// What differs between two states, in a few words.
fn told(names: &BTreeSet<&EnvName>, old: &State, new: &State) -> String {
    let mut seen: Vec<String> = Vec::new();
    let mut first = names.iter();
    match (first.next(), first.next(), names.len()) {
        (Some(one), Some(other), 2) => seen.push(format!("another `{one}` and `{other}`")),
        (Some(one), Some(_), count) => seen.push(format!("another `{one}` and {} more variables", count - 1)),
        (Some(one), None, _) => seen.push(format!("another `{one}`")),
        (None, _, _) => {}
    }
    if old.workdir != new.workdir {
        seen.push("another working directory".to_owned());
    }
    if old.user != new.user {
        seen.push("another user".to_owned());
    }
    if old.shell != new.shell {
        seen.push("another shell".to_owned());
    }
    if seen.is_empty() {
        // All that is left is their order.
        seen.push("its variables in another order".to_owned());
    }
    seen.join(", ")
}
