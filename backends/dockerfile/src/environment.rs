//! `env` and `unset`.

use cogpack_ir::plan::{EnvChange, EnvEdit, Piece, Template};
use cogpack_ir::resolve::{EnvValue, Step};

use crate::section::Section;
use crate::words::quoted;

pub(crate) fn lower(section: &mut Section<'_, '_>, step: &Step<'_>, change: &EnvChange) {
    let name = change.name.value.as_str();
    let value = match &change.edit {
        EnvEdit::Unset => {
            if step.state.variable(name).is_some() || !step.state.base_known {
                section.lowering.refuse(
                    "cpk::unsupported::unset",
                    format!("`unset {name}`: a Dockerfile can set variables, but not take one away"),
                    step.op.span,
                    "set it to an empty text, or emit LLB with `-o llb`",
                );
            }
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
