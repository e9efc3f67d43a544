//! From text to a tree with places (RFC 8259). The structure is read here, for the sake of the
//! places; what a single text or number may look like is left to `serde_json`.

use super::finding::JsonFinding;
use super::tree::{Member, Node, Value};
use crate::plan::Span;

/// How deep values may nest. Reading recurses, and a plan needs about ten levels.
const DEEPEST: usize = 64;

/// The largest document that is read, the same as for the text form.
pub(super) const LARGEST: usize = 64 << 20;

/// Reads one document, up to the end of `text`.
pub(super) fn parse(text: &str) -> Result<Node, JsonFinding> {
    if text.len() > LARGEST {
        return Err(JsonFinding::Size { bytes: text.len(), most: LARGEST });
    }
    // Some editors put a byte order mark before a document.
    let mut parser = Parser { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 } };
    let node = parser.node(0)?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected("the end of the document")),
    }
}

struct Parser<'t> {
    text: &'t str,
    /// Always at the start of a character: it moves over ASCII bytes, or to an ASCII byte.
    at: usize,
}

impl Parser<'_> {
    fn node(&mut self, depth: usize) -> Result<Node, JsonFinding> {
        self.skip_space();
        let start = self.at;
        if depth > DEEPEST {
            return Err(JsonFinding::Depth { most: DEEPEST, span: self.this_character() });
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't' | b'f' | b'n') => self.word()?,
            Some(_) | None => return Err(self.unexpected("a value")),
        };
        Ok(Node { value, span: Span::new(start, self.at) })
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonFinding> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            self.skip_space();
            if !self.take(b':') {
                return Err(self.unexpected("`:` after the key"));
            }
            let node = self.node(depth + 1)?;
            members.push(Member { key, key_span, node });
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, JsonFinding> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.node(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonFinding> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start + 1..];
        let mut length = 0;
        loop {
            match rest.get(length) {
                Some(b'"') => break,
                Some(b'\\') => length += 2,
                Some(_) => length += 1,
                None => {
                    let span = Span::new(start, start + 1);
                    return Err(JsonFinding::Syntax { reason: "a text is not closed".to_owned(), span });
                }
            }
        }
        self.at = start + 1 + length + 1;
        serde_json::from_str(&self.text[start..self.at]).map_err(|_| JsonFinding::Syntax {
            reason: "a text holds an escape that JSON does not have, or a control character as such"
                .to_owned(),
            span: Span::new(start, self.at),
        })
    }

    fn number(&mut self) -> Result<Value, JsonFinding> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        match serde_json::from_str::<serde_json::Number>(&self.text[start..self.at]) {
            Ok(number) => Ok(number.as_u64().map_or(Value::OtherNumber, Value::Whole)),
            Err(_) => Err(JsonFinding::Syntax {
                reason: format!("`{}` is not a number", &self.text[start..self.at]),
                span: Span::new(start, self.at),
            }),
        }
    }

    fn word(&mut self) -> Result<Value, JsonFinding> {
        for (word, value) in
            [("true", Value::Flag(true)), ("false", Value::Flag(false)), ("null", Value::Null)]
        {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn unexpected(&self, wanted: &str) -> JsonFinding {
        let reason = match self.text[self.at..].chars().next() {
            Some(found) => format!("`{}` stands where {wanted} belongs", found.escape_default()),
            None => format!("it ends where {wanted} belongs"),
        };
        JsonFinding::Syntax { reason, span: self.this_character() }
    }

    fn this_character(&self) -> Span {
        let length = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        Span::new(self.at, self.at + length)
    }
}
