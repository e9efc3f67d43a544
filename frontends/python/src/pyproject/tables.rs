//! Tables of a TOML document, each value with its place.

use cogpack_frontends_source::{InFile, Lines, Place, Placed, SourcePath};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::PyprojectFinding;
use crate::requirement::{self, Written};
use crate::requirements::Stated;

/// A document that is being read, and what was found up to here.
pub(super) struct Reading<'t> {
    pub file: &'t SourcePath,
    pub text: &'t str,
    pub lines: Lines,
    pub findings: Vec<PyprojectFinding>,
}

/// The value of a key.
pub(super) fn get<'v, 't>(table: &'v DeTable<'t>, key: &str) -> Option<&'v Spanned<DeValue<'t>>> {
    table.iter().find(|(known, _)| known.get_ref().as_ref() == key).map(|(_, value)| value)
}

/// A table without its places, in one form, keys in their order.
pub(super) fn plain(table: &DeTable<'_>) -> String {
    let mut entries: Vec<(&str, String)> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), plain_value(value.get_ref()))).collect();
    entries.sort();
    let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key:?} = {value}")).collect();
    format!("{{{}}}", entries.join(", "))
}

fn plain_value(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => format!("{number:?}"),
        DeValue::Float(number) => format!("{number:?}"),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| plain_value(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => plain(table),
    }
}

impl<'t> Reading<'t> {
    pub fn of(file: &'t SourcePath, text: &'t str) -> Self {
        Self { file, text, lines: Lines::of(text), findings: Vec::new() }
    }
}

impl Reading<'_> {
    pub fn place(&self, range: std::ops::Range<usize>) -> Place {
        // What goes on for lines is shown by its first.
        let shown = self.text.get(range.clone()).unwrap_or_default();
        let length = shown.lines().next().unwrap_or_default().len();
        self.lines.place(range.start, range.start + length)
    }

    pub fn found(&mut self, finding: impl Into<PyprojectFinding>) {
        self.findings.push(finding.into());
    }

    /// What its reader says first of a document that is none: what comes behind that it only guesses.
    pub fn syntax(&mut self, errors: &[toml::de::Error]) {
        let start = |error: &&toml::de::Error| error.span().map_or(0, |span| span.start);
        if let Some(first) = errors.iter().min_by_key(start) {
            let place = self.place(first.span().unwrap_or(0..0));
            let problem = first.message().lines().collect::<Vec<_>>().join(", ");
            self.found(PyprojectFinding::Syntax { problem, place });
        }
    }

    pub fn wrong(&mut self, key: &str, expected: &'static str, value: &Spanned<DeValue<'_>>) {
        let (key, found) = (key.to_owned(), value.get_ref().type_str());
        let place = self.place(value.span());
        self.found(PyprojectFinding::WrongType { key, expected, found, place });
    }

    pub fn table<'v, 't>(&mut self, key: &str, value: &'v Spanned<DeValue<'t>>) -> Option<&'v DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(key, "a table", value);
        }
        table
    }

    pub fn list<'v, 't>(
        &mut self,
        key: &str,
        value: &'v Spanned<DeValue<'t>>,
    ) -> Vec<&'v Spanned<DeValue<'t>>> {
        match value.get_ref().as_array() {
            Some(list) => list.iter().collect(),
            None => {
                self.wrong(key, "a list", value);
                Vec::new()
            }
        }
    }

    pub fn text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Placed<String>> {
        match value.get_ref().as_str() {
            Some(text) => Some(Placed::new(text.to_owned(), self.place(value.span()))),
            None => {
                self.wrong(key, "a text", value);
                None
            }
        }
    }

    pub fn truth(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Placed<bool>> {
        match value.get_ref().as_bool() {
            Some(truth) => Some(Placed::new(truth, self.place(value.span()))),
            None => {
                self.wrong(key, "true or false", value);
                None
            }
        }
    }

    /// A requirement; its parts have places where the text is written without escapes.
    pub fn requirement(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Stated> {
        let text = self.text(key, value)?;
        let inner = Place { start: text.place.start + 1, length: text.value.len(), ..text.place };
        let verbatim = self.text.get(inner.start..inner.start + inner.length);
        let is_verbatim = verbatim == Some(&*text.value);
        let place = if is_verbatim { inner } else { text.place };
        match requirement::parse(Written { text: &text.value, place, is_verbatim }) {
            Ok(requirement) => {
                let file = self.file.clone();
                Some(Stated { requirement, file, place: text.place, hashes: Default::default() })
            }
            Err(finding) => {
                self.found(finding);
                None
            }
        }
    }

    pub fn requirements(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<Stated> {
        self.list(key, value).into_iter().filter_map(|item| self.requirement(key, item)).collect()
    }

    pub fn told(self) -> Vec<InFile<PyprojectFinding>> {
        let file = self.file;
        self.findings.into_iter().map(|finding| InFile::new(file, finding)).collect()
    }
}
