//! Copies.

use super::blocks::Said;
use super::contexts::block_of;
use super::values::is_text;
use super::{Lowering, Pair};
use crate::plan::{Copy, CopyForm, OpKind, Spanned, Template};
use crate::syntax::grammar::Rule;

impl<'t> Lowering<'t> {
    pub(super) fn copy(&mut self, statement: Pair<'t>) -> Option<OpKind> {
        let (mode, owner) = self.attributes(&statement);
        let mut said = Said::default();
        let mut what = None;
        let (mut replace, mut optional, mut follow) = (false, false, false);
        for part in statement.clone().into_inner() {
            let (word, flag) = match part.as_rule() {
                Rule::copy_contents | Rule::copy_sources => {
                    what = Some(part);
                    continue;
                }
                Rule::kw_replace => ("replace", &mut replace),
                Rule::kw_optional => ("optional", &mut optional),
                Rule::kw_follow => ("follow", &mut follow),
                _ => continue,
            };
            *flag |= said.first(word, "", self.span(&part), &mut self.findings);
        }
        let rules = self.rules(block_of(&statement));
        let (form, from) = self.copy_form(what?)?;
        Some(OpKind::Copy(Box::new(Copy { form, from, replace, optional, follow, owner, mode, rules })))
    }

    fn copy_form(&mut self, what: Pair<'t>) -> Option<(CopyForm, Spanned<crate::plan::Input>)> {
        let is_contents = what.as_rule() == Rule::copy_contents;
        let at = self.span(&what);
        let mut sources: Vec<Spanned<Template>> = Vec::new();
        let mut from = None;
        let mut to = None;
        let mut into = None;
        for part in what.into_inner() {
            match part.as_rule() {
                Rule::input => from = self.input(&part),
                Rule::to => to = part.into_inner().find(is_text).map(|path| self.template(&path)),
                Rule::into => into = part.into_inner().find(is_text).map(|path| self.template(&path)),
                _ if is_text(&part) => sources.push(self.template(&part)),
                _ => {}
            }
        }
        let form = match (to, into) {
            (_, Some(directory)) => CopyForm::Into { sources, directory },
            (Some(destination), None) if is_contents => {
                CopyForm::Contents { directory: sources.into_iter().next()?, destination }
            }
            (Some(destination), None) if sources.len() == 1 => {
                CopyForm::To { source: sources.into_iter().next()?, destination }
            }
            (Some(directory), None) => {
                self.refuse(
                    "several sources cannot all become one path".to_owned(),
                    "write `into` instead of `to`: each then lands in the directory under its own name",
                    at,
                );
                CopyForm::Into { sources, directory }
            }
            (None, None) => return None,
        };
        Some((form, from?))
    }
}
