//! Blocks: statements one after the other, and the broken pieces between them.

use std::collections::BTreeMap;

use pest::Parser;

use super::values::is_text;
use super::{Lowering, Pair};
use crate::plan::Span;
use crate::syntax::expected;
use crate::syntax::findings::SyntaxFinding;
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::kinds::Kind;
use crate::syntax::report::Report;
use crate::syntax::words;

impl<'t> Lowering<'t> {
    /// Calls `each` with every statement of `block` that the grammar knows, and reports the others.
    pub(super) fn statements(
        &mut self,
        block: Pair<'t>,
        kind: Kind,
        mut each: impl FnMut(&mut Self, Pair<'t>),
    ) {
        let mut before = None;
        for statement in block.into_inner() {
            if statement.as_rule() == Rule::broken {
                self.report_broken(before.take(), &statement, kind);
            } else {
                // An image's own words stand before its properties, and are no statements.
                before = is_statement(&statement).then_some(statement.as_span().start());
                each(self, statement);
            }
        }
    }

    /// Reports what was expected in a piece that no statement begins with. What may have been meant
    /// to continue the statement before is only seen together with it.
    fn report_broken(&mut self, before: Option<usize>, broken: &Pair<'t>, kind: Kind) {
        if self.findings.is_full() {
            return;
        }
        let span = broken.as_span();
        let start = self.base + span.start();
        let end = start + span.as_str().trim_end().len();
        let piece = before.map_or(start, |before| self.base + before)..end;
        match Grammar::parse(kind.statements(), &self.text[piece.clone()]) {
            Err(error) => self.report_expected(piece, start, &error, kind),
            Ok(_) => self.findings.push(expected::nothing_known(self.text, start..end, kind)),
        }
    }
}

fn is_statement(pair: &Pair<'_>) -> bool {
    !words::is_keyword(pair.as_rule()) && !is_text(pair) && pair.as_rule() != Rule::input_name
}

/// What was already said in a block, to find what is said twice.
#[derive(Default)]
pub(super) struct Said {
    places: BTreeMap<(&'static str, String), Span>,
}

impl Said {
    /// Whether `word` with `key` is said for the first time; the second time is reported.
    pub(super) fn first(&mut self, word: &'static str, key: &str, at: Span, findings: &mut Report) -> bool {
        let Some(first) = self.places.insert((word, key.to_owned()), at) else { return true };
        self.places.insert((word, key.to_owned()), first);
        let what =
            if key.is_empty() { format!("`{word}`") } else { format!("`{word} {}`", key.escape_debug()) };
        findings.push(SyntaxFinding::Twice { what, first: first.into(), second: at.into() });
        false
    }
}
