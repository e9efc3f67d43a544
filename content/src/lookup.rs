//! A map that can be looked into, but not listed.
//!
//! The order of a hash map differs from run to run, so nothing that is printed or emitted may
//! come from one. Where a hundred thousand names are looked up several times each, a tree of
//! names costs half of a whole compilation. This map offers what is safe of the one, and has no
//! way to walk over it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// A map without an order.
#[derive(Debug, Clone)]
pub struct Lookup<K, V> {
    entries: HashMap<K, V, RandomState>,
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::default() }
    }
}

impl<K: Eq + Hash, V> Lookup<K, V> {
    /// An empty map with room for so many entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: HashMap::with_capacity_and_hasher(capacity, RandomState::default()) }
    }

    /// Gives `key` a value; the one it had before is the answer.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.entries.insert(key, value)
    }

    /// The value of `key`.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }
}

impl<K: Eq + Hash, V> FromIterator<(K, V)> for Lookup<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}
