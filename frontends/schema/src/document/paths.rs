//! The paths of the document: what the server of a model answers.

use serde_json::{Map, Value as Json, json};

use super::{Names, reference};
use crate::model::Schema;

fn answer(description: &str, schema: Json) -> Json {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn refused() -> Json {
    answer("Validation Error", reference("HTTPValidationError"))
}

pub(super) fn add_fixed(paths: &mut Map<String, Json>) {
    for (path, summary, operation) in
        [("/", "Root", "root__get"), ("/health-check", "Healthcheck", "healthcheck_health_check_get")]
    {
        let get = json!({
            "summary": summary,
            "operationId": operation,
            "responses": { "200": answer("Successful Response", json!({})) },
        });
        paths.insert(path.to_owned(), json!({ "get": get }));
    }
}

pub(super) fn add(paths: &mut Map<String, Json>, schema: &Schema, names: &Names) {
    let Names { path, parameter, verb, .. } = names;
    let plural = path.trim_start_matches('/');
    let body = json!({ "content": { "application/json": { "schema": reference(names.request) } } });
    let responses = json!({
        "200": answer("Successful Response", reference(names.response)),
        "422": refused(),
    });
    let id = json!([{
        "in": "path",
        "name": parameter,
        "required": true,
        "schema": { "title": names.title, "type": "string" },
    }]);
    let mut post = json!({
        "summary": names.summary,
        "description": names.description,
        "operationId": format!("{verb}_{plural}_post"),
        "requestBody": body,
        "responses": responses,
    });
    if schema.handler.streaming {
        post["x-cog-streaming"] = true.into();
    }
    let mut put = post.clone();
    put["operationId"] = format!("{verb}_idempotent_{plural}__{parameter}__put").into();
    put["parameters"] = id.clone();
    let cancel = json!({
        "summary": "Cancel",
        "operationId": format!("cancel_{plural}__{parameter}__cancel_post"),
        "parameters": id,
        "responses": { "200": answer("Successful Response", json!({})), "422": refused() },
    });
    paths.insert((*path).to_owned(), json!({ "post": post }));
    paths.insert(format!("{path}/{{{parameter}}}"), json!({ "put": put }));
    paths.insert(format!("{path}/{{{parameter}}}/cancel"), json!({ "post": cancel }));
}
