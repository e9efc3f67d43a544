//! What an annotation means for an input.

use crate::model::{InputType, Scalar, Shape, Value};
use crate::scope::Scope;
use crate::types::{Type, TypeFinding, TypeKind};

/// The type of an input, and its values where they are counted (`Literal`).
#[derive(Debug, Clone, PartialEq)]
pub struct ReadInput {
    /// The type.
    pub of_type: InputType,
    /// The only values there are; empty where all are.
    pub choices: Vec<Value>,
}

const OF_FIELDS: &str =
    "take its fields as inputs of their own, or a `dict`, or write `Annotated[…, Opaque]`";
const OF_ENUMS: &str = "write `Literal[\"a\", \"b\"]`, or `str` with `Input(choices=[…])`: the server gives the model a plain value";
const OF_LISTS: &str =
    "an input is one value or a list of plain values; write `list[dict]` or `list[Any]` for more";
const OF_UNIONS: &str = "only `bool`, `int`, `float`, `str`, `dict`, lists of them and `None` may stand together; use an input for each";
const OF_OTHERS: &str = "use `str`, `int`, `float`, `bool`, `Path`, `Secret`, `dict`, `Any`, a list of them, `Literal[…]` or `… | None`";

impl Scope<'_> {
    /// What a type means for the input `name`.
    pub(super) fn input_type(&mut self, name: &str, of: &Type) -> Option<ReadInput> {
        let (optional, members) = match &of.kind {
            TypeKind::Union(members) => {
                let some = members.iter().filter(|member| member.kind != TypeKind::Nothing);
                (members.iter().any(|member| member.kind == TypeKind::Nothing), some.collect())
            }
            _ => (false, vec![of]),
        };
        let mut read = ReadInput { of_type: InputType { shapes: Vec::new(), optional }, choices: Vec::new() };
        let several = members.len() > 1;
        let literals = members.iter().filter(|member| matches!(member.kind, TypeKind::Literal(_))).count();
        for member in &members {
            let shapes = self.shapes(name, member, &mut read)?;
            let is_native = |shape: &Shape| {
                let (Shape::One(scalar) | Shape::List(scalar)) = shape;
                !matches!(scalar, Scalar::Path | Scalar::File | Scalar::Secret)
            };
            if several && (!shapes.iter().all(is_native) || (literals > 0 && literals < members.len())) {
                return self.no_input(name, "one of these types", OF_UNIONS, member);
            }
            for shape in shapes {
                if !read.of_type.shapes.contains(&shape) {
                    read.of_type.shapes.push(shape);
                }
            }
        }
        if read.of_type.shapes.is_empty() {
            return self.no_input(name, "`None`", OF_OTHERS, of);
        }
        Some(read)
    }

    fn no_input<T>(&mut self, name: &str, what: &str, way_out: &'static str, of: &Type) -> Option<T> {
        let (input, what, at) = (name.to_owned(), what.to_owned(), of.at.clone().into());
        self.files.report(of.module, TypeFinding::Input { input, what, way_out, at });
        None
    }

    fn shapes(&mut self, name: &str, of: &Type, read: &mut ReadInput) -> Option<Vec<Shape>> {
        let any = Shape::One(Scalar::Any);
        Some(match &of.kind {
            TypeKind::One(scalar) => vec![Shape::One(*scalar)],
            TypeKind::Dict(_) => vec![any],
            TypeKind::List(None) => vec![Shape::List(Scalar::Any)],
            TypeKind::List(Some(each)) => vec![Shape::List(self.item(name, each, read)?)],
            TypeKind::Literal(values) => {
                let mut shapes = Vec::new();
                for value in values {
                    match scalar_of(value) {
                        None if *value == Value::None => read.of_type.optional = true,
                        None => return self.no_input(name, "this literal", OF_OTHERS, of),
                        Some(scalar) => {
                            shapes.push(Shape::One(scalar));
                            read.choices.push(value.clone());
                        }
                    }
                }
                shapes
            }
            TypeKind::Opaque(inner) => match &inner.kind {
                TypeKind::List(_) => vec![Shape::List(Scalar::Any)],
                TypeKind::Union(members) => {
                    let is = |kind: fn(&TypeKind) -> bool| members.iter().any(|member| kind(&member.kind));
                    read.of_type.optional |= is(|kind| *kind == TypeKind::Nothing);
                    let list = is(|kind| matches!(kind, TypeKind::List(_)));
                    vec![if list && members.len() == 2 { Shape::List(Scalar::Any) } else { any }]
                }
                _ => vec![any],
            },
            TypeKind::Class(id, class) => {
                if self.is_typed_dict(*id, class) {
                    return Some(vec![any]);
                }
                let shown = format!("of the class `{}`", class.name);
                let way_out = if self.is_enum(*id, class) { OF_ENUMS } else { OF_FIELDS };
                return self.no_input(name, &shown, way_out, of);
            }
            TypeKind::Nothing => return self.no_input(name, "`None`", OF_OTHERS, of),
            TypeKind::Iterator(_) | TypeKind::Pieces(_) => {
                return self.no_input(name, "an iterator", "write `list[T]`: a request is sent as one", of);
            }
            TypeKind::Key(..) => return self.no_input(name, "a key of a `TypedDict`", OF_OTHERS, of),
            TypeKind::Other(shown) => return self.no_input(name, &format!("`{shown}`"), OF_OTHERS, of),
            // A union's members are none, and `input_type` has taken the union itself apart.
            TypeKind::Union(_) => return self.no_input(name, "a union in a type", OF_UNIONS, of),
        })
    }

    /// What each value of a list is.
    fn item(&mut self, name: &str, of: &Type, read: &mut ReadInput) -> Option<Scalar> {
        match &of.kind {
            TypeKind::List(_) => self.no_input(name, "a list of lists", OF_LISTS, of),
            TypeKind::Union(_) => self.no_input(name, "a list of several types", OF_LISTS, of),
            TypeKind::Opaque(_) => Some(Scalar::Any),
            _ => match self.shapes(name, of, read)?.as_slice() {
                [Shape::One(first), rest @ ..] if rest.iter().all(|shape| *shape == Shape::One(*first)) => {
                    Some(*first)
                }
                _ => self.no_input(name, "a list of several types", OF_LISTS, of),
            },
        }
    }
}

/// The type of a value that is no list and no dict.
pub(super) fn scalar_of(value: &Value) -> Option<Scalar> {
    match value {
        Value::Bool(_) => Some(Scalar::Bool),
        Value::Integer(_) => Some(Scalar::Integer),
        Value::Float(_) => Some(Scalar::Float),
        Value::Text(_) => Some(Scalar::Text),
        Value::None | Value::List(_) | Value::Dict(_) => None,
    }
}
