//! Sources that are copied before dependencies are installed: each edit of a source installs them again.

use cogpack_ir::finding::Place;
use cogpack_ir::plan::{ContextKind, Copy, CopyForm, Input, RuleKind, Template};
use miette::Diagnostic;

use crate::Lint;
use crate::look::{Look, StepLook, path_of};
use crate::project::Project;
use crate::reorder;
use crate::repair::Repair;
use cogpack_ir::shell::Command;

/// An order that costs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum OrderFinding {
    /// A whole directory before an installation.
    #[error(
        "all of `{context}` is copied before `{program}` installs dependencies: each edit of a file installs them \
         again"
    )]
    #[diagnostic(
        code("lint::copy::order"),
        severity(Warning),
        help(
            "copy what names the dependencies first (`copy \"requirements.txt\" from {context} to …`), or show it to \
             the step (`mount {context} at … select …`), and copy the rest behind it"
        )
    )]
    SourceFirst {
        /// The context.
        context: String,
        /// Who installs.
        program: String,
        /// What is copied.
        #[label("with every file of the directory, whatever changes in it")]
        place: Place,
    },
}

pub(crate) fn check(look: &Look<'_>, project: &dyn Project, lints: &mut Vec<Lint>) {
    let installs = |steps: &[StepLook<'_>]| {
        let mut commands = steps.iter().flat_map(|step| &step.commands);
        commands.find(|command| installs_what_is_named(command)).map(|command| command.name.clone())
    };
    let above = look.above(|stage| installs(&stage.steps));
    for (stage, above) in look.stages.iter().zip(above) {
        for (number, step) in stage.steps.iter().enumerate() {
            let above = &above;
            let Some(copy) = step.step.op.copy().filter(|copy| is_whole(look, copy)) else { continue };
            let here = installs(&stage.steps[number + 1..]);
            let Some(program) = here.or_else(|| above.clone()) else {
                continue;
            };
            let place = copy.form.sources().first().and_then(|source| source.span.place());
            lints.push(Lint::new(
                OrderFinding::SourceFirst { context: copy.from.value.to_string(), program, place },
                &step.scopes,
                match above {
                    Some(program) => Repair::none(format!(
                        "`{program}` installs in a stage that starts from this one, and may find the files anywhere"
                    )),
                    None => reorder::repair(look, stage, number, copy, project),
                },
            ));
        }
    }
}

/// Whether a copy takes all of a directory of the builder.
fn is_whole(look: &Look<'_>, copy: &Copy) -> bool {
    let Input::Context(name) = &copy.from.value else { return false };
    let Some(ContextKind::Directory(directory)) =
        look.resolved.plan().contexts.get(name).map(|context| &context.kind)
    else {
        return false;
    };
    let starts_from_nothing = directory.rules.first().is_some_and(|rule| rule.kind == RuleKind::Include);
    let is_root = |source: &Template| matches!(path_of(source), "." | "/" | "./" | "");
    let is_all = match &copy.form {
        CopyForm::To { source, .. } => is_root(&source.value),
        CopyForm::Contents { directory, .. } => is_root(&directory.value),
        CopyForm::Into { sources, .. } => {
            sources.iter().any(|source| matches!(path_of(&source.value), "." | "*"))
        }
    };
    is_all && copy.rules.is_empty() && !starts_from_nothing
}

/// Whether a command installs dependencies that a file names, and nothing of the project itself.
pub(crate) fn installs_what_is_named(command: &Command) -> bool {
    let begins = |words: &[&str]| command.begins(words, &["--project", "--directory", "--prefix", "-C"]);
    match command.name.as_str() {
        "pip" => begins(&["install"]) && names_a_file(command),
        "uv" => {
            begins(&["pip", "install"]) && names_a_file(command)
                || begins(&["pip", "sync"])
                || begins(&["sync"]) && command.has("--no-install-project")
        }
        "npm" => begins(&["ci"]) || begins(&["install"]) && command.operands(&["--prefix", "-C"]).len() == 1,
        "yarn" | "pnpm" => begins(&["install"]),
        "bundle" | "composer" => begins(&["install"]),
        "poetry" => begins(&["install"]) && command.has("--no-root"),
        "go" => begins(&["mod", "download"]),
        "cargo" => begins(&["fetch"]),
        _ => false,
    }
}

/// Whether requirements come from a file, and the project is not among them.
fn names_a_file(command: &Command) -> bool {
    let is_of_the_project = |text: &str| text == "." || text.starts_with("./") || text.starts_with(".[");
    (command.has("-r") || command.has("--requirement") || command.has("--requirements"))
        && !command.arguments.iter().any(|word| is_of_the_project(&word.text) && !word.text.ends_with(".txt"))
        && !command.has("-e")
        && !command.has("--editable")
}
