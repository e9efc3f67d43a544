//! Some neighbouring entries of a map: their names in one piece of memory, and their values in
//! another, so that an entry costs little more than its name and its value.

/// Entries in the order of their names.
pub(super) struct Page<V> {
    /// The names, one after the other.
    names: Vec<u8>,
    /// Where each name ends among them.
    ends: Vec<usize>,
    values: Vec<V>,
}

/// As many entries as a page takes. A change to a shared page copies it, so more would make
/// changes dear, and fewer would make entries dear.
pub(super) const FULL: usize = 16;

impl<V> Page<V> {
    /// One with this entry.
    pub(super) fn of(name: &[u8], value: V) -> Self {
        Self { names: name.to_vec(), ends: vec![name.len()], values: vec![value] }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The name and value at a place that there is.
    pub(super) fn entry(&self, place: usize) -> (&[u8], &V) {
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
        let start = self.start(place);
        self.names.splice(start..start, name.iter().copied());
        self.ends.insert(place, start);
        self.ends[place..].iter_mut().for_each(|end| *end += name.len());
        self.values.insert(place, value);
        if self.len() == FULL {
            self.names.shrink_to_fit();
        }
    }

    pub(super) fn remove(&mut self, place: usize) -> V {
        let (start, end) = (self.start(place), self.ends[place]);
        self.names.drain(start..end);
        self.ends.remove(place);
        self.ends[place..].iter_mut().for_each(|later| *later -= end - start);
        self.values.remove(place)
    }

    /// Takes away the entries from `place` on.
    pub(super) fn split_off(&mut self, place: usize) -> Self {
        let start = self.start(place);
        let mut ends = self.ends.split_off(place);
        ends.iter_mut().for_each(|end| *end -= start);
        Self { names: self.names.split_off(start), ends, values: self.values.split_off(place) }
    }

    fn name(&self, place: usize) -> &[u8] {
        &self.names[self.start(place)..self.ends[place]]
    }

    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

impl<V: Clone> Clone for Page<V> {
    fn clone(&self) -> Self {
        Self { names: self.names.clone(), ends: self.ends.clone(), values: self.values.clone() }
    }
}
