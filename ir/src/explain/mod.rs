//! What each code means: why the rule is there, how to keep it, and two small examples, one that
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
    /// What the two examples are.
    pub form: Form,
    /// An example that breaks the rule. Empty for mistakes of ours and for what is about a machine, which no
    /// plan and no project is known to show.
    pub breaks: &'static str,
    /// The same example, keeping the rule; empty where `breaks` is.
    pub keeps: &'static str,
}

/// What the examples of an explanation are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Plans: texts, or JSON documents for what only a document can say.
    Plan,
    /// Lines for a shell in an empty directory, where the rule is about more than what a page can
    /// show: they make a plan and what lies beside it. The last one calls `cogpackc`, which then
    /// says the code to the one that breaks the rule.
    Script,
    /// Projects: each file behind a line `--- PATH`. Where planning one does not say the code, a last
    /// line `$ cogpackc …` is the command that does.
    Project,
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
    let mut explanation = Explanation {
        code,
        title: title.trim_start_matches("# "),
        text: text.trim(),
        form: Form::Plan,
        breaks: "",
        keeps: "",
    };
    for block in blocks.split("\n```").filter(|block| !block.is_empty()) {
        // What stands between two blocks is an empty line.
        let Some((words, example)) = block.split_once('\n') else { continue };
        let Some((form, which)) = words.split_once(' ') else { continue };
        match form {
            "sh" => explanation.form = Form::Script,
            "project" => explanation.form = Form::Project,
            _ => {}
        }
        match which {
            "breaks" => explanation.breaks = example,
            "keeps" => explanation.keeps = example,
            _ => {}
        }
    }
    explanation
}
