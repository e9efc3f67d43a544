//! What a model gives.

use crate::model::input::Scalar;
use crate::model::value::Value;

/// The type of an output, or of a part of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// `None`: nothing.
    Nothing,
    /// One value.
    One(Scalar),
    /// A list of values of one type.
    List(Box<Output>),
    /// A dictionary whose values are of one type.
    Dict(Box<Output>),
    /// A `BaseModel`, a `TypedDict` or a dataclass.
    Object(Vec<Field>),
    /// Values that come one after another.
    Iterator(Box<Output>),
    /// Pieces of one text that come one after another.
    Pieces,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub output: Output,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// Whether it is always there.
    pub required: bool,
    /// Its default, where one is known.
    pub default: Option<Value>,
}
