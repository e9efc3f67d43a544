//! A constant of a Python file, as far as JSON can say it.

use std::fmt;

use serde_json::{Map, Number, Value as Json};

/// A value that is known without running anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a point or an exponent.
    Float(f64),
    /// A string.
    Text(String),
    /// A list, a tuple or a set, in the order of the source.
    List(Vec<Value>),
    /// A dictionary, in the order of the source.
    Dict(Vec<(Value, Value)>),
}

impl Value {
    /// The value as JSON; `None` where JSON has no such value: a number out of its range, or a
    /// key that is a list.
    pub fn to_json(&self) -> Option<Json> {
        Some(match self {
            Self::None => Json::Null,
            Self::Bool(is) => Json::Bool(*is),
            Self::Integer(number) => Json::Number(Number::from_i128(*number)?),
            Self::Float(number) => Json::Number(Number::from_f64(*number)?),
            Self::Text(text) => Json::String(text.clone()),
            Self::List(values) => Json::Array(values.iter().map(Self::to_json).collect::<Option<_>>()?),
            Self::Dict(pairs) => {
                let mut object = Map::new();
                for (key, value) in pairs {
                    object.insert(key.as_key()?, value.to_json()?);
                }
                Json::Object(object)
            }
        })
    }

    /// The name that `json.dumps` gives to a key.
    fn as_key(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Bool(is) => Some(is.to_string()),
            Self::None => Some("null".to_owned()),
            Self::Float(_) | Self::List(_) | Self::Dict(_) => None,
        }
    }

    /// The value as a number to compare with.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "bounds are compared as JSON compares them")]
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::None | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Dict(_) => None,
        }
    }

    /// What kind of value it is, as messages say it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Integer(_) => "an int",
            Self::Float(_) => "a float",
            Self::Text(_) => "a str",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
        }
    }
}

/// As Python writes it, shortened where it is long.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("None"),
            Self::Bool(true) => out.write_str("True"),
            Self::Bool(false) => out.write_str("False"),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Float(number) => write!(out, "{number:?}"),
            Self::Text(text) if text.chars().count() > 40 => {
                write!(out, "\"{}…\"", text.chars().take(39).collect::<String>().escape_debug())
            }
            Self::Text(text) => write!(out, "\"{}\"", text.escape_debug()),
            Self::List(values) => write!(out, "a list of {}", values.len()),
            Self::Dict(pairs) => write!(out, "a dict of {}", pairs.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_say_is_none() {
        assert_eq!(Value::Integer(i128::from(u64::MAX)).to_json(), Some(u64::MAX.into()));
        assert_eq!(Value::Integer(i128::MAX).to_json(), None);
        assert_eq!(Value::Float(f64::INFINITY).to_json(), None);
        assert_eq!(Value::Dict(vec![(Value::List(vec![]), Value::None)]).to_json(), None);
        let keys = Value::Dict(vec![(Value::Integer(1), Value::None), (Value::None, Value::Bool(true))]);
        assert_eq!(keys.to_json(), Some(serde_json::json!({"1": null, "null": true})));
    }
}
