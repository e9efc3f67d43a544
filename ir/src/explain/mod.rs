//! What each code means: why the rule is there, how to keep it, and two small plans, one that
//! breaks it and one that keeps it.
//!
//! Each explanation is a Markdown file under `texts/`, named by its code. A test runs every
//! example, and another one finds every code of the sources without a text, and every text
//! without a code.

#[cfg(test)]
mod tests;
mod texts;

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What one code means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The code, for instance `cpk::stage::cycle`.
    pub code: &'static str,
    /// The rule's breach in a few words, lower case.
    pub title: &'static str,
    /// Why the rule is there and how to keep it, in Markdown.
    pub text: &'static str,
    /// A plan that breaks the rule: a text, or a JSON document for what only a document can say.
    /// Empty for the few codes that no plan of a readable size can have.
    pub breaks: &'static str,
    /// The same plan, keeping the rule; empty where `breaks` is.
    pub keeps: &'static str,
}

/// The explanation of a code; `None` for a text that is no code.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    BY_CODE.get(code)
}

/// All explanations, by code.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    BY_CODE.values()
}

static BY_CODE: LazyLock<BTreeMap<&'static str, Explanation>> =
    LazyLock::new(|| texts::TEXTS.iter().map(|(code, text)| (*code, read(code, text))).collect());

/// Takes an explanation's file apart: the title, the text, and the two blocks.
fn read(code: &'static str, file: &'static str) -> Explanation {
    let (title, rest) = file.split_once('\n').unwrap_or((file, ""));
    let (text, blocks) = rest.split_once("\n```").unwrap_or((rest, ""));
    let mut explanation =
        Explanation { code, title: title.trim_start_matches("# "), text: text.trim(), breaks: "", keeps: "" };
    for block in blocks.split("\n```").filter(|block| !block.is_empty()) {
        match block.split_once('\n') {
            Some((words, plan)) if words.ends_with(" breaks") => explanation.breaks = plan,
            Some((words, plan)) if words.ends_with(" keeps") => explanation.keeps = plan,
            // What stands between two blocks is an empty line.
            Some(_) | None => {}
        }
    }
    explanation
}
