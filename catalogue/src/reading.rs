//! Tables of TOML, key by key: what is there is taken, what is not as it should be is noted, and
//! what nobody asked for is unknown.

use std::collections::BTreeMap;
use std::ops::Range;

use cogpack_ir::suggest::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::finding::{CatalogueFinding, span};

/// A text, and where it stands.
pub(crate) type Text<'t> = (&'t str, Range<usize>);

/// A table whose keys are taken one by one.
pub(crate) struct Fields<'t> {
    what: &'static str,
    table: &'t DeTable<'t>,
    at: Range<usize>,
    asked: Vec<&'static str>,
    findings: Vec<CatalogueFinding>,
}

impl<'t> Fields<'t> {
    /// The keys of `table`, which messages call `what`.
    pub(crate) fn new(what: &'static str, table: &'t DeTable<'t>, at: Range<usize>) -> Self {
        Self { what, table, at, asked: Vec::new(), findings: Vec::new() }
    }

    /// Where the table stands.
    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Notes something that is wrong.
    pub(crate) fn note(&mut self, finding: CatalogueFinding) {
        self.findings.push(finding);
    }

    /// Notes that `value` breaks `rule`.
    pub(crate) fn invalid(&mut self, key: &str, value: &Text<'_>, rule: impl ToString, help: impl ToString) {
        self.note(CatalogueFinding::InvalidValue {
            key: key.to_owned(),
            value: value.0.to_owned(),
            rule: rule.to_string(),
            help: help.to_string(),
            at: span(value.1.clone()),
        });
    }

    /// The value of a key, where it is there.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// Notes that a key is not there.
    pub(crate) fn missing(&mut self, key: &'static str, meaning: &'static str) {
        let at = span(self.at());
        self.note(CatalogueFinding::MissingKey { key, table: self.what, meaning, at });
    }

    /// The same where it is really not there: one that is of a wrong type has been noted.
    pub(crate) fn missing_unless_there(&mut self, key: &'static str, meaning: &'static str) {
        if !self.table.contains_key(key) {
            self.missing(key, meaning);
        }
    }

    /// A text, where it is there.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Text<'t>> {
        let value = self.value(key)?;
        self.text_of(key, value)
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, key: &'static str, meaning: &'static str) -> Option<Text<'t>> {
        match self.value(key) {
            Some(value) => self.text_of(key, value),
            None => {
                self.missing(key, meaning);
                None
            }
        }
    }

    /// The texts of an array, where it is there.
    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Vec<Text<'t>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, "an array of texts", value);
            return None;
        };
        Some(items.iter().filter_map(|item| self.text_of(key, item)).collect())
    }

    /// A table of texts by name; an empty one where it is not there.
    pub(crate) fn named_texts(&mut self, key: &'static str) -> BTreeMap<&'t str, Text<'t>> {
        let Some(value) = self.value(key) else { return BTreeMap::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(key, "a table of texts", value);
            return BTreeMap::new();
        };
        let mut texts = BTreeMap::new();
        for (name, value) in table {
            if let Some(text) = self.text_of(name.get_ref(), value) {
                texts.insert(name.get_ref().as_ref(), text);
            }
        }
        texts
    }

    /// A table, where it is there.
    pub(crate) fn table(&mut self, key: &'static str, what: &'static str) -> Option<Fields<'t>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, "a table", value);
            return None;
        };
        Some(Fields::new(what, table, value.span()))
    }

    /// The tables of an array, where it is there.
    pub(crate) fn tables(&mut self, key: &'static str, what: &'static str) -> Vec<Fields<'t>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, "an array of tables", value);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => tables.push(Fields::new(what, table, item.span())),
                None => self.wrong_type(key, "an array of tables", item),
            }
        }
        tables
    }

    /// What was noted, and a note for each key that nobody asked for.
    pub(crate) fn finish(mut self) -> Vec<CatalogueFinding> {
        let unknown = self.table.keys().filter(|key| !self.asked.contains(&key.get_ref().as_ref()));
        for key in unknown {
            let near = nearest(key.get_ref(), self.asked.iter().copied()).map(str::to_owned);
            self.findings.push(CatalogueFinding::UnknownKey {
                key: key.get_ref().to_string(),
                table: self.what,
                near,
                keys: self.asked.clone(),
                at: span(key.span()),
            });
        }
        self.findings
    }

    fn text_of(&mut self, key: &str, value: &'t Spanned<DeValue<'t>>) -> Option<Text<'t>> {
        match value.get_ref().as_str() {
            Some(text) => Some((text, value.span())),
            None => {
                self.wrong_type(key, "a text in quotes", value);
                None
            }
        }
    }

    fn wrong_type(&mut self, key: &str, expected: &'static str, value: &Spanned<DeValue<'_>>) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let at = span(value.span());
        self.note(CatalogueFinding::WrongType { key: key.to_owned(), expected, found, at });
    }
}

/// A document, or its first syntax error: what comes behind that the reader only guesses.
pub(crate) fn document(text: &str) -> Result<Spanned<DeTable<'_>>, Vec<CatalogueFinding>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let start = |error: &&toml::de::Error| error.span().map_or(0, |span| span.start);
    let Some(first) = errors.iter().min_by_key(start) else { return Ok(document) };
    let message = first.message().lines().collect::<Vec<_>>().join(", ");
    Err(vec![CatalogueFinding::Syntax { message, at: span(first.span().unwrap_or_default()) }])
}
