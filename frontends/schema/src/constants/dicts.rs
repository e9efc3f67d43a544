//! Keys, length and single items of a dict, without the values that nobody asks for: in
//! `SCHEDULERS = {"DDIM": DDIMScheduler}` the key is known, though its value is of a package.

use std::collections::BTreeSet;

use super::operations::hashed;
use super::{Around, Stuck};
use crate::model::Value;
use crate::python::syntax::{Expr, Kind};
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};

/// A dict that is written out.
pub(super) struct Written {
    /// The file where it stands.
    id: ModuleId,
    /// What names in it mean.
    around: Around,
    pairs: Vec<(Expr, Expr)>,
}

impl Scope<'_> {
    /// The dict that an expression stands for: itself, by a name, or an item of another one. `None` for
    /// all that is worked out in other ways.
    pub(super) fn written(
        &mut self,
        id: ModuleId,
        expr: &Expr,
        around: &Around,
        depth: usize,
    ) -> Result<Option<Written>, Stuck> {
        // Who works the expression out as a whole then says that it takes too many steps.
        if depth > super::DEEPEST || !self.step() {
            return Ok(None);
        }
        let entity = match &expr.kind {
            Kind::Dict(pairs) => {
                return Ok(Some(Written { id, around: around.clone(), pairs: pairs.clone() }));
            }
            Kind::Subscript(object, key) => {
                let [key] = key.as_slice() else { return Ok(None) };
                let Some(dict) = self.written(id, object, around, depth + 1)? else { return Ok(None) };
                let key = self.value(id, key, around, depth + 1)?;
                let Some(value) = self.value_at(&dict, &key, depth)? else { return Ok(None) };
                return self.written(dict.id, &value, &dict.around, depth + 1);
            }
            Kind::Name(name) if around.names.iter().any(|(known, _)| known == name) => return Ok(None),
            Kind::Name(name) => self.local_or_named(id, expr, name, around),
            Kind::Attribute(..) => self.entity(id, expr, Some(expr.at.start)),
            Kind::None
            | Kind::Bool(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Text(_)
            | Kind::Call(_)
            | Kind::List(_)
            | Kind::Binary(..)
            | Kind::Unary(..)
            | Kind::Each { .. }
            | Kind::Other(_) => return Ok(None),
        };
        match entity {
            Entity::Value(id, value) => self.written(id, &value, &Around::default(), depth + 1),
            Entity::Pending
            | Entity::External(..)
            | Entity::Builtin(_)
            | Entity::Class(..)
            | Entity::Function(..)
            | Entity::Module(_)
            | Entity::Directory(_)
            | Entity::Run(..)
            | Entity::Unknown => Ok(None),
        }
    }

    /// Its keys, each once, where it is written first.
    pub(super) fn keys(&mut self, dict: &Written, depth: usize) -> Result<Vec<Value>, Stuck> {
        let mut known = BTreeSet::new();
        let keys = self.written_keys(dict, depth)?;
        Ok(keys.into_iter().filter(|key| known.insert(hashed(key))).collect())
    }

    /// The key of each pair.
    fn written_keys(&mut self, dict: &Written, depth: usize) -> Result<Vec<Value>, Stuck> {
        let Written { id, around, pairs } = dict;
        pairs.iter().map(|(key, _)| self.value(*id, key, around, depth + 1)).collect()
    }

    /// The value of a key.
    pub(super) fn item_of_dict(
        &mut self,
        dict: &Written,
        key: &Value,
        depth: usize,
    ) -> Result<Option<Value>, Stuck> {
        let Some(value) = self.value_at(dict, key, depth)? else { return Ok(None) };
        self.value(dict.id, &value, &dict.around, depth + 1).map(Some)
    }

    /// What stands for a key: of one that is written twice the last, as in Python.
    fn value_at(&mut self, dict: &Written, key: &Value, depth: usize) -> Result<Option<Expr>, Stuck> {
        let keys = self.written_keys(dict, depth)?;
        let key = hashed(key);
        let place = keys.iter().rposition(|known| hashed(known) == key);
        Ok(place.map(|place| dict.pairs[place].1.clone()))
    }
}
