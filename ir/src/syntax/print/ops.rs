//! Stages and their ops; executions have a file of their own.

use super::{Anchor, Group, Printer, STEP, of_word};
use crate::plan::{
    Copy, CopyForm, EnvEdit, Input, Mode, Op, OpKind, Owner, Provenance, Spanned, Stage, Template,
};

impl Printer<'_> {
    pub(super) fn stage(&mut self, stage: &Stage) {
        self.gap(Group::Stages, true);
        self.block(
            || Anchor::of(stage.name.span),
            |printer| {
                printer.push(&format!("stage {}", stage.name));
                if let Some(phase) = &stage.phase {
                    printer.push(" in ");
                    printer.push(phase.as_str());
                }
                if let Some(from) = &stage.from {
                    printer.push(" from ");
                    printer.input(from);
                }
            },
            stage.provides.is_empty() && stage.ops.is_empty(),
            |printer| {
                for word in &stage.provides {
                    printer.line(
                        || Anchor::of(word.span),
                        |printer| {
                            printer.push("provides ");
                            printer.word(word, of_word);
                        },
                    );
                }
                stage.ops.iter().for_each(|op| printer.op(op));
            },
        );
    }

    fn op(&mut self, op: &Op) {
        let anchor = || Anchor::of(op.span);
        match &op.kind {
            OpKind::Run { script, execution } => self.execution(
                op,
                |printer| {
                    printer.push("run ");
                    printer.string(script);
                },
                execution,
            ),
            OpKind::Exec { argv, execution } => self.execution(
                op,
                |printer| {
                    printer.push("exec ");
                    printer.list(argv);
                },
                execution,
            ),
            OpKind::Copy(copy) => self.block(
                anchor,
                |printer| printer.copy(copy),
                copy.rules.is_empty(),
                |printer| printer.rules(&copy.rules),
            ),
            OpKind::Layer(layer) => self.block(
                anchor,
                |printer| printer.push(&format!("layer {}", layer.name)),
                layer.ops.is_empty(),
                |printer| layer.ops.iter().for_each(|op| printer.op(op)),
            ),
            OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::By(_) => self.line(anchor, |printer| printer.simple_op(&op.kind)),
        }
    }

    fn simple_op(&mut self, op: &OpKind) {
        match op {
            OpKind::File(file) => {
                self.push("file ");
                self.template(&file.path);
                self.attributes(file.mode.as_ref(), file.owner.as_ref());
                self.content(&file.content);
            }
            OpKind::Mkdir(directory) => {
                self.push("mkdir ");
                self.template(&directory.path);
                self.attributes(directory.mode.as_ref(), directory.owner.as_ref());
            }
            OpKind::Symlink(link) => {
                self.push("symlink ");
                self.template(&link.target);
                self.push(" at ");
                self.place(link.path.as_written());
            }
            OpKind::Remove(remove) => {
                self.push("remove ");
                self.template(&remove.path);
                self.push(if remove.optional { " optional" } else { "" });
            }
            OpKind::Env(change) => {
                let (words, value) = match &change.edit {
                    EnvEdit::Set(value) => (format!("env {} = ", change.name), Some(value)),
                    EnvEdit::Prepend(value) => (format!("env prepend {} ", change.name), Some(value)),
                    EnvEdit::Append(value) => (format!("env append {} ", change.name), Some(value)),
                    EnvEdit::Unset => (format!("unset {}", change.name), None),
                };
                self.push(&words);
                if let Some(value) = value {
                    self.template(value);
                }
            }
            OpKind::Workdir(path) => {
                self.push("workdir ");
                self.template(path);
            }
            OpKind::User(user) => {
                self.push("user ");
                self.template(user);
            }
            OpKind::Shell(argv) => {
                self.push("shell ");
                self.list(argv);
            }
            OpKind::By(provenance) => self.provenance(provenance),
            // These have blocks, and are printed by `op`.
            OpKind::Run { .. } | OpKind::Exec { .. } | OpKind::Copy(_) | OpKind::Layer(_) => {}
        }
    }

    fn provenance(&mut self, provenance: &Provenance) {
        self.push("by ");
        self.push(provenance.block.as_str());
        if let Some((file, line)) = &provenance.at {
            self.push(" at ");
            self.place(file);
            self.push(&format!(":{line}"));
        }
    }

    fn copy(&mut self, copy: &Copy) {
        self.push("copy");
        let sources = copy.form.sources();
        if let CopyForm::Contents { .. } = copy.form {
            self.push(" contents");
        }
        if let [source] = sources {
            self.push(" ");
            self.template(source);
            self.push(" ");
        } else {
            self.source_lines(sources);
        }
        self.push("from ");
        self.input(&copy.from);
        self.push(match copy.form {
            CopyForm::To { .. } | CopyForm::Contents { .. } => " to ",
            CopyForm::Into { .. } => " into ",
        });
        self.template(copy.form.destination());
        for (word, said) in
            [(" replace", copy.replace), (" optional", copy.optional), (" follow", copy.follow)]
        {
            self.push(if said { word } else { "" });
        }
        if let Some(owner) = &copy.owner {
            self.push(&format!(" owner {owner}"));
        }
        if let Some(mode) = &copy.mode {
            self.push(&format!(" mode {mode}"));
        }
    }

    /// Each source on a line, so that one more or less is a change of one line.
    fn source_lines(&mut self, sources: &[Spanned<Template>]) {
        self.push("\n");
        self.indent += 2 * STEP;
        for source in sources {
            self.indentation();
            self.template(source);
            self.push("\n");
        }
        self.indent -= STEP;
        self.indentation();
        self.indent -= STEP;
    }

    fn attributes(&mut self, mode: Option<&Spanned<Mode>>, owner: Option<&Spanned<Owner>>) {
        if let Some(mode) = mode {
            self.push(&format!(" mode {mode}"));
        }
        if let Some(owner) = owner {
            self.push(&format!(" owner {owner}"));
        }
    }

    /// An input; written in place, because large plans name many.
    pub(super) fn input(&mut self, input: &Input) {
        let (words, name) = match input {
            Input::Scratch => ("scratch", ""),
            Input::Image(name) => ("image @", name.as_str()),
            Input::Stage(name) => ("%", name.as_str()),
            Input::Phase(name) => ("phase ", name.as_str()),
            Input::Context(name) => ("@", name.as_str()),
        };
        self.push(words);
        self.push(name);
    }

    /// A string with variables.
    pub(super) fn template(&mut self, template: &Template) {
        self.string(template.as_written());
    }
}
