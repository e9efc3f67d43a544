//! Templates as they are written. What their variables come to is the business of
//! [`resolve::variables`](crate::resolve::variables).

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::{EnvEdit, MountKind, Op, OpKind, Plan, Spanned, Template, for_each_op};

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum TemplateFinding {
    /// A `${` that is no variable.
    #[error("`{slip}` is not a variable")]
    #[diagnostic(
        code("cpk::env::bad-template"),
        help("write `${{NAME}}` with letters, digits and `_`, or `$${{` for a literal `${{`")
    )]
    Slip {
        /// From the `${` on.
        slip: String,
        /// The template.
        #[label("a `${{` in here is not closed, or holds no variable's name")]
        place: Place,
    },
}

/// Checks every template of a plan.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Finding>) {
    for stage in &plan.stages {
        for_each_op(&stage.ops, &mut |op| {
            for_each_template(op, &mut |template| {
                if let Some(slip) = template.slip() {
                    let (slip, place) = (slip.to_owned(), template.span.place());
                    findings.push(TemplateFinding::Slip { slip, place }.into());
                }
            });
        });
    }
}

fn for_each_template(op: &Op, each: &mut impl FnMut(&Spanned<Template>)) {
    match &op.kind {
        OpKind::Run { .. } | OpKind::Exec { .. } => {
            if let Some(execution) = op.execution() {
                execution.user.iter().chain(&execution.workdir).for_each(&mut *each);
                execution.env.iter().map(|setting| &setting.value).for_each(&mut *each);
                for mount in &execution.mounts {
                    mount.kind.target().into_iter().for_each(&mut *each);
                    if let MountKind::Bind { select: Some(select), .. } = &mount.kind {
                        each(select);
                    }
                }
            }
        }
        OpKind::Copy(copy) => {
            copy.form.sources().iter().for_each(&mut *each);
            each(copy.form.destination());
        }
        OpKind::File(file) => each(&file.path),
        OpKind::Mkdir(directory) => each(&directory.path),
        OpKind::Symlink(link) => {
            each(&link.target);
            each(&link.path);
        }
        OpKind::Remove(remove) => each(&remove.path),
        OpKind::Env(change) => match &change.edit {
            EnvEdit::Set(value) | EnvEdit::Prepend(value) | EnvEdit::Append(value) => each(value),
            EnvEdit::Unset => {}
        },
        OpKind::Workdir(template) | OpKind::User(template) => each(template),
        OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {}
    }
}
