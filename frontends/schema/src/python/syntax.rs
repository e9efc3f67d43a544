//! The parts of a Python file that say what a model takes and gives: names that it binds, signatures
//! and expressions, without the bodies of functions that do more than return something.

use std::ops::Range;
use std::rc::Rc;

/// Bytes of a file.
pub type Span = Range<usize>;

/// A file.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// Its names, in order; one that is bound twice stands here twice.
    pub bindings: Vec<Binding>,
}

/// A name, and what it stands for from here on.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The name; `*` for all names of another module.
    pub name: String,
    /// Where the name stands.
    pub at: Span,
    /// Whether it stands below an `if`, a `try` or a loop.
    pub conditional: bool,
    /// What it is bound to.
    pub to: Bound,
}

/// What a name is bound to.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A module, or a name of one.
    Import {
        /// The module.
        module: ModuleName,
        /// The name in it; `None` for the module itself.
        name: Option<String>,
    },
    /// An assignment, or a field that only has a type.
    Value {
        /// The type.
        annotation: Option<Rc<Expr>>,
        /// The value.
        value: Option<Rc<Expr>>,
    },
    /// A class.
    Class(Rc<Class>),
    /// A function.
    Function(Rc<Function>),
    /// Something that only running tells: a loop, a change of a list in its place.
    Run,
}

/// `..a.b`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleName {
    /// How many dots stand before it.
    pub level: usize,
    /// The names between the dots.
    pub parts: Vec<String>,
}

/// A class.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub at: Span,
    /// The classes it comes from.
    pub bases: Vec<Expr>,
    /// `total=False` and its like.
    pub keywords: Vec<(String, Expr)>,
    /// What stands above it.
    pub decorators: Vec<Expr>,
    /// The names in it.
    pub body: Vec<Binding>,
}

/// A function, or a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub at: Span,
    /// Whether it is `async def`.
    pub is_async: bool,
    /// What stands above it.
    pub decorators: Vec<Expr>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The type of what it returns.
    pub returns: Option<Expr>,
    /// What it returns, where its body is nothing but that.
    pub gives: Option<Expr>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands, without type and default.
    pub at: Span,
    /// `*args`, `**kwargs`, or a pattern: it stands for many.
    pub takes_many: bool,
    /// Whether it stands before `/`: then nobody can give it by its name.
    pub by_place_alone: bool,
    /// Its type.
    pub annotation: Option<Expr>,
    /// Its default.
    pub default: Option<Expr>,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// Where it stands.
    pub at: Span,
    /// What it is.
    pub kind: Kind,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// `12`
    Integer(i128),
    /// `1.5`
    Float(f64),
    /// `"text"`
    Text(String),
    /// `name`
    Name(String),
    /// `object.name`
    Attribute(Box<Expr>, String),
    /// `value[a, b]`
    Subscript(Box<Expr>, Vec<Expr>),
    /// `function(a, key=b)`
    Call(Box<Call>),
    /// `[a, b]`, `(a, b)`, `{a, b}`
    List(Vec<Expr>),
    /// `{a: b}`
    Dict(Vec<(Expr, Expr)>),
    /// `a + b`
    Binary(Box<Expr>, String, Box<Expr>),
    /// `-a`
    Unary(String, Box<Expr>),
    /// `[a for name in b]`, without a condition
    Each {
        /// What each item is.
        item: Box<Expr>,
        /// The name of one.
        name: String,
        /// What is gone through.
        of: Box<Expr>,
    },
    /// Anything else, as messages name it.
    Other(&'static str),
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is called.
    pub function: Expr,
    /// Arguments without a name.
    pub positional: Vec<Expr>,
    /// Arguments with a name.
    pub named: Vec<Named>,
    /// Where `*args` or `**kwargs` stands.
    pub unpacked: Option<Span>,
}

/// An argument with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where the name stands.
    pub at: Span,
    /// The value.
    pub value: Expr,
}

impl Expr {
    /// `a.b.c`, where the expression is nothing but names.
    pub fn dotted(&self) -> Option<String> {
        match &self.kind {
            Kind::Name(name) => Some(name.clone()),
            Kind::Attribute(object, name) => Some(format!("{}.{name}", object.dotted()?)),
            _ => None,
        }
    }
}

impl Module {
    /// The bindings of one name.
    pub fn bindings_of(&self, name: &str) -> impl Iterator<Item = (usize, &Binding)> {
        self.bindings.iter().enumerate().filter(move |(_, binding)| binding.name == name)
    }
}

impl Class {
    /// The method of this name.
    pub fn method(&self, name: &str) -> Option<&Rc<Function>> {
        self.body.iter().rev().find_map(|binding| match &binding.to {
            Bound::Function(function) if binding.name == name => Some(function),
            _ => None,
        })
    }
}
