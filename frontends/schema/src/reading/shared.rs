//! An `Input(…)` that stands elsewhere than at its parameter: under a name that several parameters use, as an
//! attribute of a class, or in a function that does nothing but return it.

use std::rc::Rc;

use crate::constants::Around;
use crate::model::Value;
use crate::python::syntax::{Call, Expr, Function, Kind};
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};

/// A default, in the file where it stands, and what surrounds it there.
pub(super) struct Standing {
    /// The file.
    pub id: ModuleId,
    /// The `Input(…)`, or whatever else the default is.
    pub default: Expr,
    /// What names in it mean.
    pub around: Around,
}

impl Scope<'_> {
    /// The `Input(…)` that a default means; the default itself where it means none.
    pub(super) fn shared(&mut self, id: ModuleId, around: &Around, default: &Expr) -> Standing {
        let itself = Standing { id, default: default.clone(), around: around.clone() };
        let (of, value, around) = if let Kind::Name(_) | Kind::Attribute(..) = &default.kind {
            match self.meant(id, around, default) {
                (Entity::Value(of, value), around) => (of, value, around),
                // A method of the class may have the name of a value beside it.
                (_, _) => match self.entity(id, default, Some(default.at.start)) {
                    Entity::Value(of, value) => (of, value, Around::default()),
                    _ => return itself,
                },
            }
        } else {
            (id, Rc::new(default.clone()), around.clone())
        };
        let Kind::Call(call) = &value.kind else { return itself };
        if self.is_input(of, call) {
            return Standing { id: of, default: (*value).clone(), around };
        }
        self.returned(of, &around, call).unwrap_or(itself)
    }

    /// What a name or an attribute means where it stands, and what surrounds that: the class that it is of.
    fn meant(&mut self, id: ModuleId, around: &Around, expr: &Expr) -> (Entity, Around) {
        let before = Some(expr.at.start);
        let owner = match (&expr.kind, &around.class) {
            (Kind::Name(_), Some(class)) => Entity::Class(id, Rc::clone(class)),
            (Kind::Attribute(object, _), _) => self.entity(id, object, before),
            _ => Entity::Unknown,
        };
        if let (Entity::Class(_, class), Kind::Name(name) | Kind::Attribute(_, name)) = (&owner, &expr.kind) {
            let around = Around { class: Some(Rc::clone(class)), names: Vec::new() };
            let found = self.attribute(owner.clone(), name);
            if !matches!(found, Entity::Unknown) {
                return (found, around);
            }
        }
        (self.entity(id, expr, before), Around::default())
    }

    /// The `Input(…)` that a call gives: of a function or a static method whose body is one `return`.
    fn returned(&mut self, id: ModuleId, around: &Around, call: &Call) -> Option<Standing> {
        let (Entity::Function(of, function), _) = self.meant(id, around, &call.function) else { return None };
        let given = function.gives.as_ref()?;
        let Kind::Call(input) = &given.kind else { return None };
        if function.is_async || !self.is_input(of, input) {
            return None;
        }
        let names = self.arguments(id, around, call, of, &function)?;
        Some(Standing { id: of, default: given.clone(), around: Around { class: None, names } })
    }

    /// The values of a function's parameters in a call; nothing where one is not known.
    fn arguments(
        &mut self,
        id: ModuleId,
        around: &Around,
        call: &Call,
        of: ModuleId,
        function: &Function,
    ) -> Option<Vec<(String, Value)>> {
        let mut parameters = function.parameters.as_slice();
        for decorator in &function.decorators {
            match &decorator.kind {
                Kind::Name(name) if name == "staticmethod" => {}
                Kind::Name(name) if name == "classmethod" => parameters = parameters.get(1..)?,
                _ => return None,
            }
        }
        let is_known = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
        let is_called_so = call.positional.len() <= parameters.len()
            && call.unpacked.is_none()
            && call.named.iter().all(|named| is_known(&named.name));
        if !is_called_so {
            return None;
        }
        let mut names = Vec::new();
        for (place, parameter) in parameters.iter().enumerate() {
            let named = call.named.iter().find(|named| named.name == parameter.name);
            let value = match (call.positional.get(place), named) {
                _ if parameter.takes_many => return None,
                (Some(_), Some(_)) => return None,
                (Some(value), None) => self.value(id, value, around, 0),
                (None, Some(named)) => self.value(id, &named.value, around, 0),
                (None, None) => self.value(of, parameter.default.as_ref()?, &Around::default(), 0),
            };
            names.push((parameter.name.clone(), value.ok()?));
        }
        Some(names)
    }
}
