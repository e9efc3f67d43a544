//! `setup.py`: the call of `setup`, as far as it is made of literals and of names that are bound to
//! one. Nothing is run.

#![allow(clippy::wildcard_enum_match_arm, reason = "of all that Python can say, literals alone are read")]

use cogpack_frontends_schema::python::syntax::{Bound, Call, Expr, Kind, Module};
use cogpack_frontends_schema::python::{expressions, parse, statements};
use cogpack_frontends_source::{Place, Placed};

use super::{Extras, Words};

/// A text that cannot be read without running the file.
struct Unread;

/// What the file says.
pub(super) fn words(text: &str) -> Words {
    let Ok(tree) = parse::parse(text) else { return unread(text) };
    let module = statements::module(tree.root_node(), text);
    let mut calls = Vec::new();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        if node.kind() == "call"
            && let Kind::Call(call) = expressions::expression(node, text).kind
            && call.function.dotted().is_some_and(|name| name == "setup" || name.ends_with(".setup"))
        {
            calls.push(call);
        }
        open.extend(expressions::children(node));
    }
    match calls.as_slice() {
        [call] => Reading { text, module: &module }.call(call),
        // Which of several counts, only running tells.
        _ => unread(text),
    }
}

/// What a file says that is not understood: nothing, unless it has the word.
fn unread(text: &str) -> Words {
    const WORD: &str = "install_requires";
    let place = text.find(WORD).map(|start| Place::of(text, start, start + WORD.len()));
    Words { unread: place.map(|place| (WORD, place)).into_iter().collect(), ..Words::default() }
}

struct Reading<'t> {
    text: &'t str,
    module: &'t Module,
}

impl Reading<'_> {
    fn call(&self, call: &Call) -> Words {
        let mut words = if call.unpacked.is_some() { unread(self.text) } else { Words::default() };
        for named in &call.named {
            let place = Place::of(self.text, named.at.start, named.at.end);
            let mut or_unread = |key: &'static str| words.unread.push((key, place));
            match named.name.as_str() {
                "name" => words.name = self.word(&named.value).ok(),
                "version" => words.version = self.word(&named.value).ok(),
                "python_requires" => match self.word(&named.value) {
                    Ok(python) => words.python = Some(python),
                    Err(Unread) => or_unread("python_requires"),
                },
                "install_requires" => match self.list(&named.value) {
                    Ok(required) => words.required = Some(required),
                    Err(Unread) => or_unread("install_requires"),
                },
                "extras_require" => match self.table(&named.value) {
                    Ok(extras) => words.extras = Some(extras),
                    Err(Unread) => or_unread("extras_require"),
                },
                "entry_points" => match self.table(&named.value) {
                    Ok(groups) => {
                        let programs = groups.into_iter().filter(|(group, _)| group == "console_scripts");
                        words.programs = Some(programs.flat_map(|(_, programs)| programs).collect());
                    }
                    Err(Unread) => or_unread("entry_points"),
                },
                _ => {}
            }
        }
        if words.required.is_some() {
            words.unread.retain(|(key, _)| *key != "install_requires");
        }
        words
    }

    /// What a name stands for, where one line of the file says so and nothing else touches it.
    fn value<'e>(&'e self, expr: &'e Expr) -> &'e Expr {
        let Kind::Name(name) = &expr.kind else { return expr };
        let mut bindings = self.module.bindings_of(name);
        match (bindings.next(), bindings.next()) {
            (Some((_, only)), None) if !only.conditional => match &only.to {
                Bound::Value { value: Some(value), .. } => value,
                _ => expr,
            },
            _ => expr,
        }
    }

    fn word(&self, expr: &Expr) -> Result<Placed<String>, Unread> {
        let expr = self.value(expr);
        match &expr.kind {
            Kind::Text(text) => {
                Ok(Placed::new(text.clone(), Place::of(self.text, expr.at.start, expr.at.end)))
            }
            _ => Err(Unread),
        }
    }

    /// A list of texts, or a text with one a line.
    fn list(&self, expr: &Expr) -> Result<Vec<Placed<String>>, Unread> {
        let expr = self.value(expr);
        match &expr.kind {
            Kind::List(items) => items.iter().map(|item| self.word(item)).collect(),
            Kind::Text(_) => {
                let Placed { value, place } = self.word(expr)?;
                let lines = value.lines().map(str::trim);
                let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
                Ok(lines.map(|line| Placed::new(line.to_owned(), place)).collect())
            }
            _ => Err(Unread),
        }
    }

    fn table(&self, expr: &Expr) -> Result<Extras, Unread> {
        match &self.value(expr).kind {
            Kind::Dict(entries) => {
                entries.iter().map(|(key, list)| Ok((self.word(key)?.value, self.list(list)?))).collect()
            }
            _ => Err(Unread),
        }
    }
}
