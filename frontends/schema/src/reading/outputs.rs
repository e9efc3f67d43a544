//! What an annotation means for an output.

use crate::model::{Output, Scalar};
use crate::python::syntax::Span;
use crate::reading::input_types::scalar_of;
use crate::scope::Scope;
use crate::scope::files::ModuleId;
use crate::types::{Type, TypeFinding, TypeKind};

const OF_OTHERS: &str = "return `str`, `int`, `float`, `bool`, `Path`, a list or dict of them, a `BaseModel`, a `TypedDict`, a dataclass, or `Annotated[…, Opaque]`";
const OF_CLASSES: &str = "derive it from `cog.BaseModel`, so that its fields are known";
const OF_ENUMS: &str = "return its value: `str` or `int`";
const OF_INNER: &str = "only the whole output can be an iterator; use `list[T]` inside of it";

/// The classes that are being gone through, from the outermost to the innermost: one that holds
/// itself is an object that nobody looks into.
pub(super) type Inside = Vec<(ModuleId, Span)>;

impl Scope<'_> {
    /// What a type means for an output.
    pub(super) fn output(&mut self, of: &Type) -> Option<Output> {
        match &of.kind {
            TypeKind::Nothing => Some(Output::Nothing),
            TypeKind::Iterator(each) => {
                Some(Output::Iterator(Box::new(self.part(each, &mut Inside::new())?)))
            }
            TypeKind::Pieces(None) => Some(Output::Pieces),
            TypeKind::Pieces(Some(each)) if each.kind == TypeKind::One(Scalar::Text) => Some(Output::Pieces),
            TypeKind::Pieces(Some(each)) => {
                self.files.report(each.module, TypeFinding::Pieces { at: each.at.clone().into() });
                None
            }
            _ => self.part(of, &mut Inside::new()),
        }
    }

    /// A part of an output.
    pub(super) fn part(&mut self, of: &Type, inside: &mut Inside) -> Option<Output> {
        if !self.step() {
            self.files.report(of.module, TypeFinding::TooDeep { at: of.at.clone().into() });
            return None;
        }
        match &of.kind {
            TypeKind::One(scalar) => Some(Output::One(*scalar)),
            TypeKind::List(None) => Some(Output::List(Box::new(Output::One(Scalar::Any)))),
            TypeKind::List(Some(each)) => Some(Output::List(Box::new(self.part(each, inside)?))),
            TypeKind::Dict(None) => Some(Output::One(Scalar::Any)),
            TypeKind::Dict(Some(each)) => Some(Output::Dict(Box::new(self.part(each, inside)?))),
            TypeKind::Literal(values) => {
                let mut scalars: Vec<Option<Scalar>> = values.iter().map(scalar_of).collect();
                scalars.dedup();
                match scalars.as_slice() {
                    [Some(scalar)] => Some(Output::One(*scalar)),
                    _ => self.no_output("a literal of several types", OF_OTHERS, of),
                }
            }
            TypeKind::Opaque(inner) => match &inner.kind {
                TypeKind::List(_) => Some(Output::List(Box::new(Output::One(Scalar::Any)))),
                TypeKind::Union(members) if members.iter().any(|one| one.kind == TypeKind::Nothing) => {
                    self.optional(of)
                }
                _ => Some(Output::One(Scalar::Any)),
            },
            TypeKind::Union(members) if members.iter().any(|one| one.kind == TypeKind::Nothing) => {
                self.optional(of)
            }
            TypeKind::Union(_) => {
                self.files.report(of.module, TypeFinding::UnionOutput { at: of.at.clone().into() });
                None
            }
            TypeKind::Class(id, class) => match self.fields(*id, class, inside)? {
                Some(output) => Some(output),
                None => {
                    let shown = format!("of the class `{}`", class.name);
                    let way_out = if self.is_enum(*id, class) { OF_ENUMS } else { OF_CLASSES };
                    self.no_output(&shown, way_out, of)
                }
            },
            TypeKind::Nothing => self.no_output("a list or dict of `None`", OF_OTHERS, of),
            TypeKind::Iterator(_) | TypeKind::Pieces(_) => {
                self.no_output("an iterator in another type", OF_INNER, of)
            }
            TypeKind::Key(..) => self.no_output("a key of a `TypedDict`", OF_OTHERS, of),
            TypeKind::Other(shown) => self.no_output(&format!("`{shown}`"), OF_OTHERS, of),
        }
    }

    fn optional(&mut self, of: &Type) -> Option<Output> {
        self.files.report(of.module, TypeFinding::OptionalOutput { at: of.at.clone().into() });
        None
    }

    fn no_output(&mut self, what: &str, way_out: &'static str, of: &Type) -> Option<Output> {
        let (what, at) = (what.to_owned(), of.at.clone().into());
        self.files.report(of.module, TypeFinding::Output { what, way_out, at });
        None
    }
}
