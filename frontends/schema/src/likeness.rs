//! Whether a Python file looks as if it had a model, for whoever tells how one is named.
//!
//! It is looked at by itself, and decides nothing: what is written into a hint a person reads.

use crate::python::parse::LONGEST;
use crate::python::read;
use crate::python::syntax::{Binding, Bound, Class, Expr, Function, Kind};

/// Base classes of cog's.
const BASES: [&str; 2] = ["BaseRunner", "BasePredictor"];

/// Names that models have in cog's own examples.
const NAMES: [&str; 2] = ["Runner", "Predictor"];

/// Methods and functions that answer.
const HANDLERS: [&str; 2] = ["run", "predict"];

/// How much a class or a function looks like a model, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// A function that is called as those that answer are, and says what it returns.
    Function,
    /// A class that is called as models are, and answers.
    Class,
    /// It comes from one of cog's classes.
    OfCog,
}

/// What of a file looks most like a model: the first of those that look so alike.
pub fn most_like_a_model(text: &str) -> Option<(Likeness, String)> {
    let module = Some(text).filter(|text| text.len() <= LONGEST).and_then(|text| read(text).ok())?;
    let found = module.bindings.iter().filter(|binding| !binding.conditional).filter_map(|binding| {
        let likeness = match &binding.to {
            Bound::Class(class) => of_class(class),
            Bound::Function(function) => of_function(function),
            Bound::Import { .. } | Bound::Value { .. } | Bound::Run => None,
        };
        likeness.map(|likeness| (likeness, binding))
    });
    let best = found.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.map(|(likeness, Binding { name, .. })| (likeness, name.clone()))
}

fn of_class(class: &Class) -> Option<Likeness> {
    if class.bases.iter().filter_map(last_name).any(|name| BASES.contains(&name)) {
        return Some(Likeness::OfCog);
    }
    let answers = || HANDLERS.iter().any(|handler| class.method(handler).is_some());
    (NAMES.contains(&class.name.as_str()) && answers()).then_some(Likeness::Class)
}

fn of_function(function: &Function) -> Option<Likeness> {
    // A script has a `run` that returns nothing.
    let returns = function.returns.as_ref().is_some_and(|of| of.kind != Kind::None);
    (HANDLERS.contains(&function.name.as_str()) && returns).then_some(Likeness::Function)
}

/// `BaseRunner` of `cog.BaseRunner`.
fn last_name(base: &Expr) -> Option<&str> {
    let (Kind::Name(name) | Kind::Attribute(_, name)) = &base.kind else { return None };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_most_like_a_model_is_found() {
        let of = |text: &str| most_like_a_model(text).map(|(likeness, name)| format!("{likeness:?} {name}"));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("from cog import BasePredictor\nclass Mine(BasePredictor): ...\n"), some("OfCog Mine"));
        assert_eq!(of("import cog\nclass Mine(cog.BaseRunner): ...\n"), some("OfCog Mine"));
        assert_eq!(
            of("class Predictor:\n    def predict(self, a: str) -> str: ...\n"),
            some("Class Predictor")
        );
        assert_eq!(of("def predict(a: str) -> str: ...\n"), some("Function predict"));
        let several = "def run() -> str: ...\nclass Runner:\n    def run(self) -> str: ...\nclass Other(BaseRunner): ...\n";
        assert_eq!(of(several), some("OfCog Other"));
        for none in [
            "",
            "def (:\n",
            "def run(): ...\n",
            "def run() -> None: ...\n",
            "class Predictor: ...\n",
            "class Thread:\n    def run(self): ...\n",
            "from runner import Runner\n",
            "if x:\n    def predict(a: str) -> str: ...\n",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(of(&format!("class Runner(BaseRunner): ...\n{}", "#".repeat(LONGEST))), None);
    }
}
