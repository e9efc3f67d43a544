//! `key=value,key=value`: the form that options of builders have had for long.
//!
//! As in a file of comma-separated values, a field may stand in double quotes, and a quote in it
//! is written twice: `type=local,"dest=a,b"`.

use std::collections::BTreeMap;

use crate::failure::Failure;

/// Attributes by key, with the option they were given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    option: &'static str,
    text: String,
    values: BTreeMap<String, String>,
}

impl Attributes {
    /// Reads what `option` was given. A first field without `=` is the value of `first_key`.
    pub fn parse(option: &'static str, first_key: &str, text: &str) -> Result<Self, Failure> {
        let malformed = |what: String| {
            Failure::new(format!("`{option} {text}`: {what}"))
                .with_hint(format!("write `{option} {first_key}=VALUE,KEY=VALUE`"))
        };
        let fields = fields(text).ok_or_else(|| malformed("a quote is never closed".to_owned()))?;
        let mut values = BTreeMap::new();
        for (place, field) in fields.iter().enumerate() {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.trim().to_lowercase(), value),
                None if place == 0 => (first_key.to_owned(), field.as_str()),
                None => return Err(malformed(format!("`{field}` is not of the form `KEY=VALUE`"))),
            };
            if key.is_empty() {
                return Err(malformed(format!("`{field}` has no key")));
            }
            if values.insert(key.clone(), value.to_owned()).is_some() {
                return Err(malformed(format!("`{key}` is said twice")));
            }
        }
        Ok(Self { option, text: text.to_owned(), values })
    }

    /// Takes a value out.
    pub fn take(&mut self, key: &str) -> Option<String> {
        self.values.remove(key)
    }

    /// Takes a value out that must be there.
    pub fn need(&mut self, key: &str) -> Result<String, Failure> {
        let value = self.take(key).filter(|value| !value.is_empty());
        value.ok_or_else(|| self.failure(&format!("`{key}` is missing"), &format!("add `{key}=…`")))
    }

    /// Takes a switch out: `true`, `false`, or nothing said.
    pub fn switch(&mut self, key: &str) -> Result<Option<bool>, Failure> {
        match self.take(key).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(self
                .failure(&format!("`{key}={other}` is neither true nor false"), "write `true` or `false`")),
        }
    }

    /// What is left, for whoever knows more keys than we do.
    pub fn rest(self) -> BTreeMap<String, String> {
        self.values
    }

    /// Refuses whatever is left: an option that is dropped in silence is worse than none.
    pub fn nothing_more(self, known: &str) -> Result<(), Failure> {
        match self.values.keys().next() {
            None => Ok(()),
            Some(key) => Err(self.failure(&format!("nothing is known of `{key}`"), known)),
        }
    }

    /// A failure about these attributes.
    pub fn failure(&self, what: &str, hint: &str) -> Failure {
        Failure::new(format!("`{} {}`: {what}", self.option, self.text)).with_hint(hint)
    }
}

/// The fields of one line; `None` where a quote is never closed.
fn fields(text: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut()?;
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    (!quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, String)>, String> {
        let attributes = Attributes::parse("--output", "dest", text).map_err(|failure| failure.message)?;
        Ok(attributes.rest().into_iter().collect())
    }

    #[test]
    fn fields_are_split_at_commas_outside_of_quotes() {
        for (text, pairs) in [
            ("out", &[("dest", "out")][..]),
            ("type=local,dest=out", &[("dest", "out"), ("type", "local")]),
            ("type=local,\"dest=a,b\"", &[("dest", "a,b"), ("type", "local")]),
            ("\"dest=a \"\"b\"\"\"", &[("dest", "a \"b\"")]),
            ("dest=a=b", &[("dest", "a=b")]),
            ("TYPE=oci,dest=", &[("dest", ""), ("type", "oci")]),
        ] {
            let pairs: Vec<_> =
                pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            assert_eq!(parsed(text), Ok(pairs), "{text}");
        }
        for (text, said) in [
            ("type=local,nonsense", "not of the form"),
            ("type=a,type=b", "said twice"),
            ("\"type=a", "never closed"),
            ("=a", "no key"),
        ] {
            assert!(parsed(text).is_err_and(|message| message.contains(said)), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let mut attributes =
            Attributes::parse("--secret", "id", "id=a,src=b,sorce=c").expect("is well formed");
        assert_eq!(attributes.need("id").ok().as_deref(), Some("a"));
        assert_eq!(attributes.take("src").as_deref(), Some("b"));
        assert!(attributes.switch("push").expect("nothing is said").is_none());
        let refused = attributes.nothing_more("say `id` and `src`").expect_err("is left over");
        assert!(refused.message.contains("`sorce`"), "{}", refused.message);
    }
}
