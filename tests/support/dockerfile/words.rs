//! Words: quotes, escapes and variables.
//!
//! Between single quotes everything stands for itself. Between double quotes `\` escapes `"`, `$`
//! and itself, and stands for itself before anything else. Outside of quotes it escapes anything.

use super::Unreadable;
use super::rules::Rules;

/// What of a word's own marks is left in what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Quotes stay.
    pub quotes: bool,
    /// Escapes stay.
    pub escapes: bool,
    /// Variables that nobody sets stay as they are written.
    pub unset: bool,
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// As one word, spaces included.
    pub whole: String,
    /// As words that spaces separate.
    pub separate: Vec<String>,
}

/// What a variable is.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// Reads a text as words.
pub fn read(text: &str, rules: &Rules, kept: Kept, variables: Variables<'_>) -> Result<Words, Unreadable> {
    let mut reader = Reader { rest: text.chars().collect(), at: 0, rules, kept, variables };
    reader.until(None)
}

/// Reads a text as one word.
pub fn word(text: &str, rules: &Rules, variables: Variables<'_>) -> Result<String, Unreadable> {
    read(text, rules, Kept::default(), variables)
        .map(|words| words.whole)
        .map_err(|Unreadable(why)| Unreadable(format!("`{text}`: {why}")))
}

struct Reader<'r> {
    rest: Vec<char>,
    at: usize,
    rules: &'r Rules,
    kept: Kept,
    variables: Variables<'r>,
}

/// Words while they grow.
#[derive(Default)]
struct Growing {
    read: Words,
    current: String,
    in_word: bool,
}

impl Growing {
    /// What stands for itself, also where it is a space.
    fn push(&mut self, text: &str) {
        self.read.whole.push_str(text);
        self.current.push_str(text);
        self.in_word = true;
    }

    /// What ends a word where it is a space.
    fn push_unquoted(&mut self, text: &str) {
        for letter in text.chars() {
            self.read.whole.push(letter);
            if !letter.is_whitespace() {
                self.current.push(letter);
                self.in_word = true;
            } else if self.in_word && !self.current.is_empty() {
                self.read.separate.push(std::mem::take(&mut self.current));
                self.in_word = false;
            }
        }
    }

    fn finish(mut self) -> Words {
        if !self.current.is_empty() {
            self.read.separate.push(self.current);
        }
        self.read
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn until(&mut self, stop: Option<char>) -> Result<Words, Unreadable> {
        let mut words = Growing::default();
        while let Some(letter) = self.next() {
            match letter {
                letter if Some(letter) == stop => return Ok(words.finish()),
                '\'' => words.push(&self.single_quotes()?),
                '"' => words.push(&self.double_quotes()?),
                '$' => words.push_unquoted(&self.variable()?),
                '\\' => {
                    if self.kept.escapes {
                        words.push("\\");
                    }
                    // At the end it says nothing.
                    if let Some(escaped) = self.next() {
                        words.push(&escaped.to_string());
                    }
                }
                letter => words.push_unquoted(&letter.to_string()),
            }
        }
        match stop {
            None => Ok(words.finish()),
            Some(stop) => Unreadable::new(format!("it ends before a `{stop}`")),
        }
    }

    fn quote(&self, quote: char) -> String {
        if self.kept.quotes { quote.to_string() } else { String::new() }
    }

    fn single_quotes(&mut self) -> Result<String, Unreadable> {
        let mut text = self.quote('\'');
        loop {
            match self.next() {
                None => return Unreadable::new("a single quote is not closed"),
                Some('\'') => return Ok(text + &self.quote('\'')),
                Some(letter) => text.push(letter),
            }
        }
    }

    fn double_quotes(&mut self) -> Result<String, Unreadable> {
        let mut text = self.quote('"');
        loop {
            match self.next() {
                None => return Unreadable::new("a double quote is not closed"),
                Some('"') => return Ok(text + &self.quote('"')),
                Some('$') => text.push_str(&self.variable()?),
                Some('\\') => {
                    if self.kept.escapes {
                        text.push('\\');
                    }
                    match self.peek() {
                        None => {}
                        Some(escaped @ ('"' | '$' | '\\')) => {
                            self.at += 1;
                            text.push(escaped);
                        }
                        Some(_) => text.push('\\'),
                    }
                }
                Some(letter) => text.push(letter),
            }
        }
    }

    /// What stands after a `$`.
    fn variable(&mut self) -> Result<String, Unreadable> {
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(self.value(&name).unwrap_or_else(|| self.unset(&format!("${name}"))));
        }
        self.at += 1;
        if matches!(self.peek(), None | Some('{' | '}' | ':')) {
            return Unreadable::new("a `${` without a name");
        }
        let name = self.name();
        let bare = self.rules.bare_modifiers;
        let (modifier, empty_is_unset) = match self.next() {
            Some('}') => {
                return Ok(self.value(&name).unwrap_or_else(|| self.unset(&format!("${{{name}}}"))));
            }
            Some(':') => (self.next(), true),
            Some(modifier @ ('+' | '-' | '?')) if bare => (Some(modifier), false),
            other => return Unreadable::new(format!("`${{{name}` goes on with {other:?}")),
        };
        let word = self.until(Some('}'))?.whole;
        let value = self.value(&name).filter(|value| !empty_is_unset || !value.is_empty());
        match (modifier, value) {
            (Some('+'), value) => Ok(value.map_or_else(String::new, |_| word)),
            (Some('-' | '?'), Some(value)) => Ok(value),
            (Some('-'), None) => Ok(word),
            (Some('?'), None) => Unreadable::new(format!("{name}: {word}")),
            (other, _) => Unreadable::new(format!("`${{{name}:` goes on with {other:?}")),
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        (self.variables)(name)
    }

    fn unset(&self, written: &str) -> String {
        if self.kept.unset { written.to_owned() } else { String::new() }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        match self.peek() {
            Some(first) if first.is_numeric() => {
                while let Some(digit) = self.peek().filter(|it| it.is_numeric()) {
                    self.at += 1;
                    name.push(digit);
                    if !self.rules.long_positions {
                        break;
                    }
                }
                return name;
            }
            Some(special) if self.rules.special_variables && "@*#?-$!".contains(special) => {
                self.at += 1;
                return special.to_string();
            }
            Some(_) | None => {}
        }
        while let Some(letter) = self.peek().filter(|it| it.is_alphanumeric() || *it == '_') {
            self.at += 1;
            name.push(letter);
        }
        name
    }
}
