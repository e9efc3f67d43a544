//! The export.

use super::{Anchor, Group, Printer};
use crate::plan::{Export, Setting, Span};

impl Printer<'_> {
    pub(super) fn export(&mut self, export: &Export) {
        self.gap(Group::Export, true);
        let says_nothing = Export::of(export.from.clone()) == *export;
        self.block(
            || Anchor::of(export.span),
            |printer| {
                printer.push("export from ");
                printer.input(&export.from);
            },
            says_nothing,
            |printer| printer.export_body(export),
        );
    }

    /// What is cleared comes first, because lists are added to afterwards.
    fn export_body(&mut self, export: &Export) {
        let owner = export.span;
        self.clear_lines(export);
        for (word, setting) in [("entrypoint", &export.entrypoint), ("cmd", &export.cmd)] {
            if let Setting::Set(list) = setting {
                self.list_line(owner, word, list);
            }
        }
        for (word, setting) in [("user", &export.user), ("workdir", &export.workdir)] {
            if let Setting::Set(value) = setting {
                self.string_line(owner, word, value);
            }
        }
        for port in &export.ports.added {
            self.key_line(owner, "expose", &port.to_string());
        }
        for volume in &export.volumes.added {
            self.volume_line(owner, volume);
        }
        for (key, value) in &export.labels.added {
            self.label_line(owner, "label", key, value);
        }
        for (key, value) in &export.annotations {
            self.label_line(owner, "annotation", key, value);
        }
        if let Setting::Set(signal) = &export.stop_signal {
            self.string_line(owner, "stop-signal", signal);
        }
        if let Setting::Set(check) = &export.healthcheck {
            self.healthcheck_line(owner, check);
        }
    }

    fn clear_lines(&mut self, export: &Export) {
        let owner = export.span;
        for (word, is_cleared) in [
            ("entrypoint", export.entrypoint.is_cleared()),
            ("cmd", export.cmd.is_cleared()),
            ("user", export.user.is_cleared()),
            ("workdir", export.workdir.is_cleared()),
        ] {
            self.clear_line(owner, (word, ""), word, is_cleared);
        }
        for (word, is_cleared) in [
            ("ports", export.ports.cleared.is_some()),
            ("volumes", export.volumes.cleared.is_some()),
            ("labels", export.labels.cleared.is_some()),
        ] {
            self.clear_line(owner, ("clear", word), word, is_cleared);
        }
        for (word, is_cleared) in [
            ("stop-signal", export.stop_signal.is_cleared()),
            ("healthcheck", export.healthcheck.is_cleared()),
        ] {
            self.clear_line(owner, (word, ""), word, is_cleared);
        }
    }

    fn clear_line(&mut self, owner: Span, anchor: (&'static str, &str), word: &str, is_cleared: bool) {
        if is_cleared {
            self.line(
                || Anchor::within(owner, anchor.0, anchor.1),
                |printer| {
                    printer.push("clear ");
                    printer.push(word);
                },
            );
        }
    }
}
