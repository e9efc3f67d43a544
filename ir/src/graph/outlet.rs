//! What comes out of a phase.

use std::collections::BTreeSet;

use crate::plan::Input;

/// What comes out of a phase, or what a stage starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlet {
    /// Nothing: no stage is there, nor in anything before it.
    Nothing,
    /// One filesystem. Of phases, only a `parallel` one with several stages is named here.
    One(Input),
    /// Several, so that a plan must say which; at most [`Outlet::LISTED`] of them, sorted.
    Several(BTreeSet<Input>),
    /// It cannot be told, because of a breach that is reported elsewhere.
    Broken,
}

impl Outlet {
    /// How many of several are listed: as many as a person wants to read, and few enough for
    /// time to stay linear.
    pub const LISTED: usize = 8;

    /// What comes out of several phases together.
    pub fn join<'a>(outlets: impl Iterator<Item = &'a Self>) -> Self {
        let mut found = BTreeSet::new();
        for outlet in outlets {
            match outlet {
                Self::Nothing => {}
                Self::One(input) => drop(found.insert(input.clone())),
                Self::Several(inputs) => found.extend(inputs.iter().cloned()),
                Self::Broken => return Self::Broken,
            }
        }
        while found.len() > Self::LISTED {
            found.pop_last();
        }
        match found.len() {
            0 | 1 => found.pop_first().map_or(Self::Nothing, Self::One),
            _ => Self::Several(found),
        }
    }
}
