//! What differs between two texts, line by line.
//!
//! The search for the shortest difference takes time that grows with the square of the texts where
//! most lines have moved, and a plan may have a million lines. So it looks at short pieces alone.
//! Longer ones are cut first, at lines that both texts have once: at as many of them as stand in
//! one order in both. A long piece without such a line is shown as taken out and put in.

use std::fmt::Write as _;
use std::ops::Range;

use cogpack_content::Lookup;
use similar::udiff::UnifiedHunkHeader;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff, group_diff_ops};

/// Up to how many lines, of both texts together, a piece is short.
const SHORT: usize = 500;

/// How often what lies between two cuts is cut again.
const DEEPEST: usize = 8;

/// How many equal lines are shown around others.
const CONTEXT: usize = 3;

/// What turns one text into the other, in the unified format; each text with its name.
pub fn unified((old_name, old): (&str, &str), (new_name, new): (&str, &str)) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let mut text = String::new();
    let mut say = |words: std::fmt::Arguments<'_>| {
        // A String takes whatever is written to it.
        let _ = text.write_fmt(words);
    };
    for (number, hunk) in group_diff_ops(changes(&old, &new), CONTEXT).iter().enumerate() {
        if number == 0 {
            say(format_args!("--- {old_name}\n+++ {new_name}\n"));
        }
        say(format_args!("{}\n", UnifiedHunkHeader::new(hunk)));
        for change in hunk {
            let (gone, come) = match change.tag() {
                DiffTag::Equal => (" ", &[][..]),
                DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => ("-", &new[change.new_range()]),
            };
            let gone = old[change.old_range()].iter().map(|line| (gone, line));
            for (sign, line) in gone.chain(come.iter().map(|line| ("+", line))) {
                let end = if line.ends_with('\n') { "" } else { "\n\\ No newline at end of file\n" };
                say(format_args!("{sign}{line}{end}"));
            }
        }
    }
    text
}

/// What turns the lines `old` into the lines `new`, in order and without gaps.
fn changes(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut numbers = Lookup::default();
    let mut count = 0;
    let mut number = |line: &&str| {
        numbers.get(*line).copied().unwrap_or_else(|| {
            let number: usize = count;
            count += 1;
            numbers.insert((*line).to_owned(), number);
            number
        })
    };
    let old: Vec<usize> = old.iter().map(&mut number).collect();
    let new: Vec<usize> = new.iter().map(&mut number).collect();
    let mut search = Search { old: &old, new: &new, changes: Vec::new() };
    search.piece(0..old.len(), 0..new.len(), DEEPEST);
    search.changes
}

/// Two texts, each line as a number that equal lines share, and what has been found.
struct Search<'a> {
    old: &'a [usize],
    new: &'a [usize],
    changes: Vec<DiffOp>,
}

impl Search<'_> {
    /// Adds what turns one piece into the other.
    fn piece(&mut self, old: Range<usize>, new: Range<usize>, depth: usize) {
        if old.len() + new.len() <= SHORT {
            for change in capture_diff(Algorithm::Myers, self.old, old, self.new, new) {
                self.add(change);
            }
            return;
        }
        let start = equal_lines(&self.old[old.clone()], &self.new[new.clone()]);
        let (old_rest, new_rest) =
            (&self.old[old.start + start..old.end], &self.new[new.start + start..new.end]);
        let end = equal_lines(old_rest.iter().rev(), new_rest.iter().rev());
        self.add(DiffOp::Equal { old_index: old.start, new_index: new.start, len: start });
        self.cut(old.start + start..old.end - end, new.start + start..new.end - end, depth);
        self.add(DiffOp::Equal { old_index: old.end - end, new_index: new.end - end, len: end });
    }

    /// The same for pieces that differ at both ends.
    fn cut(&mut self, old: Range<usize>, new: Range<usize>, depth: usize) {
        let cuts = if depth == 0 { Vec::new() } else { self.cuts(&old, &new) };
        if cuts.is_empty() {
            let (old_index, new_index) = (old.start, new.start);
            self.add(match (old.len(), new.len()) {
                (0, new_len) => DiffOp::Insert { old_index, new_index, new_len },
                (old_len, 0) => DiffOp::Delete { old_index, old_len, new_index },
                (old_len, new_len) => DiffOp::Replace { old_index, old_len, new_index, new_len },
            });
            return;
        }
        let (mut old_start, mut new_start) = (old.start, new.start);
        for (old_line, new_line) in cuts {
            self.piece(old_start..old_line, new_start..new_line, depth - 1);
            self.add(DiffOp::Equal { old_index: old_line, new_index: new_line, len: 1 });
            (old_start, new_start) = (old_line + 1, new_line + 1);
        }
        self.piece(old_start..old.end, new_start..new.end, depth - 1);
    }

    /// Lines that both pieces have once, as many as stand in one order in both.
    fn cuts(&self, old: &Range<usize>, new: &Range<usize>) -> Vec<(usize, usize)> {
        let places_of = |lines: &[usize], range: &Range<usize>| {
            // The place of a line, and whether it is the only one.
            let mut places: Lookup<usize, (usize, bool)> = Lookup::with_capacity(range.len());
            for place in range.clone() {
                let is_first = places.get(&lines[place]).is_none();
                places.insert(lines[place], (place, is_first));
            }
            places
        };
        let (in_old, in_new) = (places_of(self.old, old), places_of(self.new, new));
        let once = old.clone().filter_map(|place| {
            match (in_old.get(&self.old[place]), in_new.get(&self.old[place])) {
                (Some((_, true)), Some((there, true))) => Some((place, *there)),
                _ => None,
            }
        });
        longest_rise(&once.collect::<Vec<_>>())
    }

    /// Adds a change behind those before it; lines that stay as they are make one with those before.
    fn add(&mut self, change: DiffOp) {
        match (self.changes.last_mut(), change) {
            (_, DiffOp::Equal { len: 0, .. }) => {}
            (Some(DiffOp::Equal { len, .. }), DiffOp::Equal { len: more, .. }) => *len += more,
            (Some(_) | None, change) => self.changes.push(change),
        }
    }
}

/// How many lines two texts begin with that are equal.
fn equal_lines<'l>(
    old: impl IntoIterator<Item = &'l usize>,
    new: impl IntoIterator<Item = &'l usize>,
) -> usize {
    old.into_iter().zip(new).take_while(|(one, other)| one == other).count()
}

/// The most pairs, of those given in the order of their first halves, whose second halves rise too.
fn longest_rise(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // By length, the pair that ends a rise of that length with the least; and before each pair the
    // one that its rise goes on from.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (number, (_, second)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *second);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = number,
            None => ends.push(number),
        }
    }
    let mut rise: Vec<(usize, usize)> = std::iter::successors(ends.last().copied(), |number| before[*number])
        .map(|number| pairs[number])
        .collect();
    rise.reverse();
    rise
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second text, as the changes make it of the first.
    fn applied(old: &[&str], new: &[&str], changes: &[DiffOp]) -> String {
        let mut text = String::new();
        let (mut old_place, mut new_place) = (0, 0);
        for change in changes {
            assert_eq!((change.old_range().start, change.new_range().start), (old_place, new_place));
            (old_place, new_place) = (change.old_range().end, change.new_range().end);
            match change.tag() {
                DiffTag::Equal => text.extend(old[change.old_range()].iter().copied()),
                DiffTag::Delete => {}
                DiffTag::Insert | DiffTag::Replace => text.extend(new[change.new_range()].iter().copied()),
            }
        }
        assert_eq!((old_place, new_place), (old.len(), new.len()));
        text
    }

    /// How many lines of `old` are taken out on the way to `new`.
    fn taken_out(old: &str, new: &str) -> usize {
        let (old, new): (Vec<&str>, Vec<&str>) =
            (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
        let changes = changes(&old, &new);
        assert_eq!(applied(&old, &new, &changes), new.concat());
        changes
            .iter()
            .filter(|change| change.tag() != DiffTag::Equal)
            .map(|change| change.old_range().len())
            .sum()
    }

    fn stage(number: usize) -> String {
        format!("stage %s{number} {{\n  run \"make {number}\"\n}}\n\n")
    }

    #[test]
    fn short_texts_differ_by_the_fewest_lines() {
        assert_eq!(
            unified(("a", "one\ntwo\nthree"), ("b", "one\n2\nthree\n")),
            "--- a\n+++ b\n@@ -1,3 +1,3 @@\n one\n-two\n-three\n\\ No newline at end of file\n+2\n+three\n"
        );
        assert_eq!(unified(("a", "same\n"), ("b", "same\n")), "");
        assert_eq!(unified(("a", ""), ("b", "new\n")), "--- a\n+++ b\n@@ -0,0 +1 @@\n+new\n");
        assert_eq!(unified(("a", "old\n"), ("b", "")), "--- a\n+++ b\n@@ -1 +0,0 @@\n-old\n");
    }

    #[test]
    fn a_long_text_with_a_few_changes_differs_by_these() {
        let old: String = (0..5_000).map(stage).collect();
        let new: String = (0..5_000)
            .filter(|number| *number != 1_234)
            .map(|number| stage(number).replace("make 77\"", "other\""))
            .collect();
        assert_eq!(taken_out(&old, &new), 4 + 1);
        assert_eq!(unified(("a", &old), ("b", &new)).matches("@@ -").count(), 2);
    }

    #[test]
    fn what_has_moved_is_taken_out_and_put_in_and_the_rest_stays() {
        let old: String = (0..5_000).map(stage).collect();
        let new: String = (100..5_000).chain(0..100).map(stage).collect();
        assert_eq!(taken_out(&old, &new), 400);
    }

    /// The search for the shortest difference would take hours for this.
    #[test]
    fn a_long_text_in_reverse_is_compared_soon() {
        let old: String = (0..100_000).map(stage).collect();
        let new: String = (0..100_000).rev().map(stage).collect();
        assert!(taken_out(&old, &new) >= 200_000);
        let (one, other) = ("}\n".repeat(100_000), "\n".repeat(100_000));
        assert_eq!(taken_out(&format!("{one}{other}"), &format!("{other}{one}")), 200_000);
    }

    #[test]
    fn any_texts_are_turned_into_each_other() {
        let mut state = 7_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for words in [3, 50, 3_000] {
            let mut text = || (0..1_500).map(|_| format!("{}\n", next(words))).collect::<String>();
            for _ in 0..20 {
                taken_out(&text(), &text());
            }
        }
    }
}
