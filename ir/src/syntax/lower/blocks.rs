//! Blocks: statements one after the other, and the broken pieces between them.

use std::collections::BTreeMap;

use pest::Parser;

use super::{Lowering, Pair};
use crate::plan::Span;
use crate::syntax::expected::{self, Kind};
use crate::syntax::findings::SyntaxFinding;
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::report::Report;

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
                before = Some(statement.as_span().start());
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
        let end = span.start() + span.as_str().trim_end().len();
        let piece = self.base + before.unwrap_or(span.start())..self.base + end;
        let text = &self.text[piece.clone()];
        let Err(error) = Grammar::parse(kind.statements(), text) else {
            return self.findings.push(expected::nothing_known(
                self.text,
                self.base + span.start()..piece.end,
                kind,
            ));
        };
        // The fault must be in the broken piece itself to explain it.
        let at = expected::place(&error);
        self.report_expected(piece, at, error, kind);
    }
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
