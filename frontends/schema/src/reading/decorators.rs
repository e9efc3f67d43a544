//! What stands above the handler: `@cog.concurrent(max=4)`, `@cog.streaming`.

use crate::constants::Around;
use crate::model::Value;
use crate::python::syntax::{Expr, Function, Kind};
use crate::reading::target::TargetFinding;
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};

/// What cog's decorators say of a handler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Decorators {
    /// `@cog.concurrent`
    pub concurrency: Option<u32>,
    /// `@cog.streaming`
    pub streaming: bool,
    /// `@staticmethod`
    pub is_static: bool,
}

impl Scope<'_> {
    /// What the decorators of a function say; those of others say nothing of its inputs.
    pub(super) fn decorators(&mut self, id: ModuleId, function: &Function) -> Decorators {
        let mut said = Decorators::default();
        for decorator in &function.decorators {
            let (name, call) = match &decorator.kind {
                Kind::Call(call) => (&call.function, Some(call)),
                _ => (decorator, None),
            };
            if name.kind == Kind::Name("staticmethod".to_owned()) {
                said.is_static = true;
            }
            let Entity::External(module, Some(name)) = self.entity(id, name, None) else { continue };
            match (&*module, &*name) {
                ("cog", "streaming") => said.streaming = true,
                ("cog", "concurrent") => {
                    let max = call.and_then(|call| call.named.iter().find(|named| named.name == "max"));
                    said.concurrency = match max {
                        Some(max) => self.concurrency(id, function, &max.value),
                        None => Some(1),
                    };
                }
                _ => {}
            }
        }
        said
    }

    fn concurrency(&mut self, id: ModuleId, function: &Function, max: &Expr) -> Option<u32> {
        let value = self.constant(id, max, &Around::default(), "the `max` of `@cog.concurrent`")?;
        let at = max.at.clone().into();
        let number = match value {
            Value::Integer(number) => u32::try_from(number).ok().filter(|number| *number > 0),
            Value::None
            | Value::Bool(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Dict(_) => None,
        };
        if number.is_none() {
            self.files.report(id, TargetFinding::Concurrency { found: value.to_string(), at });
        } else if number > Some(1) && !function.is_async {
            self.files.report(id, TargetFinding::NotAsync { name: function.name.clone(), at });
        }
        number
    }
}
