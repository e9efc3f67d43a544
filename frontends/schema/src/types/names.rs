//! What a name means where a type is expected.

use std::rc::Rc;

use cogpack_ir::suggest::nearest;

use super::TypeFinding;
use crate::model::Scalar;
use crate::python::syntax::{Class, Expr};
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};

/// The names that a type may begin with and that need no import or come from `cog` and `typing`.
const TYPES: &[&str] = &[
    "Annotated",
    "Any",
    "AsyncConcatenateIterator",
    "AsyncIterator",
    "ConcatenateIterator",
    "Dict",
    "File",
    "Iterator",
    "List",
    "Literal",
    "Optional",
    "Path",
    "Secret",
    "Union",
    "bool",
    "dict",
    "float",
    "int",
    "list",
    "str",
];

/// What a name means.
#[derive(Debug, Clone)]
pub(super) enum Named {
    Scalar(Scalar),
    List,
    Dict,
    Optional,
    Union,
    Literal,
    Annotated,
    Iterator,
    Pieces,
    Key(bool),
    Class(ModuleId, Rc<Class>),
    Alias(ModuleId, Rc<Expr>),
    /// Known, and no type of an input or output.
    Other,
}

impl Scope<'_> {
    /// What a name means; that it means nothing is reported.
    pub(super) fn named_type(&mut self, id: ModuleId, expr: &Expr) -> Option<Named> {
        let shown = expr.dotted().unwrap_or_else(|| "this".to_owned());
        let at = expr.at.clone().into();
        match self.entity(id, expr, None) {
            Entity::Pending => None,
            Entity::Unknown => {
                let names = self.names(id);
                let known = names.iter().map(String::as_str).chain(TYPES.iter().copied());
                let way_out = match nearest(&shown, known) {
                    Some(near) if near != shown => format!("did you mean `{near}`?"),
                    _ if TYPES.contains(&&*shown) => {
                        let module = if is_of_cog(&shown) { "cog" } else { "typing" };
                        format!("add `from {module} import {shown}`")
                    }
                    _ => "import it, or define it in this file".to_owned(),
                };
                self.files.report(id, TypeFinding::Unknown { name: shown, way_out, at });
                None
            }
            Entity::Run(..) => {
                self.files.report(id, TypeFinding::Run { name: shown, at });
                None
            }
            Entity::External(module, name) => {
                let known = name.as_deref().and_then(|name| external(&module, name));
                if known.is_none() {
                    self.files.report(id, TypeFinding::External { name: shown, module, at });
                }
                known
            }
            entity => Some(local(entity)),
        }
    }

    /// The same, with nothing reported.
    pub(super) fn known_type(&mut self, id: ModuleId, expr: &Expr) -> Option<Named> {
        match self.entity(id, expr, None) {
            Entity::External(module, Some(name)) => external(&module, &name),
            Entity::Pending | Entity::Unknown | Entity::Run(..) | Entity::External(_, None) => None,
            entity => Some(local(entity)),
        }
    }
}

fn is_of_cog(name: &str) -> bool {
    external("cog", name).is_some()
}

fn local(entity: Entity) -> Named {
    match entity {
        Entity::Builtin(name) => match &*name {
            "bool" => Named::Scalar(Scalar::Bool),
            "int" => Named::Scalar(Scalar::Integer),
            "float" => Named::Scalar(Scalar::Float),
            "str" => Named::Scalar(Scalar::Text),
            "list" => Named::List,
            "dict" => Named::Dict,
            _ => Named::Other,
        },
        Entity::Class(module, class) => Named::Class(module, class),
        Entity::Value(module, value) => Named::Alias(module, value),
        _ => Named::Other,
    }
}

/// What a name of another package means; `None` where nothing is known of it.
fn external(module: &str, name: &str) -> Option<Named> {
    Some(match (module, name) {
        ("cog" | "cog.types" | "pathlib", "Path") | ("os", "PathLike") => Named::Scalar(Scalar::Path),
        ("cog" | "cog.types", "File") => Named::Scalar(Scalar::File),
        ("cog" | "cog.types", "Secret") => Named::Scalar(Scalar::Secret),
        ("cog" | "cog.types", "ConcatenateIterator" | "AsyncConcatenateIterator") => Named::Pieces,
        ("typing" | "typing_extensions", name) => match name {
            "Any" => Named::Scalar(Scalar::Any),
            "Text" => Named::Scalar(Scalar::Text),
            "List" => Named::List,
            "Dict" => Named::Dict,
            "Optional" => Named::Optional,
            "Union" => Named::Union,
            "Literal" => Named::Literal,
            "Annotated" => Named::Annotated,
            "Iterator" | "AsyncIterator" => Named::Iterator,
            "Required" => Named::Key(true),
            "NotRequired" => Named::Key(false),
            _ => Named::Other,
        },
        ("collections.abc", "Iterator" | "AsyncIterator") => Named::Iterator,
        ("collections.abc" | "collections" | "cog" | "pydantic" | "types" | "enum" | "io", _) => Named::Other,
        _ => return None,
    })
}
