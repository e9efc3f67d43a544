//! `env` and `unset`.

use std::collections::BTreeMap;

use cogpack_ir::plan::{EnvChange, EnvEdit, OpKind, Piece, Template};
use cogpack_ir::resolve::{EnvValue, Resolved, StageId, Step};

use crate::section::Section;
use crate::words::quoted;

pub(crate) fn lower(section: &mut Section<'_, '_>, step: &Step<'_>, change: &EnvChange) {
    let name = change.name.value.as_str();
    let value = match &change.edit {
        EnvEdit::Unset => {
            let is_said = step.state.variable(name).is_some() && !section.passing.contains_key(name);
            if is_said || !step.state.base_known {
                section.lowering.refuse(
                    "cpk::unsupported::unset",
                    format!("`unset {name}` of what the base or another stage sets: a Dockerfile cannot take a variable away"),
                    step.op.span,
                    "set it to an empty text, set it in this stage alone, or emit LLB with `-o llb`",
                );
            }
            if let Some(more) = section.passing.get_mut(name) {
                *more -= 1;
                if *more == 0 {
                    section.passing.remove(name);
                }
            }
            return;
        }
        // It is said where a program runs, until it is gone.
        EnvEdit::Set(_) | EnvEdit::Prepend(_) | EnvEdit::Append(_) if section.passing.contains_key(name) => {
            return;
        }
        EnvEdit::Set(value) => {
            let literal = value.as_literal();
            if let (Some(new), Some(EnvValue::Known(old))) = (&literal, step.state.variable(name))
                && **new == **old
            {
                return;
            }
            written(value)
        }
        // Left in a resolved plan only where the old value is not known.
        EnvEdit::Prepend(value) => written(value).map(|value| format!("{value}${{{name}:+:${{{name}}}}}")),
        EnvEdit::Append(value) => written(value).map(|value| format!("${{{name}:+${{{name}}}:}}{value}")),
    };
    let reads_itself = matches!(change.edit, EnvEdit::Prepend(_) | EnvEdit::Append(_));
    match value {
        Ok(value) if !reads_itself || is_identifier(name) => section.line(format!("ENV {name}=\"{value}\"")),
        Ok(_) => refuse_name(section, step, name),
        Err(Unwritable::Name(name)) => refuse_name(section, step, &name),
        Err(Unwritable::LineBreak(text)) => section.lowering.refuse_line_break(&text, step.op.span),
    }
}

/// The variables that a stage sets and takes away again, each with how often: no instruction does
/// the latter, so they are said to each program in between.
pub(crate) fn passing(plan: &Resolved, id: StageId) -> BTreeMap<String, usize> {
    let mut passing = BTreeMap::new();
    let steps = plan.steps(id);
    let Some(start) = steps.first().map(|step| step.state).filter(|state| state.base_known) else {
        return passing;
    };
    for step in &steps {
        if let OpKind::Env(EnvChange { name, edit: EnvEdit::Unset }) = &step.op.kind
            && start.variable(name.value.as_str()).is_none()
        {
            *passing.entry(name.value.as_str().to_owned()).or_default() += 1;
        }
    }
    passing
}

enum Unwritable {
    Name(String),
    LineBreak(String),
}

/// The inside of the quotes. Open variables are left to the builder, which knows the base.
fn written(value: &Template) -> Result<String, Unwritable> {
    let escape = |text: &str| match quoted(text) {
        Some(quoted) => Ok(quoted[1..quoted.len() - 1].to_owned()),
        None => Err(Unwritable::LineBreak(text.to_owned())),
    };
    if let Some(text) = value.as_literal() {
        return escape(&text);
    }
    let mut written = String::new();
    for piece in value.pieces() {
        match piece {
            Piece::Text(text) => written.push_str(&escape(text)?),
            Piece::Variable(name) if is_identifier(name) => written.push_str(&format!("${{{name}}}")),
            Piece::Variable(name) => return Err(Unwritable::Name(name.to_owned())),
        }
    }
    Ok(written)
}

/// Whether `${name}` is read as that variable.
fn is_identifier(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn refuse_name(section: &mut Section<'_, '_>, step: &Step<'_>, name: &str) {
    section.lowering.refuse(
        "cpk::unsupported::variable-name",
        format!("the value of `{name}` is not known, and a Dockerfile cannot read a variable of that name"),
        step.op.span,
        "write the base's `env` under its `image` line",
    );
}
