//! Some neighbouring entries of a map: their names in one piece of memory, and their values in
//! another, so that an entry costs little more than its name and its value.

use std::sync::Arc;

/// Entries in the order of their names.
pub(crate) struct Page<V> {
    /// Shared with pages that have other values for the same names.
    names: Arc<Names>,
    values: Vec<V>,
}

#[derive(Clone)]
struct Names {
    /// One after the other.
    bytes: Vec<u8>,
    /// Where each ends among them.
    ends: Vec<usize>,
}

/// As many entries as a page takes. A change to a shared page copies it, so more would make
/// changes dear, and fewer would make entries dear.
pub(super) const FULL: usize = 16;

impl<V> Page<V> {
    /// One with this entry.
    pub(super) fn of(name: &[u8], value: V) -> Self {
        let names = Names { bytes: name.to_vec(), ends: vec![name.len()] };
        Self { names: Arc::new(names), values: vec![value] }
    }

    /// One with these entries, which come in the order of their names.
    pub(crate) fn from_sorted<'n>(entries: impl Iterator<Item = (&'n [u8], V)>) -> Self {
        let (mut names, mut values) = (Names { bytes: Vec::new(), ends: Vec::new() }, Vec::new());
        for (name, value) in entries {
            names.bytes.extend_from_slice(name);
            names.ends.push(names.bytes.len());
            values.push(value);
        }
        Self { names: Arc::new(names), values }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The name and value at a place that there is.
    pub(crate) fn entry(&self, place: usize) -> (&[u8], &V) {
        (self.name(place), &self.values[place])
    }

    pub(super) fn value_mut(&mut self, place: usize) -> &mut V {
        &mut self.values[place]
    }

    /// Where a name is, or where it would be.
    pub(super) fn find(&self, name: &[u8]) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(from)
    }

    pub(super) fn insert(&mut self, place: usize, name: &[u8], value: V) {
        let start = self.names.start(place);
        let names = Arc::make_mut(&mut self.names);
        names.bytes.splice(start..start, name.iter().copied());
        names.ends.insert(place, start);
        names.ends[place..].iter_mut().for_each(|end| *end += name.len());
        self.values.insert(place, value);
        if self.values.len() == FULL {
            names.bytes.shrink_to_fit();
        }
    }

    pub(super) fn remove(&mut self, place: usize) -> V {
        let names = Arc::make_mut(&mut self.names);
        let (start, end) = (names.start(place), names.ends[place]);
        names.bytes.drain(start..end);
        names.ends.remove(place);
        names.ends[place..].iter_mut().for_each(|later| *later -= end - start);
        self.values.remove(place)
    }

    /// Takes away the entries from `place` on.
    pub(super) fn split_off(&mut self, place: usize) -> Self {
        let names = Arc::make_mut(&mut self.names);
        let start = names.start(place);
        let mut ends = names.ends.split_off(place);
        ends.iter_mut().for_each(|end| *end -= start);
        let names = Names { bytes: names.bytes.split_off(start), ends };
        Self { names: Arc::new(names), values: self.values.split_off(place) }
    }

    /// The same names with other values.
    pub(super) fn changed(&self, value: &mut dyn FnMut(&V) -> V) -> Self {
        Self { names: Arc::clone(&self.names), values: self.values.iter().map(value).collect() }
    }

    fn name(&self, place: usize) -> &[u8] {
        &self.names.bytes[self.names.start(place)..self.names.ends[place]]
    }
}

impl Names {
    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

impl<V: Clone> Clone for Page<V> {
    fn clone(&self) -> Self {
        Self { names: Arc::clone(&self.names), values: self.values.clone() }
    }
}
