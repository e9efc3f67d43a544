//! How the output of a model is put together, by its OpenAPI document.

use serde_json::Value;

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

impl OutputForm {
    /// What a document says of it.
    pub fn of(document: &Value) -> Self {
        let output = &document["components"]["schemas"]["Output"];
        let is = |name: &str, value: &str| output[name].as_str() == Some(value);
        match (is("x-cog-array-type", "iterator"), is("x-cog-array-display", "concatenate")) {
            (_, true) => Self::Pieces,
            (true, false) => Self::Items,
            (false, false) => Self::Value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_tells_lists_from_iterators_and_these_from_pieces() {
        let of = |output| OutputForm::of(&json!({"components": {"schemas": {"Output": output}}}));
        assert_eq!(of(json!({"type": "array"})), OutputForm::Value);
        assert_eq!(of(json!({"x-cog-array-type": "iterator"})), OutputForm::Items);
        let pieces = json!({"x-cog-array-type": "iterator", "x-cog-array-display": "concatenate"});
        assert_eq!(of(pieces), OutputForm::Pieces);
        assert_eq!(OutputForm::of(&json!({"openapi": "3.0.2"})), OutputForm::Value);
    }
}
