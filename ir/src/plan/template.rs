//! Text in which `${NAME}` stands for a variable.
//!
//! `$${` is a literal `${`. Nothing else is special: a lone `$` is itself, so a path or a
//! password with a dollar sign needs no care. The rule is narrower than a shell's on purpose:
//! defaults and substring operators would make the meaning of a plan depend on a shell's.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::names::EnvName;

/// Text with variables, kept as it was written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template(Arc<str>);

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// The value of a variable.
    Variable(&'a str),
}

impl Template {
    /// A template as it was written, `${NAME}` and `$${` included.
    ///
    /// Any text is a template: a `${` that is never closed, or that holds no variable's name,
    /// is itself. The verifier reports such a one, because it is nearly always a slip.
    pub fn written(text: &str) -> Self {
        Self(text.into())
    }

    /// A template that stands for exactly `text`.
    pub fn literal(text: &str) -> Self {
        Self(text.replace("${", "$${").into())
    }

    /// The text as it was written.
    pub fn as_written(&self) -> &str {
        &self.0
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut rest: &str = &self.0;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                // `$${`: keep everything before the escape, then a literal `${`.
                if at > 1 {
                    pieces.push(Piece::Text(&rest[..at - 1]));
                }
                pieces.push(Piece::Text(&rest[at..at + 2]));
                rest = &rest[at + 2..];
                continue;
            }
            let name = rest[at + 2..].find('}').map(|length| &rest[at + 2..at + 2 + length]);
            match name {
                Some(name) if EnvName::new(name).is_ok() => {
                    if at > 0 {
                        pieces.push(Piece::Text(&rest[..at]));
                    }
                    pieces.push(Piece::Variable(name));
                    rest = &rest[at + 3 + name.len()..];
                }
                Some(_) | None => {
                    pieces.push(Piece::Text(&rest[..at + 2]));
                    rest = &rest[at + 2..];
                }
            }
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest));
        }
        pieces
    }

    /// The first `${` that is no variable: never closed, or with no variable's name in it. Up to
    /// its `}`, or up to the first white space where there is none.
    pub fn slip(&self) -> Option<&str> {
        if self.is_plain() {
            return None;
        }
        let mut rest: &str = &self.0;
        while let Some(at) = rest.find("${") {
            let after = &rest[at + 2..];
            if rest[..at].ends_with('$') {
                rest = after;
                continue;
            }
            let length = after.find('}').filter(|length| EnvName::new(&after[..*length]).is_ok());
            let Some(length) = length else {
                let end = after.find('}').map(|end| end + 1).or_else(|| after.find(char::is_whitespace));
                return Some(&rest[at..end.map_or(rest.len(), |end| at + 2 + end)]);
            };
            rest = &after[length + 1..];
        }
        None
    }

    /// Whether nothing in it can be a variable or an escape, as in most. That is asked several
    /// times of each template of a plan, and one byte is found faster than two.
    fn is_plain(&self) -> bool {
        !self.0.contains('$')
    }

    /// The text this stands for where it names no variable; `None` where it does.
    pub fn as_literal(&self) -> Option<Cow<'_, str>> {
        if self.is_plain() {
            return Some(Cow::Borrowed(&self.0));
        }
        let mut text = String::with_capacity(self.0.len());
        for piece in self.pieces() {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Variable(_) => return None,
            }
        }
        Some(Cow::Owned(text))
    }

    /// The same, shared with the template where nothing in it is an escape.
    pub fn to_literal(&self) -> Option<Arc<str>> {
        if self.is_plain() {
            return Some(self.0.clone());
        }
        self.as_literal().map(Arc::from)
    }

    /// The text with every variable replaced by what `value_of` gives; the name of the first
    /// variable that has no value otherwise.
    pub fn expand<'v>(&self, value_of: impl Fn(&str) -> Option<&'v str>) -> Result<Cow<'_, str>, &str> {
        if self.is_plain() {
            return Ok(Cow::Borrowed(&self.0));
        }
        let mut text = String::with_capacity(self.0.len());
        for piece in self.pieces() {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Variable(name) => text.push_str(value_of(name).ok_or(name)?),
            }
        }
        Ok(Cow::Owned(text))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        let values = |name: &str| (name == "A").then_some("1");
        Template::written(text).expand(values).map(Cow::into_owned).map_err(str::to_owned)
    }

    #[test]
    fn variables_are_replaced_and_dollars_kept() {
        assert_eq!(expanded("x${A}y${A}"), Ok("x1y1".to_owned()));
        assert_eq!(expanded("$A $ $$ ${} ${ ${-} $}"), Ok("$A $ $$ ${} ${ ${-} $}".to_owned()));
        assert_eq!(expanded("$${A}${A}"), Ok("${A}1".to_owned()));
        assert_eq!(expanded("a${B}"), Err("B".to_owned()));
    }

    #[test]
    fn a_dollar_brace_that_is_no_variable_is_found() {
        for (text, slip) in [
            ("${A", Some("${A")),
            ("x${}", Some("${}")),
            ("${A}${a b}", Some("${a b}")),
            ("${A}/$${B/$C", None),
            ("", None),
        ] {
            assert_eq!(Template::written(text).slip(), slip, "{text}");
        }
    }

    #[test]
    fn a_literal_stands_for_itself() {
        for text in ["", "plain", "${A}", "$${A}", "$$${", "a$", "${${A}}"] {
            assert_eq!(Template::literal(text).as_literal().as_deref(), Some(text), "{text}");
        }
    }
}
