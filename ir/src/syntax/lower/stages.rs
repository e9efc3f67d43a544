//! Stages and their ops; executions and copies have files of their own.

use std::collections::BTreeSet;

use super::blocks::Said;
use super::contexts::block_of;
use super::values::{is_text, operands};
use super::{Lowering, Pair};
use crate::plan::{
    EnvChange, EnvEdit, Layer, MakeDirectory, MakeFile, MakeSymlink, Mode, Op, OpKind, Owner, Provenance,
    Remove, Spanned, Stage, StageName,
};
use crate::syntax::comments::Anchor;
use crate::syntax::findings::SyntaxFinding;
use crate::syntax::grammar::Rule;
use crate::syntax::kinds::Kind;

impl<'t> Lowering<'t> {
    pub(super) fn stage(&mut self, pair: Pair<'t>) -> Option<Stage> {
        let statement = self.span(&pair);
        let mut name: Option<Spanned<StageName>> = None;
        let mut phase = None;
        let mut from = None;
        let mut provides = BTreeSet::new();
        let mut ops = Vec::new();
        let mut block = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::stage_name => name = self.name(&part),
                Rule::in_phase => phase = operands(part).next().and_then(|phase| self.name(&phase)),
                Rule::from_input => from = operands(part).next().and_then(|input| self.input(&input)),
                Rule::stage_block => {
                    block = Some(self.span(&part));
                    self.statements(part, Kind::Stage, |lowering, statement| match statement.as_rule() {
                        Rule::provides => lowering.provides(statement, &mut provides),
                        _ => ops.extend(lowering.op(statement)),
                    });
                }
                _ => {}
            }
        }
        let name = name?;
        self.note(statement, block, Anchor::of(name.span));
        ops.shrink_to_fit();
        Some(Stage { name, phase, from, provides, ops })
    }

    fn provides(&mut self, statement: Pair<'t>, provides: &mut BTreeSet<Spanned<String>>) {
        let at = self.span(&statement);
        let Some(word) = operands(statement).next() else { return };
        let word = Spanned::new(self.key(&word), self.span(&word));
        self.note(at, None, Anchor::of(word.span));
        if let Some(first) = provides.get(&word) {
            self.findings.push(SyntaxFinding::Twice {
                what: format!("`provides {}`", word.escape_debug()),
                first: first.span.into(),
                second: word.span.into(),
            });
        }
        provides.insert(word);
    }

    fn op(&mut self, statement: Pair<'t>) -> Option<Op> {
        let span = self.span(&statement);
        let place = self.places.len();
        let block = self.places_wanted.then(|| block_of(&statement).map(|block| self.span(&block))).flatten();
        let kind = self.op_kind(statement);
        if kind.is_some() && self.places_wanted {
            self.note(span, block, Anchor::of(span));
            // An op stands before what is in its block.
            self.places[place..].rotate_right(1);
        }
        Some(Op { kind: kind?, span })
    }

    fn op_kind(&mut self, statement: Pair<'t>) -> Option<OpKind> {
        let rule = statement.as_rule();
        match rule {
            Rule::run => self.run(statement),
            Rule::exec => self.exec(statement),
            Rule::copy => self.copy(statement),
            Rule::layer => self.layer(statement),
            Rule::by => self.provenance(statement).map(OpKind::By),
            Rule::file => self.file(statement),
            Rule::mkdir => {
                let (mode, owner) = self.attributes(&statement);
                let path = self.template(&operands(statement).next()?);
                Some(OpKind::Mkdir(Box::new(MakeDirectory { path, mode, owner })))
            }
            Rule::symlink => {
                let mut paths = operands(statement);
                let target = self.template(&paths.next()?);
                let path = self.template(&paths.next()?);
                Some(OpKind::Symlink(Box::new(MakeSymlink { target, path })))
            }
            Rule::remove => {
                let optional = statement.clone().into_inner().any(|part| part.as_rule() == Rule::kw_optional);
                let path = self.template(&operands(statement).next()?);
                Some(OpKind::Remove(Remove { path, optional }))
            }
            Rule::env_setting | Rule::env_prepend | Rule::env_append => {
                let (name, value) = self.variable(statement)?;
                let edit = match rule {
                    Rule::env_prepend => EnvEdit::Prepend(value),
                    Rule::env_append => EnvEdit::Append(value),
                    _ => EnvEdit::Set(value),
                };
                Some(OpKind::Env(EnvChange { name, edit }))
            }
            Rule::unset => {
                let name = self.name(&operands(statement).next()?)?;
                Some(OpKind::Env(EnvChange { name, edit: EnvEdit::Unset }))
            }
            Rule::workdir_setting => Some(OpKind::Workdir(self.template(&operands(statement).next()?))),
            Rule::user_setting => Some(OpKind::User(self.template(&operands(statement).next()?))),
            Rule::shell_setting => Some(OpKind::Shell(self.list(&operands(statement).next()?))),
            _ => None,
        }
    }

    fn layer(&mut self, statement: Pair<'t>) -> Option<OpKind> {
        let block = block_of(&statement);
        let name = self.name(&operands(statement).next()?);
        let mut ops = Vec::new();
        if let Some(block) = block {
            self.statements(block, Kind::Layer, |lowering, statement| ops.extend(lowering.op(statement)));
        }
        Some(OpKind::Layer(Layer { name: name?, ops }))
    }

    fn provenance(&mut self, statement: Pair<'t>) -> Option<Provenance> {
        let mut block = None;
        let mut at = None;
        for part in statement.into_inner() {
            match part.as_rule() {
                Rule::block_name => block = self.name(&part),
                Rule::by_place => {
                    let mut place = operands(part);
                    let file = self.string(&place.next()?);
                    at = self.number(&place.next()?).map(|line| (file, line));
                }
                _ => {}
            }
        }
        Some(Provenance { block: block?, at })
    }

    fn file(&mut self, statement: Pair<'t>) -> Option<OpKind> {
        let (mode, owner) = self.attributes(&statement);
        let mut texts = operands(statement).filter(|part| is_text(part) || part.as_rule() == Rule::base64);
        let path = self.template(&texts.next()?);
        let content = self.content(&texts.next()?);
        Some(OpKind::File(Box::new(MakeFile { path, mode, owner, content })))
    }

    /// The `mode` and `owner` of a statement, each at most once.
    pub(super) fn attributes(
        &mut self,
        statement: &Pair<'t>,
    ) -> (Option<Spanned<Mode>>, Option<Spanned<Owner>>) {
        let mut said = Said::default();
        let mut mode = None;
        let mut owner = None;
        for part in statement.clone().into_inner() {
            let rule = part.as_rule();
            let word = match rule {
                Rule::mode_setting => "mode",
                Rule::owner_setting => "owner",
                _ => continue,
            };
            let at = self.span(&part);
            match rule {
                _ if !said.first(word, "", at, &mut self.findings) => {}
                Rule::mode_setting => mode = self.mode(part),
                _ => owner = self.owner(part),
            }
        }
        (mode, owner)
    }
}
