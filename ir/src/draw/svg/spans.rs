//! Upright lines of one gutter, each with its track: which is the furthest track beside a new one?
//!
//! A tree over the heights at which lines begin and end, so that thousands of lines cost thousands
//! of steps and not their square.

use std::ops::RangeInclusive;

/// Lines placed so far.
pub(super) struct Spans {
    /// All heights at which a line may begin or end, sorted.
    heights: Vec<i32>,
    parts: Vec<Part>,
}

/// A part of the heights.
#[derive(Clone, Copy, Default)]
struct Part {
    /// One more than the furthest track of what covers all of it.
    covering: usize,
    /// The same of what touches any of it.
    touching: usize,
}

impl Spans {
    /// For lines that begin and end at these heights.
    pub(super) fn new(mut heights: Vec<i32>) -> Self {
        heights.sort_unstable();
        heights.dedup();
        let parts = vec![Part::default(); 2 * heights.len().next_power_of_two()];
        Self { heights, parts }
    }

    /// The first track from which on nothing is beside a line.
    pub(super) fn free_beside(&self, top: i32, bottom: i32) -> usize {
        self.find(1, self.all(), &self.places(top, bottom))
    }

    /// Puts a line on a track.
    pub(super) fn add(&mut self, top: i32, bottom: i32, track: usize) {
        let wanted = self.places(top, bottom);
        self.put(1, self.all(), &wanted, track + 1);
    }

    fn all(&self) -> RangeInclusive<usize> {
        0..=self.parts.len() / 2 - 1
    }

    fn places(&self, top: i32, bottom: i32) -> RangeInclusive<usize> {
        let place = |height| self.heights.partition_point(|it| *it < height);
        place(top)..=place(bottom)
    }

    fn find(&self, part: usize, here: RangeInclusive<usize>, wanted: &RangeInclusive<usize>) -> usize {
        if here.start() > wanted.end() || here.end() < wanted.start() {
            return 0;
        }
        if wanted.contains(here.start()) && wanted.contains(here.end()) {
            return self.parts[part].touching;
        }
        let (upper, lower) = halves(&here);
        let below = self.find(2 * part, upper, wanted).max(self.find(2 * part + 1, lower, wanted));
        below.max(self.parts[part].covering)
    }

    fn put(
        &mut self,
        part: usize,
        here: RangeInclusive<usize>,
        wanted: &RangeInclusive<usize>,
        value: usize,
    ) {
        if here.start() > wanted.end() || here.end() < wanted.start() {
            return;
        }
        let known = &mut self.parts[part];
        known.touching = known.touching.max(value);
        if wanted.contains(here.start()) && wanted.contains(here.end()) {
            known.covering = known.covering.max(value);
            return;
        }
        let (upper, lower) = halves(&here);
        self.put(2 * part, upper, wanted, value);
        self.put(2 * part + 1, lower, wanted, value);
    }
}

fn halves(range: &RangeInclusive<usize>) -> (RangeInclusive<usize>, RangeInclusive<usize>) {
    let middle = range.start() + (range.end() - range.start()) / 2;
    (*range.start()..=middle, middle + 1..=*range.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_track_beside_a_line_is_found() {
        let mut number = 1_u32;
        let mut below = |end: i32| {
            number = number.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            (number >> 8) as i32 % end
        };
        for count in [0, 1, 2, 3, 8, 60] {
            let line = |top: i32, length: i32| (top, top + length);
            let lines: Vec<(i32, i32)> = (0..count).map(|_| line(below(100) - 50, below(30))).collect();
            let mut spans = Spans::new(lines.iter().flat_map(|(top, bottom)| [*top, *bottom]).collect());
            let mut placed: Vec<(usize, i32, i32)> = Vec::new();
            for (top, bottom) in lines {
                let beside = placed.iter().filter(|(_, above, below)| *above <= bottom && top <= *below);
                let track = beside.map(|(track, ..)| track + 1).max().unwrap_or(0);
                assert_eq!(spans.free_beside(top, bottom), track, "{top} to {bottom} in {placed:?}");
                spans.add(top, bottom, track);
                placed.push((track, top, bottom));
            }
        }
    }
}
