//! `run` and `exec`, with their mounts and settings.

use super::blocks::Said;
use super::contexts::block_of;
use super::values::{is_text, operands};
use super::{Lowering, Pair};
use crate::plan::{
    EnvSetting, Execution, Mount, MountKind, Network, OpKind, SecretTarget, Sharing, Spanned, Template,
};
use crate::syntax::comments::Anchor;
use crate::syntax::grammar::Rule;
use crate::syntax::kinds::Kind;

impl<'t> Lowering<'t> {
    pub(super) fn run(&mut self, statement: Pair<'t>) -> Option<OpKind> {
        let execution = Box::new(self.execution(&statement));
        let script = self.spanned_string(&operands(statement).next()?);
        Some(OpKind::Run { script, execution })
    }

    pub(super) fn exec(&mut self, statement: Pair<'t>) -> Option<OpKind> {
        let execution = Box::new(self.execution(&statement));
        let argv = self.list(&operands(statement).next()?);
        Some(OpKind::Exec { argv, execution })
    }

    fn execution(&mut self, op: &Pair<'t>) -> Execution {
        let mut execution = Execution::default();
        let Some(block) = block_of(op) else { return execution };
        let owner = self.span(op);
        let mut said = Said::default();
        self.statements(block, Kind::Execution, |lowering, statement| {
            let span = lowering.span(&statement);
            let rule = statement.as_rule();
            match rule {
                Rule::mount => {
                    let Some(kind) = lowering.mount(statement) else { return };
                    lowering.note(span, None, Anchor::of(span));
                    execution.mounts.push(Mount { kind, span });
                }
                Rule::env_setting => {
                    let Some((name, value)) = lowering.variable(statement) else { return };
                    lowering.note(span, None, Anchor::of(span));
                    if said.first("env", name.as_str(), span, &mut lowering.findings) {
                        execution.env.push(EnvSetting { name, value, span });
                    }
                }
                Rule::network if said.first("network", "", span, &mut lowering.findings) => {
                    lowering.note(span, None, Anchor::within(owner, "network", ""));
                    execution.network = match statement.into_inner().last().map(|word| word.as_rule()) {
                        Some(Rule::kw_none) => Network::None,
                        Some(Rule::kw_host) => Network::Host,
                        _ => Network::Default,
                    };
                }
                Rule::user_setting if said.first("user", "", span, &mut lowering.findings) => {
                    lowering.note(span, None, Anchor::within(owner, "user", ""));
                    execution.user = operands(statement).next().map(|user| lowering.template(&user));
                }
                Rule::workdir_setting if said.first("workdir", "", span, &mut lowering.findings) => {
                    lowering.note(span, None, Anchor::within(owner, "workdir", ""));
                    execution.workdir = operands(statement).next().map(|path| lowering.template(&path));
                }
                _ => {}
            }
        });
        execution
    }

    fn mount(&mut self, statement: Pair<'t>) -> Option<MountKind> {
        let what = operands(statement).next()?;
        let rule = what.as_rule();
        match rule {
            Rule::mount_bind => self.mount_bind(what),
            Rule::mount_cache => {
                let mut sharing = Sharing::Shared;
                let mut parts = operands(what);
                let name = self.name(&parts.next()?);
                let target = self.template(&parts.next()?);
                if let Some(word) = parts.next().and_then(|part| part.into_inner().last()) {
                    sharing = match word.as_rule() {
                        Rule::kw_private => Sharing::Private,
                        Rule::kw_locked => Sharing::Locked,
                        _ => Sharing::Shared,
                    };
                }
                Some(MountKind::Cache { name: name?, target, sharing })
            }
            Rule::mount_secret => {
                let mut parts = operands(what);
                let name = self.name(&parts.next()?);
                let target = parts.next()?;
                let target = if target.as_rule() == Rule::as_env {
                    SecretTarget::Env(self.name(&operands(target).next()?)?)
                } else {
                    SecretTarget::File(self.template(&target))
                };
                Some(MountKind::Secret { name: name?, target })
            }
            Rule::mount_ssh => self.mount_ssh(what),
            _ => {
                let mut target = None;
                let mut size = None;
                for part in operands(what) {
                    match part.as_rule() {
                        Rule::size => size = self.bytes(&part),
                        _ => target = Some(self.template(&part)),
                    }
                }
                Some(MountKind::Tmpfs { target: target?, size })
            }
        }
    }

    fn mount_bind(&mut self, what: Pair<'t>) -> Option<MountKind> {
        let mut said = Said::default();
        let mut source = None;
        let mut target = None;
        let mut select = None;
        let mut writable = false;
        for part in what.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::input => source = self.input(&part),
                Rule::select if said.first("select", "", at, &mut self.findings) => {
                    select = operands(part).next().map(|path| self.template(&path));
                }
                // The two exclude each other, so they are one thing said twice.
                Rule::kw_readonly | Rule::kw_writable
                    if said.first("readonly or writable", "", at, &mut self.findings) =>
                {
                    writable = part.as_rule() == Rule::kw_writable;
                }
                _ if is_text(&part) => target = Some(self.template(&part)),
                _ => {}
            }
        }
        Some(MountKind::Bind { source: source?, select, target: target?, writable })
    }

    fn mount_ssh(&mut self, what: Pair<'t>) -> Option<MountKind> {
        let mut name = None;
        let mut target: Option<Spanned<Template>> = None;
        let mut follows_at = false;
        for part in what.into_inner() {
            match part.as_rule() {
                Rule::kw_at => follows_at = true,
                Rule::kw_ssh => {}
                _ if follows_at => target = Some(self.template(&part)),
                _ => name = Some(self.name(&part)?),
            }
        }
        Some(MountKind::Ssh { name, target })
    }
}
