//! Taking the pages of a map away, and making a map of pages that are.

use std::sync::Arc;

use super::held::{AwayPage, Depot, Held};
use super::page::Page;
use super::{Branch, Entries, Link};
use crate::tree::{Directory, Node};

/// As many entries as a page has that is away: enough that what is known of it without reading it
/// costs each of them a byte or so, and few enough that one page is little to read.
const LARGE: usize = 512;

impl<V> Entries<V> {
    /// Whether some of it is away, and then what takes more of it there.
    pub(crate) fn depot(&self) -> Option<Arc<dyn Depot<V>>> {
        fn of<V>(link: &Link<V>) -> Option<Arc<dyn Depot<V>>> {
            let branch = link.as_ref()?;
            match &branch.page {
                Held::Away(page) => Some(Arc::clone(&page.depot)),
                // What comes in order is taken away first.
                Held::Here(_) => of(&branch.lower).or_else(|| of(&branch.upper)),
            }
        }
        of(&self.top)
    }

    /// All pages, if all are away.
    pub(crate) fn away_pages(&self) -> Option<Vec<&AwayPage<V>>> {
        let mut pages = Vec::new();
        each_page(&self.top, &mut |page| pages.push(page));
        let away = pages.into_iter().map(|page| match page {
            Held::Away(page) => Some(&**page),
            Held::Here(_) => None,
        });
        away.collect()
    }

    /// The map that has these pages, which come in order.
    pub(crate) fn of_away_pages(pages: impl Iterator<Item = AwayPage<V>>) -> Self {
        let pages: Vec<Held<V>> = pages.map(|page| Held::Away(Arc::new(page))).collect();
        Self { top: balanced(&pages) }
    }
}

/// So many entries are added before they are taken away together.
const AT_ONCE: usize = 8 * LARGE;

impl<V: Clone> Entries<V> {
    /// To be asked for with each entry that is added, by how many they are: what is to be away goes there
    /// before it takes much room.
    pub(crate) fn put_away_now_and_then(&mut self, depot: Option<&Arc<dyn Depot<V>>>, added: usize) {
        if added.is_multiple_of(AT_ONCE) {
            self.put_away_at_the_end(depot);
        }
    }

    /// To be asked for when no more comes.
    pub(crate) fn put_away_at_the_end(&mut self, depot: Option<&Arc<dyn Depot<V>>>) {
        if let Some(depot) = depot {
            self.put_away(depot);
        }
    }

    /// Takes all pages away that are here and can be taken.
    pub(crate) fn put_away(&mut self, depot: &Arc<dyn Depot<V>>) {
        let (mut pages, mut together): (Vec<Held<V>>, Vec<&Arc<Page<V>>>) = (Vec::new(), Vec::new());
        let mut count = 0;
        let mut changes = false;
        each_page(&self.top, &mut |page| match page {
            Held::Here(page) => {
                if count + page.len() > LARGE {
                    changes |= put(&mut together, depot, &mut pages);
                    count = 0;
                }
                count += page.len();
                together.push(page);
            }
            Held::Away(_) => {
                changes |= put(&mut together, depot, &mut pages);
                count = 0;
                pages.push(page.clone());
            }
        });
        changes |= put(&mut together, depot, &mut pages);
        if changes {
            self.top = balanced(&pages);
        }
    }
}

/// Makes one page of some that follow each other, and takes it away; whether it is.
fn put<V: Clone>(
    together: &mut Vec<&Arc<Page<V>>>,
    depot: &Arc<dyn Depot<V>>,
    pages: &mut Vec<Held<V>>,
) -> bool {
    if together.is_empty() {
        return false;
    }
    let entries = together.iter().flat_map(|page| (0..page.len()).map(|place| page.entry(place)));
    let whole = Page::from_sorted(entries.map(|(name, value)| (name, value.clone())));
    let whole = Held::laid(depot, Arc::new(whole));
    let is_away = whole.is_away();
    match is_away {
        true => pages.push(whole),
        false => pages.extend(together.iter().map(|page| Held::Here(Arc::clone(page)))),
    }
    together.clear();
    is_away
}

impl<C: Clone> Entries<Node<C>> {
    /// Gives away, to be changed, the directories that are in memory themselves.
    pub(crate) fn each_directory_here(&mut self, take: &mut dyn FnMut(&mut Directory<C>)) {
        each_directory_here(&mut self.top, take);
    }
}

fn each_directory_here<C: Clone>(link: &mut Link<Node<C>>, take: &mut dyn FnMut(&mut Directory<C>)) {
    let Some(branch) = link else { return };
    let branch = Arc::make_mut(branch);
    each_directory_here(&mut branch.lower, take);
    if let Held::Here(page) = &mut branch.page {
        let is_directory = |place| matches!(page.entry(place).1, Node::Directory(_));
        let directories: Vec<usize> = (0..page.len()).filter(|place| is_directory(*place)).collect();
        for place in directories {
            if let Node::Directory(below) = Arc::make_mut(page).value_mut(place) {
                take(Arc::make_mut(below));
            }
        }
    }
    each_directory_here(&mut branch.upper, take);
}

fn each_page<'e, V>(link: &'e Link<V>, take: &mut dyn FnMut(&'e Held<V>)) {
    if let Some(branch) = link {
        each_page(&branch.lower, take);
        take(&branch.page);
        each_page(&branch.upper, take);
    }
}

fn balanced<V>(pages: &[Held<V>]) -> Link<V> {
    let (lower, rest) = pages.split_at(pages.len() / 2);
    let (page, upper) = rest.split_first()?;
    let (lower, upper) = (balanced(lower), balanced(upper));
    let count = super::count(&lower) + page.len() + super::count(&upper);
    Some(Arc::new(Branch { page: page.clone(), count, pages: pages.len(), lower, upper }))
}
