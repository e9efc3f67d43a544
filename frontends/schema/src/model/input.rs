//! One input of a model: its name, its type, and what its value must keep to.

use std::fmt;

use crate::model::declared::Declared;
use crate::model::value::Value;

/// A type that is not made of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// `bool`
    Bool,
    /// `int`
    Integer,
    /// `float`
    Float,
    /// `str`
    Text,
    /// `cog.Path`, and the `Path` of pathlib: the model is given a file, a request its address.
    Path,
    /// `cog.File`: the model is given an open file.
    File,
    /// `cog.Secret`: shown nowhere.
    Secret,
    /// A JSON object that nobody looks into: `Any`, `dict`, a `TypedDict`, `Annotated[T, Opaque]`.
    Any,
}

/// One of the types that an input may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// One value.
    One(Scalar),
    /// A list of them.
    List(Scalar),
}

/// The type of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputType {
    /// What it may be: one shape, or several for a union. None at all where nobody says, as documents
    /// of other programs do; then it may be anything.
    pub shapes: Vec<Shape>,
    /// Whether `None` may stand there too.
    pub optional: bool,
}

/// One input.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of_type: InputType,
    /// Where it is declared; nothing for one that no file of a project has.
    pub declared: Option<Declared>,
    /// What it is where a request leaves it out; `None` where there is no default.
    pub default: Option<Value>,
    /// What people read about it.
    pub description: Option<String>,
    /// The least number (`ge`).
    pub least: Option<Value>,
    /// The greatest number (`le`).
    pub greatest: Option<Value>,
    /// The fewest characters (`min_length`).
    pub shortest: Option<u64>,
    /// The most characters (`max_length`).
    pub longest: Option<u64>,
    /// What a text must match (`regex`).
    pub pattern: Option<String>,
    /// The only values there are (`choices`, `Literal`); empty where all are.
    pub choices: Vec<Value>,
    /// Whether its author asks not to use it any more.
    pub deprecated: bool,
    /// Media types and file endings that it takes (`accept`).
    pub accept: Option<String>,
}

impl InputType {
    /// One value of this type.
    pub fn one(scalar: Scalar) -> Self {
        Self { shapes: vec![Shape::One(scalar)], optional: false }
    }

    /// The scalar that constraints speak of; `None` for a union.
    pub fn scalar(&self) -> Option<Scalar> {
        match self.shapes.as_slice() {
            [Shape::One(scalar) | Shape::List(scalar)] => Some(*scalar),
            _ => None,
        }
    }
}

impl Input {
    /// An input of which nothing but name and type is said.
    pub fn new(name: &str, of_type: InputType) -> Self {
        Self {
            name: name.to_owned(),
            of_type,
            declared: None,
            default: None,
            description: None,
            least: None,
            greatest: None,
            shortest: None,
            longest: None,
            pattern: None,
            choices: Vec::new(),
            deprecated: false,
            accept: None,
        }
    }

    /// Whether `null` may be sent. A secret whose default is `None` may be left out or be `null`,
    /// which is how credentials are made optional.
    pub fn is_nullable(&self) -> bool {
        let is_secret = self.of_type.shapes == [Shape::One(Scalar::Secret)];
        self.of_type.optional || (is_secret && self.default == Some(Value::None))
    }

    /// The default that a request may rely on: `None` for a type that has no `None` says only that
    /// the model takes care of it, and such an input must be sent.
    pub fn effective_default(&self) -> Option<&Value> {
        self.default.as_ref().filter(|default| **default != Value::None || self.is_nullable())
    }

    /// Whether every request must send it.
    pub fn is_required(&self) -> bool {
        self.effective_default().is_none() && !self.is_nullable()
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Bool => "bool",
            Self::Integer => "int",
            Self::Float => "float",
            Self::Text => "str",
            Self::Path => "Path",
            Self::File => "File",
            Self::Secret => "Secret",
            Self::Any => "dict",
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(scalar) => write!(out, "{scalar}"),
            Self::List(scalar) => write!(out, "list[{scalar}]"),
        }
    }
}

impl fmt::Display for InputType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shapes.is_empty() {
            return out.write_str("anything");
        }
        for (index, shape) in self.shapes.iter().enumerate() {
            let divider = if index == 0 { "" } else { " | " };
            write!(out, "{divider}{shape}")?;
        }
        if self.optional { out.write_str(" | None") } else { Ok(()) }
    }
}
