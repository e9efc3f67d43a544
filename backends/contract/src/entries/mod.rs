//! The entries of a directory, by name: a map whose clones share what they have in common.
//!
//! Every stage keeps its own filesystem, and most differ from the one before by an entry or two.
//! So a change costs the logarithm of how many entries there are, a clone costs nothing, and
//! [`differences`](Entries::differences) looks only at what two maps do not share.
//!
//! Inside are pages of some entries each, which hang in a tree balanced by weight, with the bounds
//! that Hirai and Yamamoto proved enough ("Balancing weight-balanced trees", 2011). decisions/0006
//! says why no library does this. What memory has no room for is in larger pages, which are
//! [away](held).

mod away;
mod differences;
pub(crate) mod held;
pub(crate) mod page;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use self::held::{Held, Open, Side};
use self::page::{FULL, Page};
use crate::tree::Name;

pub use self::differences::{Difference, Differences};
pub use self::held::Entry;

/// Entries in the order of their names.
pub struct Entries<V> {
    top: Link<V>,
}

type Link<V> = Option<Arc<Branch<V>>>;

struct Branch<V> {
    /// Never empty. All that is in `lower` comes before it, and all that is in `upper` after.
    page: Held<V>,
    /// How many entries are here and below.
    count: usize,
    /// How many pages are here and below.
    pages: usize,
    lower: Link<V>,
    upper: Link<V>,
}

/// One side may weigh this many times the other.
const MOST: usize = 3;
/// From when on the inner grandchild is too heavy to change sides as it is.
const HEAVY_INSIDE: usize = 2;

impl<V> Entries<V> {
    /// None.
    pub const fn new() -> Self {
        Self { top: None }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        count(&self.top)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.top.is_none()
    }

    /// What a name stands for.
    pub fn get(&self, name: &[u8]) -> Option<Entry<'_, V>> {
        let mut link = &self.top;
        while let Some(branch) = link {
            link = match branch.page.side(name) {
                Side::Lower => &branch.lower,
                Side::Upper => &branch.upper,
                Side::Within => {
                    let page = branch.page.open();
                    let place = page.find(name).ok()?;
                    return Some(Entry { page, place });
                }
            };
        }
        None
    }

    /// All, by name.
    pub fn iter(&self) -> Iter<'_, V> {
        let mut iter = Iter { here: None, above: Vec::new() };
        iter.descend(&self.top);
        iter
    }

    /// The same names, each with what `value` makes of what it stands for. What is away stays away.
    pub fn changed(&self, mut value: impl FnMut(&V) -> V) -> Self {
        Self { top: changed(&self.top, &mut value) }
    }

    /// What differs between this and `after`, by name.
    pub fn differences<'b, 'a>(&'b self, after: &'a Self) -> Differences<'b, 'a, V> {
        Differences::new(&self.top, &after.top)
    }
}

impl<V: Clone> Entries<V> {
    /// What a name stands for, to change it.
    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut V> {
        // Looked up first, so that a miss leaves what is shared shared.
        self.get(name)?;
        let mut link = &mut self.top;
        while let Some(branch) = link {
            let branch = Arc::make_mut(branch);
            link = match branch.page.side(name) {
                Side::Lower => &mut branch.lower,
                Side::Upper => &mut branch.upper,
                Side::Within => {
                    let page = branch.page.make_mut();
                    let place = page.find(name).ok()?;
                    return Some(page.value_mut(place));
                }
            };
        }
        None
    }

    /// Lets a name stand for a value, and gives back what it stood for.
    pub fn insert(&mut self, name: &[u8], value: V) -> Option<V> {
        insert(&mut self.top, name, value)
    }

    /// Takes a name away, and gives back what it stood for.
    pub fn remove(&mut self, name: &[u8]) -> Option<V> {
        self.get(name)?;
        remove(&mut self.top, name)
    }
}

fn changed<V>(link: &Link<V>, value: &mut dyn FnMut(&V) -> V) -> Link<V> {
    let branch = link.as_ref()?;
    let lower = changed(&branch.lower, value);
    let page = Arc::new(branch.page.open().changed(value));
    let page = match &branch.page {
        Held::Here(_) => Held::Here(page),
        Held::Away(before) => Held::laid(&before.depot, page),
    };
    let upper = changed(&branch.upper, value);
    Some(Arc::new(Branch { page, count: branch.count, pages: branch.pages, lower, upper }))
}

fn insert<V: Clone>(link: &mut Link<V>, name: &[u8], value: V) -> Option<V> {
    let Some(branch) = link else {
        *link = Branch::of(Held::Here(Arc::new(Page::of(name, value))));
        return None;
    };
    let branch = Arc::make_mut(branch);
    // A name that no page has goes to one that it lies next to, if that has room.
    let replaced = match branch.page.side(name) {
        Side::Lower if branch.lower.is_some() => insert(&mut branch.lower, name, value),
        Side::Upper if branch.upper.is_some() => insert(&mut branch.upper, name, value),
        Side::Lower => branch.add(0, name, value),
        Side::Upper => branch.add(branch.page.len(), name, value),
        Side::Within => {
            let found = branch.page.open().find(name);
            match found {
                Ok(place) => Some(std::mem::replace(branch.page.make_mut().value_mut(place), value)),
                Err(place) => branch.add(place, name, value),
            }
        }
    };
    branch.settle();
    replaced
}

fn remove<V: Clone>(link: &mut Link<V>, name: &[u8]) -> Option<V> {
    let branch = Arc::make_mut(link.as_mut()?);
    let removed = match branch.page.side(name) {
        Side::Lower => remove(&mut branch.lower, name),
        Side::Upper => remove(&mut branch.upper, name),
        Side::Within => {
            let page = branch.page.make_mut();
            let removed = page.remove(page.find(name).ok()?);
            if branch.page.len() == 0 {
                match take_first(&mut branch.upper) {
                    Some(next) => branch.page = next,
                    None => {
                        *link = branch.lower.take();
                        return Some(removed);
                    }
                }
            }
            Some(removed)
        }
    };
    branch.settle();
    removed
}

/// Takes away the first page.
fn take_first<V>(link: &mut Link<V>) -> Option<Held<V>> {
    let branch = Arc::make_mut(link.as_mut()?);
    let first = take_first(&mut branch.lower);
    if first.is_none() {
        let (page, upper) = (branch.page.clone(), branch.upper.take());
        *link = upper;
        return Some(page);
    }
    branch.settle();
    first
}

/// Adds a page before all others.
fn put_first<V>(link: &mut Link<V>, page: Page<V>) {
    match link {
        None => *link = Branch::of(Held::Here(Arc::new(page))),
        Some(branch) => {
            let branch = Arc::make_mut(branch);
            put_first(&mut branch.lower, page);
            branch.settle();
        }
    }
}

fn count<V>(link: &Link<V>) -> usize {
    link.as_ref().map_or(0, |branch| branch.count)
}

fn pages<V>(link: &Link<V>) -> usize {
    link.as_ref().map_or(0, |branch| branch.pages)
}

fn weight<V>(link: &Link<V>) -> usize {
    pages(link) + 1
}

impl<V: Clone> Branch<V> {
    /// Adds an entry to the page, or to one beside it where that is full.
    fn add(&mut self, place: usize, name: &[u8], value: V) -> Option<V> {
        let (length, is_away) = (self.page.len(), self.page.is_away());
        if length < FULL && !is_away {
            self.page.make_mut().insert(place, name, value);
        } else if place == length {
            // What comes in order fills every page.
            put_first(&mut self.upper, Page::of(name, value));
        } else if place == 0 && is_away && self.lower.is_none() {
            self.lower = Branch::of(Held::Here(Arc::new(Page::of(name, value))));
        } else {
            let page = self.page.make_mut();
            let mut later = page.split_off(length / 2);
            match place.checked_sub(page.len()) {
                Some(place) => later.insert(place, name, value),
                None => page.insert(place, name, value),
            }
            put_first(&mut self.upper, later);
        }
        None
    }
}

impl<V> Branch<V> {
    fn of(page: Held<V>) -> Link<V> {
        Some(Arc::new(Self { count: page.len(), pages: 1, page, lower: None, upper: None }))
    }

    /// Counts and balances again after something below was added or taken away.
    fn settle(&mut self) {
        let (lower, upper) = (weight(&self.lower), weight(&self.upper));
        if upper > MOST * lower {
            if let Some(upper) = &mut self.upper
                && weight(&upper.lower) >= HEAVY_INSIDE * weight(&upper.upper)
            {
                Arc::make_mut(upper).lift_lower();
            }
            self.lift_upper();
        } else if lower > MOST * upper {
            if let Some(lower) = &mut self.lower
                && weight(&lower.upper) >= HEAVY_INSIDE * weight(&lower.lower)
            {
                Arc::make_mut(lower).lift_upper();
            }
            self.lift_lower();
        } else {
            self.recount();
        }
    }

    /// The upper branch takes this one's place, and this one becomes the lower below it.
    fn lift_upper(&mut self) {
        let Some(mut lifted) = self.upper.take() else { return };
        let other = Arc::make_mut(&mut lifted);
        self.upper = other.lower.take();
        self.recount();
        std::mem::swap(self, other);
        self.lower = Some(lifted);
        self.recount();
    }

    /// The lower branch takes this one's place, and this one becomes the upper below it.
    fn lift_lower(&mut self) {
        let Some(mut lifted) = self.lower.take() else { return };
        let other = Arc::make_mut(&mut lifted);
        self.lower = other.upper.take();
        self.recount();
        std::mem::swap(self, other);
        self.upper = Some(lifted);
        self.recount();
    }

    fn recount(&mut self) {
        self.count = count(&self.lower) + self.page.len() + count(&self.upper);
        self.pages = pages(&self.lower) + 1 + pages(&self.upper);
    }
}

/// Entries by name; see [`Entries::iter`].
pub struct Iter<'e, V> {
    /// The page whose entries from a place on are the next.
    here: Option<(Open<'e, V>, usize)>,
    /// Branches, of which the page and then the upper side are still to come, the next one last.
    above: Vec<&'e Branch<V>>,
}

impl<'e, V> Iter<'e, V> {
    fn descend(&mut self, mut link: &'e Link<V>) {
        while let Some(branch) = link {
            self.above.push(branch);
            link = &branch.lower;
        }
    }
}

impl<'e, V> Iterator for Iter<'e, V> {
    type Item = Entry<'e, V>;

    fn next(&mut self) -> Option<Entry<'e, V>> {
        loop {
            if let Some((page, next)) = &mut self.here
                && *next < page.len()
            {
                let place = *next;
                *next += 1;
                return Some(Entry { page: page.clone(), place });
            }
            let branch = self.above.pop()?;
            self.here = Some((branch.page.open(), 0));
            self.descend(&branch.upper);
        }
    }
}

impl<'e, V> IntoIterator for &'e Entries<V> {
    type Item = Entry<'e, V>;
    type IntoIter = Iter<'e, V>;

    fn into_iter(self) -> Iter<'e, V> {
        self.iter()
    }
}

impl<V: Clone> FromIterator<(Name, V)> for Entries<V> {
    fn from_iter<I: IntoIterator<Item = (Name, V)>>(entries: I) -> Self {
        let mut all = Self::new();
        for (name, value) in entries {
            all.insert(&name, value);
        }
        all
    }
}

// By hand, because derived ones would ask the same of `V`.

impl<V> Clone for Entries<V> {
    fn clone(&self) -> Self {
        Self { top: self.top.clone() }
    }
}

impl<V> Clone for Branch<V> {
    fn clone(&self) -> Self {
        let Self { page, count, pages, lower, upper } = self;
        let (page, lower, upper) = (page.clone(), lower.clone(), upper.clone());
        Self { page, count: *count, pages: *pages, lower, upper }
    }
}

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: PartialEq> PartialEq for Entries<V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.differences(other).all(|difference| match difference {
                Difference::Removed(_) => false,
                Difference::Written { before, after } => before.as_deref() == Some(&*after),
            })
    }
}

impl<V: Eq> Eq for Entries<V> {}

impl<V: fmt::Debug> fmt::Debug for Entries<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for entry in self {
            let (name, value) = entry.parts();
            map.entry(&name, value);
        }
        map.finish()
    }
}
