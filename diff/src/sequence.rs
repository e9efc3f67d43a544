//! Which items of two lists are the same, in one order.
//!
//! The search for the longest such list takes time that grows with the square of both, so it looks at
//! short pieces alone. Longer ones are cut first, at items that both lists have once; where there
//! are none, nothing of the piece is held to be the same.

use std::hash::Hash;
use std::ops::Range;

use cogpack_content::Lookup;
use similar::{Algorithm, DiffOp, capture_diff};

/// Up to how many items, of both lists together, a piece is short.
const SHORT: usize = 400;

/// Pairs of places with equal items, both places rising.
pub(crate) fn common<T: Copy + Eq + Hash + Ord>(old: &[T], new: &[T]) -> Vec<(usize, usize)> {
    let start = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end =
        old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let mut pairs: Vec<(usize, usize)> = (0..start).map(|place| (place, place)).collect();
    between(old, new, start..old.len() - end, start..new.len() - end, &mut pairs);
    pairs.extend((0..end).rev().map(|back| (old.len() - 1 - back, new.len() - 1 - back)));
    pairs
}

/// The same for pieces that differ at both ends.
fn between<T: Copy + Eq + Hash + Ord>(
    old: &[T],
    new: &[T],
    old_piece: Range<usize>,
    new_piece: Range<usize>,
    pairs: &mut Vec<(usize, usize)>,
) {
    let mut from = (old_piece.start, new_piece.start);
    let mut to_next_cut = |cut: (usize, usize), pairs: &mut Vec<(usize, usize)>| {
        let (old_part, new_part) = (from.0..cut.0, from.1..cut.1);
        if old_part.len() + new_part.len() <= SHORT {
            for op in capture_diff(Algorithm::Myers, old, old_part, new, new_part) {
                if let DiffOp::Equal { old_index, new_index, len } = op {
                    pairs.extend((0..len).map(|more| (old_index + more, new_index + more)));
                }
            }
        }
        from = (cut.0 + 1, cut.1 + 1);
    };
    let is_short = old_piece.len() + new_piece.len() <= SHORT;
    for cut in if is_short { Vec::new() } else { cuts(old, new, &old_piece, &new_piece) } {
        to_next_cut(cut, pairs);
        pairs.push(cut);
    }
    to_next_cut((old_piece.end, new_piece.end), pairs);
}

/// Places of items that both pieces have once: as many of them as stand in one order in both.
fn cuts<T: Copy + Eq + Hash + Ord>(
    old: &[T],
    new: &[T],
    old_piece: &Range<usize>,
    new_piece: &Range<usize>,
) -> Vec<(usize, usize)> {
    // How often each stands in the old and in the new piece, and where in the new one.
    let mut counts: Lookup<T, (u32, u32, usize)> = Lookup::with_capacity(old_piece.len());
    for place in old_piece.clone() {
        match counts.get_mut(&old[place]) {
            Some(count) => count.0 += 1,
            None => drop(counts.insert(old[place], (1, 0, 0))),
        }
    }
    for place in new_piece.clone() {
        if let Some(count) = counts.get_mut(&new[place]) {
            (count.1, count.2) = (count.1 + 1, place);
        }
    }
    let once = old_piece.clone().filter_map(|place| match counts.get(&old[place]) {
        Some((1, 1, other)) => Some((place, *other)),
        Some(_) | None => None,
    });
    longest_rising(&once.collect::<Vec<_>>())
}

/// The longest list of pairs, whose first places rise, in which the second ones rise as well.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // By length: the pair that ends a list of it with the lowest second place.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
    for (number, (_, second)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *second);
        before[number] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = number,
            None => ends.push(number),
        }
    }
    let mut rising = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(number) = next {
        rising.push(pairs[number]);
        next = before[number];
    }
    rising.reverse();
    rising
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(old: &[u32], new: &[u32]) -> usize {
        let pairs = common(old, new);
        assert!(pairs.iter().all(|(one, other)| old[*one] == new[*other]));
        assert!(pairs.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1));
        pairs.len()
    }

    #[test]
    fn what_stays_in_order_is_found() {
        assert_eq!(sound(&[1, 2, 3], &[1, 2, 3]), 3);
        assert_eq!(sound(&[1, 2, 3], &[1, 9, 3]), 2);
        assert_eq!(sound(&[], &[1]), 0);
        assert_eq!(sound(&[1, 1, 2], &[1, 2]), 2);
        let old: Vec<u32> = (0..5_000).collect();
        let moved: Vec<u32> = (100..5_000).chain(0..100).collect();
        assert_eq!(sound(&old, &moved), 4_900);
        let reversed: Vec<u32> = (0..5_000).rev().collect();
        assert_eq!(sound(&old, &reversed), 1);
    }

    #[test]
    fn any_lists_are_compared() {
        let mut state = 7_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for words in [3, 50, 3_000] {
            for length in [0, 5, 150, 1_500] {
                let mut list = || (0..length).map(|_| next(words)).collect::<Vec<_>>();
                sound(&list(), &list());
            }
        }
    }
}
