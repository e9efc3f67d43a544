//! Pages where they are: in memory, or away, which a file is that whoever has a disk keeps.
//!
//! A directory may have more entries than memory has room for. What is away is read again each time
//! that somebody comes to it, and of each page only the first and the last name are known without.

use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

use super::page::Page;
use crate::overflow::Bytes;

/// Takes pages away, and gives them back.
pub(crate) trait Depot<V>: Send + Sync {
    /// Takes a page, and says where it is from now on; nothing where it has to stay in memory.
    fn put(self: Arc<Self>, page: &Page<V>) -> Option<Place>;

    /// A page that was taken.
    fn get(self: Arc<Self>, place: Place) -> Arc<Page<V>>;

    /// Who keeps the bytes, where it makes bytes of pages.
    fn bytes(&self) -> Option<Arc<dyn Bytes>> {
        None
    }
}

/// Where a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its first byte.
    pub(crate) offset: u64,
    /// How many there are.
    pub(crate) length: u32,
}

/// A page that is away.
pub(crate) struct AwayPage<V> {
    pub(crate) depot: Arc<dyn Depot<V>>,
    pub(crate) place: Place,
    pub(crate) count: u32,
    pub(crate) first: Box<[u8]>,
    pub(crate) last: Box<[u8]>,
}

/// A page. Behind a pointer of its own, so that copies on the way to a change copy no entries.
pub(super) enum Held<V> {
    Here(Arc<Page<V>>),
    Away(Arc<AwayPage<V>>),
}

/// Where a name is to be looked for.
pub(super) enum Side {
    Lower,
    Within,
    Upper,
}

impl<V> Held<V> {
    /// Takes a page away where that can be done.
    pub(super) fn laid(depot: &Arc<dyn Depot<V>>, page: Arc<Page<V>>) -> Self {
        let (Some(place), Some(last)) = (Arc::clone(depot).put(&page), page.len().checked_sub(1)) else {
            return Self::Here(page);
        };
        Self::Away(Arc::new(AwayPage {
            depot: Arc::clone(depot),
            place,
            // It has some hundreds.
            count: page.len() as u32,
            first: page.entry(0).0.into(),
            last: page.entry(last).0.into(),
        }))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Here(page) => page.len(),
            Self::Away(page) => page.count as usize,
        }
    }

    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// The page, read where it is away.
    pub(super) fn open(&self) -> Open<'_, V> {
        match self {
            Self::Here(page) => Open::Here(page),
            Self::Away(page) => Open::Read(Arc::clone(&page.depot).get(page.place)),
        }
    }

    /// Where a name belongs.
    pub(super) fn side(&self, name: &[u8]) -> Side {
        let (first, last) = match self {
            Self::Here(page) => (page.entry(0).0, page.entry(page.len() - 1).0),
            Self::Away(page) => (&*page.first, &*page.last),
        };
        match (name.cmp(first), name.cmp(last)) {
            (Ordering::Less, _) => Side::Lower,
            (_, Ordering::Greater) => Side::Upper,
            _ => Side::Within,
        }
    }
}

impl<V: Clone> Held<V> {
    /// The page to change it. From then on it is here.
    pub(super) fn make_mut(&mut self) -> &mut Page<V> {
        if let Self::Away(page) = self {
            *self = Self::Here(Arc::clone(&page.depot).get(page.place));
        }
        match self {
            Self::Here(page) => Arc::make_mut(page),
            // It has just been read.
            Self::Away(_) => unreachable!("a page that was read is here"),
        }
    }
}

impl<V> Clone for Held<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Here(page) => Self::Here(Arc::clone(page)),
            Self::Away(page) => Self::Away(Arc::clone(page)),
        }
    }
}

/// A page that can be looked into.
pub(super) enum Open<'e, V> {
    Here(&'e Page<V>),
    Read(Arc<Page<V>>),
}

impl<V> Open<'_, V> {
    /// Whether both are one page of one map, or of maps that share it.
    pub(super) fn is_same(&self, other: &Open<'_, V>) -> bool {
        std::ptr::eq::<Page<V>>(&**self, &**other)
    }
}

impl<V> Deref for Open<'_, V> {
    type Target = Page<V>;

    fn deref(&self) -> &Page<V> {
        match self {
            Self::Here(page) => page,
            Self::Read(page) => page,
        }
    }
}

impl<V> Clone for Open<'_, V> {
    fn clone(&self) -> Self {
        match self {
            Self::Here(page) => Self::Here(page),
            Self::Read(page) => Self::Read(Arc::clone(page)),
        }
    }
}

/// A name with what it stands for. A page that was read stays as long as one of its entries is in use.
pub struct Entry<'e, V> {
    pub(super) page: Open<'e, V>,
    pub(super) place: usize,
}

impl<V> Entry<'_, V> {
    /// Both.
    pub fn parts(&self) -> (&[u8], &V) {
        self.page.entry(self.place)
    }

    /// The name.
    pub fn name(&self) -> &[u8] {
        self.parts().0
    }
}

impl<V> Deref for Entry<'_, V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.parts().1
    }
}
