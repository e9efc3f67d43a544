//! The options of `--mount`.

use std::collections::BTreeMap;

use super::Unreadable;
use super::rules::Rules;
use super::words::{self, Variables};

/// A mount: its options by name. One without a value is `true`.
pub type Options = BTreeMap<String, String>;

/// Reads the value of one `--mount`.
pub fn read(text: &str, rules: &Rules, variables: Variables<'_>) -> Result<Options, Unreadable> {
    let fields =
        if rules.quoted_mounts { fields(text)? } else { text.split(',').map(str::to_owned).collect() };
    let mut options = Options::new();
    for field in fields {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) if rules.quoted_mounts => (key, words::word(value, rules, variables)?),
            Some((key, value)) => (key, value.to_owned()),
            None => (field.as_str(), "true".to_owned()),
        };
        let key = match key.to_ascii_lowercase().as_str() {
            "src" => "source".to_owned(),
            "dst" | "destination" => "target".to_owned(),
            "rw" => "readwrite".to_owned(),
            "ro" => "readonly".to_owned(),
            other => other.to_owned(),
        };
        if options.insert(key.clone(), value).is_some() {
            return Unreadable::new(format!("`{key}` twice in a mount"));
        }
    }
    Ok(options)
}

/// Comma-separated values, in which a field that begins with a quote ends with one, and a quote in
/// it is doubled. A quote in any other field is an error.
fn fields(text: &str) -> Result<Vec<String>, Unreadable> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let after = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut field = String::new();
                let mut rest = quoted;
                loop {
                    let Some((before, after)) = rest.split_once('"') else {
                        return Unreadable::new(format!("a quote is not closed in the mount {text}"));
                    };
                    field.push_str(before);
                    match after.strip_prefix('"') {
                        Some(after) => {
                            field.push('"');
                            rest = after;
                        }
                        None => {
                            fields.push(field);
                            break after;
                        }
                    }
                }
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                if rest[..end].contains('"') {
                    return Unreadable::new(format!("a bare quote in the mount {text}"));
                }
                fields.push(rest[..end].to_owned());
                &rest[end..]
            }
        };
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Unreadable::new(format!("more behind a quote in the mount {text}")),
        }
    }
}
