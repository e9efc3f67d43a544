//! From what pest says when a rule does not match to a finding in words of the language.

use std::ops::Range;

use pest::error::{ErrorVariant, InputLocation};

use super::findings::SyntaxFinding;
use super::grammar::Rule;
use super::scan;
use super::words;
use crate::plan::Span;
use crate::suggest::nearest;

/// What pest says.
pub(super) type Error = pest::error::Error<Rule>;

/// Where in a text something was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Outside all blocks.
    Declaration,
    /// After an image's reference.
    Image,
    /// In a `dir` context or a copy.
    Rules,
    /// In an `http` context.
    Http,
    /// In a `git` context.
    Git,
    /// In an `oci` context.
    Oci,
    /// In a `files` context.
    Files,
    /// In a `wheels` context.
    Wheels,
    /// In a `debs` context.
    Debs,
    /// In a wheel or a deb.
    Locked,
    /// In a stage.
    Stage,
    /// In a layer.
    Layer,
    /// In a `run` or `exec`.
    Execution,
    /// In the export.
    Export,
}

impl Kind {
    /// The rule for any number of such statements.
    pub(super) fn statements(self) -> Rule {
        match self {
            Self::Declaration => Rule::strict_declaration,
            Self::Image => Rule::image_statements,
            Self::Rules => Rule::rules_statements,
            Self::Http => Rule::http_statements,
            Self::Git => Rule::git_statements,
            Self::Oci => Rule::oci_statements,
            Self::Files => Rule::files_statements,
            Self::Wheels => Rule::wheels_statements,
            Self::Debs => Rule::debs_statements,
            Self::Locked => Rule::locked_statements,
            Self::Stage => Rule::stage_statements,
            Self::Layer => Rule::layer_statements,
            Self::Execution => Rule::execution_statements,
            Self::Export => Rule::export_statements,
        }
    }

    /// What such a statement is called.
    fn name(self) -> &'static str {
        match self {
            Self::Declaration => "a declaration",
            Self::Image => "a property of the image",
            Self::Rules => "`include` or `exclude`",
            Self::Http => "a statement of an `http` context",
            Self::Git => "a statement of a `git` context",
            Self::Oci => "a statement of an `oci` context",
            Self::Files => "a `file`",
            Self::Wheels => "a statement of a `wheels` context",
            Self::Debs => "a statement of a `debs` context",
            Self::Locked => "`hash` or `url`",
            Self::Stage => "a statement of a stage",
            Self::Layer => "a statement of a layer",
            Self::Execution => "a statement of an execution",
            Self::Export => "a statement of the export",
        }
    }

    /// The words that such statements begin with.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Declaration => &scan::DECLARATIONS,
            Self::Image => &[
                "digest",
                "config",
                "env",
                "workdir",
                "user",
                "entrypoint",
                "cmd",
                "shell",
                "expose",
                "volume",
                "label",
                "stop-signal",
                "healthcheck",
            ],
            Self::Rules => &["include", "exclude"],
            Self::Http => &["checksum", "name", "mode"],
            Self::Git => &["commit", "subdir"],
            Self::Oci => &["digest", "tag"],
            Self::Files => &["file"],
            Self::Wheels => &["python", "interpreter", "wheel"],
            Self::Debs => &["suite", "deb"],
            Self::Locked => &["hash", "url"],
            Self::Stage => &[
                "by", "copy", "env", "exec", "file", "layer", "mkdir", "provides", "remove", "run", "shell",
                "symlink", "unset", "user", "workdir",
            ],
            Self::Layer => &[
                "by", "copy", "env", "exec", "file", "mkdir", "remove", "run", "shell", "symlink", "unset",
                "user", "workdir",
            ],
            Self::Execution => &["mount", "network", "user", "env", "workdir"],
            Self::Export => &[
                "entrypoint",
                "cmd",
                "user",
                "workdir",
                "expose",
                "volume",
                "label",
                "annotation",
                "stop-signal",
                "healthcheck",
                "clear",
            ],
        }
    }
}

/// Where in the text it looked at pest stumbled.
pub(super) fn place(error: &Error) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// The finding for `error`, which pest made of the text at `piece`.
pub(super) fn finding(text: &str, piece: Range<usize>, error: &Error, kind: Kind) -> SyntaxFinding {
    let at = piece.start + place(error);
    let rules: &[Rule] = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives,
        ErrorVariant::CustomError { .. } => &[],
    };
    let found = Found::at(text, at);
    let words: Vec<&str> = rules.iter().filter_map(|rule| words::keyword(*rule)).collect();
    SyntaxFinding::Expected {
        expected: expectation(rules, &words, kind),
        help: help(text, piece, &found, &words, kind),
        at: Span::new(found.range.start, found.range.end).into(),
        found: found.words,
    }
}

/// The finding for a piece at `range` that pest has nothing to say about.
pub(super) fn nothing_known(text: &str, range: Range<usize>, kind: Kind) -> SyntaxFinding {
    let found = Found::at(text, range.start);
    SyntaxFinding::Expected {
        expected: kind.name().to_owned(),
        help: help(text, range, &found, &[], kind),
        at: Span::new(found.range.start, found.range.end).into(),
        found: found.words,
    }
}

/// What may stand there, as a list in words.
fn expectation(rules: &[Rule], words: &[&str], kind: Kind) -> String {
    let starts_statement = kind.words().iter().all(|word| words.contains(word));
    let of_statement = |word: &str| starts_statement && kind.words().contains(&word);
    let mut options: Vec<String> = Vec::new();
    let values = rules
        .iter()
        .filter(|rule| **rule != Rule::EOI)
        .filter_map(|rule| words::value(*rule))
        .map(str::to_owned);
    let keywords = words.iter().filter(|word| !of_statement(word)).map(|word| format!("`{word}`"));
    for option in keywords.chain(values) {
        if !options.contains(&option) {
            options.push(option);
        }
    }
    if starts_statement {
        options.push(kind.name().to_owned());
    }
    if options.is_empty() {
        // Only the end is left, of the declaration or of the block.
        options.push(if kind == Kind::Declaration { "another declaration" } else { kind.name() }.to_owned());
    }
    let last = options.pop().unwrap_or_default();
    if options.is_empty() { last } else { format!("{} or {last}", options.join(", ")) }
}

/// The way out: the word that was meant, or how the statement is written, or what may stand there.
fn help(text: &str, piece: Range<usize>, found: &Found, words: &[&str], kind: Kind) -> String {
    let near = found.word.and_then(|found| {
        nearest(found, words.iter().chain(kind.words()).copied().filter(|word| *word != found))
    });
    if let Some(near) = near {
        return format!("did you mean `{near}`?");
    }
    let first = Found::at(text, piece.start);
    if let Some(form) = first.word.filter(|_| first.range.start < found.range.start).and_then(words::form) {
        return format!("it is written `{form}`");
    }
    let list: Vec<String> = kind.words().iter().map(|word| format!("`{word}`")).collect();
    let what = if kind == Kind::Declaration { "declarations" } else { "statements here" };
    format!("the {what} are {}", list.join(", "))
}

/// What stands at a place.
struct Found<'t> {
    words: String,
    word: Option<&'t str>,
    range: Range<usize>,
}

impl<'t> Found<'t> {
    fn at(text: &'t str, at: usize) -> Self {
        let rest = &text[at..];
        let skipped = rest.len() - rest.trim_start().len();
        let at = at + skipped;
        let rest = &text[at..];
        let is_word = |letter: char| letter.is_alphanumeric() || "_-.%@/".contains(letter);
        let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        if length > 0 {
            let word = &rest[..length];
            let shown = shortened(word);
            return Self { words: format!("`{shown}`"), word: Some(word), range: at..at + length };
        }
        let Some(first) = rest.chars().next() else {
            return Self { words: "the end of the text".to_owned(), word: None, range: at..at };
        };
        if first == '"' {
            let line = rest.split('\n').next().unwrap_or(rest);
            let length = line[1..].find('"').map_or(line.len(), |length| length + 2);
            let words = if length <= 40 { format!("`{}`", &line[..length]) } else { "a string".to_owned() };
            return Self { words, word: None, range: at..at + length };
        }
        let words = match first {
            '}' => "the end of the block".to_owned(),
            '#' => "a comment".to_owned(),
            _ => format!("`{}`", first.escape_debug()),
        };
        Self { words, word: None, range: at..at + first.len_utf8() }
    }
}

/// At most 40 letters of `word`.
fn shortened(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &word[..at]),
        None => word.to_owned(),
    }
}
