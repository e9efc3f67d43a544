//! The export.

use super::blocks::Said;
use super::contexts::block_of;
use super::values::operands;
use super::{Lowering, Pair};
use crate::plan::{Export, Setting, Span, Spanned};
use crate::syntax::comments::Anchor;
use crate::syntax::grammar::Rule;
use crate::syntax::kinds::Kind;

impl<'t> Lowering<'t> {
    pub(super) fn export(&mut self, pair: Pair<'t>) -> Option<Export> {
        let statement = self.span(&pair);
        let block = block_of(&pair);
        let mut from = None;
        let mut word = statement;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_export => word = self.span(&part),
                Rule::from_input => from = operands(part).next().and_then(|input| self.input(&input)),
                _ => {}
            }
        }
        self.note(statement, block.as_ref().map(|block| self.span(block)), Anchor::of(word));
        // Without an input there is no export, but its statements are checked all the same.
        let mut export = Export::of(from.clone().unwrap_or(Spanned::nowhere(crate::plan::Input::Scratch)));
        export.span = word;
        if let Some(block) = block {
            let mut said = Said::default();
            self.statements(block, Kind::Export, |lowering, statement| {
                lowering.export_statement(statement, word, &mut said, &mut export);
            });
        }
        from.map(|_| export)
    }

    fn export_statement(&mut self, statement: Pair<'t>, owner: Span, said: &mut Said, export: &mut Export) {
        let at = self.span(&statement);
        let rule = statement.as_rule();
        if rule == Rule::clear {
            return self.clear(statement, owner, said, export);
        }
        let mut values = operands(statement.clone());
        let Some(first) = values.next() else { return };
        let value_at = self.span(&first);
        let mut claim = |lowering: &mut Self, word: &'static str, key: &str| {
            lowering.note(at, None, Anchor::within(owner, word, key));
            said.first(word, key, at, &mut lowering.findings)
        };
        match rule {
            Rule::entrypoint_setting if claim(self, "entrypoint", "") => {
                export.entrypoint = Setting::Set(self.list(&first));
            }
            Rule::cmd_setting if claim(self, "cmd", "") => export.cmd = Setting::Set(self.list(&first)),
            Rule::user_setting if claim(self, "user", "") => {
                export.user = Setting::Set(self.spanned_string(&first));
            }
            Rule::workdir_setting if claim(self, "workdir", "") => {
                export.workdir = Setting::Set(self.spanned_string(&first));
            }
            Rule::stop_signal if claim(self, "stop-signal", "") => {
                export.stop_signal = Setting::Set(self.spanned_string(&first));
            }
            Rule::healthcheck if claim(self, "healthcheck", "") => {
                if let Some(check) = self.healthcheck(statement) {
                    export.healthcheck = Setting::Set(Spanned::new(check, value_at));
                }
            }
            Rule::expose => {
                let Some(port) = self.port(&first) else { return };
                if claim(self, "expose", &port.to_string()) {
                    export.ports.added.insert(Spanned::new(port, value_at));
                }
            }
            Rule::volume => {
                let path = self.string(&first);
                if claim(self, "volume", &path) {
                    export.volumes.added.insert(Spanned::new(path, value_at));
                }
            }
            Rule::label | Rule::annotation => {
                let is_label = rule == Rule::label;
                let key = self.key(&first);
                let is_first = claim(self, if is_label { "label" } else { "annotation" }, &key);
                if let Some(value) = values.next().filter(|_| is_first) {
                    let value = self.string(&value);
                    let list = if is_label { &mut export.labels.added } else { &mut export.annotations };
                    list.insert(Spanned::new(key, value_at), value);
                }
            }
            _ => {}
        }
    }

    /// One value is cleared or set, not both; a list may be cleared and then added to.
    fn clear(&mut self, statement: Pair<'t>, owner: Span, said: &mut Said, export: &mut Export) {
        let at = self.span(&statement);
        let Some(word) = statement.into_inner().nth(1) else { return };
        let (word, key) = match word.as_rule() {
            Rule::kw_entrypoint => ("entrypoint", ""),
            Rule::kw_cmd => ("cmd", ""),
            Rule::kw_user => ("user", ""),
            Rule::kw_workdir => ("workdir", ""),
            Rule::kw_stop_signal => ("stop-signal", ""),
            Rule::kw_healthcheck => ("healthcheck", ""),
            Rule::kw_ports => ("clear", "ports"),
            Rule::kw_volumes => ("clear", "volumes"),
            _ => ("clear", "labels"),
        };
        self.note(at, None, Anchor::within(owner, word, key));
        if !said.first(word, key, at, &mut self.findings) {
            return;
        }
        match (word, key) {
            ("entrypoint", _) => export.entrypoint = Setting::Clear(at),
            ("cmd", _) => export.cmd = Setting::Clear(at),
            ("user", _) => export.user = Setting::Clear(at),
            ("workdir", _) => export.workdir = Setting::Clear(at),
            ("stop-signal", _) => export.stop_signal = Setting::Clear(at),
            ("healthcheck", _) => export.healthcheck = Setting::Clear(at),
            (_, "ports") => export.ports.cleared = Some(at),
            (_, "volumes") => export.volumes.cleared = Some(at),
            _ => export.labels.cleared = Some(at),
        }
    }
}
