//! Files that anybody may write: whoever gets to run something in the container may change what it runs.

use cogpack_ir::finding::Place;
use cogpack_ir::plan::{ContextKind, Mode, OpKind, Span, Spanned};
use miette::Diagnostic;

use crate::Lint;
use crate::look::{Look, StepLook};
use crate::repair::{Edit, NOT_IN_JSON, Repair};
use cogpack_ir::shell::Command;

/// Rights that nobody should have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ModeFinding {
    /// Everybody may write.
    #[error("{what} may be written by everybody")]
    #[diagnostic(
        code("lint::mode::world-writable"),
        severity(Warning),
        help(
            "give it to who writes it, `owner USER:GROUP`, with a mode such as 0755 for directories and programs and \
             0644 for other files"
        )
    )]
    Everybody {
        /// What.
        what: String,
        /// The mode.
        #[label("this lets everybody write")]
        place: Place,
    },
}

/// Why the mode of a directory stays.
const WHO_WRITES: &str = "who writes there, only the program knows";

pub(crate) fn check(look: &Look<'_>, lints: &mut Vec<Lint>) {
    for step in look.stages.iter().flat_map(|stage| &stage.steps) {
        let (what, mode, is_file) = match &step.step.op.kind {
            OpKind::File(file) => (format!("`{}`", file.path.value), &file.mode, true),
            OpKind::Mkdir(directory) => (format!("`{}`", directory.path.value), &directory.mode, false),
            OpKind::Copy(copy) => {
                (format!("what is copied to `{}`", copy.form.destination().value), &copy.mode, false)
            }
            OpKind::Run { .. } | OpKind::Exec { .. } => {
                for command in step.commands.iter().filter(|command| command.name == "chmod") {
                    in_script(look, step, command, lints);
                }
                continue;
            }
            OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => continue,
        };
        if let Some(mode) = mode.as_ref().filter(|mode| is_for_everybody(mode.value)) {
            let repair = if is_file { without_it(look, mode) } else { Repair::none(WHO_WRITES) };
            report(what, mode.span.place(), &step.scopes, repair, lints);
        }
    }
    for (name, context) in &look.resolved.plan().contexts {
        match &context.kind {
            ContextKind::Files(files) => {
                for (path, file) in files.iter().filter(|(_, file)| file.mode.is_some_and(is_for_everybody)) {
                    let repair = Repair::none("the mode of a file in a context is changed by hand");
                    report(
                        format!("`{path}` of `{name}`"),
                        file.span.place(),
                        &[context.span],
                        repair,
                        lints,
                    );
                }
            }
            ContextKind::Http(http) if http.mode.is_some_and(is_for_everybody) => {
                let repair = Repair::none("the mode of a context is changed by hand");
                report(format!("the file of `{name}`"), context.span.place(), &[context.span], repair, lints);
            }
            ContextKind::Http(_)
            | ContextKind::Directory(_)
            | ContextKind::Git(_)
            | ContextKind::Oci(_)
            | ContextKind::Wheels(_)
            | ContextKind::Debs(_) => {}
        }
    }
}

/// Whether others may write, and may take away what is not theirs.
fn is_for_everybody(mode: Mode) -> bool {
    mode.bits() & 0o002 != 0 && mode.bits() & 0o1000 == 0
}

fn without_it(look: &Look<'_>, mode: &Spanned<Mode>) -> Repair {
    let less = Mode::new(mode.value.bits() & !0o002);
    match (less, mode.span.range().filter(|_| look.text.can_be_changed())) {
        (Some(less), Some(range)) => {
            Repair::new(format!("makes the mode {less}"), vec![Edit::replace(range, less.to_string())])
        }
        _ => Repair::none(NOT_IN_JSON),
    }
}

fn in_script(look: &Look<'_>, step: &StepLook<'_>, command: &Command, lints: &mut Vec<Lint>) {
    // `-w` and `a-w` take rights away, and look like options.
    let operands = command.operands(&[]);
    let Some(mode) = operands.first().filter(|word| word.is_literal && lets_everybody(&word.text)) else {
        return;
    };
    let what = match operands.get(1) {
        Some(path) if path.is_literal && operands.len() == 2 => format!("`{}`", path.text),
        Some(_) | None => "what this names".to_owned(),
    };
    let place = step.place(look.text, &mode.extent);
    report(what, place, &step.scopes, Repair::none(WHO_WRITES), lints);
}

/// Whether a mode as `chmod` takes it lets everybody write.
fn lets_everybody(mode: &str) -> bool {
    if let Ok(bits) = u32::from_str_radix(mode, 8) {
        return Mode::new(bits).is_some_and(is_for_everybody);
    }
    mode.split(',').any(|clause| {
        let Some(at) = clause.find(['+', '=']) else { return false };
        let (who, rights) = clause.split_at(at);
        // Without a `who` the umask decides.
        who.contains(['o', 'a']) && rights.contains('w') && !rights.contains('t')
    })
}

fn report(what: String, place: Place, scopes: &[Span], repair: Repair, lints: &mut Vec<Lint>) {
    lints.push(Lint::new(ModeFinding::Everybody { what, place }, scopes, repair));
}
