//! From the letters of a script to words and operators.

use super::Extent;

/// A word of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it stands for, quotes and backslashes read. What a shell would replace stands as written.
    pub text: String,
    /// Whether nothing in it is replaced by a shell.
    pub is_literal: bool,
    /// Where it stands.
    pub extent: Extent,
}

/// A piece of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    /// The target of a redirection, which is no word of the command.
    Target,
    /// What ends a command.
    Joint(Joint),
}

/// What stands behind a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// `|`, `|&`: the next command reads what this one writes.
    Pipe,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`, or a line's end.
    Next,
    /// `&`
    Background,
    /// `(`
    Open,
    /// `)`
    Close,
}

/// Reads a whole script.
pub(super) fn tokens(script: &str) -> Vec<Token> {
    let mut reader = Reader { script, at: 0, tokens: Vec::new(), documents: Vec::new() };
    while reader.step() {}
    reader.tokens
}

struct Reader<'s> {
    script: &'s str,
    at: usize,
    tokens: Vec<Token>,
    /// The ends of documents that begin with the next line, and whether tabs before them do not count.
    documents: Vec<(String, bool)>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.script[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Passes over `text` if it comes next.
    fn take(&mut self, text: &str) -> bool {
        let comes = self.rest().starts_with(text);
        if comes {
            self.at += text.len();
        }
        comes
    }

    /// Reads one token; `false` at the end.
    fn step(&mut self) -> bool {
        let Some(letter) = self.next() else { return false };
        match letter {
            ' ' | '\t' | '\r' => self.at += 1,
            '\\' if self.rest().starts_with("\\\n") => self.at += 2,
            '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
            '\n' => {
                self.at += 1;
                self.tokens.push(Token::Joint(Joint::Next));
                self.pass_documents();
            }
            '&' if self.take("&>>") || self.take("&>") => self.target(),
            '|' if self.take("||") => self.tokens.push(Token::Joint(Joint::Or)),
            '&' if self.take("&&") => self.tokens.push(Token::Joint(Joint::And)),
            '|' => {
                self.at += if self.rest().starts_with("|&") { 2 } else { 1 };
                self.tokens.push(Token::Joint(Joint::Pipe));
            }
            ';' | '&' | '(' | ')' => {
                self.at += 1;
                self.tokens.push(Token::Joint(match letter {
                    '&' => Joint::Background,
                    '(' => Joint::Open,
                    ')' => Joint::Close,
                    _ => Joint::Next,
                }));
            }
            '<' | '>' => self.redirection(),
            _ => {
                let word = self.word();
                // `2>file`: the number says which stream.
                let is_a_stream = matches!(self.next(), Some('<' | '>'))
                    && word.is_literal
                    && word.text.bytes().all(|byte| byte.is_ascii_digit())
                    && !word.text.is_empty();
                if !is_a_stream {
                    self.tokens.push(Token::Word(word));
                }
            }
        }
        true
    }

    fn redirection(&mut self) {
        if self.take("<<<") {
            return self.target();
        }
        if self.take("<<") {
            let without_tabs = self.take("-");
            self.pass_blanks();
            let end = self.word();
            self.documents.push((end.text, without_tabs));
            self.tokens.push(Token::Target);
            return;
        }
        if self.rest().starts_with("<(") || self.rest().starts_with(">(") {
            let start = self.at;
            self.at += 2;
            self.pass_until(')');
            let text = self.script[start..self.at].to_owned();
            self.tokens.push(Token::Word(Word { text, is_literal: false, extent: start..self.at }));
            return;
        }
        let _ = [">>", ">|", ">&", "<&", "<>", ">", "<"].iter().any(|sign| self.take(sign));
        self.target();
    }

    fn target(&mut self) {
        self.pass_blanks();
        if self.next().is_some_and(|letter| !"\n;|&()<>".contains(letter)) {
            self.word();
        }
        self.tokens.push(Token::Target);
    }

    fn pass_blanks(&mut self) {
        while self.take(" ") || self.take("\t") || self.take("\\\n") {}
    }

    /// Passes over the documents that were asked for on the line before.
    fn pass_documents(&mut self) {
        for (end, without_tabs) in std::mem::take(&mut self.documents) {
            loop {
                let length = self.rest().find('\n').map_or(self.rest().len(), |length| length + 1);
                if length == 0 {
                    break;
                }
                let line = self.rest()[..length].trim_end_matches('\n');
                let line = if without_tabs { line.trim_start_matches('\t') } else { line };
                let is_end = line == end;
                self.at += length;
                if is_end {
                    break;
                }
            }
        }
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let mut text = String::new();
        let mut is_literal = true;
        while let Some(letter) = self.next() {
            match letter {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' | '(' | ')' | '<' | '>' => break,
                '\\' => {
                    self.at += 1;
                    match self.next() {
                        Some('\n') => self.at += 1,
                        Some(escaped) => self.push(escaped, &mut text),
                        None => {}
                    }
                }
                '\'' => {
                    self.at += 1;
                    let length = self.rest().find('\'').unwrap_or(self.rest().len());
                    text.push_str(&self.rest()[..length]);
                    self.at = (self.at + length + 1).min(self.script.len());
                }
                '"' => {
                    self.at += 1;
                    is_literal &= self.double_quoted(&mut text);
                }
                '$' | '`' => is_literal &= self.replaced(&mut text),
                '*' | '?' | '[' | '{' | '~' => {
                    is_literal &= letter == '[' && text.is_empty();
                    self.push(letter, &mut text);
                }
                other => self.push(other, &mut text),
            }
        }
        // A letter that ends a word where one must begin is passed over, so that reading goes on.
        if self.at == start {
            self.at += self.next().map_or(0, char::len_utf8);
        }
        Word { text, is_literal, extent: start..self.at }
    }

    fn push(&mut self, letter: char, text: &mut String) {
        text.push(letter);
        self.at += letter.len_utf8();
    }

    /// Reads up to the closing `"`; `false` where something in it is replaced.
    fn double_quoted(&mut self, text: &mut String) -> bool {
        let mut is_literal = true;
        while let Some(letter) = self.next() {
            match letter {
                '"' => {
                    self.at += 1;
                    return is_literal;
                }
                '\\' => {
                    self.at += 1;
                    match self.next() {
                        Some('\n') => self.at += 1,
                        Some(escaped @ ('$' | '`' | '"' | '\\')) => self.push(escaped, text),
                        Some(_) | None => text.push('\\'),
                    }
                }
                '$' | '`' => is_literal &= self.replaced(text),
                other => self.push(other, text),
            }
        }
        is_literal
    }

    /// Reads what stands for something else, as it is written; `true` for a `$` that is itself.
    fn replaced(&mut self, text: &mut String) -> bool {
        let start = self.at;
        self.at += 1;
        let is_itself = if self.script[start..].starts_with('`') {
            self.pass_until('`');
            false
        } else {
            match self.next() {
                Some('(') => {
                    self.at += 1;
                    self.pass_until(')');
                    false
                }
                Some('{') => {
                    self.at += 1;
                    self.pass_until('}');
                    false
                }
                Some(letter) if letter.is_ascii_alphanumeric() || "_@*#?$!-".contains(letter) => {
                    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                    let length = self.rest().find(|letter| !is_name(letter)).unwrap_or(self.rest().len());
                    self.at += length.max(1);
                    false
                }
                Some(_) | None => true,
            }
        };
        text.push_str(&self.script[start..self.at]);
        is_itself
    }

    /// Passes over all up to `end`, with quotes and brackets in it.
    fn pass_until(&mut self, end: char) {
        let mut open = vec![end];
        while let Some(letter) = self.next() {
            self.at += letter.len_utf8();
            match letter {
                '\\' => self.at += self.next().map_or(0, char::len_utf8),
                _ if open.last() == Some(&letter) => {
                    open.pop();
                    if open.is_empty() {
                        return;
                    }
                }
                '\'' | '"' | '`' if open.last() != Some(&'\'') => open.push(letter),
                '(' if !matches!(open.last(), Some('\'' | '"')) => open.push(')'),
                '{' if !matches!(open.last(), Some('\'' | '"')) => open.push('}'),
                _ => {}
            }
        }
    }
}
