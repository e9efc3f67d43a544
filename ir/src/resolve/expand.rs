//! Expanding templates against a state.

use std::sync::Arc;

use super::state::{EnvValue, State};
use super::variables::{LARGEST_TEXT, VariableFinding};
use crate::finding::Finding;
use crate::plan::{EnvName, Piece, Spanned, Template};
use crate::suggest;

/// The variables that a template sees: a state's, and above them those of one execution.
pub struct Scope<'s> {
    state: &'s State,
    local: Vec<(EnvName, EnvValue)>,
    /// The variables that show a secret to the program alone.
    secrets: Vec<EnvName>,
}

/// What a template comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expansion {
    /// This text.
    Known(Arc<str>),
    /// It leans on this variable of a base whose config is not known.
    Open(String),
    /// A variable in it is not set, or it is too long, which has been reported.
    Undefined,
}

impl<'s> Scope<'s> {
    /// The variables of a state.
    pub fn of(state: &'s State) -> Self {
        Self { state, local: Vec::new(), secrets: Vec::new() }
    }

    /// Sets a variable above the state's.
    pub fn set(&mut self, name: EnvName, value: EnvValue) {
        self.local.push((name, value));
    }

    /// Notes that the program, and nothing else, has a secret in this variable.
    pub fn hide(&mut self, name: EnvName) {
        self.secrets.push(name);
    }

    fn value(&self, name: &str) -> Option<&EnvValue> {
        let local = self.local.iter().rev().find(|(known, _)| known.as_str() == name);
        local.map(|(_, value)| value).or_else(|| self.state.variable(name))
    }

    /// What `template` comes to; a variable that is not set is reported.
    pub fn expand(&self, template: &Spanned<Template>, findings: &mut Vec<Finding>) -> Expansion {
        if let Some(text) = template.to_literal() {
            return Expansion::Known(text);
        }
        let mut text = String::new();
        let mut length = 0;
        let mut open = None;
        let mut undefined = false;
        let mut push = |part: &str| {
            length += part.len();
            if length <= LARGEST_TEXT {
                text.push_str(part);
            }
        };
        for piece in template.pieces() {
            match piece {
                Piece::Text(part) => push(part),
                Piece::Variable(name) => match self.value(name) {
                    Some(EnvValue::Known(value)) => push(value),
                    Some(EnvValue::Open) => drop(open.get_or_insert_with(|| name.to_owned())),
                    None if !self.state.base_known => drop(open.get_or_insert_with(|| name.to_owned())),
                    None => {
                        undefined = true;
                        let finding = self.undefined(name, template, findings);
                        findings.push(finding.into());
                    }
                },
            }
        }
        if let Some(finding) = too_long(length, template) {
            findings.push(finding.into());
            return Expansion::Undefined;
        }
        match (undefined, open) {
            (true, _) => Expansion::Undefined,
            (false, Some(name)) => Expansion::Open(name),
            (false, None) => Expansion::Known(text.into()),
        }
    }

    /// Replaces `template` by the text it comes to, where that is known. An open template stays
    /// as it was written: half of it expanded could read as an escape.
    pub fn expand_in_place(
        &self,
        template: &mut Spanned<Template>,
        findings: &mut Vec<Finding>,
    ) -> Expansion {
        let expansion = self.expand(template, findings);
        if let Expansion::Known(text) = &expansion
            && template.as_literal().is_none()
        {
            template.value = Template::literal(text);
        }
        expansion
    }

    /// The same for a template whose text is of no further interest; most name no variable, and
    /// then there is nothing to do.
    pub fn rewrite(&self, template: &mut Spanned<Template>, findings: &mut Vec<Finding>) {
        if template.as_literal().is_none() {
            self.expand_in_place(template, findings);
        }
    }

    fn undefined(&self, name: &str, template: &Spanned<Template>, findings: &[Finding]) -> VariableFinding {
        let known =
            self.local.iter().map(|(name, _)| name).chain(self.state.env.names()).map(EnvName::as_str);
        let suggestion =
            suggest::nearest_while_few(findings, name, known).map(|known| format!("${{{known}}}"));
        if self.secrets.iter().any(|secret| secret.as_str() == name) {
            let way_out = format!(
                "it holds a secret, which only the program sees: let the program read it, as `${name}` in a script does"
            );
            return VariableFinding::Undefined {
                name: name.to_owned(),
                way_out,
                place: template.span.place(),
            };
        }
        let otherwise =
            format!("set it first with `env {name} = \"…\"`, or write `$${{` for a literal `${{`");
        VariableFinding::Undefined {
            name: name.to_owned(),
            way_out: suggest::did_you_mean(suggestion, &otherwise),
            place: template.span.place(),
        }
    }
}

/// The finding where a text of `length` bytes is too long.
pub(super) fn too_long(length: usize, template: &Spanned<Template>) -> Option<VariableFinding> {
    (length > LARGEST_TEXT).then(|| VariableFinding::TooLong { length, place: template.span.place() })
}
