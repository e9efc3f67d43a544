//! Random changes against a `BTreeMap`, and what changes and comparisons cost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::held::{Depot, Place};
use super::*;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn name(number: u64) -> Name {
    format!("{number:06}").into_bytes()
}

fn numbered(count: u64) -> Entries<u64> {
    (0..count).map(|number| (name(number), number)).collect()
}

fn listed(entries: &Entries<u64>) -> Vec<(Name, u64)> {
    entries.iter().map(|entry| (entry.name().to_vec(), *entry)).collect()
}

/// Keeps pages as they are, and counts how often one is asked for.
#[derive(Default)]
struct Drawer {
    pages: Mutex<Vec<Arc<Page<u64>>>>,
    asked: AtomicUsize,
}

impl Depot<u64> for Drawer {
    fn put(self: Arc<Self>, page: &Page<u64>) -> Option<Place> {
        let mut pages = self.pages.lock().expect("nobody panics");
        pages.push(Arc::new(page.clone()));
        Some(Place { offset: pages.len() as u64 - 1, length: 0 })
    }

    fn get(self: Arc<Self>, place: Place) -> Arc<Page<u64>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.pages.lock().expect("nobody panics")[place.offset as usize])
    }
}

/// Counts are right, no page is empty or too large, and no side is too heavy; gives the height.
fn check<V>(link: &Link<V>) -> usize {
    check_with(link, FULL)
}

fn check_with<V>(link: &Link<V>, most: usize) -> usize {
    let Some(branch) = link else { return 0 };
    let (lower, upper) = (weight(&branch.lower), weight(&branch.upper));
    assert_eq!(branch.pages, lower + upper - 1);
    assert_eq!(branch.count, count(&branch.lower) + branch.page.len() + count(&branch.upper));
    assert!((1..=most).contains(&branch.page.len()));
    assert!(lower <= MOST * upper && upper <= MOST * lower, "{lower} beside {upper}");
    1 + check_with(&branch.lower, most).max(check_with(&branch.upper, most))
}

fn branches<V>(link: &Link<V>, found: &mut BTreeSet<usize>) {
    if let Some(branch) = link {
        found.insert(Arc::as_ptr(branch).addr());
        branches(&branch.lower, found);
        branches(&branch.upper, found);
    }
}

/// How many branches `after` has that `before` has not.
fn not_shared<V>(before: &Entries<V>, after: &Entries<V>) -> usize {
    let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
    branches(&before.top, &mut old);
    branches(&after.top, &mut new);
    new.difference(&old).count()
}

/// How many branches a comparison opens.
fn opened<V>(before: &Entries<V>, after: &Entries<V>) -> usize {
    let mut differences = before.differences(after);
    while differences.next().is_some() {}
    differences.opened()
}

/// What [`Entries::differences`] must find.
fn expected(before: &BTreeMap<Name, u64>, after: &BTreeMap<Name, u64>) -> Vec<(Name, Option<u64>)> {
    let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    let differs = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    differs.map(|name| (name.clone(), after.get(name).copied())).collect()
}

fn found(before: &Entries<u64>, after: &Entries<u64>) -> Vec<(Name, Option<u64>)> {
    let changed = before.differences(after).filter_map(|difference| match difference {
        Difference::Removed(entry) => Some((entry.name().to_vec(), None)),
        Difference::Written { before, after } if before.as_deref() == Some(&*after) => None,
        Difference::Written { after, .. } => Some((after.name().to_vec(), Some(*after))),
    });
    changed.collect()
}

#[test]
fn a_map_is_what_a_sorted_map_is() {
    let mut numbers = Numbers(1);
    for range in [4, 30, 400] {
        let (mut map, mut model) = (Entries::new(), BTreeMap::new());
        for _ in 0..3_000 {
            let (key, value) = (name(numbers.below(range)), numbers.below(3));
            match numbers.below(3) {
                0 => assert_eq!(map.remove(&key), model.remove(&key)),
                1 => assert_eq!(map.insert(&key, value), model.insert(key, value)),
                _ => assert_eq!(
                    map.get_mut(&key).map(|it| *it = value),
                    model.get_mut(&key).map(|it| *it = value)
                ),
            }
            check(&map.top);
            assert_eq!(map.len(), model.len());
        }
        assert!(listed(&map).into_iter().eq(model.clone()));
        assert!(model.iter().all(|(key, value)| map.get(key).as_deref() == Some(value)));
        assert!(map.get(b"nothing").is_none());
    }
}

#[test]
fn differences_are_those_of_sorted_maps() {
    let mut numbers = Numbers(2);
    for changes in [0, 1, 2, 5, 40, 600] {
        for _ in 0..40 {
            let before: Entries<u64> =
                (0..200).map(|_| (name(numbers.below(500)), numbers.below(3))).collect();
            let mut after = before.clone();
            for _ in 0..changes {
                let key = name(numbers.below(500));
                if numbers.below(2) == 0 {
                    after.remove(&key);
                } else {
                    after.insert(&key, numbers.below(3));
                }
            }
            let model = |map: &Entries<u64>| listed(map).into_iter().collect();
            assert_eq!(found(&before, &after), expected(&model(&before), &model(&after)));
            assert_eq!(before == after, found(&before, &after).is_empty());
        }
    }
}

#[test]
fn a_clone_keeps_what_it_had() {
    let before = numbered(100);
    let mut after = before.clone();
    after.remove(b"000050");
    after.insert(&name(100), 100);
    *after.get_mut(b"000001").expect("is there") = 7;
    assert!(before == numbered(100));
    assert_eq!(before.get(b"000001").as_deref(), Some(&1));
    assert_eq!(after.len(), 100);
}

/// The logarithm of 100,000 is 17. A path down is at most twice that, and a comparison opens two.
#[test]
fn a_change_costs_a_path_and_so_does_finding_it() {
    const PATH: usize = 34;
    let before = numbered(100_000);
    assert!(check(&before.top) <= PATH);
    for number in [0, 1, 49_999, 50_000, 99_998, 99_999] {
        let mut after = before.clone();
        after.insert(&[name(number), b"x".to_vec()].concat(), 0);
        assert!(not_shared(&before, &after) <= PATH);
        assert!(opened(&before, &after) <= 4 * PATH, "{}", opened(&before, &after));
        let mut after = before.clone();
        after.remove(&name(number));
        assert!(not_shared(&before, &after) <= PATH);
        assert!(opened(&before, &after) <= 4 * PATH, "{}", opened(&before, &after));
        let mut after = before.clone();
        *after.get_mut(&name(number)).expect("is there") = 0;
        assert!(not_shared(&before, &after) <= PATH);
        assert!(opened(&before, &after) <= 4 * PATH, "{}", opened(&before, &after));
    }
}

#[test]
fn what_changes_nothing_unshares_nothing() {
    let before = numbered(1_000);
    let mut after = before.clone();
    assert_eq!(after.remove(b"nothing"), None);
    assert_eq!(after.get_mut(b"nothing"), None);
    assert_eq!(not_shared(&before, &after), 0);
    assert_eq!(opened(&before, &after), 0);
}

#[test]
fn other_values_for_the_same_names_change_nothing_of_the_first() {
    let before = numbered(100);
    let mut after = before.changed(|number| number + 7);
    check(&after.top);
    for ((name, number), (same, other)) in listed(&before).into_iter().zip(listed(&after)) {
        assert_eq!((name, number + 7), (same, other));
    }
    after.insert(b"000050x", 0);
    after.remove(b"000001");
    assert!(before == numbered(100));
}

#[test]
fn names_in_order_fill_pages_and_make_no_list() {
    assert_eq!(pages(&numbered(16_000).top), 16_000 / FULL);
    assert!(check(&numbered(100_000).top) <= 34);
    let backwards: Entries<u64> = (0..100_000).rev().map(|number| (name(number), number)).collect();
    assert!(check(&backwards.top) <= 34);
}

#[test]
fn what_is_away_is_a_map_like_others() {
    let mut numbers = Numbers(3);
    for range in [3, 700, 3_000] {
        let depot = Arc::new(Drawer::default());
        let mut model: BTreeMap<Name, u64> = (0..range).step_by(2).map(|it| (name(it), it)).collect();
        let mut map: Entries<u64> = model.clone().into_iter().collect();
        for round in 0..600 {
            if round % 100 == 0 {
                let before = map.clone();
                map.put_away(&(Arc::clone(&depot) as Arc<dyn Depot<u64>>));
                assert!(map.away_pages().is_some_and(|pages| pages.len() <= 1 + before.len() / 256));
                assert!(before == map && found(&before, &map).is_empty());
            }
            let (key, value) = (name(numbers.below(range)), numbers.below(3));
            match numbers.below(4) {
                0 => assert_eq!(map.remove(&key), model.remove(&key)),
                1 => assert_eq!(map.insert(&key, value), model.insert(key, value)),
                2 => assert_eq!(map.get(&key).as_deref(), model.get(&key)),
                _ => assert_eq!(
                    map.get_mut(&key).map(|it| *it = value),
                    model.get_mut(&key).map(|it| *it = value)
                ),
            }
            check_with(&map.top, 512);
            assert_eq!(map.len(), model.len());
        }
        assert!(listed(&map).into_iter().eq(model));
    }
}

#[test]
fn of_what_is_away_only_what_differs_is_read() {
    let depot = Arc::new(Drawer::default());
    let mut before = numbered(100_000);
    before.put_away(&(Arc::clone(&depot) as Arc<dyn Depot<u64>>));
    let count = before.away_pages().expect("all of it is away").len();
    // A map that has the same pages, as one that is read anew has.
    let pages = before.away_pages().expect("all of it is away").into_iter().map(|page| held::AwayPage {
        depot: Arc::clone(&page.depot),
        place: page.place,
        count: page.count,
        first: page.first.clone(),
        last: page.last.clone(),
    });
    let mut after = Entries::of_away_pages(pages);
    let asked = |what: &dyn Fn()| {
        let before = depot.asked.load(Ordering::Relaxed);
        what();
        depot.asked.load(Ordering::Relaxed) - before
    };
    assert_eq!(asked(&|| assert_eq!(before.iter().count(), 100_000)), count);
    assert!(asked(&|| assert!(before.get(b"050000").is_some())) <= 1);
    assert!(asked(&|| assert!(before == after)) <= 2 * count);
    after.remove(&name(50_000));
    assert_eq!(found(&before, &after), [(name(50_000), None)]);
    let changed = before.changed(|number| number + 1);
    assert!(changed.away_pages().is_some_and(|pages| pages.len() == count), "what is away stays so");
    assert_eq!(changed.get(b"000041").as_deref(), Some(&42));
}
