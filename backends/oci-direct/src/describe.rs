//! One line for an op: what the history of an image says of a layer.

use cogpack_backends_contract::layers::LayerPlan;
use cogpack_backends_contract::titles::title;
use cogpack_ir::plan::{Copy, CopyForm, EnvEdit, OpKind, Provenance, StageName};

/// What a layer, or a step that makes none, came from: the stage and its op, or the group's name.
pub fn created_by(stage: &StageName, layer: &LayerPlan<'_>) -> String {
    match (layer.name, layer.steps.first()) {
        (Some(name), _) => format!("{stage}: layer {name}"),
        (None, Some(step)) => format!("{stage}: {}", op(&step.op.kind)),
        (None, None) => stage.to_string(),
    }
}

/// Who asked for it, in the words of the plan.
pub fn asked_by(layer: &LayerPlan<'_>) -> Option<String> {
    let provenance: &Provenance = layer.steps.first()?.by?;
    Some(match &provenance.at {
        Some((file, line)) => format!("by {} at {file:?}:{line}", provenance.block.value),
        None => format!("by {}", provenance.block.value),
    })
}

/// An op without its modifiers and long values.
pub fn op(kind: &OpKind) -> String {
    match kind {
        OpKind::Run { .. } => title(kind),
        OpKind::Exec { argv, .. } => format!("exec {:?}", argv.value),
        OpKind::Copy(it) => copy(it),
        OpKind::File(it) => format!("file {:?}", it.path.as_written()),
        OpKind::Mkdir(it) => format!("mkdir {:?}", it.path.as_written()),
        OpKind::Symlink(it) => format!("symlink {:?} at {:?}", it.target.as_written(), it.path.as_written()),
        OpKind::Remove(it) => format!("remove {:?}", it.path.as_written()),
        OpKind::Env(it) => match &it.edit {
            EnvEdit::Set(value) => format!("env {} = {:?}", it.name.value, value.as_written()),
            EnvEdit::Prepend(value) => format!("env prepend {} {:?}", it.name.value, value.as_written()),
            EnvEdit::Append(value) => format!("env append {} {:?}", it.name.value, value.as_written()),
            EnvEdit::Unset => format!("unset {}", it.name.value),
        },
        OpKind::Workdir(it) => format!("workdir {:?}", it.as_written()),
        OpKind::User(it) => format!("user {:?}", it.as_written()),
        OpKind::Shell(it) => format!("shell {:?}", it.value),
        OpKind::Layer(it) => format!("layer {}", it.name.value),
        OpKind::By(it) => format!("by {}", it.block.value),
    }
}

fn copy(copy: &Copy) -> String {
    let sources: Vec<String> =
        copy.form.sources().iter().map(|source| format!("{:?}", source.as_written())).collect();
    let (contents, preposition) = match copy.form {
        CopyForm::To { .. } => ("", "to"),
        CopyForm::Into { .. } => ("", "into"),
        CopyForm::Contents { .. } => ("contents ", "to"),
    };
    let destination = copy.form.destination().as_written();
    format!("copy {contents}{} from {} {preposition} {destination:?}", sources.join(" "), copy.from.value)
}
