//! Comparing two maps of entries by looking only at what they do not share.
//!
//! Both are walked side by side, in order. Where the same branch comes next in both, all below it
//! is passed over; where it does not, the larger one is opened, so that what both share, however
//! deep it hangs in either, comes to stand at both fronts.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Branch, Link};
use crate::tree::Name;

/// A name that two maps do not share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference<'b, 'a, V> {
    /// Only the first map has it.
    Removed(&'b Name),
    /// The second map has it.
    Written {
        /// The name.
        name: &'a Name,
        /// What it stands for in the first map.
        before: Option<&'b V>,
        /// What it stands for in the second. That may be equal.
        after: &'a V,
    },
}

pub(super) fn between<'b, 'a, V>(
    before: &mut Rest<'b, V>,
    after: &mut Rest<'a, V>,
) -> Vec<Difference<'b, 'a, V>> {
    let mut found = Vec::new();
    loop {
        match (before.next(), after.next()) {
            (None, None) => return found,
            (Some(Next::Below(old)), Some(Next::Below(new))) => {
                if Arc::ptr_eq(old, new) {
                    before.pass();
                    after.pass();
                    continue;
                }
                let (old, new) = (old.count, new.count);
                if old >= new {
                    before.open();
                }
                if new >= old {
                    after.open();
                }
            }
            (Some(Next::Below(_)), Some(Next::Entry(_)) | None) => before.open(),
            (Some(Next::Entry(_)) | None, Some(Next::Below(_))) => after.open(),
            (Some(Next::Entry((name, _))), None) => {
                found.push(Difference::Removed(name));
                before.pass();
            }
            (None, Some(Next::Entry((name, new)))) => {
                found.push(Difference::Written { name, before: None, after: new });
                after.pass();
            }
            (Some(Next::Entry(old)), Some(Next::Entry(new))) => match old.0.cmp(&new.0) {
                Ordering::Less => {
                    found.push(Difference::Removed(&old.0));
                    before.pass();
                }
                Ordering::Greater => {
                    found.push(Difference::Written { name: &new.0, before: None, after: &new.1 });
                    after.pass();
                }
                Ordering::Equal => {
                    if !std::ptr::eq(old, new) {
                        let (name, before, after) = (&new.0, Some(&old.1), &new.1);
                        found.push(Difference::Written { name, before, after });
                    }
                    before.pass();
                    after.pass();
                }
            },
        }
    }
}

/// What is still to come of a map, in order, opened only as far as was needed.
pub(super) struct Rest<'e, V> {
    /// The next one last.
    parts: Vec<Next<'e, V>>,
    /// How many branches were opened, which is what comparing costs.
    pub(super) opened: usize,
}

enum Next<'e, V> {
    /// This entry.
    Entry(&'e (Name, V)),
    /// All that is here and below.
    Below(&'e Arc<Branch<V>>),
}

impl<V> Clone for Next<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Next<'_, V> {}

impl<'e, V> Rest<'e, V> {
    pub(super) fn of(link: &'e Link<V>) -> Self {
        Self { parts: link.iter().map(Next::Below).collect(), opened: 0 }
    }

    fn next(&self) -> Option<Next<'e, V>> {
        self.parts.last().copied()
    }

    fn pass(&mut self) {
        self.parts.pop();
    }

    /// Replaces a branch that comes next by what it is made of.
    fn open(&mut self) {
        if let Some(Next::Below(branch)) = self.parts.pop() {
            self.opened += 1;
            self.parts.extend(branch.upper.as_ref().map(Next::Below));
            self.parts.push(Next::Entry(&branch.entry));
            self.parts.extend(branch.lower.as_ref().map(Next::Below));
        }
    }
}
