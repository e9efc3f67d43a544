//! The OpenAPI document of a model, as cog's server reads it from `.cog/openapi_schema.json`.
//!
//! It is OpenAPI 3.0.2, so that `nullable` says what a type `null` would say in later versions. The
//! inputs are the component `Input`, whose order is told by `x-order`; choices are components of
//! their own. A training has `TrainingInput` and its like beside them.

mod components;
mod paths;
mod types;

use serde_json::{Map, Value as Json, json};

use crate::model::Schema;
use crate::target::Use;

/// What the parts of the document are called for predictions or trainings.
struct Names {
    input: &'static str,
    output: &'static str,
    request: &'static str,
    response: &'static str,
    path: &'static str,
    parameter: &'static str,
    summary: &'static str,
    description: &'static str,
    verb: &'static str,
    title: &'static str,
}

const OF_PREDICTIONS: Names = Names {
    input: "Input",
    output: "Output",
    request: "PredictionRequest",
    response: "PredictionResponse",
    path: "/predictions",
    parameter: "prediction_id",
    summary: "Predict",
    description: "Run a single prediction on the model",
    verb: "predict",
    title: "Prediction Id",
};

const OF_TRAININGS: Names = Names {
    input: "TrainingInput",
    output: "TrainingOutput",
    request: "TrainingRequest",
    response: "TrainingResponse",
    path: "/trainings",
    parameter: "training_id",
    summary: "Train",
    description: "Run a single training on the model",
    verb: "train",
    title: "Training Id",
};

impl Names {
    fn of(used_for: Use) -> &'static Self {
        match used_for {
            Use::Run => &OF_PREDICTIONS,
            Use::Train => &OF_TRAININGS,
        }
    }
}

fn reference(component: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{component}") })
}

impl Schema {
    /// The document, with the version of what wrote it.
    pub fn openapi(&self, version: &str) -> Json {
        openapi(&[self], version)
    }
}

/// The document of a model that answers predictions, trainings or both: one of each at most.
pub fn openapi(schemas: &[&Schema], version: &str) -> Json {
    let mut components = Map::new();
    let mut paths = Map::new();
    components::add_fixed(&mut components);
    paths::add_fixed(&mut paths);
    for schema in schemas {
        let names = Names::of(schema.used_for);
        components::add(&mut components, schema, names);
        paths::add(&mut paths, schema, names);
    }
    json!({
        "openapi": "3.0.2",
        "info": { "title": "Cog", "version": version },
        "paths": paths,
        "components": { "schemas": components },
    })
}

/// The text of a document: keys sorted, two spaces, one line end at the end.
pub fn print(document: &Json) -> String {
    let text = serde_json::to_string_pretty(&sorted(document)).unwrap_or_default();
    text + "\n"
}

/// The same value with the keys of its objects in order, whatever keeps them elsewhere in the
/// program.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(object) => {
            let mut pairs: Vec<_> = object.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            Json::Object(pairs.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Json::Array(values) => Json::Array(values.iter().map(sorted).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Handler, Input, InputType, Output, Scalar, Value};

    fn schema(used_for: Use) -> Schema {
        let choices = vec![Value::Integer(1), Value::Integer(2)];
        let inputs = ["Status", "size"].map(|name| Input {
            choices: choices.clone(),
            ..Input::new(name, InputType::one(Scalar::Integer))
        });
        let (name, output) = ("run".to_owned(), Output::Nothing);
        let handler = Handler {
            name,
            declared: None,
            class: None,
            is_async: false,
            concurrency: None,
            streaming: false,
            setup: None,
        };
        Schema { used_for, inputs: inputs.into(), output, handler }
    }

    #[test]
    fn predictions_and_trainings_stand_side_by_side() {
        let (run, train) = (schema(Use::Run), schema(Use::Train));
        let document = openapi(&[&run, &train], "1.2.3");
        assert_eq!(document["info"]["version"], "1.2.3");
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(
            paths,
            [
                "/",
                "/health-check",
                "/predictions",
                "/predictions/{prediction_id}",
                "/predictions/{prediction_id}/cancel",
                "/trainings",
                "/trainings/{training_id}",
                "/trainings/{training_id}/cancel",
            ]
        );
        // No choices take the place of a component of another meaning.
        let components = &document["components"]["schemas"];
        assert_eq!(components["Status"]["enum"][0], "starting");
        assert_eq!(components["StatusChoices"]["enum"], serde_json::json!([1, 2]));
        let of_training = &components["TrainingInput"]["properties"];
        assert_eq!(of_training["size"]["allOf"][0]["$ref"], "#/components/schemas/sizeChoices");
        assert_eq!(of_training["size"]["x-order"], 1);
    }

    /// Every `$ref` leads to a component.
    #[test]
    fn references_lead_somewhere() {
        let document = openapi(&[&schema(Use::Run), &schema(Use::Train)], "1");
        let mut waiting = vec![&document];
        let mut count = 0;
        while let Some(value) = waiting.pop() {
            if let Some(path) = value.get("$ref").and_then(Json::as_str) {
                assert!(document.pointer(path.trim_start_matches('#')).is_some(), "{path}");
                count += 1;
            }
            waiting.extend(value.as_object().into_iter().flat_map(Map::values));
            waiting.extend(value.as_array().into_iter().flatten());
        }
        assert!(count > 20, "{count}");
    }
}
