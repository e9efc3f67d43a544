//! What a model takes, whoever says it: its Python files, or the OpenAPI document of its image.

use std::fmt;

use miette::{Diagnostic, LabeledSpan};
use serde_json::{Map, Value as Json};

use super::problem::InputProblem;
use crate::model::{Declared, Input, Schema};

/// The inputs of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// Each of them, in order.
    pub inputs: Vec<Input>,
    /// Where the handler stands that takes them; nothing where no file of a project is known.
    pub declared: Option<Declared>,
}

/// What is wrong with an input, and the line that says what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong.
    pub problem: InputProblem,
    /// Where the input is declared; of one that is not, where the handler is.
    pub declared: Option<Declared>,
}

impl From<&Schema> for Signature {
    fn from(schema: &Schema) -> Self {
        Self { inputs: schema.inputs.clone(), declared: schema.handler.declared.clone() }
    }
}

impl Signature {
    /// The input of this name.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// All that is wrong with inputs of which some could not be read: of such a one it is told once.
    pub fn judge(&self, inputs: &Map<String, Json>, unread: Vec<InputProblem>) -> Vec<Misfit> {
        let told: Vec<String> = unread.iter().map(|problem| problem.input().to_owned()).collect();
        let further =
            self.validate(inputs).into_iter().filter(|it| !told.iter().any(|name| name == it.input()));
        unread.into_iter().chain(further).map(|problem| self.misfit(problem)).collect()
    }

    fn misfit(&self, problem: InputProblem) -> Misfit {
        let declared = match self.input(problem.input()) {
            Some(input) => input.declared.clone(),
            None => self.declared.clone(),
        };
        Misfit { problem, declared }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(out)
    }
}

impl std::error::Error for Misfit {}

impl Diagnostic for Misfit {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = match &self.problem {
            InputProblem::Form { .. } | InputProblem::Unknown { .. } => "this takes no such input",
            InputProblem::Missing { .. }
            | InputProblem::NoneMissing { .. }
            | InputProblem::WrongType { .. }
            | InputProblem::Null { .. }
            | InputProblem::Twice { .. }
            | InputProblem::Bounds { .. }
            | InputProblem::Length { .. }
            | InputProblem::Pattern { .. }
            | InputProblem::Choice { .. }
            | InputProblem::File { .. } => "it is declared here",
        };
        let Declared { at, .. } = self.declared.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(
            Some(label.to_owned()),
            at.clone(),
        ))))
    }
}
