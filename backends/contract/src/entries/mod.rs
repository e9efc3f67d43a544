//! The entries of a directory, by name: a map whose clones share what they have in common.
//!
//! Every stage keeps its own filesystem, and most differ from the one before by an entry or two.
//! So a change costs the logarithm of how many entries there are, a clone costs nothing, and
//! [`differences`](Entries::differences) looks only at what two maps do not share.
//!
//! Inside is a tree balanced by weight, with the bounds that Hirai and Yamamoto proved enough
//! ("Balancing weight-balanced trees", 2011). decisions/0006 says why no library does this.

mod differences;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use self::differences::Rest;
use crate::tree::Name;

pub use self::differences::Difference;

/// Entries in the order of their names.
pub struct Entries<V> {
    top: Link<V>,
}

type Link<V> = Option<Arc<Branch<V>>>;

struct Branch<V> {
    /// Behind a pointer of its own, so that copies on the way to a change copy no names.
    entry: Arc<(Name, V)>,
    /// How many entries are here and below.
    count: usize,
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
    pub fn get(&self, name: &[u8]) -> Option<&V> {
        let mut link = &self.top;
        while let Some(branch) = link {
            link = match name.cmp(&branch.entry.0) {
                Ordering::Less => &branch.lower,
                Ordering::Greater => &branch.upper,
                Ordering::Equal => return Some(&branch.entry.1),
            };
        }
        None
    }

    /// All, by name.
    pub fn iter(&self) -> Iter<'_, V> {
        let mut iter = Iter { above: Vec::new() };
        iter.descend(&self.top);
        iter
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.iter().map(|(name, _)| name)
    }

    /// What differs between this and `after`, by name.
    pub fn differences<'b, 'a>(&'b self, after: &'a Self) -> Vec<Difference<'b, 'a, V>> {
        differences::between(&mut Rest::of(&self.top), &mut Rest::of(&after.top))
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
            link = match name.cmp(&branch.entry.0) {
                Ordering::Less => &mut branch.lower,
                Ordering::Greater => &mut branch.upper,
                Ordering::Equal => return Some(&mut Arc::make_mut(&mut branch.entry).1),
            };
        }
        None
    }

    /// Lets a name stand for a value, and gives back what it stood for.
    pub fn insert(&mut self, name: Name, value: V) -> Option<V> {
        insert(&mut self.top, Arc::new((name, value))).map(value_of)
    }

    /// Takes a name away, and gives back what it stood for.
    pub fn remove(&mut self, name: &[u8]) -> Option<V> {
        self.get(name)?;
        remove(&mut self.top, name).map(value_of)
    }
}

fn value_of<V: Clone>(entry: Arc<(Name, V)>) -> V {
    Arc::try_unwrap(entry).map_or_else(|shared| shared.1.clone(), |(_, value)| value)
}

fn insert<V>(link: &mut Link<V>, entry: Arc<(Name, V)>) -> Option<Arc<(Name, V)>> {
    let Some(branch) = link else {
        *link = Some(Arc::new(Branch { entry, count: 1, lower: None, upper: None }));
        return None;
    };
    let branch = Arc::make_mut(branch);
    let replaced = match entry.0.cmp(&branch.entry.0) {
        Ordering::Less => insert(&mut branch.lower, entry),
        Ordering::Greater => insert(&mut branch.upper, entry),
        Ordering::Equal => Some(std::mem::replace(&mut branch.entry, entry)),
    };
    branch.settle();
    replaced
}

fn remove<V>(link: &mut Link<V>, name: &[u8]) -> Option<Arc<(Name, V)>> {
    let branch = Arc::make_mut(link.as_mut()?);
    let removed = match name.cmp(&branch.entry.0) {
        Ordering::Less => remove(&mut branch.lower, name),
        Ordering::Greater => remove(&mut branch.upper, name),
        Ordering::Equal => match remove_first(&mut branch.upper) {
            Some(next) => Some(std::mem::replace(&mut branch.entry, next)),
            None => {
                let (entry, lower) = (Arc::clone(&branch.entry), branch.lower.take());
                *link = lower;
                return Some(entry);
            }
        },
    };
    branch.settle();
    removed
}

fn remove_first<V>(link: &mut Link<V>) -> Option<Arc<(Name, V)>> {
    let branch = Arc::make_mut(link.as_mut()?);
    let first = remove_first(&mut branch.lower);
    if first.is_none() {
        let (entry, upper) = (Arc::clone(&branch.entry), branch.upper.take());
        *link = upper;
        return Some(entry);
    }
    branch.settle();
    first
}

fn count<V>(link: &Link<V>) -> usize {
    link.as_ref().map_or(0, |branch| branch.count)
}

fn weight<V>(link: &Link<V>) -> usize {
    count(link) + 1
}

impl<V> Branch<V> {
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
        self.count = count(&self.lower) + 1 + count(&self.upper);
    }
}

/// Entries by name; see [`Entries::iter`].
pub struct Iter<'e, V> {
    /// Branches whose own entry and upper side are still to come, the next one last.
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
    type Item = (&'e Name, &'e V);

    fn next(&mut self) -> Option<Self::Item> {
        let branch = self.above.pop()?;
        self.descend(&branch.upper);
        Some((&branch.entry.0, &branch.entry.1))
    }
}

impl<'e, V> IntoIterator for &'e Entries<V> {
    type Item = (&'e Name, &'e V);
    type IntoIter = Iter<'e, V>;

    fn into_iter(self) -> Iter<'e, V> {
        self.iter()
    }
}

impl<V: Clone> FromIterator<(Name, V)> for Entries<V> {
    fn from_iter<I: IntoIterator<Item = (Name, V)>>(entries: I) -> Self {
        let mut all = Self::new();
        for (name, value) in entries {
            all.insert(name, value);
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
        let Self { entry, count, lower, upper } = self;
        Self { entry: Arc::clone(entry), count: *count, lower: lower.clone(), upper: upper.clone() }
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
            && self.differences(other).iter().all(|difference| match difference {
                Difference::Removed(_) => false,
                Difference::Written { before, after, .. } => *before == Some(*after),
            })
    }
}

impl<V: Eq> Eq for Entries<V> {}

impl<V: fmt::Debug> fmt::Debug for Entries<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
