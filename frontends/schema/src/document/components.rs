//! The components of the document.

use serde_json::{Map, Value as Json, json};

use super::types::{self, title};
use super::{Names, reference};
use crate::model::{Input, Schema, Shape, Value};

/// Names that choices of an input of the same name must leave alone.
const TAKEN: &[&str] = &[
    "HTTPValidationError",
    "Input",
    "Output",
    "PredictionRequest",
    "PredictionResponse",
    "Status",
    "TrainingInput",
    "TrainingOutput",
    "TrainingRequest",
    "TrainingResponse",
    "ValidationError",
];

pub(super) fn add_fixed(components: &mut Map<String, Json>) {
    let mut add = |name: &str, component: Json| components.insert(name.to_owned(), component);
    add(
        "Status",
        json!({
            "title": "Status",
            "description": "An enumeration.",
            "enum": ["starting", "processing", "succeeded", "canceled", "failed"],
            "type": "string",
        }),
    );
    add(
        "HTTPValidationError",
        json!({
            "title": "HTTPValidationError",
            "type": "object",
            "properties": {
                "detail": { "title": "Detail", "type": "array", "items": reference("ValidationError") },
            },
        }),
    );
    add(
        "ValidationError",
        json!({
            "title": "ValidationError",
            "type": "object",
            "required": ["loc", "msg", "type"],
            "properties": {
                "loc": {
                    "title": "Location",
                    "type": "array",
                    "items": { "anyOf": [{ "type": "string" }, { "type": "integer" }] },
                },
                "msg": { "title": "Message", "type": "string" },
                "type": { "title": "Error Type", "type": "string" },
            },
        }),
    );
}

pub(super) fn add(components: &mut Map<String, Json>, schema: &Schema, names: &Names) {
    let text = |title: &str| json!({ "title": title, "type": "string" });
    let time = |title: &str| json!({ "title": title, "type": "string", "format": "date-time" });
    let input = inputs(components, schema, names);
    components.insert(names.input.to_owned(), input);
    let mut output = types::output(&schema.output);
    output["title"] = names.output.into();
    components.insert(names.output.to_owned(), output);
    components.insert(
        names.request.to_owned(),
        json!({
            "title": names.request,
            "type": "object",
            "properties": { "id": text("Id"), "input": reference(names.input) },
        }),
    );
    components.insert(
        names.response.to_owned(),
        json!({
            "title": names.response,
            "type": "object",
            "properties": {
                "id": text("Id"),
                "version": text("Version"),
                "input": reference(names.input),
                "output": reference(names.output),
                "status": reference("Status"),
                "error": text("Error"),
                "logs": text("Logs"),
                "metrics": { "title": "Metrics", "type": "object" },
                "created_at": time("Created At"),
                "started_at": time("Started At"),
                "completed_at": time("Completed At"),
            },
        }),
    );
}

fn inputs(components: &mut Map<String, Json>, schema: &Schema, names: &Names) -> Json {
    let mut properties = Map::new();
    for (order, input) in schema.inputs.iter().enumerate() {
        let mut property = if input.choices.is_empty() {
            let mut property = types::input(&input.of_type);
            property["title"] = title(&input.name).into();
            property
        } else {
            let component = component_of_choices(components, input);
            components.insert(component.clone(), choices(&component, input));
            match input.of_type.shapes.as_slice() {
                [Shape::List(_)] => {
                    json!({ "title": title(&input.name), "type": "array", "items": reference(&component) })
                }
                _ => json!({ "allOf": [reference(&component)] }),
            }
        };
        property["x-order"] = order.into();
        add_constraints(&mut property, input);
        properties.insert(input.name.clone(), property);
    }
    let mut object = json!({ "title": names.input, "type": "object", "properties": properties });
    let required: Vec<&str> =
        schema.inputs.iter().filter(|input| input.is_required()).map(|input| &*input.name).collect();
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

/// Choices are called like their input, unless that name is taken: by the document, or by the
/// choices of a training.
fn component_of_choices(components: &Map<String, Json>, input: &Input) -> String {
    let mut name = input.name.clone();
    while TAKEN.contains(&&*name) || components.contains_key(&name) {
        name.push_str("Choices");
    }
    name
}

fn choices(name: &str, input: &Input) -> Json {
    let values: Vec<Json> = input.choices.iter().filter_map(Value::to_json).collect();
    let mut component = json!({ "title": name, "description": "An enumeration.", "enum": values });
    if let Some(scalar) = input.of_type.scalar() {
        component["type"] = types::scalar(scalar)["type"].clone();
    }
    component
}

fn add_constraints(property: &mut Json, input: &Input) {
    let mut add = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            property[key] = value;
        }
    };
    add("default", input.effective_default().and_then(Value::to_json));
    add("nullable", input.is_nullable().then(|| true.into()));
    add("description", input.description.clone().map(Json::from));
    add("minimum", input.least.as_ref().and_then(Value::to_json));
    add("maximum", input.greatest.as_ref().and_then(Value::to_json));
    add("minLength", input.shortest.map(Json::from));
    add("maxLength", input.longest.map(Json::from));
    add("pattern", input.pattern.clone().map(Json::from));
    add("deprecated", input.deprecated.then(|| true.into()));
    add("x-cog-accept", input.accept.clone().map(Json::from));
}
