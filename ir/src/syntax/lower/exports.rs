//! The export.

use super::blocks::Said;
use super::contexts::block_of;
use super::values::operands;
use super::{Lowering, Pair};
use crate::plan::{Export, Setting, Span, Spanned};
use crate::syntax::comments::Anchor;
use crate::syntax::expected::Kind;
use crate::syntax::grammar::Rule;

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
                    export.ports.added.insert(port);
                }
            }
            Rule::volume => {
                let path = self.string(&first);
                if claim(self, "volume", &path) {
                    export.volumes.added.insert(path);
                }
            }
            Rule::label | Rule::annotation => {
                let is_label = rule == Rule::label;
                let key = self.key(&first);
                let is_first = claim(self, if is_label { "label" } else { "annotation" }, &key);
                if let Some(value) = values.next().filter(|_| is_first) {
                    let value = self.string(&value);
                    let list = if is_label { &mut export.labels.added } else { &mut export.annotations };
                    list.insert(key, value);
                }
            }
            Rule::clear => {
                let Some(word) = first.into_inner().next() else { return };
                // One value is cleared or set, not both; a list may be cleared and then added to.
                match word.as_rule() {
                    Rule::kw_entrypoint if claim(self, "entrypoint", "") => {
                        export.entrypoint = Setting::Clear
                    }
                    Rule::kw_cmd if claim(self, "cmd", "") => export.cmd = Setting::Clear,
                    Rule::kw_user if claim(self, "user", "") => export.user = Setting::Clear,
                    Rule::kw_workdir if claim(self, "workdir", "") => export.workdir = Setting::Clear,
                    Rule::kw_stop_signal if claim(self, "stop-signal", "") => {
                        export.stop_signal = Setting::Clear
                    }
                    Rule::kw_healthcheck if claim(self, "healthcheck", "") => {
                        export.healthcheck = Setting::Clear
                    }
                    Rule::kw_ports if claim(self, "clear", "ports") => export.ports.cleared = true,
                    Rule::kw_volumes if claim(self, "clear", "volumes") => export.volumes.cleared = true,
                    Rule::kw_labels if claim(self, "clear", "labels") => export.labels.cleared = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }
}
