//! Text of a command line (`-i key=value`) as JSON of the type that the model asks for.
//!
//! Nothing is guessed from how a value looks: what it becomes is decided by the type of its input,
//! and only where a document says none of it, by whether the text is JSON.
//! `@` names a file only where the input is one, so a text may begin with it. A list is given as
//! JSON, or one item at a time.

use std::collections::BTreeMap;

use serde_json::{Number, Value as Json};

use super::problem::InputProblem;
use super::signature::Signature;
use super::validate::wrong_type;
use crate::model::{Input, Scalar, Shape};

/// A value of an input, which may still have to be read from a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// JSON.
    Json(Json),
    /// The file of this path, which the caller reads and sends as an address.
    File(String),
    /// Several of them.
    List(Vec<Given>),
}

impl Signature {
    /// What `name=value` arguments give, and all that is wrong with others of them.
    pub fn given<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> (BTreeMap<String, Given>, Vec<InputProblem>) {
        let mut inputs: BTreeMap<String, Given> = BTreeMap::new();
        let mut problems = Vec::new();
        for argument in arguments {
            let Some((name, text)) = argument.split_once('=') else {
                problems.push(InputProblem::Form { argument: argument.to_owned() });
                continue;
            };
            let Some(input) = self.input(name) else {
                problems.push(self.unknown(name));
                continue;
            };
            match (inputs.get_mut(name), read(input, text)) {
                (_, None) => problems.push(wrong_type(input, &Json::String(text.to_owned()))),
                (None, Some(given)) => {
                    inputs.insert(name.to_owned(), given);
                }
                (Some(Given::List(before)), Some(Given::List(more))) => before.extend(more),
                (Some(_), Some(_)) => problems.push(InputProblem::Twice { input: name.to_owned() }),
            }
        }
        (inputs, problems)
    }
}

/// The value of the first shape that the text can be: numbers before texts, since every text is one.
fn read(input: &Input, text: &str) -> Option<Given> {
    if input.of_type.shapes.is_empty() {
        return Some(anything(text));
    }
    let mut shapes = input.of_type.shapes.clone();
    shapes.sort_by_key(|shape| match shape {
        Shape::List(scalar) => (0, *scalar),
        Shape::One(Scalar::Any) => (1, Scalar::Any),
        Shape::One(scalar) => (if *scalar == Scalar::Text { 3 } else { 2 }, *scalar),
    });
    let alone = shapes.len() == 1;
    shapes.into_iter().find_map(|shape| match shape {
        Shape::One(scalar) => one(scalar, text),
        Shape::List(scalar) => list(scalar, text, alone),
    })
}

/// What somebody gives of whom nobody knows what is wanted: JSON where it is some.
fn anything(text: &str) -> Given {
    match text.strip_prefix('@') {
        Some(path) => Given::File(path.to_owned()),
        None => Given::Json(serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned()))),
    }
}

fn one(scalar: Scalar, text: &str) -> Option<Given> {
    let json = match scalar {
        Scalar::Bool => match &*text.to_ascii_lowercase() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => return None,
        },
        Scalar::Integer => Json::Number(Number::from_i128(text.parse().ok()?)?),
        Scalar::Float => match text.parse::<i64>() {
            Ok(whole) => whole.into(),
            Err(_) => Json::Number(Number::from_f64(text.parse().ok()?)?),
        },
        Scalar::Text | Scalar::Secret => Json::String(text.to_owned()),
        Scalar::Path | Scalar::File => match text.strip_prefix('@') {
            Some(path) => return Some(Given::File(path.to_owned())),
            None => Json::String(text.to_owned()),
        },
        Scalar::Any => serde_json::from_str(text).ok().filter(Json::is_object)?,
    };
    Some(Given::Json(json))
}

/// A list as JSON, or one item of it where the input is a list and nothing else.
fn list(scalar: Scalar, text: &str, alone: bool) -> Option<Given> {
    if let Ok(Json::Array(items)) = serde_json::from_str(text) {
        let is_file = |item: &Json| item.as_str().and_then(|text| text.strip_prefix('@')).map(str::to_owned);
        let of_files = matches!(scalar, Scalar::Path | Scalar::File);
        let item = |item: Json| match is_file(&item) {
            Some(path) if of_files => Given::File(path),
            _ => Given::Json(item),
        };
        return Some(Given::List(items.into_iter().map(item).collect()));
    }
    if alone { one(scalar, text).map(|item| Given::List(vec![item])) } else { None }
}
