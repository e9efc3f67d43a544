//! Reading values out of a tree. Each function answers `None` where it has reported why, so that
//! a reader goes on with what stands beside it, and one run finds all that is wrong.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use super::finding::{JsonFinding, Pointer};
use super::tree::{Member, Node, Value};
use crate::finding::Finding;
use crate::plan::{Span, Spanned, Texts};
use crate::suggest::nearest;

/// One value, with where it stands and where to report.
#[derive(Debug, Clone)]
pub(super) struct At<'t> {
    node: &'t Node,
    pub(super) pointer: Pointer,
    findings: &'t RefCell<Vec<Finding>>,
}

impl<'t> At<'t> {
    pub(super) fn root(node: &'t Node, findings: &'t RefCell<Vec<Finding>>) -> Self {
        Self { node, pointer: Pointer::root(), findings }
    }

    pub(super) fn span(&self) -> Span {
        self.node.span
    }

    pub(super) fn spanned<T>(&self, value: T) -> Spanned<T> {
        Spanned::new(value, self.span())
    }

    pub(super) fn report<T>(&self, finding: impl Into<Finding>) -> Option<T> {
        self.findings.borrow_mut().push(finding.into());
        None
    }

    /// Reports that the text or number here does not read as what it stands for.
    pub(super) fn refuse<T>(&self, reason: impl Display) -> Option<T> {
        let (place, span) = (self.pointer.clone(), self.span());
        self.report(JsonFinding::Value { place, reason: reason.to_string(), span })
    }

    fn wrong_kind<T>(&self, expected: &'static str) -> Option<T> {
        let (place, span) = (self.pointer.clone(), self.span());
        self.report(JsonFinding::WrongKind { place, found: self.node.value.kind(), expected, span })
    }

    pub(super) fn text(&self) -> Option<&'t str> {
        if let Value::Text(text) = &self.node.value { Some(text) } else { self.wrong_kind("a text") }
    }

    pub(super) fn owned_text(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn flag(&self) -> Option<bool> {
        if let Value::Flag(flag) = self.node.value { Some(flag) } else { self.wrong_kind("true or false") }
    }

    pub(super) fn whole(&self) -> Option<u64> {
        if let Value::Whole(number) = self.node.value {
            Some(number)
        } else {
            self.wrong_kind("a whole number")
        }
    }

    pub(super) fn whole_of_32_bits(&self) -> Option<u32> {
        let number = self.whole()?;
        u32::try_from(number).ok().or_else(|| self.refuse(format_args!("`{number}` is too large")))
    }

    /// A text that `check` takes.
    pub(super) fn checked<T, E: Display>(&self, check: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        check(self.text()?).map_err(|error| self.refuse::<T>(error)).ok()
    }

    /// A text that reads as a `T`.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self) -> Option<T> {
        self.checked(str::parse)
    }

    /// A word of a closed list.
    pub(super) fn word<T: Clone>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let found = self.text()?;
        match words.iter().find(|(word, _)| *word == found) {
            Some((_, value)) => Some(value.clone()),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.report(JsonFinding::UnknownWord {
                    place: self.pointer.clone(),
                    found: found.to_owned(),
                    known: listed(&words),
                    help: near(found, &words).unwrap_or_else(|| "write one of these".to_owned()),
                    span: self.span(),
                })
            }
        }
    }

    pub(super) fn items(&self) -> Option<Vec<At<'t>>> {
        let Value::List(items) = &self.node.value else { return self.wrong_kind("a list") };
        let at = |(index, node)| At { node, pointer: self.pointer.index(index), findings: self.findings };
        Some(items.iter().enumerate().map(at).collect())
    }

    pub(super) fn list<T>(&self, each: impl Fn(&At<'t>) -> Option<T>) -> Option<Vec<T>> {
        Some(self.items()?.iter().filter_map(each).collect())
    }

    pub(super) fn texts(&self) -> Option<Vec<String>> {
        self.list(Self::owned_text)
    }

    /// A list in which nothing may stand twice.
    pub(super) fn set<T: Ord>(&self, each: impl Fn(&At<'t>) -> Option<T>) -> Option<BTreeSet<T>> {
        let mut set = BTreeSet::new();
        for item in self.items()? {
            if let Some(value) = each(&item)
                && !set.insert(value)
            {
                item.report_second(item.text().unwrap_or_default());
            }
        }
        Some(set)
    }

    pub(super) fn report_second(&self, value: &str) {
        let (place, span) = (self.pointer.clone(), self.span());
        self.report::<()>(JsonFinding::DuplicateValue { place, value: value.to_owned(), span });
    }

    fn members(&self) -> Option<&'t [Member]> {
        let Value::Object(members) = &self.node.value else { return self.wrong_kind("an object") };
        let mut seen = BTreeSet::new();
        for Member { key, key_span, .. } in members {
            if !seen.insert(key) {
                let place = self.pointer.clone();
                self.report::<()>(JsonFinding::DuplicateKey { place, key: key.clone(), span: *key_span });
            }
        }
        Some(members)
    }

    /// An object whose keys are names of the plan's own; `each` is given the key's place as well.
    pub(super) fn entries<K: Ord, T, E: Display>(
        &self,
        name: impl Fn(&str) -> Result<K, E>,
        each: impl Fn(&At<'t>, Span) -> Option<T>,
    ) -> Option<BTreeMap<K, T>> {
        let mut entries = BTreeMap::new();
        for Member { key, key_span, node } in self.members()? {
            let at = At { node, pointer: self.pointer.key(key), findings: self.findings };
            let value = each(&at, *key_span);
            match name(key) {
                Ok(key) => entries.extend(value.map(|value| (key, value))),
                Err(reason) => {
                    let (place, reason) = (at.pointer.clone(), reason.to_string());
                    self.report::<()>(JsonFinding::Value { place, reason, span: *key_span });
                }
            }
        }
        Some(entries)
    }

    /// Texts by keys that are the author's own.
    pub(super) fn texts_by_key(&self) -> Option<BTreeMap<String, String>> {
        self.entries(any_key, |at, _| at.owned_text())
    }

    /// The same with the place of each key.
    pub(super) fn placed_texts(&self) -> Option<Texts> {
        let texts = self.entries(any_key, |at, key_span| Some((key_span, at.owned_text()?)))?;
        Some(texts.into_iter().map(|(key, (span, text))| (Spanned::new(key, span), text)).collect())
    }

    /// An object whose keys are the form's own.
    pub(super) fn fields(&self) -> Option<Fields<'t>> {
        Some(Fields { at: self.clone(), members: self.members()?, known: Vec::new() })
    }
}

/// An object with a fixed set of keys: those that are asked for until [`Fields::close`].
#[derive(Debug)]
pub(super) struct Fields<'t> {
    at: At<'t>,
    members: &'t [Member],
    known: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    pub(super) fn at(&self) -> &At<'t> {
        &self.at
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|member| member.key == key)
    }

    fn find(&mut self, key: &'static str) -> Option<At<'t>> {
        self.known.push(key);
        let member = self.members.iter().find(|member| member.key == key)?;
        Some(At { node: &member.node, pointer: self.at.pointer.key(key), findings: self.at.findings })
    }

    /// A key that may be left out.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&At<'t>) -> Option<T>,
    ) -> Option<T> {
        self.find(key).and_then(|at| read(&at))
    }

    /// A key that has no default.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&At<'t>) -> Option<T>,
    ) -> Option<T> {
        match self.find(key) {
            Some(at) => read(&at),
            None => {
                let (place, span) = (self.at.pointer.clone(), self.at.span());
                self.at.report(JsonFinding::MissingKey { place, key, span })
            }
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.optional(key, At::flag).unwrap_or_default()
    }

    /// A list that is empty where it is left out.
    pub(super) fn list<T>(&mut self, key: &'static str, each: impl Fn(&At<'t>) -> Option<T>) -> Vec<T> {
        self.optional(key, |at| at.list(each)).unwrap_or_default()
    }

    /// Reports two keys that exclude each other.
    pub(super) fn exclude(&self, first: &'static str, second: &'static str) {
        if self.has(first) && self.has(second) {
            let (place, span) = (self.at.pointer.clone(), self.at.span());
            self.at.report::<()>(JsonFinding::Conflict { place, first, second, span });
        }
    }

    /// Reports every key that nobody has asked for.
    pub(super) fn close(self) {
        for Member { key, key_span, .. } in self.members {
            if !self.known.contains(&key.as_str()) {
                self.at.report::<()>(JsonFinding::UnknownKey {
                    place: self.at.pointer.clone(),
                    key: key.clone(),
                    help: near(key, &self.known).unwrap_or_else(|| match &*self.known {
                        [] => "nothing may stand here".to_owned(),
                        known => format!("the keys here are {}", listed(known)),
                    }),
                    span: *key_span,
                });
            }
        }
    }
}

/// A key that the author is free to choose.
pub(super) fn any_key(key: &str) -> Result<String, Infallible> {
    Ok(key.to_owned())
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `did you mean`, where a known word is near enough to be meant.
fn near(found: &str, words: &[&str]) -> Option<String> {
    nearest(found, words.iter().copied()).map(|word| format!("did you mean `{word}`?"))
}
