//! Reads what Debian writes its facts in: paragraphs of fields, as in `control`, `Packages` and
//! `Release`.

use std::collections::BTreeMap;

/// A paragraph: its fields by their names in small letters, as case means nothing in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paragraph {
    fields: BTreeMap<String, String>,
}

impl Paragraph {
    /// What a field says; nothing where it is not there or empty.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(&field.to_ascii_lowercase()).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The paragraphs of a text. Lines that are none are passed over, as dpkg does in files that it
/// has already accepted.
pub fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let mut paragraph = Paragraph::default();
        let mut last: Option<String> = None;
        for line in lines.by_ref() {
            if line.trim().is_empty() {
                if paragraph.fields.is_empty() {
                    continue;
                }
                return Some(paragraph);
            }
            if line.starts_with('#') {
                continue;
            }
            if line.starts_with([' ', '\t']) {
                if let Some(value) = last.as_ref().and_then(|last| paragraph.fields.get_mut(last)) {
                    value.push('\n');
                    value.push_str(line.trim_start());
                }
                continue;
            }
            if let Some((name, value)) = line.split_once(':') {
                let name = name.trim().to_ascii_lowercase();
                paragraph.fields.insert(name.clone(), value.trim().to_owned());
                last = Some(name);
            }
        }
        (!paragraph.fields.is_empty()).then_some(paragraph)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_go_on_over_lines() {
        let text = "\nPackage: a\nDescription: short\n long\n .\nempty:\n\n\n# remark\nPackage: b\n";
        let found: Vec<_> = paragraphs(text).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].get("package"), Some("a"));
        assert_eq!(found[0].get("Description"), Some("short\nlong\n."));
        assert_eq!(found[0].get("Empty"), None);
        assert_eq!(found[1].get("Package"), Some("b"));
    }
}
