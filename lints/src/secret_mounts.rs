//! A value in `env` becomes a secret that is mounted where programs see the value today. Unsafe, since the
//! image has the variable no longer, and whoever builds gives the value from then on.
//!
//! All programs that see the variable get the mount, not only those whose script names it: what a program reads
//! that a script starts is not said anywhere.

use cogpack_ir::plan::walk::for_each_op;
use cogpack_ir::plan::{
    EnvEdit, EnvName, EnvSetting, MountKind, Op, OpKind, SecretName, SecretTarget, Span, Template,
};
use cogpack_ir::resolve::EnvValue;

use crate::look::{Look, StepLook};
use crate::repair::{self, Edit, NOT_IN_JSON, Repair};

/// Mends `env NAME = "…"` of a stage.
pub(crate) fn of_stage(look: &Look<'_>, step: &StepLook<'_>, name: &EnvName, edit: &EnvEdit) -> Repair {
    let value = match edit {
        EnvEdit::Set(value) => value,
        EnvEdit::Prepend(_) | EnvEdit::Append(_) | EnvEdit::Unset => {
            return Repair::none("the value is a part of another one, which a secret cannot be");
        }
    };
    let Some(statement) = step.step.op.span.range().filter(|_| look.text.can_be_changed()) else {
        return Repair::none(NOT_IN_JSON);
    };
    if step.step.state.variable(name.as_str()).is_some() {
        return Repair::none(format!("`{name}` has another value before, which would come back"));
    }
    if let Some(other) = set_elsewhere(look, name, step.step.op.span) {
        return Repair::none(format!("{} gives `{name}` a value as well", line(look, other)));
    }
    let settings = look.stages.iter().flat_map(|stage| &stage.steps).filter_map(StepLook::execution);
    if let Some(other) = settings.flat_map(|it| &it.env).find(|setting| setting.name.value == *name) {
        return Repair::none(format!("{} gives `{name}` a value as well", line(look, other.span)));
    }
    if let Some(reader) = read_by(look, name) {
        return Repair::none(format!(
            "{} takes `${{{name}}}` in, which a secret cannot be",
            line(look, reader)
        ));
    }
    let sees_it = |other: &&StepLook<'_>| {
        other.execution().is_some()
            && matches!(other.step.state.variable(name.as_str()),
                Some(EnvValue::Known(known)) if value.value.as_literal().as_deref() == Some(&**known))
    };
    let secret = match secret_of(look, name) {
        Ok(secret) => secret,
        Err(why) => return why,
    };
    let mut edits = vec![Edit::replace(look.text.without_line(statement), String::new())];
    let mut steps = 0_usize;
    for other in look.stages.iter().flat_map(|stage| &stage.steps).filter(sees_it) {
        let (Some(op), Some(script)) = (other.step.op.span.range(), other.script_span().range()) else {
            return Repair::none(NOT_IN_JSON);
        };
        let words = format!("mount secret {secret} as env {name}");
        edits.push(repair::line_in_block(look.text, op.start, script.end, &words));
        steps += 1;
    }
    if steps == 0 {
        return Repair::with_a_look(
            format!("takes `{name}` away, which no step reads"),
            format!("what the container needs, which is given `{name}` when it starts; {MAKE_ANEW}"),
            edits,
        );
    }
    edits.extend(declaration(look, &secret));
    let into =
        if steps == 1 { "the step that sees".to_owned() } else { format!("the {steps} steps that see") };
    Repair::with_a_look(
        format!("takes `{name}` away, and mounts the secret `{secret}` into {into} it"),
        format!(
            "what the container needs, which has the variable no longer, and at {}",
            who_builds(&secret, name)
        ),
        edits,
    )
}

/// Mends `env NAME = "…"` of a single step.
pub(crate) fn of_execution(look: &Look<'_>, step: &StepLook<'_>, setting: &EnvSetting) -> Repair {
    let name = &setting.name.value;
    let Some(statement) = setting.span.range().filter(|_| look.text.can_be_changed()) else {
        return Repair::none(NOT_IN_JSON);
    };
    if step.step.state.variable(name.as_str()).is_some() {
        return Repair::none(format!(
            "the stage sets `{name}` as well, and would keep the secret's variable"
        ));
    }
    let execution = step.execution().into_iter();
    if execution.flat_map(|it| &it.env).filter(|other| other.name.value == *name).count() > 1 {
        return Repair::none(format!("the step sets `{name}` more than once"));
    }
    let reads = |span: Span| look.text.at(span).contains(&format!("${{{name}}}"));
    if let Some(reader) = templates(step.step.op).into_iter().find(|span| reads(*span)) {
        return Repair::none(format!(
            "{} takes `${{{name}}}` in, which a secret cannot be",
            line(look, reader)
        ));
    }
    let secret = match secret_of(look, name) {
        Ok(secret) => secret,
        Err(why) => return why,
    };
    let mut edits = vec![Edit::replace(statement, format!("mount secret {secret} as env {name}"))];
    edits.extend(declaration(look, &secret));
    Repair::with_a_look(
        format!("takes the value away, and mounts the secret `{secret}` as `{name}`"),
        who_builds(&secret, name),
        edits,
    )
}

/// What has to be said of the old value.
const MAKE_ANEW: &str = "make a new value, since this one stays in the history of the plan";

fn who_builds(secret: &str, name: &EnvName) -> String {
    format!("the build, which wants `--secret id={secret},env={name}`; {MAKE_ANEW}")
}

/// The secret for a variable: one that is mounted as it already, or a new one.
fn secret_of(look: &Look<'_>, name: &EnvName) -> Result<String, Repair> {
    let steps = || look.stages.iter().flat_map(|stage| &stage.steps);
    for mount in steps().filter_map(StepLook::execution).flat_map(|execution| &execution.mounts) {
        if let MountKind::Secret { name: secret, target: SecretTarget::Env(variable) } = &mount.kind
            && variable.value == *name
        {
            return Ok(secret.value.as_str().to_owned());
        }
    }
    let values = steps().flat_map(|step| step.execution()).flat_map(|execution| &execution.env);
    let written = |value: &Template| value.as_written().to_owned();
    let mut values: Vec<String> =
        values.filter(|set| set.name.value == *name).map(|set| written(&set.value)).collect();
    values.sort_unstable();
    values.dedup();
    if values.len() > 1 {
        return Err(Repair::none(format!("`{name}` has several values, and one secret has one")));
    }
    let wanted = name.as_str().to_ascii_lowercase().replace('_', "-");
    let is_free = |secret: &str| {
        SecretName::new(secret).is_ok_and(|secret| !look.resolved.plan().secrets.contains_key(&secret))
    };
    let numbered = (2..100).map(|number| format!("{wanted}-{number}"));
    let free = std::iter::once(wanted.clone()).chain(numbered).find(|secret| is_free(secret));
    free.ok_or_else(|| Repair::none(format!("`{name}` gives no name that a secret can have")))
}

fn declaration(look: &Look<'_>, secret: &str) -> Option<Edit> {
    let is_declared = look.resolved.plan().secrets.keys().any(|declared| declared.as_str() == secret);
    (!is_declared).then(|| repair::declaration(look.text, &format!("secret {secret}")))?
}

/// Another statement of a stage that gives the variable a value.
fn set_elsewhere(look: &Look<'_>, name: &EnvName, here: Span) -> Option<Span> {
    ops(look).into_iter().find_map(|op| match &op.kind {
        OpKind::Env(change) if change.name.value == *name && op.span.start() != here.start() => {
            match &change.edit {
                EnvEdit::Set(_) | EnvEdit::Prepend(_) | EnvEdit::Append(_) => Some(op.span),
                EnvEdit::Unset => None,
            }
        }
        OpKind::Env(_)
        | OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    })
}

/// Where the plan itself takes the variable's value in.
fn read_by(look: &Look<'_>, name: &EnvName) -> Option<Span> {
    let reads = |span: &Span| look.text.at(*span).contains(&format!("${{{name}}}"));
    ops(look).into_iter().flat_map(templates).find(reads)
}

/// All ops of all stages, those in layers too.
fn ops<'a>(look: &Look<'a>) -> Vec<&'a Op> {
    let mut ops = Vec::new();
    for stage in &look.resolved.plan().stages {
        for_each_op(&stage.ops, &mut |op| ops.push(op));
    }
    ops
}

/// Where an op has texts that variables are expanded in.
fn templates(op: &Op) -> Vec<Span> {
    match &op.kind {
        OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
            let of_mounts = execution.mounts.iter().map(|mount| mount.span);
            let of_env = execution.env.iter().map(|setting| setting.value.span);
            let settings = [&execution.user, &execution.workdir].into_iter().flatten().map(|it| it.span);
            of_mounts.chain(of_env).chain(settings).collect()
        }
        OpKind::Copy(copy) => {
            let sources = copy.form.sources().iter().map(|source| source.span);
            sources.chain([copy.form.destination().span]).collect()
        }
        OpKind::File(file) => vec![file.path.span],
        OpKind::Mkdir(directory) => vec![directory.path.span],
        OpKind::Symlink(link) => vec![link.target.span, link.path.span],
        OpKind::Remove(removed) => vec![removed.path.span],
        OpKind::Env(change) => match &change.edit {
            EnvEdit::Set(value) | EnvEdit::Prepend(value) | EnvEdit::Append(value) => vec![value.span],
            EnvEdit::Unset => Vec::new(),
        },
        OpKind::Workdir(path) => vec![path.span],
        OpKind::User(user) => vec![user.span],
        OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => Vec::new(),
    }
}

fn line(look: &Look<'_>, span: Span) -> String {
    match span.range() {
        Some(range) => format!("line {}", look.text.line_number(range.start)),
        None => "another statement".to_owned(),
    }
}
