//! The variables at one point of a stage.
//!
//! Every op has its own, and most differ from the one before by a variable or by nothing, so what
//! they share is shared: a thousand `env` lines cost a thousand steps and not a million copies.

use std::fmt;

use rpds::RedBlackTreeMapSync;

use crate::plan::EnvName;
use crate::resolve::EnvValue;

/// Variables in their order: a base's in its order, then others as they were first set. One that
/// changes keeps its place, as in Docker's builders.
#[derive(Clone, Default)]
pub struct Environment {
    variables: RedBlackTreeMapSync<EnvName, Variable>,
    /// The place of the next new variable.
    next: u32,
}

#[derive(Clone, PartialEq, Eq)]
struct Variable {
    place: u32,
    value: EnvValue,
}

impl Environment {
    /// The value of a variable; `None` where it is not set.
    pub fn get(&self, name: &str) -> Option<&EnvValue> {
        self.variables.get(name).map(|variable| &variable.value)
    }

    /// How many variables there are.
    pub fn len(&self) -> usize {
        self.variables.size()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// The variables in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&EnvName, &EnvValue)> {
        let mut variables: Vec<_> = self.variables.iter().collect();
        variables.sort_unstable_by_key(|(_, variable)| variable.place);
        variables.into_iter().map(|(name, variable)| (name, &variable.value))
    }

    /// The names of the variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &EnvName> {
        self.variables.keys()
    }

    /// Sets a variable: in its place, or at the end where it is new.
    pub(super) fn set(&mut self, name: EnvName, value: EnvValue) {
        let place = match self.variables.get(&name) {
            Some(variable) => variable.place,
            None => {
                self.next = self.next.saturating_add(1);
                self.next
            }
        };
        self.variables.insert_mut(name, Variable { place, value });
    }

    /// Takes a variable away.
    pub(super) fn unset(&mut self, name: &EnvName) {
        self.variables.remove_mut(name);
    }
}

/// Equal are equal variables in an equal order; how they came there does not matter.
impl PartialEq for Environment {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Environment {}

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(EnvName, EnvValue)> for Environment {
    fn from_iter<I: IntoIterator<Item = (EnvName, EnvValue)>>(variables: I) -> Self {
        let mut environment = Self::default();
        variables.into_iter().for_each(|(name, value)| environment.set(name, value));
        environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> EnvName {
        EnvName::new(text).unwrap()
    }

    fn known(text: &str) -> EnvValue {
        EnvValue::Known(text.into())
    }

    fn shown(environment: &Environment) -> String {
        let one = |(name, value): (&EnvName, &EnvValue)| match value {
            EnvValue::Known(value) => format!("{name}={value}"),
            EnvValue::Open => format!("{name}?"),
        };
        environment.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_changed_variable_keeps_its_place_and_one_set_again_goes_to_the_end() {
        let mut environment: Environment =
            [(name("Z"), known("1")), (name("A"), known("2")), (name("M"), EnvValue::Open)]
                .into_iter()
                .collect();
        let before = environment.clone();
        environment.set(name("Z"), known("3"));
        assert_eq!(shown(&environment), "Z=3 A=2 M?");
        environment.unset(&name("Z"));
        environment.set(name("Z"), known("4"));
        assert_eq!(shown(&environment), "A=2 M? Z=4");
        assert_eq!(shown(&before), "Z=1 A=2 M?");
        assert_eq!(environment.names().map(EnvName::as_str).collect::<String>(), "AMZ");
    }

    #[test]
    fn equal_is_what_holds_and_not_how_it_came() {
        let direct: Environment = [(name("A"), known("1")), (name("B"), known("2"))].into_iter().collect();
        let mut roundabout: Environment =
            [(name("C"), known("0")), (name("A"), known("0")), (name("B"), known("2"))].into_iter().collect();
        assert_ne!(direct, roundabout);
        roundabout.unset(&name("C"));
        roundabout.set(name("A"), known("1"));
        assert_eq!(direct, roundabout);
        let reversed: Environment = [(name("B"), known("2")), (name("A"), known("1"))].into_iter().collect();
        assert_ne!(direct, reversed);
    }
}
