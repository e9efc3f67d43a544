//! What a name means: in its file, and across the files of a project.
//!
//! Absolute imports begin at the project's directory, which is where the model is started; relative
//! ones at the file. A package of another name than a file of the project is from outside, and
//! nothing is known of it but its name.

pub mod files;
mod imports;

use std::rc::Rc;

use cogpack_frontends_source::{Source, SourcePath};

use crate::python::syntax::{Binding, Bound, Class, Expr, Function, Kind, ModuleName, Span};
use files::{Files, ModuleId};

/// Longest chain of names that stand for each other.
const LONGEST_CHAIN: usize = 40;

/// Steps that are taken for one schema, so that names which stand for two of each other cannot
/// grow beyond measure.
const MOST_STEPS: usize = 200_000;

const BUILTINS: &[&str] = &[
    "bool",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "len",
    "list",
    "max",
    "min",
    "object",
    "range",
    "set",
    "sorted",
    "str",
    "tuple",
    "type",
];

/// What a name means.
#[derive(Debug, Clone)]
pub enum Entity {
    /// Nobody knows yet, or the file is wrong, which has been said.
    Pending,
    /// Something from outside the project: a module, or a name of one.
    External(String, Option<String>),
    /// What Python knows by itself.
    Builtin(String),
    /// A class of the project.
    Class(ModuleId, Rc<Class>),
    /// A function of the project.
    Function(ModuleId, Rc<Function>),
    /// A value, in the file where it stands.
    Value(ModuleId, Rc<Expr>),
    /// A file of the project.
    Module(ModuleId),
    /// A directory of the project without `__init__.py`.
    Directory(SourcePath),
    /// Something that only running tells, and where that stands.
    Run(ModuleId, Span),
    /// Nothing.
    Unknown,
}

/// The files of a project, and how far the search in them went.
pub struct Scope<'a> {
    /// The files.
    pub files: Files<'a>,
    steps: usize,
}

impl<'a> Scope<'a> {
    /// Nothing is known yet.
    pub fn new(source: &'a Source) -> Self {
        Self { files: Files::new(source), steps: 0 }
    }

    /// Counts one step; false when there were too many.
    pub fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= MOST_STEPS
    }

    /// What names and attributes of them mean; other expressions mean nothing by name. `before`
    /// is given where an expression is worked out as soon as it is reached.
    pub fn entity(&mut self, module: ModuleId, expression: &Expr, before: Option<usize>) -> Entity {
        match &expression.kind {
            Kind::Name(name) => self.name(module, name, before),
            Kind::Attribute(object, name) => {
                let object = self.entity(module, object, before);
                self.attribute(object, name)
            }
            _ => Entity::Unknown,
        }
    }

    /// What a name means in a file.
    pub fn name(&mut self, module: ModuleId, name: &str, before: Option<usize>) -> Entity {
        self.name_at(module, name, before, 0)
    }

    fn name_at(&mut self, id: ModuleId, name: &str, before: Option<usize>, depth: usize) -> Entity {
        if depth > LONGEST_CHAIN || !self.step() {
            return Entity::Unknown;
        }
        let module = self.files.module(id);
        let earlier = |at: &Span| before.is_none_or(|before| at.start < before);
        let bindings: Vec<&Binding> =
            module.bindings_of(name).map(|(_, binding)| binding).filter(|one| earlier(&one.at)).collect();
        if let Some(binding) = in_force(&bindings) {
            return match binding {
                Ok(binding) => self.bound(id, binding, depth),
                Err(at) => Entity::Run(id, at),
            };
        }
        let mut otherwise = Entity::Unknown;
        for (_, star) in module.bindings_of("*") {
            let Bound::Import { module: from, .. } = &star.to else { continue };
            match self.import(id, from, None, depth) {
                Entity::Module(from) => match self.name_at(from, name, None, depth + 1) {
                    Entity::Unknown | Entity::Builtin(_) => {}
                    found => return found,
                },
                Entity::External(from, _) => otherwise = Entity::External(from, Some(name.to_owned())),
                Entity::Pending => return Entity::Pending,
                _ => {}
            }
        }
        if BUILTINS.contains(&name) { Entity::Builtin(name.to_owned()) } else { otherwise }
    }

    fn bound(&mut self, id: ModuleId, binding: &Binding, depth: usize) -> Entity {
        match &binding.to {
            Bound::Import { module, name } => self.import(id, module, name.as_deref(), depth),
            Bound::Value { value: Some(value), .. } => match &value.kind {
                // `A = B` means what `B` means.
                Kind::Name(name) if *name != binding.name => {
                    match self.name_at(id, name, Some(binding.at.start), depth + 1) {
                        Entity::Unknown => Entity::Value(id, Rc::clone(value)),
                        found => found,
                    }
                }
                _ => Entity::Value(id, Rc::clone(value)),
            },
            Bound::Value { value: None, .. } | Bound::Run => Entity::Run(id, binding.at.clone()),
            Bound::Class(class) => Entity::Class(id, Rc::clone(class)),
            Bound::Function(function) => Entity::Function(id, Rc::clone(function)),
        }
    }

    /// What `object.name` means.
    pub fn attribute(&mut self, object: Entity, name: &str) -> Entity {
        match object {
            Entity::Pending => Entity::Pending,
            Entity::External(module, None) => Entity::External(module, Some(name.to_owned())),
            Entity::External(module, Some(inner)) => {
                Entity::External(format!("{module}.{inner}"), Some(name.to_owned()))
            }
            Entity::Module(id) => self.of_module(id, name, 0),
            Entity::Directory(path) => self.submodule(&path, name),
            Entity::Class(id, class) => {
                let bindings: Vec<&Binding> =
                    class.body.iter().filter(|binding| binding.name == name).collect();
                match in_force(&bindings) {
                    Some(Ok(binding)) => self.bound(id, binding, 0),
                    Some(Err(at)) => Entity::Run(id, at),
                    None => Entity::Unknown,
                }
            }
            Entity::Builtin(_)
            | Entity::Function(..)
            | Entity::Value(..)
            | Entity::Run(..)
            | Entity::Unknown => Entity::Unknown,
        }
    }

    /// The classes that a class of the project comes from, itself first, in the order in which
    /// Python looks for a method (as far as one class has one base). The second are those from
    /// outside or unknown.
    pub fn bases(&mut self, id: ModuleId, class: &Rc<Class>) -> (Vec<(ModuleId, Rc<Class>)>, Vec<Entity>) {
        let mut own = vec![(id, Rc::clone(class))];
        let mut others = Vec::new();
        let mut next = 0;
        while next < own.len() && own.len() < LONGEST_CHAIN {
            let (id, class) = own[next].clone();
            next += 1;
            let mut place = next;
            for base in &class.bases {
                // `Generic[T]`
                let base = if let Kind::Subscript(base, _) = &base.kind { base } else { base };
                match self.entity(id, base, Some(class.at.start)) {
                    Entity::Class(id, class) => {
                        let is_known =
                            |(other, known): &(ModuleId, Rc<Class>)| *other == id && known.at == class.at;
                        if !own.iter().any(is_known) {
                            own.insert(place, (id, class));
                            place += 1;
                        }
                    }
                    other => others.push(other),
                }
            }
        }
        (own, others)
    }

    /// All names that a file binds, to find the one that was meant.
    pub fn names(&self, id: ModuleId) -> Vec<String> {
        self.files.module(id).bindings.iter().map(|binding| binding.name.clone()).collect()
    }

    /// What `from module import name` means in a file; without a name, `import module`.
    fn import(&mut self, id: ModuleId, from: &ModuleName, name: Option<&str>, depth: usize) -> Entity {
        if imports::is_known(from) {
            return Entity::External(from.parts.join("."), name.map(str::to_owned));
        }
        self.ask_for_imports(id);
        match (self.find(id, from), name) {
            (Entity::Module(id), Some(name)) => self.of_module(id, name, depth),
            (Entity::Directory(path), Some(name)) => self.submodule(&path, name),
            (Entity::External(module, _), name) => Entity::External(module, name.map(str::to_owned)),
            (found, _) => found,
        }
    }

    fn of_module(&mut self, id: ModuleId, name: &str, depth: usize) -> Entity {
        let found = match self.name_at(id, name, None, depth + 1) {
            Entity::Builtin(_) => Entity::Unknown,
            found => found,
        };
        let file = self.files.file(id).clone();
        match found {
            Entity::Unknown if file.name() == "__init__.py" => self.submodule(&file.directory(), name),
            found => found,
        }
    }
}

/// The binding that a name has when it is used; a place where only running tells; or nothing.
///
/// Of imports, classes and functions that stand below a condition, the first is meant: the others
/// stand in for it where it is missing. Of values, none.
fn in_force<'b>(bindings: &[&'b Binding]) -> Option<Result<&'b Binding, Span>> {
    let last = bindings.last()?;
    let from = bindings.iter().rposition(|binding| !binding.conditional).unwrap_or(0);
    let group = &bindings[from..];
    let defines = |binding: &&&Binding| {
        matches!(binding.to, Bound::Import { .. } | Bound::Class(_) | Bound::Function(_))
    };
    let one = match group {
        [only] => Some(only),
        _ => group.iter().find(defines),
    };
    Some(match one {
        Some(Binding { to: Bound::Run, at, .. }) => Err(at.clone()),
        Some(binding) => Ok(binding),
        None => Err(last.at.clone()),
    })
}
