//! Templates as they are written. What their variables come to is the business of
//! [`resolve::variables`](crate::resolve::variables).

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::{EnvEdit, MountKind, Op, OpKind, Plan, Setting, Spanned, Template, for_each_op};

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum TemplateFinding {
    /// A `${` that is no variable.
    #[error("`{slip}` is not a variable")]
    #[diagnostic(
        code("cpk::env::bad-template"),
        help(
            "write `${{NAME}}` with ASCII letters, digits, `_`, `.` and `-`, or `$${{` for a literal `${{`"
        )
    )]
    Slip {
        /// From the `${` to its `}`, or the first letters where there is none.
        slip: String,
        /// The template.
        #[label("a `${{` in here is not closed, or holds no variable's name")]
        place: Place,
    },
    /// A variable in the export.
    #[error("{what} `{text}` has a `${{` in it, and nothing in the export is expanded")]
    #[diagnostic(code(cpk::export::variable), help("{way_out}"))]
    Export {
        /// What it stands in.
        what: &'static str,
        /// The text.
        text: String,
        /// What to do.
        way_out: &'static str,
        /// The text.
        #[label("this would stand in the image as it is written")]
        place: Place,
    },
}

/// Checks every template of a plan.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Finding>) {
    check_export(plan, findings);
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

/// Checks that the paths and the user of the export lean on no variable: an export has none.
fn check_export(plan: &Plan, findings: &mut Vec<Finding>) {
    let Some(export) = &plan.export else { return };
    let in_stage = "say it in the stage, where variables are expanded: the image then has it as well";
    let texts = [
        ("the working directory", said(&export.workdir), in_stage),
        ("the user", said(&export.user), in_stage),
    ];
    let volumes = export.volumes.added.iter().map(|volume| ("the volume", Some(volume), "write its path"));
    for (what, text, way_out) in texts.into_iter().chain(volumes) {
        if let Some(text) = text.filter(|text| text.contains("${")) {
            let (text, place) = (text.value.clone(), text.span.place());
            findings.push(TemplateFinding::Export { what, text, way_out, place }.into());
        }
    }
}

fn said(setting: &Setting<String>) -> Option<&Spanned<String>> {
    match setting {
        Setting::Set(text) => Some(text),
        Setting::Inherit | Setting::Clear(_) => None,
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
