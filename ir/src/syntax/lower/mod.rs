//! From what pest matched to values of the plan, one declaration at a time.
//!
//! Names, digests and all other values are checked here. What is wrong is reported and left out;
//! the rest is kept, so that one check of a text finds as much as it can.
// `Rule` has one variant for each rule of the grammar. What a pair may hold is written there, so
// matches name what they look for and let the rest pass.
#![allow(clippy::wildcard_enum_match_arm)]

mod blocks;
mod contexts;
mod copies;
mod declarations;
mod executions;
mod exports;
mod images;
mod stages;
mod values;

use std::ops::Range;

use pest::Parser;
use pest::iterators::Pair as PestPair;

pub(super) use declarations::Declaration;

use super::comments::{Anchor, Place};
use super::expected;
use super::grammar::{Grammar, Rule};
use super::kinds::Kind;
use super::report::Report;
use super::scan::is_white_space;
use crate::plan::Span;

/// A match of one rule.
type Pair<'t> = PestPair<'t, Rule>;

/// A piece of a text that one declaration stands in.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// Whether a comment may belong to something in it.
    pub(super) comment_is_near: bool,
}

/// Reads the declarations of a text, one after the other.
pub(super) struct Lowering<'t> {
    text: &'t str,
    /// Where something was found wrong before; what else goes wrong there is a consequence.
    faults: &'t [Range<usize>],
    /// Where the declaration at hand begins.
    base: usize,
    /// Whether the places of statements are wanted, because a comment is near.
    places_wanted: bool,
    /// What is wrong.
    pub(super) findings: Report,
    /// Where the statements near comments stand.
    pub(super) places: Vec<Place>,
}

impl<'t> Lowering<'t> {
    /// A reader of `text`.
    pub(super) fn new(text: &'t str, faults: &'t [Range<usize>]) -> Self {
        Self { text, faults, base: 0, places_wanted: false, findings: Report::default(), places: Vec::new() }
    }

    /// Reads the declarations at `pieces`, which follow each other, and gives each to `keep`.
    pub(super) fn declarations(&mut self, pieces: &[Piece], mut keep: impl FnMut(Declaration)) {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return };
        let text = &self.text[first.range.start..last.range.end];
        let pairs =
            Grammar::parse(Rule::plan, text).map(|pairs| pairs.filter(|pair| pair.as_rule() != Rule::EOI));
        if let Ok(pairs) = pairs
            && pairs.clone().count() == pieces.len()
        {
            for (pair, piece) in pairs.zip(pieces) {
                self.base = first.range.start;
                self.places_wanted = piece.comment_is_near;
                self.lower_declaration(pair).into_iter().for_each(&mut keep);
            }
            return;
        }
        for piece in pieces {
            if self.findings.is_full() {
                return;
            }
            self.declaration(piece).into_iter().for_each(&mut keep);
        }
    }

    /// Reads the declaration at `piece`, or what can be read of it.
    fn declaration(&mut self, piece: &Piece) -> Option<Declaration> {
        let range = piece.range.clone();
        self.base = range.start;
        self.places_wanted = piece.comment_is_near;
        let text = &self.text[range.clone()];
        match Grammar::parse(Rule::strict_declaration, text) {
            Ok(mut pairs) => self.lower_declaration(pairs.next()?),
            Err(error) => {
                let mut pairs = Grammar::parse(Rule::tolerant_declaration, text).ok()?;
                let first = pairs.next()?;
                // The mistakes of an image's properties are reported one by one, when they are met.
                if first.as_rule() != Rule::broken_image {
                    let broken = range.start;
                    self.report_expected(range, broken, &error, Kind::Declaration);
                }
                self.lower_declaration(first)
            }
        }
    }

    /// Reports that the grammar wanted something else, unless that is a consequence of what was
    /// reported before. `piece` is the text the grammar looked at; what it could not read begins at
    /// `broken`.
    fn report_expected(&mut self, piece: Range<usize>, broken: usize, error: &expected::Error, kind: Kind) {
        let guilty = piece.start + expected::place(error);
        // A fault before the place, or behind it on its line, has made the parser stumble there.
        let line_end = self.text[guilty..].find('\n').map_or(self.text.len(), |length| guilty + length);
        let first = self.faults.partition_point(|fault| fault.end < piece.start);
        let is_consequence = self.faults.get(first).is_some_and(|fault| fault.start <= line_end);
        if !is_consequence {
            self.findings.push(expected::finding(self.text, piece, broken, error, kind));
        }
    }

    fn span(&self, pair: &Pair<'_>) -> Span {
        let span = pair.as_span();
        let end = match self.places_wanted {
            true => end_of(pair),
            // Without a comment, only white space can stand behind the last word.
            false => span.start() + span.as_str().trim_end_matches(is_white_space).len(),
        };
        Span::new(self.base + span.start(), self.base + end)
    }

    /// Notes where a statement stands, so that comments find it. `block` is its block, braces
    /// included.
    fn note(&mut self, statement: Span, block: Option<Span>, anchor: Anchor) {
        if self.places_wanted {
            self.places.push(Place { statement, block, anchor });
        }
    }
}

/// Where the last word of a match ends. A rule that ends with something optional has matched the
/// white space and the comments before it, too.
fn end_of(pair: &Pair<'_>) -> usize {
    let mut last = pair.clone();
    while !contexts::is_block(&last)
        && let Some(inner) = last.clone().into_inner().next_back()
    {
        last = inner;
    }
    last.as_span().end()
}
