//! Whether inputs keep to what the model says of them.
//!
//! The rules are those that the server checks by the document, and one more: a name that the model
//! does not have. The server drops such an input, and the model runs with a default that nobody
//! asked for. A regular expression that only Python understands (one that looks around or back) is
//! left to the server.

use cogpack_ir::suggest::nearest;
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::problem::{InputProblem, listed};
use super::signature::Signature;
use crate::model::{Input, Scalar, Shape, Value};

impl Signature {
    /// All that is wrong with these inputs.
    pub fn validate(&self, inputs: &Map<String, Json>) -> Vec<InputProblem> {
        let unknown = inputs.keys().filter(|name| self.input(name).is_none());
        let mut problems: Vec<InputProblem> = unknown.map(|name| self.unknown(name)).collect();
        for input in &self.inputs {
            match inputs.get(&input.name) {
                Some(value) => check(input, value, &mut problems),
                None if input.is_required() => problems.push(missing(input)),
                None => {}
            }
        }
        problems
    }

    /// That there is no input of this name, and which was meant.
    pub(super) fn unknown(&self, name: &str) -> InputProblem {
        let names = || self.inputs.iter().map(|input| &*input.name);
        let way_out = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.inputs.is_empty() => "leave it out: the model takes no inputs".to_owned(),
            None => format!("its inputs are {}", listed(names())),
        };
        InputProblem::Unknown { input: name.to_owned(), way_out }
    }
}

fn missing(input: &Input) -> InputProblem {
    let (name, example) = (input.name.clone(), argument(input));
    match &input.default {
        Some(Value::None) => {
            InputProblem::NoneMissing { input: name, of: input.of_type.to_string(), example }
        }
        Some(_) | None => InputProblem::Missing { input: name, example },
    }
}

fn check(input: &Input, value: &Json, problems: &mut Vec<InputProblem>) {
    if value.is_null() && input.is_nullable() {
        // The document says `nullable`, which the server does not look at.
        problems.push(InputProblem::Null { input: input.name.clone() });
        return;
    }
    if input.of_type.shapes.is_empty() {
        problems.extend(not_a_choice(input, value));
        return;
    }
    let fits = |shape: &&Shape| match shape {
        Shape::One(scalar) => fits(*scalar, value),
        Shape::List(scalar) => {
            value.as_array().is_some_and(|values| values.iter().all(|value| fits(*scalar, value)))
        }
    };
    let Some(shape) = input.of_type.shapes.iter().find(fits) else {
        // A literal of several kinds is known by its choices alone.
        if input.of_type.shapes.len() < 2 || input.choices.is_empty() {
            problems.push(wrong_type(input, value));
            return;
        }
        check_one(input, Scalar::Any, value, problems);
        return;
    };
    match shape {
        Shape::One(scalar) => check_one(input, *scalar, value, problems),
        Shape::List(scalar) => {
            for value in value.as_array().into_iter().flatten() {
                check_one(input, *scalar, value, problems);
            }
        }
    }
}

fn fits(scalar: Scalar, value: &Json) -> bool {
    match scalar {
        Scalar::Bool => value.is_boolean(),
        // JSON knows no difference between 3 and 3.0.
        Scalar::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        Scalar::Float => value.is_number(),
        Scalar::Text | Scalar::Path | Scalar::File | Scalar::Secret => value.is_string(),
        Scalar::Any => value.is_object(),
    }
}

/// The rule that a value of the right type breaks. One is told: the others follow from it.
fn check_one(input: &Input, scalar: Scalar, value: &Json, problems: &mut Vec<InputProblem>) {
    let rules = [not_a_choice, out_of_bounds, of_wrong_length, not_matching];
    let broken = rules.iter().find_map(|rule| rule(input, value));
    let broken = broken.or_else(|| match scalar {
        Scalar::Path | Scalar::File => not_a_file(input, value),
        Scalar::Bool | Scalar::Integer | Scalar::Float | Scalar::Text | Scalar::Secret | Scalar::Any => None,
    });
    problems.extend(broken);
}

fn not_a_choice(input: &Input, value: &Json) -> Option<InputProblem> {
    let choices: Vec<Json> = input.choices.iter().filter_map(Value::to_json).collect();
    let same = |choice: &Json| choice == value || (choice.is_number() && choice.as_f64() == value.as_f64());
    if choices.is_empty() || choices.iter().any(same) {
        return None;
    }
    let shown: Vec<String> = choices.iter().map(Json::to_string).collect();
    let near = value.as_str().and_then(|text| nearest(text, choices.iter().filter_map(Json::as_str)));
    let way_out = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("give one of {}", listed(shown.iter().map(String::as_str))),
    };
    let found = if is_secret(input) { "hidden".to_owned() } else { format!("`{}`", shortened(value)) };
    Some(InputProblem::Choice { input: input.name.clone(), found, way_out })
}

fn out_of_bounds(input: &Input, value: &Json) -> Option<InputProblem> {
    let number = value.as_f64()?;
    let (least, greatest) = (input.least.as_ref(), input.greatest.as_ref());
    let below = least.filter(|least| least.as_number().is_some_and(|least| number < least));
    let above = greatest.filter(|greatest| greatest.as_number().is_some_and(|greatest| number > greatest));
    let (relation, bound) = match (below, above) {
        (Some(least), _) => ("less than", least),
        (None, Some(greatest)) => ("more than", greatest),
        (None, None) => return None,
    };
    let allowed = match (least, greatest) {
        (Some(least), Some(greatest)) => format!("from {least} to {greatest}"),
        (Some(least), None) => format!("of at least {least}"),
        (None, _) => format!("of at most {bound}"),
    };
    let (input, found) = (input.name.clone(), value.to_string());
    Some(InputProblem::Bounds { input, found, relation, bound: bound.to_string(), allowed })
}

fn of_wrong_length(input: &Input, value: &Json) -> Option<InputProblem> {
    let found = value.as_str()?.chars().count();
    let (relation, bound, direction) = match (input.shortest, input.longest) {
        (Some(shortest), _) if (found as u64) < shortest => ("at least", shortest, "longer"),
        (_, Some(longest)) if found as u64 > longest => ("at most", longest, "shorter"),
        _ => return None,
    };
    Some(InputProblem::Length { input: input.name.clone(), found, relation, bound, direction })
}

fn not_matching(input: &Input, value: &Json) -> Option<InputProblem> {
    let (text, pattern) = (value.as_str()?, input.pattern.as_ref()?);
    let known = Regex::new(pattern).ok()?;
    let broken = !known.is_match(text);
    broken.then(|| InputProblem::Pattern { input: input.name.clone(), pattern: pattern.clone() })
}

fn not_a_file(input: &Input, value: &Json) -> Option<InputProblem> {
    let address = value.as_str()?;
    let scheme = address.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let known = scheme.is_some_and(|scheme| ["data", "http", "https"].contains(&&*scheme));
    (!known).then(|| InputProblem::File { input: input.name.clone(), found: shortened(value) })
}

/// That a value is of another type than the input.
pub(super) fn wrong_type(input: &Input, value: &Json) -> InputProblem {
    let found = match value {
        Json::Null => "null".to_owned(),
        Json::Bool(_) => "a bool".to_owned(),
        // What stands where a secret belongs may be one.
        Json::Number(_) | Json::String(_) if is_secret(input) => "another value".to_owned(),
        Json::Number(number) => format!("the number {number}"),
        Json::String(_) => format!("the text `{}`", shortened(value)),
        Json::Array(_) => "a list of other things".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    };
    InputProblem::WrongType {
        input: input.name.clone(),
        expected: match input.of_type.scalar() {
            // Its file may say `dict`, `Any` or the name of a class: for the server they are one.
            Some(Scalar::Any) => "a JSON object, as cog's server takes it for `dict` and `Any`".to_owned(),
            Some(_) | None => format!("`{}`", input.of_type),
        },
        found: if value.is_array() && !takes_lists(input) { "a list".to_owned() } else { found },
        example: format!("`-i {}={}`", input.name, argument(input)),
    }
}

fn is_secret(input: &Input) -> bool {
    input.of_type.scalar() == Some(Scalar::Secret)
}

fn takes_lists(input: &Input) -> bool {
    input.of_type.shapes.iter().any(|shape| matches!(shape, Shape::List(_)))
}

/// What stands after `=` on a command line, as an example.
fn argument(input: &Input) -> String {
    if let Some(Json::String(choice)) = input.choices.first().and_then(Value::to_json) {
        return choice;
    }
    let scalar = match input.of_type.shapes.first() {
        Some(Shape::One(scalar) | Shape::List(scalar)) => *scalar,
        None => return "VALUE".to_owned(),
    };
    let number = input.choices.first().or(input.least.as_ref()).map(Value::to_string);
    match scalar {
        Scalar::Bool => "true".to_owned(),
        Scalar::Integer => number.unwrap_or_else(|| "1".to_owned()),
        Scalar::Float => number.unwrap_or_else(|| "0.5".to_owned()),
        Scalar::Text | Scalar::Secret => "TEXT".to_owned(),
        Scalar::Path | Scalar::File => "@PATH".to_owned(),
        Scalar::Any => "'{\"key\": 1}'".to_owned(),
    }
}

/// A value as messages show it.
fn shortened(value: &Json) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}
