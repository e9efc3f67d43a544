//! Values that are known without running anything: literals, names of them in any file of the
//! project, members of enums, and the few operations that people write defaults and choices with.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use miette::SourceSpan;

use crate::model::Value;
use crate::python::syntax::{Bound, Call, Class, Expr, Kind, Span};
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};

mod dicts;
mod operations;

/// Deepest chain of names and expressions.
const DEEPEST: usize = 120;

/// A value that only running tells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum ConstantFinding {
    /// It cannot be worked out.
    #[error("{what} is not known before the program runs: {why}")]
    #[diagnostic(
        code("project::schema::not-constant"),
        help("write a literal, or the name of one; or give the schema with `--openapi-schema FILE`")
    )]
    Unknown {
        /// What it is for.
        what: String,
        /// Why not.
        why: String,
        /// Where.
        #[label("only running tells this")]
        at: SourceSpan,
    },
    /// It is a value that JSON has not.
    #[error("{what} is a value that JSON cannot say: {value}")]
    #[diagnostic(
        code("project::schema::not-json"),
        help("use numbers of 64 bits, and texts as the keys of a dict")
    )]
    NotJson {
        /// What it is for.
        what: String,
        /// The value.
        value: String,
        /// Where.
        #[label("requests and answers are JSON")]
        at: SourceSpan,
    },
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stuck {
    /// What is missing has been asked for, or said.
    Pending,
    /// At this place.
    At(ModuleId, Span, String),
}

/// The names that an expression sees before those of its file.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// The class in whose body it stands.
    pub class: Option<Rc<Class>>,
    /// Names of a comprehension.
    pub names: Vec<(String, Value)>,
}

impl Scope<'_> {
    /// The value of an expression; what keeps it from being known is reported.
    pub fn constant(&mut self, id: ModuleId, expr: &Expr, around: &Around, what: &str) -> Option<Value> {
        match self.value(id, expr, around, 0) {
            Ok(value) if value.to_json().is_none() => {
                let (what, at) = (what.to_owned(), expr.at.clone().into());
                let shown = match &value {
                    Value::List(_) | Value::Dict(_) => format!("a part of {value}"),
                    _ => value.to_string(),
                };
                self.files.report(id, ConstantFinding::NotJson { what, value: shown, at });
                None
            }
            Ok(value) => Some(value),
            Err(Stuck::Pending) => None,
            Err(Stuck::At(id, at, why)) => {
                let finding = ConstantFinding::Unknown { what: what.to_owned(), why, at: at.into() };
                self.files.report(id, finding);
                None
            }
        }
    }

    /// The value of an expression, with nothing reported.
    pub fn value(
        &mut self,
        id: ModuleId,
        expr: &Expr,
        around: &Around,
        depth: usize,
    ) -> Result<Value, Stuck> {
        let stuck = |why: String| Err(Stuck::At(id, expr.at.clone(), why));
        if depth > DEEPEST || !self.step() {
            return stuck("it takes too many steps to work out".to_owned());
        }
        match &expr.kind {
            Kind::None => Ok(Value::None),
            Kind::Bool(is) => Ok(Value::Bool(*is)),
            Kind::Integer(number) => Ok(Value::Integer(*number)),
            Kind::Float(number) => Ok(Value::Float(*number)),
            Kind::Text(text) => Ok(Value::Text(text.clone())),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.value(id, item, around, depth + 1));
                Ok(Value::List(items.collect::<Result<_, _>>()?))
            }
            Kind::Dict(pairs) => {
                let mut values: Vec<(Value, Value)> = Vec::new();
                let mut places = BTreeMap::new();
                for (key, value) in pairs {
                    let key = self.value(id, key, around, depth + 1)?;
                    let value = self.value(id, value, around, depth + 1)?;
                    // A key that comes again keeps its place, and its first spelling, and gets the later value.
                    match places.entry(operations::hashed(&key)) {
                        Entry::Vacant(place) => {
                            place.insert(values.len());
                            values.push((key, value));
                        }
                        Entry::Occupied(place) => values[*place.get()].1 = value,
                    }
                }
                Ok(Value::Dict(values))
            }
            Kind::Name(name) => {
                if let Some((_, value)) = around.names.iter().rev().find(|(known, _)| known == name) {
                    return match self.has_room_for(value) {
                        true => Ok(value.clone()),
                        false => stuck("it takes too many steps to work out".to_owned()),
                    };
                }
                let entity = self.local_or_named(id, expr, name, around);
                self.value_of(entity, id, expr, depth)
            }
            Kind::Attribute(object, name) => self.member(id, expr, object, name, around, depth),
            Kind::Call(call) => self.called(id, expr, call, around, depth),
            Kind::Subscript(object, key) => match key.as_slice() {
                [key] => {
                    let item = match self.written(id, object, around, depth + 1)? {
                        Some(dict) => {
                            let key = self.value(id, key, around, depth + 1)?;
                            self.item_of_dict(&dict, &key, depth + 1)?
                        }
                        None => {
                            let object = self.value(id, object, around, depth + 1)?;
                            let key = self.value(id, key, around, depth + 1)?;
                            operations::item(&object, &key)
                        }
                    };
                    item.map_or_else(|| stuck("there is no such item".to_owned()), Ok)
                }
                _ => stuck("it is more than one item".to_owned()),
            },
            Kind::Unary(operator, argument) => {
                let argument = self.value(id, argument, around, depth + 1)?;
                operations::unary(operator, &argument).map_or_else(
                    || stuck(format!("`{operator}` of {} is not worked out", argument.kind())),
                    Ok,
                )
            }
            Kind::Binary(left, operator, right) => {
                let left = self.value(id, left, around, depth + 1)?;
                let right = self.value(id, right, around, depth + 1)?;
                let result = operations::binary(&left, operator, &right);
                if result.as_ref().is_some_and(|result| !self.has_room_for(result)) {
                    return stuck("it takes too many steps to work out".to_owned());
                }
                result.map_or_else(
                    || {
                        let (of, by) = (left.kind(), right.kind());
                        stuck(match operations::repeats(&left, operator, &right) {
                            true => "it would be too large".to_owned(),
                            false => format!("`{operator}` of {of} and {by} is not worked out"),
                        })
                    },
                    Ok,
                )
            }
            Kind::Each { item, name, of } => {
                let list = self.listed(id, of, around, depth)?;
                let mut values = Vec::new();
                for value in list {
                    let mut around = around.clone();
                    around.names.push((name.clone(), value));
                    values.push(self.value(id, item, &around, depth + 1)?);
                }
                Ok(Value::List(values))
            }
            Kind::Other(what) => stuck(format!("{what} is not worked out")),
        }
    }

    /// What a name means, in the body of a class before its file.
    fn local_or_named(&mut self, id: ModuleId, expr: &Expr, name: &str, around: &Around) -> Entity {
        let in_class = match &around.class {
            Some(class) => self.attribute(Entity::Class(id, Rc::clone(class)), name),
            None => Entity::Unknown,
        };
        match in_class {
            Entity::Unknown | Entity::Function(..) => self.name(id, name, Some(expr.at.start)),
            found => found,
        }
    }

    /// Counts as many steps as a value is large; false when there were too many.
    fn has_room_for(&mut self, value: &Value) -> bool {
        (0..operations::size(value) / 16).all(|_| self.step())
    }

    /// The value of what a name means.
    fn value_of(&mut self, entity: Entity, id: ModuleId, expr: &Expr, depth: usize) -> Result<Value, Stuck> {
        let Some(name) = expr.dotted() else {
            return Err(Stuck::At(id, expr.at.clone(), "something would have to be called".to_owned()));
        };
        let stuck = |why: String| Err(Stuck::At(id, expr.at.clone(), why));
        match entity {
            Entity::Pending => Err(Stuck::Pending),
            Entity::Value(id, value) => self.value(id, &value, &Around::default(), depth + 1),
            Entity::Run(id, at) => {
                Err(Stuck::At(id, at, format!("`{name}` depends on what the program does")))
            }
            Entity::External(module, _) => stuck(format!("`{name}` comes from the package `{module}`")),
            Entity::Unknown => stuck(format!("nothing is called `{name}` here")),
            Entity::Class(..) => stuck(format!("`{name}` is a class")),
            Entity::Function(..) | Entity::Builtin(_) => stuck(format!("`{name}` is a function")),
            Entity::Module(_) | Entity::Directory(_) => stuck(format!("`{name}` is a module")),
        }
    }

    /// `object.name`, where that may be a member of an enum, or its value.
    fn member(
        &mut self,
        id: ModuleId,
        expr: &Expr,
        object: &Expr,
        name: &str,
        around: &Around,
        depth: usize,
    ) -> Result<Value, Stuck> {
        let is_local = |known: &(String, Value)| object.kind == Kind::Name(known.0.clone());
        if name == "value" && around.names.iter().any(is_local) {
            return self.value(id, object, around, depth + 1);
        }
        let owner = self.entity(id, object, Some(expr.at.start));
        if name == "value" {
            // `Color.RED.value`
            if let (Entity::Value(..), Kind::Attribute(class, _)) = (&owner, &object.kind) {
                if let Entity::Class(of, class) = self.entity(id, class, Some(expr.at.start)) {
                    if self.is_enum(of, &class) {
                        return self.value_of(owner, id, object, depth);
                    }
                }
            }
        }
        let entity = match owner {
            Entity::Unknown => self.entity(id, object, None),
            owner => self.attribute(owner, name),
        };
        self.value_of(entity, id, expr, depth)
    }

    /// `list(SIZES)`, `SIZES.keys()` and the like.
    fn called(
        &mut self,
        id: ModuleId,
        expr: &Expr,
        call: &Call,
        around: &Around,
        depth: usize,
    ) -> Result<Value, Stuck> {
        let stuck = |why: String| Err(Stuck::At(id, expr.at.clone(), why));
        let plain = call.named.is_empty() && call.unpacked.is_none();
        if let (Kind::Attribute(object, method), true, []) = (&call.function.kind, plain, &*call.positional) {
            if ["keys", "values", "copy", "lower", "upper", "strip"].contains(&&**method) {
                if method == "keys"
                    && let Some(dict) = self.written(id, object, around, depth + 1)?
                {
                    return self.keys(&dict, depth + 1).map(Value::List);
                }
                let object = self.value(id, object, around, depth + 1)?;
                return operations::method(&object, method)
                    .map_or_else(|| stuck(format!("{} has no `{method}`", object.kind())), Ok);
            }
        }
        let function = self.entity(id, &call.function, Some(expr.at.start));
        match function {
            Entity::Pending => return Err(Stuck::Pending),
            Entity::Builtin(name) if plain => {
                let mut arguments = Vec::new();
                for argument in &call.positional {
                    let of_a_list = ["list", "tuple", "set", "sorted"].contains(&&*name);
                    let dict = match &*name {
                        "len" => self.written(id, argument, around, depth + 1)?,
                        _ => None,
                    };
                    arguments.push(match dict {
                        Some(dict) => Value::List(self.keys(&dict, depth + 1)?),
                        None if of_a_list => Value::List(self.listed(id, argument, around, depth)?),
                        None => self.value(id, argument, around, depth + 1)?,
                    });
                }
                if let Some(value) = operations::builtin(&name, &arguments) {
                    return Ok(value);
                }
            }
            _ => {}
        }
        match call.function.dotted() {
            Some(name) => stuck(format!("`{name}()` would have to be called")),
            None => stuck("something would have to be called".to_owned()),
        }
    }

    /// What going through an expression gives, an enum included.
    fn listed(
        &mut self,
        id: ModuleId,
        expr: &Expr,
        around: &Around,
        depth: usize,
    ) -> Result<Vec<Value>, Stuck> {
        let before = Some(expr.at.start);
        if let Entity::Class(of, class) = self.entity(id, expr, before) {
            if self.is_enum(of, &class) {
                return self.enum_values(of, &class, depth);
            }
        }
        if let Some(dict) = self.written(id, expr, around, depth + 1)? {
            return self.keys(&dict, depth + 1);
        }
        match self.value(id, expr, around, depth + 1)? {
            Value::List(values) => Ok(values),
            Value::Dict(pairs) => Ok(pairs.into_iter().map(|(key, _)| key).collect()),
            other => {
                Err(Stuck::At(id, expr.at.clone(), format!("{} has no items to go through", other.kind())))
            }
        }
    }

    /// Whether a class of the project is an enum.
    pub fn is_enum(&mut self, id: ModuleId, class: &Rc<Class>) -> bool {
        let (_, others) = self.bases(id, class);
        let is = |base: &Entity| matches!(base, Entity::External(module, _) if module == "enum");
        others.iter().any(is)
    }

    fn enum_values(&mut self, id: ModuleId, class: &Class, depth: usize) -> Result<Vec<Value>, Stuck> {
        let mut values = Vec::new();
        for binding in class.body.iter().filter(|binding| !binding.name.starts_with('_')) {
            if let Bound::Value { value: Some(value), .. } = &binding.to {
                values.push(self.value(id, value, &Around::default(), depth + 1)?);
            }
        }
        Ok(values)
    }
}
