//! The fields of a class that is an output: a `BaseModel`, a `TypedDict` or a dataclass.

use std::rc::Rc;

use crate::constants::Around;
use crate::model::{Field, Output, Scalar, Value};
use crate::python::syntax::{Bound, Class, Expr, Kind};
use crate::reading::outputs::Inside;
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};
use crate::types::{Type, TypeKind};

/// How the fields of a class are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `cog.BaseModel`, pydantic's, or a dataclass.
    Model,
    /// `TypedDict`
    Dict,
}

impl Scope<'_> {
    /// Whether a class is a `TypedDict`.
    pub(super) fn is_typed_dict(&mut self, id: ModuleId, class: &Rc<Class>) -> bool {
        self.style(id, class) == Some(Style::Dict)
    }

    fn style(&mut self, id: ModuleId, class: &Rc<Class>) -> Option<Style> {
        let (own, others) = self.bases(id, class);
        let named = |entity: &Entity, wanted: &str| matches!(entity, Entity::External(_, Some(name)) if name == wanted);
        if others.iter().any(|base| named(base, "TypedDict")) {
            return Some(Style::Dict);
        }
        if others.iter().any(|base| named(base, "BaseModel")) {
            return Some(Style::Model);
        }
        let is_dataclass = own.iter().any(|(id, class)| {
            class.decorators.iter().any(|decorator| {
                let name = if let Kind::Call(call) = &decorator.kind { &call.function } else { decorator };
                named(&self.entity(*id, name, None), "dataclass")
            })
        });
        is_dataclass.then_some(Style::Model)
    }

    /// The object that a class is; the inner `None` where it has no fields that are known.
    pub(super) fn fields(
        &mut self,
        id: ModuleId,
        class: &Rc<Class>,
        inside: &mut Inside,
    ) -> Option<Option<Output>> {
        let Some(style) = self.style(id, class) else { return Some(None) };
        let this = (id, class.at.clone());
        if inside.contains(&this) {
            return Some(Some(Output::One(Scalar::Any)));
        }
        inside.push(this);
        let mut fields: Vec<Field> = Vec::new();
        let mut complete = true;
        // Those of the furthest base come first, and keep their place when they are written anew.
        for (id, class) in self.bases(id, class).0.into_iter().rev() {
            for field in self.fields_of(id, &class, style, inside, &mut complete) {
                match fields.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => *known = field,
                    None => fields.push(field),
                }
            }
        }
        inside.pop();
        complete.then_some(Some(Output::Object(fields)))
    }

    /// The fields that one class adds.
    fn fields_of(
        &mut self,
        id: ModuleId,
        class: &Rc<Class>,
        style: Style,
        inside: &mut Inside,
        complete: &mut bool,
    ) -> Vec<Field> {
        let not_total = |(name, value): &(String, Expr)| name == "total" && value.kind == Kind::Bool(false);
        let total = !class.keywords.iter().any(not_total);
        let mut fields = Vec::new();
        for binding in &class.body {
            let Bound::Value { annotation: Some(annotation), value } = &binding.to else { continue };
            if binding.name.starts_with('_')
                || binding.name == "model_config"
                || self.is_class_variable(id, annotation)
            {
                continue;
            }
            let Some(of) = self.annotation(id, annotation) else {
                *complete = false;
                continue;
            };
            let (key, of) = match of.kind {
                TypeKind::Key(required, inner) => (Some(required), *inner),
                _ => (None, of),
            };
            let (nullable, of) = without_none(of);
            let Some(output) = self.part(&of, inside) else {
                *complete = false;
                continue;
            };
            let (has_default, default) = match value {
                Some(value) if style == Style::Model => self.field_default(id, value),
                _ => (false, None),
            };
            let required = match style {
                Style::Dict => key.unwrap_or(total),
                Style::Model => !has_default && !nullable,
            };
            fields.push(Field { name: binding.name.clone(), output, nullable, required, default });
        }
        fields
    }

    fn is_class_variable(&mut self, id: ModuleId, annotation: &Expr) -> bool {
        let outer = if let Kind::Subscript(outer, _) = &annotation.kind { outer } else { annotation };
        let entity = self.entity(id, outer, None);
        matches!(entity, Entity::External(_, Some(name)) if name == "ClassVar")
    }

    /// Whether a field has a default, and which, where it is known: an answer holds the field all
    /// the same, so that an unknown one is no finding.
    fn field_default(&mut self, id: ModuleId, value: &Expr) -> (bool, Option<Value>) {
        let around = Around::default();
        let Kind::Call(call) = &value.kind else {
            return (true, self.value(id, value, &around, 0).ok());
        };
        let function = call.function.dotted().unwrap_or_default();
        if !["Field", "field"].contains(&function.rsplit('.').next().unwrap_or_default()) {
            return (true, None);
        }
        let named =
            |wanted: &str| call.named.iter().find(|named| named.name == wanted).map(|named| &named.value);
        if named("default_factory").is_some() {
            return (true, None);
        }
        match named("default").or(call.positional.first()) {
            // `Field(...)` asks for a value.
            Some(Expr { kind: Kind::Other("`...`"), .. }) | None => (false, None),
            Some(default) => (true, self.value(id, default, &around, 0).ok()),
        }
    }
}

/// A type without `None`, and whether that was in it.
fn without_none(of: Type) -> (bool, Type) {
    if let TypeKind::Opaque(inner) = &of.kind {
        let (nullable, inner) = without_none((**inner).clone());
        return (nullable, Type { kind: TypeKind::Opaque(Box::new(inner)), ..of });
    }
    let TypeKind::Union(members) = &of.kind else { return (false, of) };
    let mut rest: Vec<Type> = members.iter().filter(|one| one.kind != TypeKind::Nothing).cloned().collect();
    let nullable = rest.len() < members.len();
    match (nullable, rest.len()) {
        (true, 1) => (true, rest.remove(0)),
        (true, _) => (true, Type { kind: TypeKind::Union(rest), ..of }),
        (false, _) => (false, of),
    }
}
