//! Stages that resolve to what they are written as: no variable is expanded in them and no phase
//! is named, as in most of a large plan. What holds at each op is noted without a copy of them.

use std::sync::Arc;

use super::state::{EnvValue, State};
use crate::plan::{
    CopyForm, EnvEdit, Execution, Input, MountKind, Op, OpKind, SecretTarget, Spanned, Stage, Template,
};

/// Whether a stage that starts from `start` resolves to what it is written as.
pub(super) fn stands(stage: &Stage, start: &Input) -> bool {
    stage.from.as_ref().is_some_and(|from| from.value == *start) && all_stand(&stage.ops)
}

/// One state before each of its ops, from `start` on, then the one at the end.
pub(super) fn states(stage: &Stage, start: Arc<State>) -> Vec<Arc<State>> {
    let mut states = Vec::with_capacity(stage.ops.len() + 1);
    states.push(start);
    note(&stage.ops, &mut states);
    states
}

fn all_stand(ops: &[Op]) -> bool {
    ops.iter().all(|op| match &op.kind {
        OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => execution_stands(execution),
        OpKind::Copy(copy) => {
            is_concrete(&copy.from)
                && match &copy.form {
                    CopyForm::To { source: first, destination: second }
                    | CopyForm::Contents { directory: first, destination: second } => {
                        is_literal(first) && is_literal(second)
                    }
                    CopyForm::Into { sources, directory } => {
                        sources.iter().all(is_literal) && is_literal(directory)
                    }
                }
        }
        OpKind::File(file) => is_literal(&file.path),
        OpKind::Mkdir(directory) => is_literal(&directory.path),
        OpKind::Symlink(link) => is_literal(&link.target) && is_literal(&link.path),
        OpKind::Remove(remove) => is_literal(&remove.path),
        OpKind::Env(change) => match &change.edit {
            EnvEdit::Set(value) => is_literal(value),
            EnvEdit::Unset => true,
            EnvEdit::Prepend(_) | EnvEdit::Append(_) => false,
        },
        OpKind::Workdir(text) | OpKind::User(text) => is_literal(text),
        OpKind::Shell(_) | OpKind::By(_) => true,
        OpKind::Layer(layer) => all_stand(&layer.ops),
    })
}

fn execution_stands(execution: &Execution) -> bool {
    execution.workdir.iter().chain(&execution.user).all(is_literal)
        && execution.env.iter().all(|setting| is_literal(&setting.value))
        && execution.mounts.iter().all(|mount| match &mount.kind {
            MountKind::Bind { source, select, target, .. } => {
                is_concrete(source) && select.iter().all(is_literal) && is_literal(target)
            }
            MountKind::Cache { target, .. }
            | MountKind::Tmpfs { target, .. }
            | MountKind::Ssh { target: Some(target), .. }
            | MountKind::Secret { target: SecretTarget::File(target), .. } => is_literal(target),
            MountKind::Ssh { target: None, .. } | MountKind::Secret { target: SecretTarget::Env(_), .. } => {
                true
            }
        })
}

fn is_literal(template: &Spanned<Template>) -> bool {
    template.as_literal().is_some()
}

fn is_concrete(input: &Spanned<Input>) -> bool {
    match &input.value {
        Input::Phase(_) => false,
        Input::Scratch | Input::Image(_) | Input::Stage(_) | Input::Context(_) => true,
    }
}

/// Adds what holds after each op, where `states` ends with what holds before them.
fn note(ops: &[Op], states: &mut Vec<Arc<State>>) {
    for op in ops {
        let Some(before) = states.last() else { return };
        let after = match &op.kind {
            OpKind::By(_) => continue,
            OpKind::Layer(layer) => {
                note(&layer.ops, states);
                continue;
            }
            OpKind::Env(change) => match &change.edit {
                EnvEdit::Set(value) => value
                    .to_literal()
                    .and_then(|text| before.with_variable(&change.name, EnvValue::Known(text))),
                EnvEdit::Unset => before.without_variable(&change.name),
                EnvEdit::Prepend(_) | EnvEdit::Append(_) => None,
            },
            OpKind::Workdir(workdir) => workdir.to_literal().and_then(|text| before.in_directory(text)),
            OpKind::User(user) => user.to_literal().and_then(|text| before.as_user(text)),
            OpKind::Shell(shell) => before.with_shell(shell),
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::Copy(_)
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_) => None,
        };
        let after = after.map_or_else(|| before.clone(), Arc::new);
        states.push(after);
    }
}
