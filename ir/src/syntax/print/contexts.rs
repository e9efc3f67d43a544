//! Contexts of every kind.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Anchor, Group, Printer, WIDEST, of_word, strings};
use crate::plan::context::{InlineFile, LocalCertificate, LockedFile, UnpackedArchive};
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
                debs.archives.iter().for_each(|(name, one)| self.archive(name, one));
                debs.certificates.iter().for_each(|(name, one)| self.certificate(name, one));
            }
        }
    }

    /// `include` and `exclude` lines: neighbours of one kind on one line, where they fit on it and no
    /// comment stands between them.
    pub(super) fn rules(&mut self, rules: &[PathRule]) {
        let are_together =
            |one: &PathRule, other: &PathRule| one.kind == other.kind && !self.are_apart(one, other);
        let runs: Vec<&[PathRule]> = rules.chunk_by(are_together).collect();
        for run in runs {
            if self.fits(run) {
                self.rule_line(run);
            } else {
                run.iter().for_each(|rule| self.rule_line(std::slice::from_ref(rule)));
            }
        }
    }

    /// Whether a comment stands between two neighbours.
    fn are_apart(&self, one: &PathRule, other: &PathRule) -> bool {
        let of = |rule: &PathRule| self.beside(|| Anchor::of(rule.pattern.span));
        of(one).is_some_and(|beside| beside.behind.is_some())
            || of(other).is_some_and(|beside| !beside.above.is_empty())
    }

    fn fits(&self, run: &[PathRule]) -> bool {
        let mut line = String::new();
        for rule in run {
            line.push(' ');
            strings::write(&rule.pattern, 0, &mut line);
        }
        self.indent + "exclude".len() + line.chars().count() <= WIDEST && !line.contains('\n')
    }

    /// `exclude "PATTERN" …`: what stands above belongs to the first, what stands behind to the last.
    fn rule_line(&mut self, run: &[PathRule]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        let above = self.beside(|| Anchor::of(first.pattern.span));
        for comment in above.iter().flat_map(|beside| &beside.above) {
            self.comment(comment);
        }
        self.indentation();
        self.push(match first.kind {
            RuleKind::Include => "include",
            RuleKind::Exclude => "exclude",
        });
        for rule in run {
            self.push(" ");
            self.string(&rule.pattern);
        }
        let behind = self.beside(|| Anchor::of(last.pattern.span));
        self.end_line(behind.and_then(|beside| beside.behind.as_deref()));
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

    fn certificate(&mut self, name: &str, certificate: &LocalCertificate) {
        self.line(
            || Anchor::of(certificate.span),
            |printer| {
                printer.push("certificate ");
                printer.string(name);
                printer.push(" = ");
                printer.string(&certificate.text);
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

    /// The files of a locked set, one a line, so that another version is a change of one line. The block
    /// of one in which there are comments has a line for each statement.
    fn locked(&mut self, word: &str, files: &BTreeMap<String, LockedFile>) {
        for (name, file) in files {
            self.locked_line(file, |printer| {
                printer.push(word);
                printer.string(name);
            });
        }
    }

    fn archive(&mut self, name: &str, archive: &UnpackedArchive) {
        self.locked_line(&archive.file, |printer| {
            printer.push("archive ");
            printer.string(name);
            printer.push(" at ");
            printer.place(&archive.place);
        });
    }

    /// A file of a locked set, whose statement begins with `words`.
    fn locked_line(&mut self, file: &LockedFile, words: impl Fn(&mut Self)) {
        let anchor = || Anchor::of(file.span);
        let says_nothing = file.digest.is_none() && file.url.is_none();
        if says_nothing || self.has_comments_inside(file.span) {
            self.block(anchor, words, says_nothing, |printer| printer.locked_file(file));
        } else {
            self.flat_block(anchor, |printer| {
                words(printer);
                printer.push(" {");
                if let Some(digest) = &file.digest {
                    printer.push(&format!(" hash {digest}"));
                }
                if let Some(url) = &file.url {
                    printer.push(" url ");
                    printer.string(url);
                }
                printer.push(" }");
            });
        }
    }

    fn locked_file(&mut self, file: &LockedFile) {
        if let Some(digest) = &file.digest {
            self.setting_line(file.span, "hash", &digest.to_string());
        }
        if let Some(url) = &file.url {
            self.string_line(file.span, "url", url);
        }
    }

    /// Whether a comment stands between the braces of a file of a locked set.
    fn has_comments_inside(&self, file: Span) -> bool {
        let of_block = self.beside(|| Anchor::of(file));
        of_block.is_some_and(|beside| beside.behind.is_some() || !beside.last.is_empty())
            || ["hash", "url"].iter().any(|word| self.beside(|| Anchor::within(file, word, "")).is_some())
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
        ContextKind::Debs(debs) => {
            debs.suite.is_none()
                && debs.packages.is_empty()
                && debs.archives.is_empty()
                && debs.certificates.is_empty()
        }
    }
}
