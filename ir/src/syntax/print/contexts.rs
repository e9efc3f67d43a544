//! Contexts of every kind.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Anchor, Group, Printer, of_word};
use crate::plan::context::{InlineFile, LockedFile};
use crate::plan::{Context, ContextKind, FileContent, InputName, PathRule, RuleKind, Span};

impl Printer<'_> {
    pub(super) fn context(&mut self, name: &InputName, context: &Context) {
        let is_empty = is_empty(&context.kind);
        self.gap(Group::Contexts, !is_empty);
        self.block(
            || Anchor::of(context.span),
            |printer| {
                printer.push(&format!("context {name} = "));
                printer.context_kind(&context.kind);
            },
            is_empty,
            |printer| printer.context_body(context.span, &context.kind),
        );
    }

    fn context_kind(&mut self, kind: &ContextKind) {
        let (word, place) = match kind {
            ContextKind::Directory(directory) => ("dir ", Some(&directory.path)),
            ContextKind::Http(http) => ("http ", Some(&http.url)),
            ContextKind::Git(git) => ("git ", Some(&git.url)),
            ContextKind::Oci(oci) => ("oci ", Some(&oci.path)),
            ContextKind::Files(_) => ("files", None),
            ContextKind::Wheels(_) => ("wheels", None),
            ContextKind::Debs(_) => ("debs", None),
        };
        self.push(word);
        if let Some(place) = place {
            self.string(place);
        }
    }

    fn context_body(&mut self, owner: Span, kind: &ContextKind) {
        match kind {
            ContextKind::Directory(directory) => self.rules(&directory.rules),
            ContextKind::Http(http) => {
                if let Some(checksum) = &http.checksum {
                    self.setting_line(owner, "checksum", &checksum.to_string());
                }
                if let Some(name) = &http.name {
                    self.string_line(owner, "name", name);
                }
                if let Some(mode) = &http.mode {
                    self.setting_line(owner, "mode", &mode.to_string());
                }
            }
            ContextKind::Git(git) => {
                if let Some(commit) = &git.commit {
                    self.line(
                        || Anchor::within(owner, "commit", ""),
                        |printer| {
                            printer.push("commit ");
                            printer.word(commit, of_word);
                        },
                    );
                }
                if let Some(subdir) = &git.subdir {
                    self.string_line(owner, "subdir", subdir);
                }
            }
            ContextKind::Oci(oci) => {
                if let Some(digest) = &oci.digest {
                    self.setting_line(owner, "digest", &digest.to_string());
                }
                if let Some(tag) = &oci.tag {
                    self.string_line(owner, "tag", tag);
                }
            }
            ContextKind::Files(files) => files.iter().for_each(|(path, file)| self.inline_file(path, file)),
            ContextKind::Wheels(wheels) => {
                if let Some(python) = &wheels.python {
                    self.string_line(owner, "python", python);
                }
                if let Some(interpreter) = &wheels.interpreter {
                    self.string_line(owner, "interpreter", interpreter);
                }
                self.locked("wheel ", &wheels.wheels);
            }
            ContextKind::Debs(debs) => {
                if let Some(suite) = &debs.suite {
                    self.string_line(owner, "suite", suite);
                }
                self.locked("deb ", &debs.packages);
            }
        }
    }

    /// `include` and `exclude` lines.
    pub(super) fn rules(&mut self, rules: &[PathRule]) {
        for rule in rules {
            let word = match rule.kind {
                RuleKind::Include => "include ",
                RuleKind::Exclude => "exclude ",
            };
            self.line(
                || Anchor::of(rule.pattern.span),
                |printer| {
                    printer.push(word);
                    printer.string(&rule.pattern);
                },
            );
        }
    }

    fn inline_file(&mut self, path: &str, file: &InlineFile) {
        self.line(
            || Anchor::of(file.span),
            |printer| {
                printer.push("file ");
                printer.string(path);
                if let Some(mode) = file.mode {
                    printer.push(&format!(" mode {mode}"));
                }
                printer.content(&file.content);
            },
        );
    }

    /// ` = "text"`, or base64 where the bytes are no text.
    pub(super) fn content(&mut self, content: &FileContent) {
        self.push(" = ");
        match std::str::from_utf8(&content.0) {
            Ok(text) => self.string(text),
            Err(_) => self.push(&format!("base64 \"{}\"", STANDARD.encode(&content.0))),
        }
    }

    fn locked(&mut self, word: &str, files: &BTreeMap<String, LockedFile>) {
        for (name, file) in files {
            self.block(
                || Anchor::of(file.span),
                |printer| {
                    printer.push(word);
                    printer.string(name);
                },
                file.digest.is_none() && file.url.is_none(),
                |printer| {
                    if let Some(digest) = &file.digest {
                        printer.setting_line(file.span, "hash", &digest.to_string());
                    }
                    if let Some(url) = &file.url {
                        printer.string_line(file.span, "url", url);
                    }
                },
            );
        }
    }

    /// `WORD VALUE`
    fn setting_line(&mut self, owner: Span, word: &'static str, value: &str) {
        self.line(
            || Anchor::within(owner, word, ""),
            |printer| {
                printer.push(word);
                printer.push(" ");
                printer.push(value);
            },
        );
    }
}

/// Whether a context says nothing in a block.
fn is_empty(kind: &ContextKind) -> bool {
    match kind {
        ContextKind::Directory(directory) => directory.rules.is_empty(),
        ContextKind::Http(http) => http.checksum.is_none() && http.name.is_none() && http.mode.is_none(),
        ContextKind::Git(git) => git.commit.is_none() && git.subdir.is_none(),
        ContextKind::Oci(oci) => oci.digest.is_none() && oci.tag.is_none(),
        ContextKind::Files(files) => files.is_empty(),
        ContextKind::Wheels(wheels) => {
            wheels.python.is_none() && wheels.interpreter.is_none() && wheels.wheels.is_empty()
        }
        ContextKind::Debs(debs) => debs.suite.is_none() && debs.packages.is_empty(),
    }
}
