//! The first look at a text: finds comments, checks that strings and braces are closed, and cuts
//! the text into declarations. It knows a handful of words and no grammar.
//!
//! One pass over the bytes, so that no text, however broken, costs more than its length. What
//! follows may recurse on blocks, because their depth is checked here.

use std::ops::Range;

use super::findings::SyntaxFinding;
use super::report::Report;
use super::words;
use crate::plan::Span;
use crate::suggest::nearest;

/// The largest text that is read, in bytes. Plans are written by people and front ends; the
/// largest generated one is a few megabytes.
pub(super) const LARGEST: usize = 64 << 20;

/// The deepest nesting of blocks. The language needs three.
pub(super) const DEEPEST: usize = 16;

/// The words that begin a declaration.
pub(super) const DECLARATIONS: [&str; 9] =
    ["cpk", "platform", "image", "context", "secret", "cache", "phase", "stage", "export"];

/// Words outside blocks after which a name stands, which may look like any word.
const BEFORE_A_NAME: [&str; 8] = ["from", "in", "after", "label", "env", "secret", "cache", "phase"];

/// What the first look found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The declarations, in order. Text that belongs to none is a piece of its own.
    pub(super) pieces: Vec<Range<usize>>,
    /// The comments, in order.
    pub(super) comments: Vec<ScannedComment>,
    /// What is wrong, in order.
    pub(super) findings: Report,
    /// Where something is wrong, in order: what else goes wrong there is a consequence.
    pub(super) faults: Vec<Range<usize>>,
}

/// A comment, from `#` to the end of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScannedComment {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// Whether nothing stands before it on its line.
    pub(super) owns_line: bool,
}

/// Looks at `text`; `Err` where it is too large or too deep to go on.
pub(super) fn scan(text: &str) -> Result<Scan, SyntaxFinding> {
    if text.len() > LARGEST {
        return Err(SyntaxFinding::TooLarge { megabytes: text.len() >> 20 });
    }
    let mut scanner = Scanner::new(text, Closing::Trusted);
    scanner.run()?;
    if !scanner.open.is_empty() {
        scanner = Scanner::new(text, Closing::Guessed);
        scanner.run()?;
    }
    scanner.finish();
    Ok(scanner.scan)
}

/// What is believed about braces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// Every block is closed, so a word that looks like a declaration inside one is none.
    Trusted,
    /// Some block is not closed: a declaration's word at the start of a line, without indentation,
    /// ends all blocks that are open.
    Guessed,
}

struct Scanner<'t> {
    text: &'t str,
    closing: Closing,
    at: usize,
    line_start: usize,
    /// Where the blocks that are open were opened.
    open: Vec<usize>,
    /// How many `}` stand in strings that are not closed, of which nothing is said but that.
    swallowed: usize,
    /// Where the piece at hand begins.
    piece: Option<usize>,
    name_follows: bool,
    /// Set once a `"""` was never closed, so that none of the others is looked for again.
    no_closing_quotes: bool,
    scan: Scan,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str, closing: Closing) -> Self {
        Self {
            text,
            closing,
            // Some editors put a byte order mark before the text.
            at: if text.starts_with('\u{feff}') { 3 } else { 0 },
            line_start: 0,
            open: Vec::new(),
            swallowed: 0,
            piece: None,
            name_follows: false,
            no_closing_quotes: false,
            scan: Scan::default(),
        }
    }

    fn run(&mut self) -> Result<(), SyntaxFinding> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line_start = self.at;
                }
                b' ' | b'\t'..=b'\r' => self.at += 1,
                b'#' => self.comment(),
                b'"' => {
                    self.begin_piece();
                    self.string();
                }
                b'{' => {
                    self.begin_piece();
                    self.open.push(self.at);
                    if self.open.len() > DEEPEST {
                        return Err(SyntaxFinding::TooDeep { at: Span::new(self.at, self.at + 1).into() });
                    }
                    self.at += 1;
                }
                b'}' => self.close(),
                _ if is_word(byte) => self.word(),
                _ => {
                    self.begin_piece();
                    self.name_follows = byte == b',';
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) {
        let end = self.text.len();
        self.report_open_blocks(end);
        self.end_piece(end);
        self.scan.faults.sort_by_key(|fault| fault.start);
    }

    fn begin_piece(&mut self) {
        self.piece.get_or_insert(self.at);
    }

    fn end_piece(&mut self, end: usize) {
        if let Some(start) = self.piece.take() {
            self.scan.pieces.push(start..end);
        }
        self.name_follows = false;
    }

    fn comment(&mut self) {
        let end = find(self.text.as_bytes(), self.at, |byte| byte == b'\n');
        let before = &self.text[self.line_start..self.at];
        let owns_line = before.trim_start_matches('\u{feff}').trim().is_empty();
        self.scan.comments.push(ScannedComment { range: self.at..end, owns_line });
        self.at = end;
    }

    fn string(&mut self) {
        let start = self.at;
        let is_block = self.text[start..].starts_with("\"\"\"");
        let end = match is_block {
            true if self.no_closing_quotes => None,
            true => end_of_text_block(self.text.as_bytes(), start + 3),
            false => end_of_quoted(self.text.as_bytes(), start + 1),
        };
        self.name_follows = false;
        if let Some(end) = end {
            if is_block && let Some(newline) = self.text[start..end].rfind('\n') {
                self.line_start = start + newline + 1;
            }
            self.at = end;
            return;
        }
        self.at = find(self.text.as_bytes(), start, |byte| byte == b'\n');
        self.scan.faults.push(start..self.at);
        if is_block && !self.no_closing_quotes {
            self.no_closing_quotes = true;
            self.scan
                .findings
                .push(SyntaxFinding::UnclosedTextBlock { at: Span::new(start, start + 3).into() });
        } else if !is_block {
            let written = self.text[start..self.at].trim_end();
            self.swallowed += written.matches('}').count();
            self.scan
                .findings
                .push(SyntaxFinding::UnclosedString { at: Span::new(start, start + written.len()).into() });
        }
    }

    fn close(&mut self) {
        if self.open.pop().is_some() {
            self.at += 1;
            if self.open.is_empty() {
                // No declaration goes on behind its block.
                self.end_piece(self.at);
            }
            return;
        }
        self.end_piece(self.at);
        let range = self.at..self.at + 1;
        self.scan.findings.push(SyntaxFinding::Unopened { at: Span::new(range.start, range.end).into() });
        self.scan.faults.push(range);
        self.at += 1;
    }

    fn word(&mut self) {
        let start = self.at;
        self.at = find(self.text.as_bytes(), start, |byte| !is_word(byte));
        let word = &self.text[start..self.at];
        if self.closing == Closing::Guessed
            && start == self.line_start
            && !self.open.is_empty()
            && DECLARATIONS.contains(&word)
        {
            self.report_open_blocks(start);
        }
        if !self.open.is_empty() {
            return;
        }
        if self.name_follows {
            // `from phase NAME` is the one place where two words announce a name.
            self.name_follows = word == "phase" && self.follows_from(start);
            return;
        }
        if DECLARATIONS.contains(&word) || self.is_a_slip(word, start) {
            self.end_piece(start);
            self.piece = Some(start);
        }
        self.piece.get_or_insert(start);
        self.name_follows = BEFORE_A_NAME.contains(&word);
    }

    /// Whether a word is a misspelt start of a declaration. It would otherwise be taken for the
    /// end of the declaration before it, which would then be said to be wrong.
    fn is_a_slip(&self, word: &str, start: usize) -> bool {
        start == self.line_start
            && word.bytes().all(|byte| byte.is_ascii_lowercase())
            && !words::is_of_the_language(word)
            && nearest(word, DECLARATIONS).is_some()
    }

    /// Whether the word before `start` is `from`.
    fn follows_from(&self, start: usize) -> bool {
        let piece = self.piece.unwrap_or(0);
        self.text[piece..start].trim_end().ends_with("from")
    }

    fn report_open_blocks(&mut self, end: usize) {
        // What was opened last would have been closed first.
        let unclosed = self.open.len().saturating_sub(std::mem::take(&mut self.swallowed));
        for start in std::mem::take(&mut self.open).into_iter().take(unclosed) {
            self.scan.findings.push(SyntaxFinding::UnclosedBlock {
                opened: Span::new(start, start + 1).into(),
                missing: Span::new(end, end).into(),
            });
        }
    }
}

/// Whether the grammar takes a character for white space.
pub(super) fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

/// Whether a byte belongs to a word, generously: everything that is not white space, not a quote
/// and not one of the language's own signs.
fn is_word(byte: u8) -> bool {
    // Asked of nearly every byte of a text, and a pattern becomes one look at a table.
    matches!(
        byte,
        b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'_' | b'-' | b'.' | b'%' | b'@' | b':' | b'/' | b'+' | b'$'
            | 0x80..
    )
}

/// The first place from `start` on where `found` holds, or the end.
fn find(bytes: &[u8], start: usize, found: impl Fn(u8) -> bool) -> usize {
    bytes[start..].iter().position(|byte| found(*byte)).map_or(bytes.len(), |length| start + length)
}

/// One past the `"` that ends a string whose content begins at `at`.
fn end_of_quoted(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\n' => return None,
            b'\\' => at += if bytes.get(at + 1) == Some(&b'\n') { 1 } else { 2 },
            _ => at += 1,
        }
    }
}

/// One past the `"""` that ends a text whose content begins at `at`.
fn end_of_text_block(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' if bytes[at..].starts_with(b"\"\"\"") => return Some(at + 3),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        let scan = scan(text).expect("neither too large nor too deep");
        scan.pieces.into_iter().map(|range| text[range].trim()).collect()
    }

    #[test]
    fn declarations_are_cut_where_their_word_is_no_name() {
        assert_eq!(pieces("cpk 1 stage %a stage %b"), ["cpk 1", "stage %a", "stage %b"]);
        assert_eq!(
            pieces("secret cache cache stage phase a after image, stage export from phase cache { cache }"),
            [
                "secret cache",
                "cache stage",
                "phase a after image, stage",
                "export from phase cache { cache }"
            ]
        );
        assert_eq!(
            pieces("stage %a\n in phase\n from\n image @x {\nimage\n}\nimage @x = \"x\" label stage = \"y\""),
            ["stage %a\n in phase\n from\n image @x {\nimage\n}", "image @x = \"x\" label stage = \"y\""]
        );
    }

    #[test]
    fn strings_and_comments_hide_what_is_in_them() {
        assert_eq!(pieces("stage %a { run \"}\\\"}\" # }\n}"), ["stage %a { run \"}\\\"}\" # }\n}"]);
        let scan = scan("# one\ncache a # two\n\"\"\"\n# none\n\"\"\" # three").expect("short");
        assert_eq!(
            scan.comments.iter().map(|comment| comment.owns_line).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert_eq!(scan.findings.len(), 0);
    }

    #[test]
    fn an_open_block_ends_at_the_next_declaration() {
        let text = "stage %a {\n  run \"x\" {\nstage %b {\n}\n";
        assert_eq!(pieces(text), ["stage %a {\n  run \"x\" {", "stage %b {\n}"]);
        assert_eq!(scan(text).expect("short").findings.len(), 2);
    }

    #[test]
    fn a_brace_that_an_open_string_hides_is_not_missing() {
        let findings = |text: &str| scan(text).expect("short").findings.len();
        assert_eq!(findings("stage %a from scratch { run \"echo hi }\nexport from %a\n"), 1);
        // The outer block has none.
        assert_eq!(findings("stage %a from scratch { layer x { run \"echo hi }\nexport from %a\n"), 2);
        assert_eq!(findings("stage %a from scratch { run \"echo hi\nexport from %a\n"), 2);
    }
}
