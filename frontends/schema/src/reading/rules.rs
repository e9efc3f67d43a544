//! What `Input(…)` says of an input, and whether its default keeps to it.

use std::collections::BTreeMap;

use regex::Regex;

use crate::model::{Input, Scalar, Shape, Value};
use crate::python::syntax::Span;
use crate::reading::inputs::InputFinding;
use crate::reading::pattern;
use crate::scope::Scope;
use crate::scope::files::ModuleId;

/// Where each argument stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(BTreeMap<String, (ModuleId, Span)>);

impl Places {
    pub(super) fn note(&mut self, keyword: &str, id: ModuleId, at: &Span) {
        self.0.insert(keyword.to_owned(), (id, at.clone()));
    }

    fn of(&self, keyword: &str) -> Option<(ModuleId, Span)> {
        self.0.get(keyword).cloned()
    }
}

impl Scope<'_> {
    /// Sets what one argument says; false where it says nothing, which is reported.
    pub(super) fn say(&mut self, input: &mut Input, keyword: &str, value: Value, places: &Places) -> bool {
        // `None` is what each argument is when it is left out.
        if value == Value::None {
            return true;
        }
        let found = value.to_string();
        let wrong = match (keyword, value) {
            ("description", Value::Text(text)) => {
                input.description = Some(text);
                return true;
            }
            ("regex", Value::Text(text)) => {
                let Some((problem, way_out)) = pattern::problem(&text) else {
                    input.pattern = Some(text);
                    return true;
                };
                if let Some((id, at)) = places.of(keyword) {
                    let (input, at) = (input.name.clone(), at.into());
                    self.files.report(id, InputFinding::Regex { input, problem, way_out, at });
                }
                return false;
            }
            ("accept", Value::Text(text)) if is_accept(&text) => {
                input.accept = Some(text);
                return true;
            }
            ("deprecated", Value::Bool(is)) => {
                input.deprecated = is;
                return true;
            }
            ("ge", value @ (Value::Integer(_) | Value::Float(_))) => {
                input.least = Some(value);
                return true;
            }
            ("le", value @ (Value::Integer(_) | Value::Float(_))) => {
                input.greatest = Some(value);
                return true;
            }
            ("min_length", Value::Integer(length)) if u64::try_from(length).is_ok() => {
                input.shortest = u64::try_from(length).ok();
                return true;
            }
            ("max_length", Value::Integer(length)) if u64::try_from(length).is_ok() => {
                input.longest = u64::try_from(length).ok();
                return true;
            }
            ("choices", Value::List(choices)) if !choices.is_empty() => {
                input.choices = choices;
                return true;
            }
            ("choices", Value::Dict(pairs)) if !pairs.is_empty() => {
                input.choices = pairs.into_iter().map(|(key, _)| key).collect();
                return true;
            }
            ("description", _) => ("a str", "description=\"what it does\""),
            ("regex", _) => ("a str", "regex=\"^[a-z]+$\""),
            ("accept", _) => ("media types and file endings", "accept=\"image/png,.webp\""),
            ("deprecated", _) => ("a bool", "deprecated=True"),
            ("ge" | "le", _) => ("a number", "ge=0, le=1"),
            ("min_length" | "max_length", _) => ("a whole number from 0 on", "max_length=100"),
            (_, _) => ("a list with values in it", "choices=[\"a\", \"b\"]"),
        };
        if let Some((id, at)) = places.of(keyword) {
            let (expected, example) = wrong;
            let (keyword, input) = (keyword.to_owned(), input.name.clone());
            let at = at.into();
            self.files.report(id, InputFinding::Argument { keyword, input, expected, found, example, at });
        }
        false
    }

    /// Whether the rules of an input go together, with its type and with its default. What does not
    /// is reported.
    pub(super) fn keeps_its_rules(&mut self, input: &Input, places: &Places) -> bool {
        let mut findings: Vec<(&str, InputFinding)> = Vec::new();
        let at = |keyword: &str| places.of(keyword).map_or_else(|| (0..0).into(), |(_, at)| at.into());
        let scalar = input.of_type.scalar();
        let is_number = matches!(scalar, Some(Scalar::Integer | Scalar::Float));
        let is_text = scalar == Some(Scalar::Text);
        let is_file = matches!(scalar, Some(Scalar::Path | Scalar::File));
        let said = [
            ("ge", input.least.is_some(), is_number, "`int` and `float`"),
            ("le", input.greatest.is_some(), is_number, "`int` and `float`"),
            ("min_length", input.shortest.is_some(), is_text, "`str`"),
            ("max_length", input.longest.is_some(), is_text, "`str`"),
            ("regex", input.pattern.is_some(), is_text, "`str`"),
            ("accept", input.accept.is_some(), is_file, "`Path` and `File`"),
            (
                "choices",
                !input.choices.is_empty() && places.of("choices").is_some(),
                is_number || is_text,
                "`str`, `int` and `float`",
            ),
        ];
        for (keyword, is_said, fits, for_what) in said {
            if is_said && !fits {
                let (name, of) = (input.name.clone(), input.of_type.to_string());
                let at = at(keyword);
                findings.push((keyword, InputFinding::Misplaced { keyword, for_what, input: name, of, at }));
            }
        }
        if findings.is_empty() {
            findings.extend(contradiction(input, &at));
        }
        if findings.is_empty() {
            findings.extend(default_of_other_type(input, &at));
        }
        if findings.is_empty() {
            findings.extend(broken_by_default(input, &at));
        }
        let keeps = findings.is_empty();
        for (keyword, finding) in findings {
            if let Some((id, _)) = places.of(keyword) {
                self.files.report(id, finding);
            }
        }
        keeps
    }
}

/// `image/*`, `image/png`, `.webp`
fn is_accept(text: &str) -> bool {
    let of_a_name = |letter: char| letter.is_ascii_alphanumeric() || "!#$&-^_.+*".contains(letter);
    text.split(',').map(str::trim).all(|part| match (part.strip_prefix('.'), part.split_once('/')) {
        (Some(ending), None) => !ending.is_empty() && ending.chars().all(of_a_name),
        (None, Some((kind, of))) => {
            !kind.is_empty() && !of.is_empty() && kind.chars().chain(of.chars()).all(of_a_name)
        }
        _ => false,
    })
}

type At<'a> = dyn Fn(&str) -> miette::SourceSpan + 'a;

/// Rules that nothing can keep.
fn contradiction<'k>(input: &Input, at: &At<'_>) -> Option<(&'k str, InputFinding)> {
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_number);
    let no_value = |keyword: &'k str, why: String, way_out| {
        let finding = InputFinding::NoValue { input: input.name.clone(), why, way_out, at: at(keyword) };
        Some((keyword, finding))
    };
    if let (Some(least), Some(greatest)) = (number(&input.least), number(&input.greatest)) {
        if least > greatest {
            let why = format!("`ge` is {least} and `le` is {greatest}");
            return no_value("le", why, "write the smaller number after `ge`");
        }
    }
    if let (Some(shortest), Some(longest)) = (input.shortest, input.longest) {
        if shortest > longest {
            let why = format!("`min_length` is {shortest} and `max_length` is {longest}");
            return no_value("max_length", why, "write the smaller number after `min_length`");
        }
    }
    let of_type = |choice: &&Value| !input.of_type.shapes.iter().any(|shape| is_of(*shape, choice, true));
    if let Some(choice) = input.choices.iter().find(of_type) {
        let why = format!("its choice {choice} is no `{}`", input.of_type);
        return no_value("choices", why, "give every choice the type of the input");
    }
    let limits = [
        ("ge", input.least.is_some()),
        ("le", input.greatest.is_some()),
        ("min_length", input.shortest.is_some()),
        ("max_length", input.longest.is_some()),
        ("regex", input.pattern.is_some()),
    ];
    let limit = limits.iter().find(|(_, is_said)| *is_said).map(|(keyword, _)| *keyword);
    if let (Some(keyword), false) = (limit, input.choices.is_empty()) {
        let why = format!("it has choices and `{keyword}`");
        return no_value(keyword, why, "leave out the choices that are not meant, and the other rule");
    }
    None
}

/// Whether a value is of a shape; of a list, each item where `item` says so.
fn is_of(shape: Shape, value: &Value, item: bool) -> bool {
    let one = |scalar: Scalar, value: &Value| match scalar {
        Scalar::Bool => matches!(value, Value::Bool(_)),
        Scalar::Integer => matches!(value, Value::Integer(_)),
        Scalar::Float => matches!(value, Value::Integer(_) | Value::Float(_)),
        Scalar::Text | Scalar::Path | Scalar::File | Scalar::Secret => matches!(value, Value::Text(_)),
        // A default is no request: the model is given it as it is.
        Scalar::Any => true,
    };
    match (shape, value) {
        (Shape::One(scalar), value) => one(scalar, value),
        (Shape::List(scalar), value) if item => one(scalar, value),
        (Shape::List(scalar), Value::List(values)) => values.iter().all(|value| one(scalar, value)),
        (Shape::List(_), _) => false,
    }
}

fn default_of_other_type<'k>(input: &Input, at: &At<'_>) -> Option<(&'k str, InputFinding)> {
    let default = input.default.as_ref().filter(|default| **default != Value::None)?;
    if input.of_type.shapes.iter().any(|shape| is_of(*shape, default, false)) {
        return None;
    }
    let found = match default {
        Value::List(_) => default.to_string(),
        Value::None
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Dict(_) => {
            format!("{default}, {}", default.kind())
        }
    };
    let way_out = match (input.of_type.shapes.as_slice(), default) {
        ([Shape::One(Scalar::Integer)], Value::Float(_)) => {
            "write a whole number, or give the input the type `float`"
        }
        ([Shape::List(_)], _) => "write a list: `[…]`",
        (_, Value::Text(_)) => "write it without quotes, or give the input the type `str`",
        _ => "write a default of the input's type, or give the input the type of its default",
    };
    let of = input.of_type.to_string();
    Some((
        "default",
        InputFinding::DefaultType { input: input.name.clone(), found, of, way_out, at: at("default") },
    ))
}

/// The first rule that the default breaks.
fn broken_by_default<'k>(input: &Input, at: &At<'_>) -> Option<(&'k str, InputFinding)> {
    let default = input.default.as_ref()?;
    let values =
        if let Value::List(values) = default { values.as_slice() } else { std::slice::from_ref(default) };
    let (value, rule) = values.iter().find_map(|value| Some((value, broken(input, value)?)))?;
    let (name, value) = (input.name.clone(), value.to_string());
    Some(("default", InputFinding::Default { input: name, value, rule, at: at("default") }))
}

fn broken(input: &Input, value: &Value) -> Option<String> {
    if !input.choices.is_empty() && *value != Value::None {
        let same = |choice: &Value| {
            choice == value || (choice.as_number().is_some() && choice.as_number() == value.as_number())
        };
        if !input.choices.iter().any(same) {
            return Some("is none of the choices".to_owned());
        }
    }
    if let Some(number) = value.as_number() {
        let below = |least: &&Value| least.as_number().is_some_and(|least| number < least);
        let above = |greatest: &&Value| greatest.as_number().is_some_and(|greatest| number > greatest);
        if let Some(least) = input.least.as_ref().filter(below) {
            return Some(format!("is less than `ge={least}`"));
        }
        if let Some(greatest) = input.greatest.as_ref().filter(above) {
            return Some(format!("is more than `le={greatest}`"));
        }
    }
    if let Value::Text(text) = value {
        let length = text.chars().count() as u64;
        if let Some(shortest) = input.shortest.filter(|shortest| length < *shortest) {
            return Some(format!("is shorter than `min_length={shortest}`"));
        }
        if let Some(longest) = input.longest.filter(|longest| length > *longest) {
            return Some(format!("is longer than `max_length={longest}`"));
        }
        // What only Python's expressions can say is left to the server.
        let pattern = input.pattern.as_ref()?;
        let matches = Regex::new(pattern).map_or(true, |regex| regex.is_match(text));
        return (!matches).then(|| format!("does not match `regex={pattern:?}`"));
    }
    None
}
