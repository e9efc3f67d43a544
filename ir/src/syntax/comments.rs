//! Comments, and the statements they belong to.
//!
//! A comment on a line of its own belongs to the statement after it, one behind a statement to
//! that statement, one at the end of a block to the block, one after everything to the text.
//! Statements are known by their [`Anchor`], which can be told from a plan as well as from its
//! text: so formatting is printing the plan with its comments put back.

use std::collections::BTreeMap;

use super::scan::ScannedComment;
use crate::plan::Span;

/// What tells one statement of a text from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Anchor {
    /// Where the plan says the statement is, or the block it stands in.
    at: u32,
    /// The statement's word, where the plan does not know the place of the statement itself.
    word: &'static str,
    /// What tells several statements of one word apart.
    key: String,
}

impl Anchor {
    /// `cpk 1`.
    pub(super) const HEADER: Self = Self { at: u32::MAX, word: "cpk", key: String::new() };

    /// A statement whose place the plan knows.
    pub(super) fn of(span: Span) -> Self {
        Self::within(span, "", "")
    }

    /// A statement that the plan knows by its word, and perhaps its key, in the block of `owner`.
    pub(super) fn within(owner: Span, word: &'static str, key: &str) -> Self {
        Self { at: u32::try_from(owner.start()).unwrap_or(u32::MAX), word, key: key.to_owned() }
    }
}

/// Where one statement stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// All of it, from its word to the end of its block.
    pub(super) statement: Span,
    /// Its block, braces included.
    pub(super) block: Option<Span>,
    /// Which one it is.
    pub(super) anchor: Anchor,
}

/// The comments of a text, each `#` included and trailing white space left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comments {
    beside: BTreeMap<Anchor, Beside>,
    /// After everything.
    pub(super) end: Vec<String>,
}

/// The comments of one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// On lines of their own before it.
    pub(super) above: Vec<String>,
    /// Behind it, or behind the brace that opens its block.
    pub(super) behind: Option<String>,
    /// On lines of their own at the end of its block.
    pub(super) last: Vec<String>,
    /// Behind the brace that closes its block.
    pub(super) behind_block: Option<String>,
}

impl Comments {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let beside = self.beside.values().map(|beside| {
            beside.above.len()
                + beside.last.len()
                + usize::from(beside.behind.is_some())
                + usize::from(beside.behind_block.is_some())
        });
        self.end.len() + beside.sum::<usize>()
    }

    /// All of them, each with its `#`, sorted.
    pub fn texts(&self) -> Vec<&str> {
        let of_statements = self.beside.values().flat_map(|beside| {
            beside.above.iter().chain(&beside.behind).chain(&beside.last).chain(&beside.behind_block)
        });
        let mut texts: Vec<&str> = of_statements.chain(&self.end).map(String::as_str).collect();
        texts.sort_unstable();
        texts
    }

    /// Those of one statement.
    pub(super) fn beside(&self, anchor: &Anchor) -> Option<&Beside> {
        self.beside.get(anchor)
    }
}

/// Gives each comment to its statement. Both lists are walked once, side by side.
pub(super) fn attach(text: &str, comments: &[ScannedComment], mut places: Vec<Place>) -> Comments {
    places.sort_by_key(|place| (place.statement.start(), std::cmp::Reverse(place.statement.end())));
    let mut sweep = Sweep { text, places: &places, next: 0, open: Vec::new(), ended: None };
    let mut attached = Comments::default();
    for comment in comments {
        let at = comment.range.start;
        sweep.advance(at);
        let words = text[comment.range.clone()].trim_end().to_owned();
        let slot = if comment.owns_line { None } else { sweep.slot_on_line(at) };
        match slot.or_else(|| sweep.slot_below(at)) {
            Some((place, slot)) => {
                attached.beside.entry(places[place].anchor.clone()).or_default().put(slot, words);
            }
            None => attached.end.push(words),
        }
    }
    attached
}

/// Where beside a statement a comment goes.
enum Slot {
    Above,
    Behind,
    Last,
    BehindBlock,
}

impl Beside {
    fn put(&mut self, slot: Slot, words: String) {
        let behind = match slot {
            Slot::Above => return self.above.push(words),
            Slot::Last => return self.last.push(words),
            Slot::Behind => &mut self.behind,
            Slot::BehindBlock => &mut self.behind_block,
        };
        match behind {
            None => *behind = Some(words),
            // Two cannot stand behind one thing.
            Some(_) => self.above.push(words),
        }
    }
}

struct Sweep<'t> {
    text: &'t str,
    places: &'t [Place],
    /// The first statement that begins after what was passed.
    next: usize,
    /// The statements that were begun and not ended, outermost first.
    open: Vec<usize>,
    /// The one that ended last; of two that end together the inner one.
    ended: Option<usize>,
}

impl Sweep<'_> {
    fn advance(&mut self, at: usize) {
        while self.next < self.places.len() && self.places[self.next].statement.start() < at {
            self.end(self.places[self.next].statement.start());
            self.open.push(self.next);
            self.next += 1;
        }
        self.end(at);
    }

    /// Ends what ends before `at`.
    fn end(&mut self, at: usize) {
        while let Some(&inner) = self.open.last()
            && self.places[inner].statement.end() <= at
        {
            let end = |place: usize| self.places[place].statement.end();
            if self.ended.is_none_or(|ended| end(ended) < end(inner)) {
                self.ended = Some(inner);
            }
            self.open.pop();
        }
    }

    /// The place on its own line for a comment at `at`: behind what ended on that line, or behind
    /// the brace that opened a block on it.
    fn slot_on_line(&self, at: usize) -> Option<(usize, Slot)> {
        let on_line = |from: usize| from <= at && !self.text[from..at].contains('\n');
        let end = |place: usize| self.places[place].statement.end();
        let inner = self.open.last().copied();
        // What was begun since is nearer than what ended.
        let ended = self.ended.filter(|ended| {
            on_line(end(*ended))
                && inner.is_none_or(|inner| self.places[inner].statement.start() < end(*ended))
        });
        if let Some(ended) = ended {
            let braces = self.braces(ended);
            return Some((ended, if braces { Slot::BehindBlock } else { Slot::Behind }));
        }
        let block = self.places[inner?].block?;
        on_line(block.start()).then_some((inner?, Slot::Behind))
    }

    /// The place among the statements after it for a comment at `at`; `None` after the last one.
    fn slot_below(&self, at: usize) -> Option<(usize, Slot)> {
        let next = (self.next < self.places.len()).then_some(self.next);
        let Some(&inner) = self.open.last() else { return next.map(|next| (next, Slot::Above)) };
        match self.places[inner].block {
            Some(block) if block.start() < at => {
                let next = next.filter(|next| self.places[*next].statement.start() < block.end());
                Some(next.map_or((inner, Slot::Last), |next| (next, Slot::Above)))
            }
            // In the middle of a statement.
            Some(_) | None => Some((inner, Slot::Above)),
        }
    }

    /// Whether a statement ends with a closing brace; the properties of an image are a block
    /// without braces.
    fn braces(&self, place: usize) -> bool {
        self.places[place].block.is_some_and(|block| self.text[block.start()..].starts_with('{'))
    }
}
