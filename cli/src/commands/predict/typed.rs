//! Which inputs are texts and which are not, by the model's OpenAPI document: a command line has only
//! texts. The one place that knows of the document here, so that what checks it whole can take over.

use std::collections::BTreeMap;

use cogpack_ir::suggest::nearest;
use serde_json::Value;

use crate::failure::Failure;

/// Most references that are followed from one input.
const DEEPEST: usize = 16;

/// What a model's inputs and output are, as far as it says so.
#[derive(Debug, Default)]
pub struct Types {
    /// Nothing where the model does not say.
    inputs: Option<BTreeMap<String, Kind>>,
    /// How output is put together.
    pub output: OutputForm,
}

/// What output is, where it is a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputForm {
    /// One value.
    #[default]
    Value,
    /// Values one by one.
    Items,
    /// Pieces of one text.
    Pieces,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Text,
    /// A value of JSON, by its word for it.
    Json(&'static str),
    List(Box<Kind>),
    /// Whatever somebody means.
    Any,
}

impl Types {
    /// What a document says; where it says nothing, everything is text.
    pub fn of(document: &Value) -> Self {
        let schemas = &document["components"]["schemas"];
        let properties = schemas["Input"]["properties"].as_object();
        let inputs = properties.map(|properties| {
            let kind = |(name, schema): (&String, &Value)| (name.clone(), kind(schema, document, DEEPEST));
            properties.iter().map(kind).collect()
        });
        let output = &schemas["Output"];
        let is = |name: &str, value: &str| output[name].as_str() == Some(value);
        let output = match (is("x-cog-array-type", "iterator"), is("x-cog-array-display", "concatenate")) {
            (_, true) => OutputForm::Pieces,
            (true, false) => OutputForm::Items,
            (false, false) => OutputForm::Value,
        };
        Self { inputs, output }
    }

    /// The value that is sent for the texts that an input was given.
    pub fn value(&self, name: &str, texts: &[&str]) -> Result<Value, Failure> {
        let several = || Value::from(texts.to_vec());
        let Some(inputs) = &self.inputs else {
            return Ok(match texts {
                [text] => Value::from(*text),
                _ => several(),
            });
        };
        let Some(kind) = inputs.get(name) else {
            let failure = Failure::new(format!("the model has no input `{name}`"));
            let known: Vec<&str> = inputs.keys().map(String::as_str).collect();
            return Err(failure.with_hint(match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `-i {near}=…`?"),
                None if known.is_empty() => "it takes no input: leave `-i` out".to_owned(),
                None => format!("it has {}", known.join(", ")),
            }));
        };
        match (kind, texts) {
            (Kind::List(_), [text]) if text.trim_start().starts_with('[') => json(name, text, "a list"),
            (Kind::List(item), texts) => texts.iter().map(|text| item.read(name, text)).collect(),
            (kind, [text]) => kind.read(name, text),
            (_, _) => Err(Failure::new(format!("the input `{name}` is given more than once"))
                .with_hint("the model takes one value for it: leave the others out")),
        }
    }
}

impl Kind {
    fn read(&self, name: &str, text: &str) -> Result<Value, Failure> {
        match self {
            Self::Text => Ok(Value::from(text)),
            Self::Json(what) => json(name, text, what),
            Self::List(_) => json(name, text, "a list"),
            Self::Any => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))),
        }
    }
}

/// Reads JSON of a kind. What was given is not said: it may be a secret.
fn json(name: &str, text: &str, what: &'static str) -> Result<Value, Failure> {
    let value: Option<Value> = serde_json::from_str(text).ok();
    let is_kind = |value: &Value| match what {
        "a number" => value.is_number(),
        "a whole number" => value.is_i64() || value.is_u64(),
        "true or false" => value.is_boolean(),
        "a list" => value.is_array(),
        _ => value.is_object(),
    };
    value.filter(is_kind).ok_or_else(|| {
        let example = match what {
            "a number" => "0.5",
            "a whole number" => "7",
            "true or false" => "true",
            "a list" => "[1, 2]",
            _ => "{\"key\": \"value\"}",
        };
        Failure::new(format!("the input `{name}` is {what}, and what is given is not"))
            .with_hint(format!("write it as JSON, for instance `-i {name}={example}`"))
    })
}

fn kind(schema: &Value, document: &Value, depth: usize) -> Kind {
    if depth == 0 {
        return Kind::Any;
    }
    let follow = |schema: &Value| kind(schema, document, depth - 1);
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.strip_prefix('#').and_then(|path| document.pointer(path));
        return target.map_or(Kind::Any, follow);
    }
    for name in ["allOf", "anyOf", "oneOf"] {
        let is_null = |schema: &&Value| schema["type"].as_str() == Some("null");
        let choices = schema[name].as_array().into_iter().flatten().filter(|choice| !is_null(choice));
        let mut kinds: Vec<Kind> = choices.map(follow).collect();
        kinds.dedup();
        match (kinds.pop(), kinds.is_empty()) {
            (Some(only), true) => return only,
            (Some(_), false) => return Kind::Any,
            (None, _) => {}
        }
    }
    match schema["type"].as_str() {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Json("a whole number"),
        Some("number") => Kind::Json("a number"),
        Some("boolean") => Kind::Json("true or false"),
        Some("object") => Kind::Json("an object"),
        Some("array") => Kind::List(Box::new(follow(&schema["items"]))),
        Some(_) | None => Kind::Any,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn types() -> Types {
        Types::of(&json!({"components": {"schemas": {
            "size": {"type": "integer", "enum": [1, 2]},
            "Input": {"properties": {
                "text": {"type": "string"},
                "steps": {"type": "integer"},
                "scale": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                "fast": {"type": "boolean"},
                "size": {"allOf": [{"$ref": "#/components/schemas/size"}], "default": 1},
                "seeds": {"type": "array", "items": {"type": "integer"}},
                "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "options": {"type": "object"},
                "circle": {"$ref": "#/components/schemas/Input/properties/circle"},
            }},
            "Output": {"type": "array", "x-cog-array-type": "iterator", "x-cog-array-display": "concatenate"},
        }}}))
    }

    #[test]
    fn texts_become_what_the_schema_says() {
        for (name, texts, value) in [
            ("text", &["7"][..], json!("7")),
            ("steps", &["7"], json!(7)),
            ("scale", &["7"], json!(7)),
            ("scale", &["0.5"], json!(0.5)),
            ("fast", &["true"], json!(true)),
            ("size", &["2"], json!(2)),
            ("seeds", &["1", "2"], json!([1, 2])),
            ("seeds", &["1"], json!([1])),
            ("seeds", &["[1, 2]"], json!([1, 2])),
            ("either", &["7"], json!(7)),
            ("either", &["seven"], json!("seven")),
            ("options", &["{\"a\": 1}"], json!({"a": 1})),
            ("circle", &["x"], json!("x")),
        ] {
            assert_eq!(types().value(name, texts).ok(), Some(value), "{name} {texts:?}");
        }
        assert_eq!(types().output, OutputForm::Pieces);
    }

    #[test]
    fn what_does_not_fit_is_told_without_what_was_given() {
        for (name, texts, message, hint) in [
            (
                "steps",
                &["0.5"][..],
                "the input `steps` is a whole number, and what is given is not",
                "`-i steps=7`",
            ),
            (
                "fast",
                &["hunter2"],
                "the input `fast` is true or false, and what is given is not",
                "`-i fast=true`",
            ),
            (
                "seeds",
                &["a"],
                "the input `seeds` is a whole number, and what is given is not",
                "`-i seeds=7`",
            ),
            ("text", &["a", "b"], "the input `text` is given more than once", "leave the others out"),
            ("txt", &["a"], "the model has no input `txt`", "did you mean `-i text=…`?"),
        ] {
            let failure = types().value(name, texts).expect_err("does not fit");
            assert_eq!(failure.message, message);
            assert!(failure.hint.is_some_and(|it| it.contains(hint)), "{message}");
        }
    }

    #[test]
    fn without_a_schema_everything_is_text() {
        let types = Types::of(&json!({"openapi": "3.0.2"}));
        assert_eq!(types.value("n", &["7"]).ok(), Some(json!("7")));
        assert_eq!(types.value("n", &["7", "8"]).ok(), Some(json!(["7", "8"])));
        assert_eq!(types.output, OutputForm::Value);
    }
}
