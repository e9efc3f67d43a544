//! From what pest says when a rule does not match to a finding in words of the language.

use std::ops::Range;

use pest::error::{ErrorVariant, InputLocation};

use super::findings::SyntaxFinding;
use super::grammar::Rule;
use super::kinds::Kind;
use super::scan::is_white_space;
use super::strings::is_invisible;
use super::{hints, words};
use crate::plan::Span;
use crate::suggest::nearest;

/// What pest says.
pub(super) type Error = pest::error::Error<Rule>;

/// Where in the text it looked at pest stumbled.
pub(super) fn place(error: &Error) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// The finding for `error`, which pest made of the text at `piece`. What could not be read begins
/// at `broken`, in the piece or at its start.
pub(super) fn finding(
    text: &str,
    piece: Range<usize>,
    broken: usize,
    error: &Error,
    kind: Kind,
) -> SyntaxFinding {
    let rules: &[Rule] = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives,
        ErrorVariant::CustomError { .. } => &[],
    };
    let expected = Expectation::of(rules, kind);
    let found = Found::at(text, piece.start + place(error));
    let found = found.behind_what_is_unfinished(text, piece.start, &expected).unwrap_or(found);
    told(text, piece, broken, found, &expected)
}

/// The finding for a piece at `range` that pest has nothing to say about.
pub(super) fn nothing_known(text: &str, range: Range<usize>, kind: Kind) -> SyntaxFinding {
    let found = Found::at(text, range.start);
    let expected = Expectation { kind, keywords: Vec::new(), values: Vec::new(), statement: true };
    told(text, range.clone(), range.start, found, &expected)
}

fn told(
    text: &str,
    piece: Range<usize>,
    broken: usize,
    found: Found<'_>,
    expected: &Expectation,
) -> SyntaxFinding {
    SyntaxFinding::Expected {
        help: expected.help(text, piece, broken, &found),
        expected: expected.words(),
        label: found.label(expected),
        at: Span::new(found.range.start, found.range.end).into(),
        found: found.words,
    }
}

/// What may stand at a place.
struct Expectation {
    kind: Kind,
    /// Words that go on with a statement.
    keywords: Vec<&'static str>,
    /// Values and signs that do.
    values: Vec<&'static str>,
    /// Whether a new statement may begin.
    statement: bool,
}

impl Expectation {
    fn of(rules: &[Rule], kind: Kind) -> Self {
        let mut keywords: Vec<&str> = rules.iter().filter_map(|rule| words::keyword(*rule)).collect();
        let begins = kind.words().iter().all(|word| keywords.contains(word));
        if begins {
            keywords.retain(|word| !kind.words().contains(word));
        }
        let mut values: Vec<&str> = Vec::new();
        // A choice of words, of which one may be meant.
        if rules.contains(&Rule::healthcheck_test) {
            keywords.extend(["exec", "none", "shell"]);
        }
        let are_values = |rule: &&Rule| ![Rule::EOI, Rule::healthcheck_test].contains(rule);
        for value in rules.iter().filter(are_values).filter_map(|rule| words::value(*rule)) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        // Where only the end is left, of the text that pest saw, the next statement may begin.
        let statement = begins || (keywords.is_empty() && values.is_empty());
        Self { kind, keywords, values, statement }
    }

    /// Whether what comes next may be the next statement.
    fn goes_on(&self) -> bool {
        self.statement || self.is_between_statements()
    }

    /// Whether all that came before is whole.
    fn is_between_statements(&self) -> bool {
        self.keywords.is_empty() && self.values.is_empty()
    }

    fn words(&self) -> String {
        let keywords = self.keywords.iter().map(|word| format!("`{word}`"));
        let mut options: Vec<String> =
            keywords.chain(self.values.iter().map(|value| (*value).to_owned())).collect();
        if self.statement {
            options.push(self.kind.name().to_owned());
        }
        let last = options.pop().unwrap_or_default();
        if options.is_empty() { last } else { format!("{} or {last}", options.join(", ")) }
    }

    /// The way out: the word that was meant, or how the statement is written, or what may stand
    /// there.
    fn help(&self, text: &str, piece: Range<usize>, broken: usize, found: &Found<'_>) -> String {
        if let Some(hint) = hints::of_forgotten_name(&text[piece.start..found.place()], self.kind) {
            return hint;
        }
        if let Some(hint) = hints::of_change(&text[piece.start..found.place()], &self.values) {
            return hint;
        }
        let statements = if self.statement { self.kind.words() } else { &[] };
        if let Some(word) = found.word {
            // Other build languages are written in capitals.
            let meant = nearest(&word.to_lowercase(), self.keywords.iter().chain(statements).copied());
            if let Some(meant) = meant.filter(|meant| *meant != word) {
                return format!("did you mean `{meant}`?");
            }
            if let Some(hint) = hints::of_word(word, self.kind, &self.values) {
                return hint;
            }
            if self.values.contains(&words::STRING) && !words::is_of_the_language(word) {
                return format!("put it in quotes: `\"{word}\"`");
            }
        }
        match text[found.range.clone()].chars().next() {
            Some('\'' | '`' | '“' | '”') => return "put strings between `\"` and `\"`".to_owned(),
            Some(letter) if is_space_of_others(letter) => {
                return "take it away: only spaces, tabs and line ends separate words".to_owned();
            }
            Some(';') => return "take it away: nothing stands between two statements".to_owned(),
            Some('{') if self.kind == Kind::Image => {
                return "take the braces away: the properties of an image follow it without a block"
                    .to_owned();
            }
            Some(_) | None => {}
        }
        let begin = found.place();
        // The statement that could not be read, or the one before that something could go on with.
        let form = [broken, piece.start]
            .into_iter()
            .filter(|start| *start < begin)
            .find_map(|start| words::form(&text[start..]));
        if let Some(form) = form.filter(|_| !self.is_between_statements()) {
            return format!("it is written `{form}`");
        }
        let list: Vec<String> = self.kind.words().iter().map(|word| format!("`{word}`")).collect();
        format!("the {} are {}", self.kind.plural(), list.join(", "))
    }
}

const END_OF_BLOCK: &str = "the end of the block";

/// What stands at a place.
struct Found<'t> {
    words: String,
    word: Option<&'t str>,
    /// Where it stands, or the last word before it where it is the end of something.
    range: Range<usize>,
    /// Whether it is the end of something.
    is_end: bool,
}

impl<'t> Found<'t> {
    fn at(text: &'t str, at: usize) -> Self {
        let rest = &text[at..];
        let skipped = rest.len() - rest.trim_start_matches(is_white_space).len();
        let at = at + skipped;
        let rest = &text[at..];
        let length = rest.find(|letter| !is_of_a_word(letter)).unwrap_or(rest.len());
        if length > 0 {
            let word = &rest[..length];
            let shown = shortened(word);
            return Self {
                words: format!("`{shown}`"),
                word: Some(word),
                range: at..at + length,
                is_end: false,
            };
        }
        let Some(first) = rest.chars().next() else {
            return Self { words: "the end of the text".to_owned(), word: None, range: at..at, is_end: true };
        };
        if first == '"' {
            let line = rest.split('\n').next().unwrap_or(rest);
            let length = line[1..].find('"').map_or(line.len(), |length| length + 2);
            let words = if length <= 40 { format!("`{}`", &line[..length]) } else { "a string".to_owned() };
            return Self { words, word: None, range: at..at + length, is_end: false };
        }
        let words = match first {
            '}' => END_OF_BLOCK.to_owned(),
            '#' => "a comment".to_owned(),
            '\u{a0}' => "a no-break space".to_owned(),
            _ if is_space_of_others(first) => format!("the character U+{:04X}", u32::from(first)),
            _ if first.is_control() => format!("`{}`", first.escape_default()),
            _ => format!("`{first}`"),
        };
        Self { words, word: None, range: at..at + first.len_utf8(), is_end: false }
    }
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_-.%@/".contains(letter)
}

impl Found<'_> {
    /// Where it begins.
    fn place(&self) -> usize {
        if self.is_end { self.range.end } else { self.range.start }
    }

    fn label(&self, expected: &Expectation) -> &'static str {
        // A text that says nothing has no word before its end.
        if self.is_end {
            "something is missing after this"
        } else if self.words == END_OF_BLOCK && !expected.goes_on() {
            "something is missing before this"
        } else {
            "this does not fit here"
        }
    }

    /// The end of the line or of the text, at the last word before it, where a statement that begins at
    /// `start` is not finished there: the fault is there, and not in what comes next.
    fn behind_what_is_unfinished(&self, text: &str, start: usize, expected: &Expectation) -> Option<Self> {
        let begins =
            self.word.is_some_and(|word| expected.kind.words().contains(&word)) || self.words == END_OF_BLOCK;
        if !self.is_end && (expected.goes_on() || !begins) {
            return None;
        }
        let end = end_of_words(text, start, self.range.start)?;
        if !self.is_end && !text.get(end..self.range.start)?.contains('\n') {
            return None;
        }
        let before = &text[start..end];
        let last = before.trim_end_matches(is_of_a_word).len();
        let last = if last < before.len() { last } else { before.char_indices().next_back()?.0 };
        let words = if self.is_end { self.words.clone() } else { "the end of the line".to_owned() };
        Some(Self { words, word: None, range: start + last..end, is_end: true })
    }
}

/// Where the last word of `text` before `at` ends, from `start` on; `None` where there is none. Comments
/// have no words.
fn end_of_words(text: &str, start: usize, at: usize) -> Option<usize> {
    let mut before = text.get(start..at)?.trim_end_matches(is_white_space);
    while !before.is_empty() {
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let Some(comment) = comment_of(&before[line..]) else { return Some(start + before.len()) };
        before = before[..line + comment].trim_end_matches(is_white_space);
    }
    None
}

/// The bytes of the longest line of which a comment is looked for.
const LONGEST_LINE: usize = 2_000;

/// Where the comment of a line begins.
fn comment_of(line: &str) -> Option<usize> {
    // Such lines were written by programs, and looking at each for every mistake in it takes too long.
    if line.len() > LONGEST_LINE {
        return None;
    }
    let blank = line.len() - line.trim_start_matches(is_white_space).len();
    if line[blank..].starts_with('#') {
        return Some(blank);
    }
    // What stands before that ends a text of several lines.
    let quotes = line.rfind("\"\"\"").map_or(0, |at| at + 3);
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, letter) in line.char_indices().skip_while(|(at, _)| *at < quotes) {
        match letter {
            '#' if !in_string => return Some(at),
            '"' if !is_escaped => in_string = !in_string,
            _ => {}
        }
        is_escaped = in_string && letter == '\\' && !is_escaped;
    }
    None
}

/// Whether a character looks like white space, or like nothing, and is none of the language.
fn is_space_of_others(letter: char) -> bool {
    is_invisible(letter) || (letter.is_whitespace() && !is_white_space(letter))
}

/// At most 40 letters of `word`.
fn shortened(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &word[..at]),
        None => word.to_owned(),
    }
}
