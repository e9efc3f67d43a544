//! Tests: the published schema says what the reader says.

use boon::{Compiler, Schemas};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{read, sample, write};
use crate::arbitrary;
use crate::plan::Plan;

/// A validator with the published schema in it.
struct Published {
    schemas: Schemas,
    index: boon::SchemaIndex,
}

impl Published {
    fn new() -> Self {
        let schema: Value = serde_json::from_str(super::SCHEMA).expect("the schema is JSON");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let place = "memory:///plan.schema.json";
        compiler.add_resource(place, schema).expect("the schema can be added");
        let index = compiler.compile(place, &mut schemas).expect("the schema is of draft 2020-12");
        Self { schemas, index }
    }

    fn takes(&self, document: &Value) -> bool {
        self.schemas.validate(document, self.index).is_ok()
    }
}

fn document(plan: &Plan) -> Value {
    serde_json::from_str(&write(plan)).expect("what is written is JSON")
}

/// The pointers of all values below `value` that `wanted` takes.
fn pointers(value: &Value, wanted: &dyn Fn(&Value) -> bool) -> Vec<String> {
    fn collect(value: &Value, here: &str, wanted: &dyn Fn(&Value) -> bool, found: &mut Vec<String>) {
        if wanted(value) {
            found.push(here.to_owned());
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    collect(item, &format!("{here}/{index}"), wanted, found);
                }
            }
            Value::Object(members) => {
                for (key, item) in members {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    collect(item, &format!("{here}/{key}"), wanted, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    collect(value, "", wanted, &mut found);
    found
}

/// `document` with the value at `pointer` changed.
fn changed(document: &Value, pointer: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut document = document.clone();
    change(document.pointer_mut(pointer).expect("the pointer is of this document"));
    document
}

#[test]
fn written_plans_are_valid() {
    let published = Published::new();
    for plan in [Plan::empty(), sample::everything()] {
        let document = document(&plan);
        if let Err(error) = published.schemas.validate(&document, published.index) {
            panic!("{error:#}");
        }
    }
}

/// Objects by name, whose keys are the plan's own, and those that hold texts by key.
fn has_free_keys(pointer: &str) -> bool {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let is_nested = pointer.matches('/').count() > 1;
    ["labels", "annotations"].contains(&last)
        || (!is_nested && ["images", "contexts", "secrets", "caches", "phases"].contains(&last))
        || (is_nested && ["files", "wheels", "debs", "archives", "certificates"].contains(&last))
}

#[test]
fn unknown_keys_are_refused_by_both_at_every_level() {
    let published = Published::new();
    let document = document(&sample::everything());
    let objects = pointers(&document, &Value::is_object);
    assert!(objects.len() > 60, "the sample has only {} objects", objects.len());
    for pointer in objects.iter().filter(|pointer| !has_free_keys(pointer)) {
        let changed = changed(&document, pointer, |object| object["surplus"] = json!(1));
        assert!(!published.takes(&changed), "the schema takes an unknown key at `{pointer}`");
        let findings = read(&changed.to_string()).expect_err(pointer);
        let messages: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let place = if pointer.is_empty() { "the document".to_owned() } else { format!("`{pointer}`") };
        assert_eq!(messages, [format!("{place} has the key `surplus`, which means nothing here")]);
    }
}

#[test]
fn values_of_another_kind_are_refused_by_both_at_every_level() {
    let published = Published::new();
    let document = document(&sample::everything());
    for pointer in pointers(&document, &|_| true) {
        for other in [json!(null), json!(-1), json!(0.5), json!([[]]), json!("no such word \u{0}")] {
            let value = document.pointer(&pointer).expect("the pointer is of this document");
            if std::mem::discriminant(value) == std::mem::discriminant(&other) && !value.is_number() {
                continue;
            }
            let changed = changed(&document, &pointer, |place| *place = other.clone());
            assert!(read(&changed.to_string()).is_err(), "the reader takes {other} at `{pointer}`");
            assert!(!published.takes(&changed), "the schema takes {other} at `{pointer}`");
        }
    }
}

#[test]
fn keys_without_a_default_are_required_by_both() {
    let published = Published::new();
    let document = document(&sample::everything());
    let mut required = 0;
    for pointer in pointers(&document, &Value::is_object) {
        let keys: Vec<String> = match document.pointer(&pointer) {
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            _ => unreachable!("only objects were asked for"),
        };
        for key in keys {
            let less = changed(&document, &pointer, |object| {
                object.as_object_mut().expect("is an object").remove(&key);
            });
            let (reader, schema) = (read(&less.to_string()).is_ok(), published.takes(&less));
            assert_eq!(reader, schema, "without `{key}` at `{pointer}`: reader {reader}, schema {schema}");
            required += usize::from(!reader);
        }
    }
    assert!(required > 80, "only {required} keys are required");
}

/// The sample must show what the schema knows, or the tests above would not look at it.
#[test]
fn the_sample_has_every_key_and_tag_of_the_schema() {
    let schema: Value = serde_json::from_str(super::SCHEMA).expect("the schema is JSON");
    let text = write(&sample::everything());
    let mut words = Vec::new();
    for pointer in pointers(&schema, &Value::is_object) {
        let object = schema.pointer(&pointer).expect("the pointer is of the schema");
        if let Some(Value::Object(properties)) = object.get("properties") {
            words.extend(properties.keys().cloned());
        }
        words.extend(object.get("const").and_then(Value::as_str).map(str::to_owned));
    }
    for word in words {
        assert!(text.contains(&format!("\"{word}\"")), "the sample never says `{word}`");
    }
}

proptest! {
    #[test]
    fn any_written_plan_is_valid(plans in prop::collection::vec(arbitrary::plan(), 16)) {
        let published = Published::new();
        for plan in plans {
            let document = document(&plan);
            let valid = published.schemas.validate(&document, published.index).map_err(|error| format!("{error:#}"));
            prop_assert_eq!(valid, Ok(()), "{}", document);
        }
    }
}
