//! Keeps an image within a number of layers, and joins those whose joining costs least.
//!
//! ```text
//! run "a"   ⇒  layer merged {
//! run "b"        run "a"
//! run "c"        run "b"
//!              }
//!              run "c"
//! ```
//!
//! Which changes are stored together changes nothing for a program. Layers that look at what is under them are
//! joined with each other, independent ones with each other where they land apart; never the one with the other,
//! nor layers of two stages. Nothing is joined while the image is within its budget, because a joined layer is
//! pushed and pulled as a whole when any of it changes.
//!
//! What a joined layer costs is its bytes times how likely it is pushed again: when any of it changes, or, where it
//! looks at what is under it, anything below. How likely a layer changes follows from what it reads. The best
//! way to cut a row of layers into so many is found exactly, by going through it once for each number of
//! layers; only where that takes too long a price on each layer is searched for with which the budget is met,
//! which also says how far from the best the answer can be at most.

use std::collections::BTreeMap;

use cogpack_ir::plan::StageName;
use cogpack_ir::resolve::{Resolved, StageId};

use super::sort_by_change::{Rate, of_piece, rates};
use crate::facts::Facts;
use crate::note::Note;
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{LayerNames, Piece, chain, joined, pieces, with_pieces};
use crate::places::pieces_are_apart;

/// The pass.
pub struct MergeLayers;

impl Pass for MergeLayers {
    fn name(&self) -> &'static str {
        "merge-layers"
    }

    fn summary(&self) -> &'static str {
        "keeps an image within a number of layers, joining those whose joining costs least"
    }

    fn level(&self) -> Level {
        Level::Layers
    }

    fn run(&self, plan: &Resolved, facts: &Facts) -> Rewrite {
        let chain = chain(plan);
        let mut stages: Vec<(StageId, Vec<Piece>)> =
            chain.iter().map(|id| (*id, pieces(plan, *id))).collect();
        let row = Row::of(plan, &stages, facts);
        let count = row.layers.len();
        let budget = facts.most_layers();
        if count <= budget {
            return Rewrite::default();
        }
        let span = plan.export().from.span;
        let least = row.least();
        let cut = row.cut(budget.max(least));
        let mut notes = Vec::new();
        if least > budget {
            let why = format!(
                "the image has at least {least} layers on its base, since layers of several stages, and \
                 those that look at what is under them with those that do not, stay apart; its budget is {budget}"
            );
            notes.push(Note::held_back(span, why));
        }
        if cut.above_bound_percent > 0 {
            let text =
                format!("the joined layers cost at most {} % more than the best", cut.above_bound_percent);
            notes.push(Note::held_back(span, text));
        }
        let mut names: Vec<LayerNames> = stages.iter().map(|(_, pieces)| LayerNames::of(pieces)).collect();
        // From the top, so that the places of what lies below stay; names and notes from below.
        let groups: Vec<_> = cut.groups.iter().filter(|group| group.len() > 1).collect();
        let places = groups.iter().map(|group| (&row.layers[group.start], &row.layers[group.end - 1]));
        let mut joins = Vec::with_capacity(groups.len());
        for ((first, last), group) in places.zip(&groups) {
            let together = &stages[first.stage].1[first.piece..=last.piece];
            let name = names[first.stage].new_for(together, "merged");
            let text = format!("{} layers become one, `{}`", group.len(), name.value);
            notes.push(Note::did(together[0].span(), text));
            joins.push((first, last, name));
        }
        let mut changed: Vec<usize> = joins.iter().map(|(first, ..)| first.stage).collect();
        for (first, last, name) in joins.into_iter().rev() {
            let (_, pieces) = &mut stages[first.stage];
            let after = pieces.split_off(last.piece + 1);
            let together = pieces.split_off(first.piece);
            pieces.push(joined(name, together));
            pieces.extend(after);
        }
        changed.dedup();
        let changed = changed.into_iter().map(|place| stages[place].clone()).collect();
        Rewrite { plan: with_pieces(plan, changed), notes }
    }
}

/// A layer of the image.
struct Layer {
    /// Its stage, by its place in the chain.
    stage: usize,
    /// Its piece, by its place in the stage.
    piece: usize,
    bytes: u64,
    /// How likely it changes of itself, in millionths.
    likely: u64,
    independent: bool,
    /// The first layer that it can be joined with, all between included.
    lowest: usize,
}

/// The layers of an image from the base on.
struct Row {
    layers: Vec<Layer>,
}

/// A way to join layers.
struct Cut {
    groups: Vec<std::ops::Range<usize>>,
    /// By how much the best way may cost less, rounded up; 0 where this is the best.
    above_bound_percent: u64,
}

/// All of it, in millionths.
const CERTAIN: u64 = 1_000_000;
/// What a layer counts of which nobody knows the size: all alike.
const UNKNOWN: u64 = 1 << 20;
/// How many steps the exact search may take.
const MOST_STEPS: usize = 100_000_000;

impl Row {
    fn of(plan: &Resolved, stages: &[(StageId, Vec<Piece>)], facts: &Facts) -> Self {
        let rates = rates(plan);
        let mut layers: Vec<Layer> = Vec::new();
        for (stage, (_, pieces)) in stages.iter().enumerate() {
            let mut row: Vec<usize> = Vec::new();
            for (place, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.changes_files) {
                let here = layers.len();
                // Each of those before it that it can stand together with, the nearest first.
                let fits = |before: &usize| {
                    let other = &pieces[layers[*before].piece];
                    other.independent == piece.independent
                        && (!piece.independent || pieces_are_apart(other, piece))
                };
                let lowest = row.iter().rev().take_while(|before| fits(before)).last().copied();
                // Nor can it stand together with what those cannot.
                let lowest = lowest.map_or(here, |lowest| {
                    row.iter()
                        .filter(|before| **before >= lowest)
                        .map(|it| layers[*it].lowest)
                        .fold(lowest, usize::max)
                });
                let bytes = piece.size(&facts.sizes).unwrap_or(UNKNOWN);
                let likely = likely(plan, &rates, piece);
                layers.push(Layer {
                    stage,
                    piece: place,
                    bytes,
                    likely,
                    independent: piece.independent,
                    lowest,
                });
                row.push(here);
            }
        }
        Self { layers }
    }

    /// The least number of layers that there can be.
    fn least(&self) -> usize {
        let mut count = 0;
        let mut end = self.layers.len();
        // Taking as many as can be from the top is best, since what fits together does so without any of it.
        while end > 0 {
            end = self.layers[end - 1].lowest;
            count += 1;
        }
        count
    }

    /// By layer: how likely nothing of all up to it changes, in millionths.
    fn unchanged(&self) -> Vec<u64> {
        let mut unchanged = CERTAIN;
        let row = self.layers.iter().map(|layer| {
            unchanged = unchanged * (CERTAIN - layer.likely) / CERTAIN;
            unchanged
        });
        row.collect()
    }

    /// The cost of each joined layer that ends with `last`, by where it begins, the shortest first.
    fn costs<'r>(&'r self, last: usize, unchanged: &[u64]) -> impl Iterator<Item = (usize, u128)> + use<'r> {
        let end = &self.layers[last];
        let whole = unchanged[last];
        let (mut bytes, mut stays) = (0u64, CERTAIN);
        (end.lowest..=last).rev().map(move |start| {
            bytes = bytes.saturating_add(self.layers[start].bytes);
            stays = stays * (CERTAIN - self.layers[start].likely) / CERTAIN;
            let changes = CERTAIN - if end.independent { stays } else { whole };
            (start, u128::from(bytes) * u128::from(changes))
        })
    }

    /// The best way to have at most so many layers, which is at least [`least`](Self::least).
    fn cut(&self, most: usize) -> Cut {
        let steps: usize =
            self.layers.iter().enumerate().map(|(place, layer)| place + 1 - layer.lowest).sum();
        if steps.saturating_mul(most) <= MOST_STEPS { self.exactly(most) } else { self.by_price(most) }
    }

    fn exactly(&self, most: usize) -> Cut {
        let count = self.layers.len();
        let unchanged = self.unchanged();
        // By number of groups and of layers: the cost, and where the last group begins.
        let mut best: Vec<Vec<Option<(u128, usize)>>> = vec![vec![None; count + 1]; most + 1];
        best[0][0] = Some((0, 0));
        for groups in 1..=most {
            for last in 0..count {
                let mut found: Option<(u128, usize)> = None;
                for (start, cost) in self.costs(last, &unchanged) {
                    let Some((before, _)) = best[groups - 1][start] else { continue };
                    let whole = before + cost;
                    // Of two that cost the same the one with fewer layers joined.
                    if found.is_none_or(|(cost, _)| whole < cost) {
                        found = Some((whole, start));
                    }
                }
                best[groups][last + 1] = found;
            }
        }
        let groups = (0..=most).filter(|groups| best[*groups][count].is_some());
        // More layers never cost more.
        let groups =
            groups.min_by_key(|groups| (best[*groups][count].map(|it| it.0), std::cmp::Reverse(*groups)));
        let mut groups_left = groups.unwrap_or(most);
        let mut end = count;
        let mut cut = Vec::new();
        while let Some((_, start)) = best[groups_left][end].filter(|_| end > 0) {
            cut.push(start..end);
            end = start;
            groups_left -= 1;
        }
        cut.reverse();
        Cut { groups: cut, above_bound_percent: 0 }
    }

    /// The best way where each layer has a price, and what it costs with that.
    fn priced(&self, price: u128, unchanged: &[u64]) -> (Vec<std::ops::Range<usize>>, u128) {
        let count = self.layers.len();
        let mut best: Vec<(u128, usize, usize)> = vec![(0, 0, 0); count + 1];
        for last in 0..count {
            let ways = self.costs(last, unchanged).map(|(start, cost)| {
                let (before, groups, _) = best[start];
                (before + cost + price, groups + 1, start)
            });
            best[last + 1] = ways.min().unwrap_or((0, 0, last));
        }
        let mut cut = Vec::new();
        let mut end = count;
        while end > 0 {
            let start = best[end].2;
            cut.push(start..end);
            end = start;
        }
        cut.reverse();
        (cut, best[count].0)
    }

    fn by_price(&self, most: usize) -> Cut {
        let unchanged = self.unchanged();
        let all: u128 = self.layers.iter().map(|layer| u128::from(layer.bytes)).sum();
        let (mut low, mut high) = (0u128, all * u128::from(CERTAIN) * self.layers.len() as u128 + 1);
        let (mut cut, mut with_price) = self.priced(high, &unchanged);
        let mut bound = with_price.saturating_sub(high * most as u128);
        // Each step halves what is searched; the search ends where it no longer helps.
        for _ in 0..40 {
            let price = low + (high - low) / 2;
            if price == low {
                break;
            }
            let (tried, cost) = self.priced(price, &unchanged);
            // With any price the cost less the price of the whole budget is no more than the best.
            bound = bound.max(cost.saturating_sub(price * most as u128));
            if tried.len() <= most {
                (cut, with_price, high) = (tried, cost, price);
            } else {
                low = price;
            }
        }
        let cost = with_price - high * cut.len() as u128;
        let above = cost.saturating_sub(bound) * 100;
        let percent = if bound == 0 { u128::from(above > 0) * 100 } else { above.div_ceil(bound) };
        Cut { groups: cut, above_bound_percent: u64::try_from(percent).unwrap_or(u64::MAX) }
    }
}

/// How likely a layer is another one at the next build, in millionths: rough, and the same for all plans.
fn likely(plan: &Resolved, rates: &BTreeMap<StageName, Rate>, piece: &Piece) -> u64 {
    match of_piece(plan, rates, piece) {
        Rate::Plan => 20_000,
        Rate::Dependencies => 100_000,
        Rate::Sources => 800_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layers of these bytes and likelihoods; `=` before one that is independent of those around it.
    fn row(layers: &[(u64, u64, bool)]) -> Row {
        let mut row: Vec<Layer> = Vec::new();
        for (place, (bytes, likely, independent)) in layers.iter().enumerate() {
            let lowest = match row.last() {
                Some(last) if last.independent == *independent => last.lowest,
                Some(_) | None => place,
            };
            row.push(Layer {
                stage: 0,
                piece: place,
                bytes: *bytes,
                likely: *likely,
                independent: *independent,
                lowest,
            });
        }
        Row { layers: row }
    }

    fn cost(row: &Row, groups: &[std::ops::Range<usize>]) -> u128 {
        let unchanged = row.unchanged();
        let costs = groups.iter().map(|group| {
            row.costs(group.end - 1, &unchanged)
                .find(|(start, _)| *start == group.start)
                .expect("fits together")
                .1
        });
        costs.sum()
    }

    /// The least cost of all ways to have at most so many layers, by trying each.
    fn by_trying(row: &Row, most: usize) -> u128 {
        let count = row.layers.len();
        let ways = (0..1u32 << (count - 1)).filter_map(|cuts| {
            let mut groups = Vec::new();
            let mut start = 0;
            for end in 1..=count {
                if end == count || cuts >> (end - 1) & 1 == 1 {
                    (row.layers[end - 1].lowest <= start).then_some(())?;
                    groups.push(start..end);
                    start = end;
                }
            }
            (groups.len() <= most).then(|| cost(row, &groups))
        });
        ways.min().expect("there is a way")
    }

    /// Rows that differ in everything, from a small generator of numbers.
    fn rows() -> Vec<Row> {
        let mut state = 7u64;
        let mut next = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let mut rows = Vec::new();
        for _ in 0..60 {
            let count = 2 + next(9);
            let layers: Vec<(u64, u64, bool)> = (0..count)
                .map(|_| (1 + next(1 << 20), [20_000, 100_000, 800_000][next(3) as usize], next(3) == 0))
                .collect();
            rows.push(row(&layers));
        }
        rows
    }

    #[test]
    fn the_best_way_is_found() {
        for row in rows() {
            for most in row.least()..=row.layers.len() {
                let cut = row.exactly(most);
                assert!(cut.groups.len() <= most);
                assert_eq!(cost(&row, &cut.groups), by_trying(&row, most));
            }
        }
    }

    #[test]
    fn a_price_finds_a_way_that_is_as_far_from_the_best_as_it_says() {
        for row in rows() {
            for most in row.least()..=row.layers.len() {
                let cut = row.by_price(most);
                assert!(cut.groups.len() <= most, "{} of {most}", cut.groups.len());
                let (found, best) = (cost(&row, &cut.groups), by_trying(&row, most));
                let most_allowed = best + best * u128::from(cut.above_bound_percent) / 100;
                assert!(
                    best <= found && found <= most_allowed + 1,
                    "{best} {found} {}",
                    cut.above_bound_percent
                );
            }
        }
    }

    #[test]
    fn sixty_layers_are_cut_in_the_best_way_whatever_the_budget_is() {
        let layers: Vec<(u64, u64, bool)> =
            (0..60u64).map(|place| (1 + place * place % 97, 20_000 + place % 7 * 50_000, false)).collect();
        let row = row(&layers);
        for most in row.least()..=60 {
            let cut = row.cut(most);
            assert_eq!(cut.above_bound_percent, 0);
            assert_eq!(cost(&row, &cut.groups), cost(&row, &row.exactly(most).groups), "{most}");
        }
    }

    #[test]
    fn the_least_number_of_layers_is_one_for_each_kind_in_a_row() {
        let kinds = row(&[(1, 1, false), (1, 1, false), (1, 1, true), (1, 1, false)]);
        assert_eq!(kinds.least(), 3);
    }
}
