//! Types as JSON Schema.

use serde_json::{Map, Value as Json, json};

use crate::model::{Field, InputType, Output, Scalar, Shape};

/// `top_k` as people read it: `Top K`.
pub(super) fn title(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('_').filter(|part| !part.is_empty()).map(word).collect::<Vec<_>>().join(" ")
}

pub(super) fn scalar(scalar: Scalar) -> Json {
    match scalar {
        Scalar::Bool => json!({ "type": "boolean" }),
        Scalar::Integer => json!({ "type": "integer" }),
        Scalar::Float => json!({ "type": "number" }),
        Scalar::Text => json!({ "type": "string" }),
        Scalar::Path | Scalar::File => json!({ "type": "string", "format": "uri" }),
        Scalar::Secret => {
            json!({ "type": "string", "format": "password", "writeOnly": true, "x-cog-secret": true })
        }
        Scalar::Any => json!({ "type": "object" }),
    }
}

fn shape(of: Shape) -> Json {
    match of {
        Shape::One(one) => scalar(one),
        Shape::List(each) => json!({ "type": "array", "items": scalar(each) }),
    }
}

/// The type of an input, without what `None` adds to it.
pub(super) fn input(of_type: &InputType) -> Json {
    match of_type.shapes.as_slice() {
        [one] => shape(*one),
        several => json!({ "anyOf": several.iter().map(|one| shape(*one)).collect::<Vec<_>>() }),
    }
}

pub(super) fn output(of: &Output) -> Json {
    match of {
        Output::Nothing => json!({ "nullable": true }),
        Output::One(one) => scalar(*one),
        Output::List(each) => json!({ "type": "array", "items": output(each) }),
        Output::Dict(each) => json!({ "type": "object", "additionalProperties": output(each) }),
        Output::Object(fields) => object(fields),
        Output::Iterator(each) => {
            json!({ "type": "array", "items": output(each), "x-cog-array-type": "iterator" })
        }
        Output::Pieces => json!({
            "type": "array",
            "items": { "type": "string" },
            "x-cog-array-type": "iterator",
            "x-cog-array-display": "concatenate",
        }),
    }
}

fn object(fields: &[Field]) -> Json {
    let mut properties = Map::new();
    for field in fields {
        let mut property = output(&field.output);
        property["title"] = title(&field.name).into();
        if field.nullable {
            property["nullable"] = true.into();
        }
        if let Some(default) = field.default.as_ref().and_then(|default| default.to_json()) {
            property["default"] = default;
        }
        properties.insert(field.name.clone(), property);
    }
    let mut object = json!({ "type": "object", "properties": properties });
    let required: Vec<&str> =
        fields.iter().filter(|field| field.required).map(|field| &*field.name).collect();
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn titles_are_words() {
        assert_eq!(title("num_inference_steps"), "Num Inference Steps");
        assert_eq!(title("_x__y_"), "X Y");
        assert_eq!(title("été"), "Été");
    }
}
