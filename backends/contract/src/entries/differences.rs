//! Comparing two maps of entries by looking only at what they do not share.
//!
//! Both are walked side by side, in order. Where the same branch comes next in both, all below it
//! is passed over; where it does not, the larger one is opened, so that what both share, however
//! deep it hangs in either, comes to stand at both fronts.

use std::cmp::Ordering;
use std::sync::Arc;

use super::page::Page;
use super::{Branch, Link};

/// A name that two maps do not share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference<'b, 'a, V> {
    /// Only the first map has it.
    Removed(&'b [u8]),
    /// The second map has it.
    Written {
        /// The name.
        name: &'a [u8],
        /// What it stands for in the first map.
        before: Option<&'b V>,
        /// What it stands for in the second. That may be equal.
        after: &'a V,
    },
}

/// What differs between two maps, by name; see [`Entries::differences`](super::Entries::differences).
pub struct Differences<'b, 'a, V> {
    before: Rest<'b, V>,
    after: Rest<'a, V>,
}

impl<'b, 'a, V> Differences<'b, 'a, V> {
    pub(super) fn new(before: &'b Link<V>, after: &'a Link<V>) -> Self {
        Self { before: Rest::of(before), after: Rest::of(after) }
    }

    /// How many branches were opened so far, which is what comparing costs.
    #[cfg(test)]
    pub(super) fn opened(&self) -> usize {
        self.before.opened + self.after.opened
    }
}

impl<'b, 'a, V> Iterator for Differences<'b, 'a, V> {
    type Item = Difference<'b, 'a, V>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { before, after } = self;
        loop {
            match (before.next(), after.next()) {
                (None, None) => return None,
                (Some(Next::Below(old)), Some(Next::Below(new))) => {
                    if Arc::ptr_eq(old, new) {
                        before.pass();
                        after.pass();
                        continue;
                    }
                    let (old, new) = (old.pages, new.pages);
                    if old >= new {
                        before.open();
                    }
                    if new >= old {
                        after.open();
                    }
                }
                (Some(Next::Below(_)), Some(Next::Page(..)) | None) => before.open(),
                (Some(Next::Page(..)) | None, Some(Next::Below(_))) => after.open(),
                (Some(Next::Page(old, place)), None) => {
                    before.step();
                    return Some(Difference::Removed(old.entry(place).0));
                }
                (None, Some(Next::Page(new, place))) => {
                    after.step();
                    let (name, after) = new.entry(place);
                    return Some(Difference::Written { name, before: None, after });
                }
                (Some(Next::Page(old, at)), Some(Next::Page(new, place))) => {
                    if std::ptr::eq(old, new) && at == place {
                        before.pass();
                        after.pass();
                        continue;
                    }
                    let ((old, was), (name, is)) = (old.entry(at), new.entry(place));
                    let order = old.cmp(name);
                    if order.is_le() {
                        before.step();
                    }
                    if order.is_ge() {
                        after.step();
                    }
                    return Some(match order {
                        Ordering::Less => Difference::Removed(old),
                        Ordering::Greater => Difference::Written { name, before: None, after: is },
                        Ordering::Equal => Difference::Written { name, before: Some(was), after: is },
                    });
                }
            }
        }
    }
}

/// What is still to come of a map, in order, opened only as far as was needed.
struct Rest<'e, V> {
    /// The next one last.
    parts: Vec<Next<'e, V>>,
    opened: usize,
}

enum Next<'e, V> {
    /// The entries of this page from a place on.
    Page(&'e Page<V>, usize),
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
    fn of(link: &'e Link<V>) -> Self {
        Self { parts: link.iter().map(Next::Below).collect(), opened: 0 }
    }

    fn next(&self) -> Option<Next<'e, V>> {
        self.parts.last().copied()
    }

    /// Passes over all that comes next.
    fn pass(&mut self) {
        self.parts.pop();
    }

    /// Passes over the entry that comes next.
    fn step(&mut self) {
        if let Some(Next::Page(page, place)) = self.parts.last_mut() {
            *place += 1;
            if *place == page.len() {
                self.pass();
            }
        }
    }

    /// Replaces a branch that comes next by what it is made of.
    fn open(&mut self) {
        if let Some(Next::Below(branch)) = self.parts.pop() {
            self.opened += 1;
            self.parts.extend(branch.upper.as_ref().map(Next::Below));
            self.parts.push(Next::Page(&branch.page, 0));
            self.parts.extend(branch.lower.as_ref().map(Next::Below));
        }
    }
}
