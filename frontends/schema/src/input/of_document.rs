//! The inputs of a model as its OpenAPI document has them: this room's own documents, those of any
//! version of cog, and what servers of other people say, of which only what is understood counts.
//!
//! An input whose type is not understood may be anything: then the server alone judges it.

use serde_json::{Map, Value as Json};

use super::signature::Signature;
use crate::model::{Input, InputType, Scalar, Shape, Value};

/// Most references that are followed from one input.
const DEEPEST: usize = 16;

impl Signature {
    /// What a document says of predictions, or of trainings where these are all that its model does; `None`
    /// where it does not speak of inputs.
    pub fn of_document(document: &Json) -> Option<Self> {
        let components = &document["components"]["schemas"];
        let named = |name: &str| components[name]["properties"].as_object().map(|it| (&components[name], it));
        let (component, properties) = named("Input").or_else(|| named("TrainingInput"))?;
        let required: Vec<&str> =
            component["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let mut ordered: Vec<(&String, &Json)> = properties.iter().collect();
        ordered.sort_by_key(|(_, property)| property["x-order"].as_u64().unwrap_or(u64::MAX));
        let of = |(name, property): (&String, &Json)| {
            let is_required = required.contains(&name.as_str());
            Reader { document }.input(name, property, is_required)
        };
        Some(Self { inputs: ordered.into_iter().map(of).collect(), declared: None })
    }
}

struct Reader<'d> {
    document: &'d Json,
}

impl<'d> Reader<'d> {
    fn input(&self, name: &str, property: &'d Json, is_required: bool) -> Input {
        // What is said beside a reference holds as well as what it leads to.
        let parts = self.parts(property, DEEPEST);
        let said = |key: &str| parts.iter().map(|part| &part[key]).find(|value| !value.is_null());
        let mut input = Input::new(name, InputType { shapes: Vec::new(), optional: false });
        let mut choices = said("enum");
        match self.alternatives(&parts) {
            Some((alternatives, has_null)) => {
                input.of_type.optional = has_null;
                let shapes = alternatives.iter().map(|parts| self.shape(parts));
                // One that is not understood may be anything, and so may all of them.
                input.of_type.shapes = shapes.collect::<Option<_>>().unwrap_or_default();
            }
            None => input.of_type.shapes = self.shape(&parts).into_iter().collect(),
        }
        if let ([Shape::List(_)], Some(items)) = (input.of_type.shapes.as_slice(), said("items")) {
            choices = choices.or_else(|| {
                self.parts(items, DEEPEST)
                    .into_iter()
                    .map(|part| &part["enum"])
                    .find(|value| value.is_array())
            });
        }
        let listed = choices.and_then(Json::as_array).into_iter().flatten();
        input.choices = listed.map(Value::of_json).collect();
        input.default = said("default").map(Value::of_json);
        input.of_type.optional |= said("nullable") == Some(&Json::Bool(true));
        input.of_type.optional |= !is_required && input.default.is_none();
        input.of_type.optional &= !is_required;
        if is_required {
            input.default = None;
        }
        let number = |key: &str| said(key).filter(|value| value.is_number()).map(Value::of_json);
        input.least = number("minimum");
        input.greatest = number("maximum");
        input.shortest = said("minLength").and_then(Json::as_u64);
        input.longest = said("maxLength").and_then(Json::as_u64);
        input.pattern = said("pattern").and_then(Json::as_str).map(str::to_owned);
        input
    }

    /// A schema, and all that it refers to or that holds at the same time.
    fn parts(&self, schema: &'d Json, depth: usize) -> Vec<&'d Json> {
        let mut parts = vec![schema];
        let Some(deeper) = depth.checked_sub(1) else { return parts };
        let target = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
        if let Some(target) = target.and_then(|path| self.document.pointer(path)) {
            parts.extend(self.parts(target, deeper));
        }
        // Of several that hold at once, as of a choice among one, documents write one only.
        for key in ["allOf", "anyOf", "oneOf"] {
            if let Some([only]) = schema[key].as_array().map(Vec::as_slice) {
                parts.extend(self.parts(only, deeper));
            }
        }
        parts
    }

    /// What a union may be, and whether `null` is one of it.
    fn alternatives(&self, parts: &[&'d Json]) -> Option<(Vec<Vec<&'d Json>>, bool)> {
        let of = |part: &&'d Json| ["anyOf", "oneOf"].into_iter().find_map(|key| part[key].as_array());
        let union = parts.iter().find_map(of).filter(|union| union.len() > 1)?;
        let (nulls, others): (Vec<&Json>, Vec<&Json>) =
            union.iter().partition(|schema| schema["type"].as_str() == Some("null"));
        Some((others.into_iter().map(|other| self.parts(other, DEEPEST)).collect(), !nulls.is_empty()))
    }

    fn shape(&self, parts: &[&'d Json]) -> Option<Shape> {
        let word = |key: &str| parts.iter().find_map(|part| part[key].as_str());
        if word("type") == Some("array") {
            let items = parts.iter().map(|part| &part["items"]).find(|items| items.is_object())?;
            return scalar(&self.parts(items, DEEPEST)).map(Shape::List);
        }
        scalar(parts).map(Shape::One)
    }
}

fn scalar(parts: &[&Json]) -> Option<Scalar> {
    let word = |key: &str| parts.iter().find_map(|part| part[key].as_str());
    Some(match word("type")? {
        "boolean" => Scalar::Bool,
        "integer" => Scalar::Integer,
        "number" => Scalar::Float,
        "object" => Scalar::Any,
        "string" => match word("format") {
            Some("uri") => Scalar::Path,
            Some("password") => Scalar::Secret,
            Some(_) | None => Scalar::Text,
        },
        _ => return None,
    })
}

impl Value {
    /// A value of JSON.
    fn of_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(is) => Self::Bool(*is),
            Json::Number(number) => match (number.as_i128(), number.as_f64()) {
                (Some(whole), _) => Self::Integer(whole),
                (None, number) => Self::Float(number.unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(values) => Self::List(values.iter().map(Self::of_json).collect()),
            Json::Object(object) => Self::Dict(pairs(object)),
        }
    }
}

fn pairs(object: &Map<String, Json>) -> Vec<(Value, Value)> {
    object.iter().map(|(key, value)| (Value::Text(key.clone()), Value::of_json(value))).collect()
}
