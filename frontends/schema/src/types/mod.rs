//! Type annotations, with every name in them followed to what it means.
//!
//! What a type means for an input or an output is decided in [`crate::reading`]; here it is only
//! read, whether it is written as `Optional[int]`, `int | None`, `"int | None"` or the name of one.

mod finding;
mod names;

pub use finding::TypeFinding;

use std::rc::Rc;

use crate::constants::Around;
use crate::model::{Scalar, Value};
use crate::python;
use crate::python::syntax::{Class, Expr, Kind, Span};
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};
use names::Named;

/// Deepest type.
const DEEPEST: usize = 40;

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// The file in which it is written.
    pub module: ModuleId,
    /// Where.
    pub at: Span,
    /// What it is.
    pub kind: TypeKind,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// `None`
    Nothing,
    /// `int`, `Path`, `Any`
    One(Scalar),
    /// `list`, `list[T]`
    List(Option<Box<Type>>),
    /// `dict`, `dict[str, T]`
    Dict(Option<Box<Type>>),
    /// `A | B`, `Optional[A]`: none of them is a union itself.
    Union(Vec<Type>),
    /// `Literal["a", "b"]`
    Literal(Vec<Value>),
    /// `Annotated[T, Opaque]`
    Opaque(Box<Type>),
    /// `Iterator[T]`, `AsyncIterator[T]`
    Iterator(Box<Type>),
    /// `ConcatenateIterator[str]`
    Pieces(Option<Box<Type>>),
    /// `Required[T]` and `NotRequired[T]` of a `TypedDict`
    Key(bool, Box<Type>),
    /// A class of the project.
    Class(ModuleId, Rc<Class>),
    /// A type that no model takes or gives.
    Other(String),
}

impl Scope<'_> {
    /// The type that an annotation is. What keeps it from being read is reported.
    pub fn annotation(&mut self, id: ModuleId, expr: &Expr) -> Option<Type> {
        self.annotation_at(id, expr, 0)
    }

    fn annotation_at(&mut self, id: ModuleId, expr: &Expr, depth: usize) -> Option<Type> {
        let here = |kind| Some(Type { module: id, at: expr.at.clone(), kind });
        if depth > DEEPEST || !self.step() {
            // Steps that something else took, which has been said, are no fault of this type.
            if depth > DEEPEST || !self.files.is_incomplete() {
                self.files.report(id, TypeFinding::TooDeep { at: expr.at.clone().into() });
            }
            return None;
        }
        match &expr.kind {
            Kind::None => here(TypeKind::Nothing),
            Kind::Name(_) | Kind::Attribute(..) => self.named(id, expr, depth),
            Kind::Text(text) => match python::expression(text.trim()) {
                Some(mut inner) => {
                    stand_at(&mut inner, &expr.at);
                    self.annotation_at(id, &inner, depth + 1)
                }
                None => self.no_type(id, expr),
            },
            Kind::Binary(left, operator, right) if operator == "|" => {
                let left = self.annotation_at(id, left, depth + 1);
                let right = self.annotation_at(id, right, depth + 1);
                here(TypeKind::Union(flat(vec![left?, right?])))
            }
            Kind::Subscript(outer, arguments) => self.generic(id, expr, outer, arguments, depth),
            _ => self.no_type(id, expr),
        }
    }

    fn no_type(&mut self, id: ModuleId, expr: &Expr) -> Option<Type> {
        let what = match &expr.kind {
            Kind::Other(what) => (*what).to_owned(),
            Kind::Call(_) => "a call".to_owned(),
            Kind::Text(text) => format!("the text \"{text}\""),
            Kind::List(_) => "a list".to_owned(),
            _ => "this".to_owned(),
        };
        self.files.report(id, TypeFinding::NoType { what, at: expr.at.clone().into() });
        None
    }

    /// A type without brackets.
    fn named(&mut self, id: ModuleId, expr: &Expr, depth: usize) -> Option<Type> {
        let here = |kind| Some(Type { module: id, at: expr.at.clone(), kind });
        let shown = expr.dotted().unwrap_or_default();
        match self.named_type(id, expr)? {
            Named::Scalar(scalar) => here(TypeKind::One(scalar)),
            Named::List => here(TypeKind::List(None)),
            Named::Dict => here(TypeKind::Dict(None)),
            Named::Pieces => here(TypeKind::Pieces(None)),
            Named::Class(module, class) => here(TypeKind::Class(module, class)),
            // `Size = Literal["a", "b"]`; what is wrong in it is shown there.
            Named::Alias(module, alias) => self.annotation_at(module, &alias, depth + 1),
            Named::Optional
            | Named::Union
            | Named::Literal
            | Named::Annotated
            | Named::Iterator
            | Named::Key(_) => {
                let (name, at) = (shown, expr.at.clone().into());
                self.files.report(id, TypeFinding::Arguments { name, expected: "[…] after it", at });
                None
            }
            Named::Other => here(TypeKind::Other(shown)),
        }
    }

    /// `outer[arguments]`
    fn generic(
        &mut self,
        id: ModuleId,
        expr: &Expr,
        outer: &Expr,
        arguments: &[Expr],
        depth: usize,
    ) -> Option<Type> {
        let here = |kind| Some(Type { module: id, at: expr.at.clone(), kind });
        let shown = outer.dotted().unwrap_or_default();
        let of = self.named_type(id, outer)?;
        // `dict[str, int]` may be read as one argument that is a tuple.
        let arguments = match arguments {
            [Expr { kind: Kind::List(items), .. }] if !matches!(of, Named::Other) => items.as_slice(),
            arguments => arguments,
        };
        let wrong = |scope: &mut Self, expected| {
            let (name, at) = (shown.clone(), expr.at.clone().into());
            scope.files.report(id, TypeFinding::Arguments { name, expected, at });
            None
        };
        match (of, arguments) {
            (Named::List, [of]) => {
                let of = self.annotation_at(id, of, depth + 1)?;
                here(TypeKind::List(Some(Box::new(of))))
            }
            (Named::List, _) => wrong(self, "one type in its brackets"),
            (Named::Dict, [_, of]) => {
                let of = self.annotation_at(id, of, depth + 1)?;
                here(TypeKind::Dict(Some(Box::new(of))))
            }
            (Named::Dict, _) => wrong(self, "two types in its brackets: of keys and of values"),
            (Named::Optional, [of]) => {
                let of = self.annotation_at(id, of, depth + 1)?;
                let nothing = Type { module: id, at: expr.at.clone(), kind: TypeKind::Nothing };
                here(TypeKind::Union(flat(vec![of, nothing])))
            }
            (Named::Optional, _) => wrong(self, "one type in its brackets"),
            (Named::Union, [_, ..]) => {
                let members: Vec<Option<Type>> =
                    arguments.iter().map(|member| self.annotation_at(id, member, depth + 1)).collect();
                here(TypeKind::Union(flat(members.into_iter().collect::<Option<_>>()?)))
            }
            (Named::Union, []) => wrong(self, "types in its brackets"),
            (Named::Literal, [_, ..]) => {
                let mut values = Vec::new();
                for argument in arguments {
                    let value = self.constant(id, argument, &Around::default(), "a value of `Literal`")?;
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                here(TypeKind::Literal(values))
            }
            (Named::Literal, []) => wrong(self, "values in its brackets"),
            (Named::Annotated, [of, notes @ ..]) => {
                for note in notes {
                    if matches!(&note.kind, Kind::Call(call) if self.is_input(id, call)) {
                        let at = note.at.clone().into();
                        self.files.report(id, TypeFinding::AnnotatedInput { at });
                        return None;
                    }
                }
                let opaque = notes.iter().any(|note| self.is_opaque(id, note));
                if !opaque {
                    return self.annotation_at(id, of, depth + 1);
                }
                let of = self.shape(id, of, depth + 1);
                here(TypeKind::Opaque(Box::new(of)))
            }
            (Named::Annotated, []) => wrong(self, "a type in its brackets"),
            (Named::Iterator, [of]) => {
                let of = self.annotation_at(id, of, depth + 1)?;
                here(TypeKind::Iterator(Box::new(of)))
            }
            (Named::Iterator, _) => wrong(self, "one type in its brackets"),
            (Named::Pieces, [of]) => {
                let of = self.annotation_at(id, of, depth + 1)?;
                here(TypeKind::Pieces(Some(Box::new(of))))
            }
            (Named::Pieces, _) => wrong(self, "`str` in its brackets"),
            (Named::Key(required), [of]) => {
                let of = self.annotation_at(id, of, depth + 1)?;
                here(TypeKind::Key(required, Box::new(of)))
            }
            (Named::Key(_), _) => wrong(self, "one type in its brackets"),
            (Named::Alias(module, alias), _) => self.annotation_at(module, &alias, depth + 1),
            (Named::Class(module, class), _) => here(TypeKind::Class(module, class)),
            (Named::Scalar(_) | Named::Other, _) => here(TypeKind::Other(format!("{shown}[…]"))),
        }
    }

    fn is_opaque(&mut self, id: ModuleId, note: &Expr) -> bool {
        let is = |entity| matches!(entity, Entity::External(module, Some(name)) if module == "cog" && name == "Opaque");
        is(self.entity(id, note, None))
    }

    /// The outside of a type whose inside nobody looks into: a list, something optional, or neither.
    fn shape(&mut self, id: ModuleId, expr: &Expr, depth: usize) -> Type {
        let here = |kind| Type { module: id, at: expr.at.clone(), kind };
        let nothing = || here(TypeKind::Nothing);
        let any = || here(TypeKind::One(Scalar::Any));
        if depth > DEEPEST || !self.step() {
            return any();
        }
        match &expr.kind {
            Kind::None => nothing(),
            Kind::Binary(left, operator, right) if operator == "|" => {
                let (left, right) = (self.shape(id, left, depth + 1), self.shape(id, right, depth + 1));
                here(TypeKind::Union(flat(vec![left, right])))
            }
            Kind::Subscript(outer, arguments) => match (self.known_type(id, outer), arguments.as_slice()) {
                (Some(Named::List), _) => here(TypeKind::List(None)),
                (Some(Named::Optional), [of]) => {
                    here(TypeKind::Union(flat(vec![self.shape(id, of, depth + 1), nothing()])))
                }
                (Some(Named::Union), members) => {
                    let members = members.iter().map(|member| self.shape(id, member, depth + 1)).collect();
                    here(TypeKind::Union(flat(members)))
                }
                _ => any(),
            },
            Kind::Name(_) | Kind::Attribute(..) => match self.known_type(id, expr) {
                Some(Named::List) => here(TypeKind::List(None)),
                _ => any(),
            },
            _ => any(),
        }
    }
}

/// The members of a union, those of unions in it among them, each once.
fn flat(members: Vec<Type>) -> Vec<Type> {
    let mut result: Vec<Type> = Vec::new();
    for member in members {
        let inner = match member.kind {
            TypeKind::Union(inner) => inner,
            _ => vec![member],
        };
        for member in inner {
            if !result.iter().any(|known| known.kind == member.kind) {
                result.push(member);
            }
        }
    }
    result
}

/// Sets an expression, and all in it, to one place: that of the text which it was written as.
fn stand_at(expr: &mut Expr, at: &Span) {
    expr.at = at.clone();
    match &mut expr.kind {
        Kind::Attribute(inner, _) | Kind::Unary(_, inner) => stand_at(inner, at),
        Kind::Binary(left, _, right) => {
            stand_at(left, at);
            stand_at(right, at);
        }
        Kind::Subscript(outer, arguments) => {
            stand_at(outer, at);
            arguments.iter_mut().for_each(|argument| stand_at(argument, at));
        }
        Kind::List(items) => items.iter_mut().for_each(|item| stand_at(item, at)),
        _ => {}
    }
}
