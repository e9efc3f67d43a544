//! Comparing two maps of entries by looking only at what they do not share.
//!
//! Both are walked side by side, in order. Where the same branch comes next in both, all below it
//! is passed over; where it does not, the larger one is opened, so that what both share, however
//! deep it hangs in either, comes to stand at both fronts.

use std::cmp::Ordering;
use std::sync::Arc;

use super::held::{Entry, Held, Open};
use super::{Branch, Link};

/// A name that two maps do not share.
pub enum Difference<'b, 'a, V> {
    /// Only the first map has it.
    Removed(Entry<'b, V>),
    /// The second map has it.
    Written {
        /// What it stands for in the first map.
        before: Option<Entry<'b, V>>,
        /// What it stands for in the second. That may be equal.
        after: Entry<'a, V>,
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
                    if is_same(old, new) {
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
                (Some(Next::Page(page, place)), None) => {
                    before.step();
                    return Some(Difference::Removed(Entry { page, place }));
                }
                (None, Some(Next::Page(page, place))) => {
                    after.step();
                    return Some(Difference::Written { before: None, after: Entry { page, place } });
                }
                (Some(Next::Page(old, at)), Some(Next::Page(new, place))) => {
                    if at == place && old.is_same(&new) {
                        before.pass();
                        after.pass();
                        continue;
                    }
                    let (was, is) = (Entry { page: old, place: at }, Entry { page: new, place });
                    let order = was.name().cmp(is.name());
                    if order.is_le() {
                        before.step();
                    }
                    if order.is_ge() {
                        after.step();
                    }
                    return Some(match order {
                        Ordering::Less => Difference::Removed(was),
                        Ordering::Greater => Difference::Written { before: None, after: is },
                        Ordering::Equal => Difference::Written { before: Some(was), after: is },
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
    Page(Open<'e, V>, usize),
    /// All that is here and below.
    Below(&'e Arc<Branch<V>>),
}

/// Whether two branches have the same below them without a look at it: they are one, or each was read
/// anew and is the same page that is away, alone.
fn is_same<V>(old: &Arc<Branch<V>>, new: &Arc<Branch<V>>) -> bool {
    if Arc::ptr_eq(old, new) {
        return true;
    }
    let is_alone = |branch: &Branch<V>| branch.lower.is_none() && branch.upper.is_none();
    match (&old.page, &new.page) {
        (Held::Away(one), Held::Away(other)) if is_alone(old) && is_alone(new) => {
            one.place == other.place && std::ptr::addr_eq(Arc::as_ptr(&one.depot), Arc::as_ptr(&other.depot))
        }
        _ => false,
    }
}

impl<V> Clone for Next<'_, V> {
    fn clone(&self) -> Self {
        match self {
            Self::Page(page, place) => Self::Page(page.clone(), *place),
            Self::Below(branch) => Self::Below(branch),
        }
    }
}

impl<'e, V> Rest<'e, V> {
    fn of(link: &'e Link<V>) -> Self {
        Self { parts: link.iter().map(Next::Below).collect(), opened: 0 }
    }

    fn next(&self) -> Option<Next<'e, V>> {
        self.parts.last().cloned()
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
            self.parts.push(Next::Page(branch.page.open(), 0));
            self.parts.extend(branch.lower.as_ref().map(Next::Below));
        }
    }
}
