//! Printing: the one canonical text of a plan, with its comments where there are any.
//!
//! Everything is written once, into one string, in the order of the plan's own maps and lists.

mod contexts;
mod executions;
mod export;
mod images;
mod ops;

use super::comments::{Anchor, Beside, Comments};
use super::strings;
use crate::plan::{PhaseName, Plan, order};

/// Spaces for each level.
const STEP: usize = 2;

/// The widest line on which a list still stands as a whole.
const WIDEST: usize = 100;

/// The canonical text of `plan`.
pub fn print(plan: &Plan) -> String {
    Printer::new(None).plan(plan)
}

/// The canonical text of `plan`, with `comments` beside the statements they belong to.
pub(super) fn print_with(plan: &Plan, comments: &Comments) -> String {
    Printer::new(Some(comments).filter(|comments| !comments.is_empty())).plan(plan)
}

/// The kinds of declarations, each a group of lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Header,
    Platforms,
    Images,
    Contexts,
    Secrets,
    Caches,
    Phases,
    Stages,
    Export,
}

struct Printer<'c> {
    out: String,
    comments: Option<&'c Comments>,
    indent: usize,
    line_start: usize,
    /// The declaration before: its group, and whether it stands apart from its neighbours.
    before: Option<(Group, bool)>,
}

impl<'c> Printer<'c> {
    fn new(comments: Option<&'c Comments>) -> Self {
        Self { out: String::new(), comments, indent: 0, line_start: 0, before: None }
    }

    fn plan(mut self, plan: &Plan) -> String {
        self.out.reserve(1024 + 160 * plan.stages.len());
        self.gap(Group::Header, false);
        self.line(|| Anchor::HEADER, |printer| printer.push("cpk 1"));
        for platform in &plan.platforms {
            self.gap(Group::Platforms, false);
            self.line(|| Anchor::of(platform.span), |printer| printer.push(&format!("platform {platform}")));
        }
        for (name, image) in &plan.images {
            self.image(name, image);
        }
        for (name, context) in &plan.contexts {
            self.context(name, context);
        }
        for (name, secret) in &plan.secrets {
            self.gap(Group::Secrets, false);
            let optional = if secret.optional { " optional" } else { "" };
            self.line(
                || Anchor::of(secret.span),
                |printer| printer.push(&format!("secret {name}{optional}")),
            );
        }
        for (name, span) in &plan.caches {
            self.gap(Group::Caches, false);
            self.line(|| Anchor::of(*span), |printer| printer.push(&format!("cache {name}")));
        }
        for name in order::phase_order(&plan.declared_phases) {
            self.phase(plan, &name);
        }
        for stage in &plan.stages {
            self.stage(stage);
        }
        if let Some(export) = &plan.export {
            self.export(export);
        }
        self.end_comments();
        self.out
    }

    fn phase(&mut self, plan: &Plan, name: &PhaseName) {
        let Some(phase) = plan.declared_phases.get(name) else { return };
        self.gap(Group::Phases, false);
        self.line(
            || Anchor::of(phase.span),
            |printer| {
                printer.push(&format!("phase {name}"));
                if phase.parallel {
                    printer.push(" parallel");
                }
                for (number, before) in phase.after.iter().enumerate() {
                    printer.push(if number == 0 { " after " } else { ", " });
                    printer.push(before.as_str());
                }
            },
        );
    }

    /// Puts an empty line before a declaration where one belongs: between groups, and around
    /// what stands apart.
    fn gap(&mut self, group: Group, stands_apart: bool) {
        if let Some((before, stood_apart)) = self.before.replace((group, stands_apart))
            && (before != group || stood_apart || stands_apart)
        {
            self.out.push('\n');
        }
    }

    /// One statement without a block.
    fn line(&mut self, anchor: impl FnOnce() -> Anchor, words: impl FnOnce(&mut Self)) {
        self.block(anchor, words, true, |_| {});
    }

    /// One statement with a block, which is left out where it `is_empty` and holds no comment.
    fn block(
        &mut self,
        anchor: impl FnOnce() -> Anchor,
        words: impl FnOnce(&mut Self),
        is_empty: bool,
        body: impl FnOnce(&mut Self),
    ) {
        let beside = self.beside(anchor);
        let has_block = !is_empty || beside.is_some_and(|beside| !beside.last.is_empty());
        let mut behind = beside.and_then(|beside| beside.behind.as_deref());
        let behind_block = beside.and_then(|beside| beside.behind_block.as_deref());
        for comment in beside.iter().flat_map(|beside| &beside.above) {
            self.comment(comment);
        }
        if !has_block && let Some(moved) = behind_block {
            // There is no brace to stand behind.
            if let Some(crowded) = behind.replace(moved) {
                self.comment(crowded);
            }
        }
        self.indentation();
        words(self);
        if has_block {
            self.push(" {");
            self.end_line(behind);
            self.indent += STEP;
            body(self);
            for comment in beside.iter().flat_map(|beside| &beside.last) {
                self.comment(comment);
            }
            self.indent -= STEP;
            self.indentation();
            self.push("}");
            behind = behind_block;
        }
        self.end_line(behind);
    }

    /// One statement whose block stands on the same line: what belongs behind its brace comes last.
    fn flat_block(&mut self, anchor: impl FnOnce() -> Anchor, words: impl FnOnce(&mut Self)) {
        let beside = self.beside(anchor);
        for comment in beside.iter().flat_map(|beside| &beside.above) {
            self.comment(comment);
        }
        self.indentation();
        words(self);
        self.end_line(beside.and_then(|beside| beside.behind_block.as_deref()));
    }

    fn beside(&self, anchor: impl FnOnce() -> Anchor) -> Option<&'c Beside> {
        self.comments.and_then(|comments| comments.beside(&anchor()))
    }

    fn comment(&mut self, comment: &str) {
        self.indentation();
        self.push(comment);
        self.end_line(None);
    }

    fn end_comments(&mut self) {
        let end = self.comments.map(|comments| comments.end.as_slice()).unwrap_or_default();
        if !end.is_empty() {
            self.out.push('\n');
        }
        for comment in end {
            self.comment(comment);
        }
    }

    fn indentation(&mut self) {
        self.line_start = self.out.len();
        strings::push_spaces(self.indent, &mut self.out);
    }

    fn end_line(&mut self, comment: Option<&str>) {
        if let Some(comment) = comment {
            self.push("  ");
            self.push(comment);
        }
        self.out.push('\n');
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// A string.
    fn string(&mut self, value: &str) {
        strings::write(value, self.indent + STEP, &mut self.out);
    }

    /// A string on one line, whatever it holds.
    fn flat_string(&mut self, value: &str) {
        strings::write_flat(value, &mut self.out);
    }

    /// A word, or a string where the value is no word.
    fn word(&mut self, value: &str, is_of_word: impl Fn(u8) -> bool) {
        if !value.is_empty() && value.bytes().all(is_of_word) {
            self.push(value);
        } else {
            self.string(value);
        }
    }

    /// A path after `at`, where it needs no quotes.
    fn place(&mut self, path: &str) {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+@/-".contains(&byte);
        if path.starts_with('/') && path.bytes().all(is_plain) {
            self.push(path);
        } else {
            self.string(path);
        }
    }

    /// A list: on one line, or each string on a line of its own where that is easier to read.
    fn list(&mut self, strings: &[String]) {
        let start = self.out.len();
        self.push("[");
        for (number, string) in strings.iter().enumerate() {
            self.push(if number == 0 { "" } else { ", " });
            self.string(string);
        }
        self.push("]");
        let is_flat = !self.out[start..].contains('\n');
        if strings.is_empty() || (is_flat && self.out[self.line_start..].chars().count() <= WIDEST) {
            return;
        }
        self.out.truncate(start);
        self.push("[\n");
        self.indent += STEP;
        for string in strings {
            self.indentation();
            self.string(string);
            self.push(",\n");
        }
        self.indent -= STEP;
        self.indentation();
        self.push("]");
    }
}

/// Whether a byte may stand in a word.
fn of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}
