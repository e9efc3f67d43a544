//! What an instruction is told: a JSON list, words, `name=value`, or one text.

use super::Unreadable;

/// The operands of an instruction, not yet read as words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operands {
    /// A list in JSON.
    List(Vec<String>),
    /// What spaces separate.
    Separate(Vec<String>),
    /// Names and values.
    Pairs(Vec<(String, String)>),
    /// All that stands there.
    Text(String),
}

impl Operands {
    /// Takes the operands of an instruction apart.
    pub fn of(keyword: &str, text: &str) -> Result<Self, Unreadable> {
        match keyword {
            "RUN" | "CMD" | "ENTRYPOINT" | "SHELL" => {
                Ok(list(text)?.map_or_else(|| Self::Text(text.to_owned()), Self::List))
            }
            "COPY" | "ADD" | "VOLUME" => {
                Ok(list(text)?.map_or_else(|| Self::Separate(separate(text)), Self::List))
            }
            "FROM" | "EXPOSE" => Ok(Self::Separate(separate(text))),
            "ENV" | "LABEL" => pairs(text).map(Self::Pairs),
            "ARG" => Ok(Self::Separate(quoted_words(text))),
            "USER" | "WORKDIR" | "STOPSIGNAL" | "HEALTHCHECK" => Ok(Self::Text(text.to_owned())),
            other => Unreadable::new(format!("the instruction `{other}`")),
        }
    }
}

/// A list in JSON; `None` for what is something else. A list of anything but strings is an error.
pub fn list(text: &str) -> Result<Option<Vec<String>>, Unreadable> {
    if !text.starts_with('[') {
        return Ok(None);
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(text) else { return Ok(None) };
    let texts: Option<Vec<String>> = values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
    match texts {
        Some(texts) => Ok(Some(texts)),
        None => Unreadable::new(format!("a list of other things than strings: {text}")),
    }
}

/// What spaces separate; neither quotes nor escapes keep it together, and only these are spaces.
pub fn separate(text: &str) -> Vec<String> {
    let is_space = |it: char| matches!(it, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ');
    let mut words: Vec<String> = Vec::new();
    let mut in_space = false;
    for letter in text.chars() {
        match (is_space(letter), words.last_mut()) {
            (true, _) => in_space = true,
            (false, Some(word)) if !in_space => word.push(letter),
            (false, _) => {
                in_space = false;
                words.push(letter.to_string());
            }
        }
    }
    words
}

/// What spaces outside of quotes separate, quotes and escapes left in.
fn quoted_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, letter) if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            // At the very end it says nothing.
            (None | Some('"'), '\\') if letters.peek().is_none() => continue,
            (None | Some('"'), '\\') => {
                word.push('\\');
                word.extend(letters.next());
                continue;
            }
            (_, _) => {}
        }
        word.push(letter);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `name=value …`; the first `=` of a word ends its name, quoted or not.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Unreadable> {
    let words = quoted_words(text);
    if words.is_empty() {
        return Unreadable::new("no name and value");
    }
    let mut pairs = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => pairs.push((name.to_owned(), value.to_owned())),
            // The old form, `NAME value`, which nobody should write, is not read.
            Some(_) | None => return Unreadable::new(format!("no `name=value` in `{text}`")),
        }
    }
    Ok(pairs)
}
