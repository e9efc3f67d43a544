//! `chown -R` and `chmod -R` behind a copy: the layer of the copy has every file once, and the layer of the
//! program has all of them again.

use cogpack_ir::finding::Place;
use cogpack_ir::plan::{Copy, CopyForm, OpKind};
use miette::Diagnostic;

use crate::Lint;
use crate::look::{Look, StageLook, StepLook, is_within, path_of};
use crate::repair::{Edit, NOT_IN_JSON, Repair};
use cogpack_ir::shell::Command;

/// Files that are written twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum OwnershipFinding {
    /// What was copied is changed as a whole.
    #[error("`{program}` writes all that was copied to `{path}` into a second layer")]
    #[diagnostic(code("lint::copy::chown"), severity(Warning), help("{way_out}"))]
    Twice {
        /// `chown -R` or `chmod -R`.
        program: String,
        /// Where the copy lies.
        path: String,
        /// What to write.
        way_out: &'static str,
        /// The command.
        #[label("each file that this changes is in the image twice")]
        place: Place,
    },
}

/// How many stages back a copy is looked for.
const FARTHEST: usize = 100;

pub(crate) fn check(look: &Look<'_>, lints: &mut Vec<Lint>) {
    for stage in look.stages.iter().filter(|stage| stage.is_in_image) {
        for (number, step) in stage.steps.iter().enumerate() {
            for command in &step.commands {
                let is_of_owners = command.name == "chown";
                if !(is_of_owners || command.name == "chmod") || !command.has_letter('R', "--recursive") {
                    continue;
                }
                let Some((copied, copy)) = copied(look, stage, number, step, command) else { continue };
                let (program, way_out) = match is_of_owners {
                    true => ("chown -R", "say it with the copy: `copy … owner USER:GROUP`"),
                    false => (
                        "chmod -R",
                        "say it with the copy: `copy … mode MODE`, for files and directories alike",
                    ),
                };
                let path = path_of(&copy.form.destination().value).to_owned();
                let place = step.place(look.text, &command.extent);
                let repair = repair(look, stage, number, step, command, copied, copy);
                lints.push(Lint::new(
                    OwnershipFinding::Twice { program: program.to_owned(), path, way_out, place },
                    &step.scopes,
                    repair,
                ));
            }
        }
    }
}

/// The last copy whose files a command changes, where its layer is another one.
fn copied<'l, 'a>(
    look: &'l Look<'a>,
    stage: &'l StageLook<'a>,
    number: usize,
    step: &StepLook<'_>,
    command: &Command,
) -> Option<(&'l StepLook<'a>, &'a Copy)> {
    let operands = command.operands(&[]);
    let paths: Vec<&str> =
        operands.iter().skip(1).filter(|word| word.is_literal).map(|word| word.text.as_str()).collect();
    let touches = |copy: &Copy| {
        let to = path_of(&copy.form.destination().value);
        paths.iter().any(|path| path.starts_with('/') && (is_within(to, path) || is_within(path, to)))
    };
    let mut steps = &stage.steps[..number];
    let mut of = stage;
    for _ in 0..FARTHEST {
        for other in steps.iter().rev() {
            let Some(copy) = other.step.op.copy().filter(|copy| touches(copy)) else { continue };
            let is_one_layer = of.id == stage.id
                && step.step.layer.is_some_and(|layer| {
                    other.step.layer.is_some_and(|of_copy| of_copy.value == layer.value)
                });
            return (!is_one_layer).then_some((other, copy));
        }
        of = look.start_of(of)?;
        steps = &of.steps;
    }
    None
}

/// Says it with the copy, where the command does nothing else and comes right behind it.
fn repair(
    look: &Look<'_>,
    stage: &StageLook<'_>,
    number: usize,
    step: &StepLook<'_>,
    command: &Command,
    copied: &StepLook<'_>,
    copy: &Copy,
) -> Repair {
    if !look.text.can_be_changed() {
        return Repair::none(NOT_IN_JSON);
    }
    const NOT_ALONE: &str =
        "the script does something else as well, or other steps stand between it and the copy";
    let is_next = number > 0 && stage.steps[number - 1].step.op.span.start() == copied.step.op.span.start();
    let is_alone = step.commands.len() == 1 && !command.is_redirected && command.env.is_empty();
    let is_run_as_is = match &step.step.op.kind {
        OpKind::Run { script, .. } => script.trim().len() == command.extent.len(),
        OpKind::Exec { .. }
        | OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => false,
    };
    let is_plain = step.step.layer.is_none() && step.execution().is_some_and(|it| it.mounts.is_empty());
    if !(is_next && is_alone && is_run_as_is && is_plain) {
        return Repair::none(NOT_ALONE);
    }
    let operands = command.operands(&[]);
    let [what, path] = operands.as_slice() else { return Repair::none(NOT_ALONE) };
    // What lay there before would be left as it is, so the copy has to be all of the path.
    let is_all_of_it = match &copy.form {
        CopyForm::To { destination, .. } | CopyForm::Contents { destination, .. } => {
            path.text.trim_end_matches('/') == path_of(&destination.value)
        }
        CopyForm::Into { .. } => false,
    };
    if !is_all_of_it || !step.is_root() {
        return Repair::none("the command may change more than was copied");
    }
    let is_of_owners = command.name == "chown";
    let words = if is_of_owners { owner(&what.text, copy) } else { mode(&what.text, copy) };
    let Some(words) = words.filter(|_| what.is_literal) else {
        return Repair::none(
            "a copy cannot say the same: it sets an owner with a group, or the one mode 0755",
        );
    };
    let (Some(to), Some(run)) = (copy.form.destination().span.range(), step.step.op.span.range()) else {
        return Repair::none(NOT_IN_JSON);
    };
    let text = look.text;
    let gone = text.without_line(run);
    Repair::new(
        format!("says `{words}` with the copy, and takes the `{}` away", command.name),
        vec![Edit::insert(to.end, format!(" {words}")), Edit::replace(gone, String::new())],
    )
}

/// `owner U:G` for what `chown` is told; a group that it leaves alone is root's.
fn owner(told: &str, copy: &Copy) -> Option<String> {
    let (user, group) = told.split_once(':').unwrap_or((told, "0"));
    let owner: cogpack_ir::plan::Owner = format!("{user}:{group}").parse().ok()?;
    copy.owner.is_none().then(|| format!("owner {owner}"))
}

/// `mode 0755` for the one mode that a directory also has which a copy makes.
fn mode(told: &str, copy: &Copy) -> Option<String> {
    let mode = u32::from_str_radix(told, 8).ok()?;
    (mode == 0o755 && copy.mode.is_none()).then(|| "mode 0755".to_owned())
}
