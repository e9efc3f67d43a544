//! What is run, by whom, and the texts that go with it.

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::owner::InvalidOwner;
use crate::plan::{
    EnvEdit, HealthcheckTest, OpKind, Owner, Plan, Setting, Spanned, Stage, Template, for_each_op,
};

/// What is wrong with a command or its surroundings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CommandFinding {
    /// A script that does nothing.
    #[error("the script is empty")]
    #[diagnostic(code(cpk::run::empty), help("write what to run, or take the op away"))]
    EmptyScript {
        /// The script.
        #[label("nothing is run")]
        place: Place,
    },
    /// No program.
    #[error("{what} names no program")]
    #[diagnostic(code(cpk::exec::empty), help("write the program first: `[\"program\", \"argument\"]`"))]
    NoProgram {
        /// The op or setting.
        what: &'static str,
        /// The list.
        #[label("no program is named")]
        place: Place,
    },
    /// A whole command line in one word.
    #[error("{what} is one word with spaces or quotes in it, and no shell takes it apart")]
    #[diagnostic(
        code("cpk::exec::one-word-shell"),
        help(
            "write each argument as a string of its own, or hand the line to a shell: `run` in a stage, `[\"/bin/sh\", \"-c\", \"…\"]` elsewhere"
        )
    )]
    OneWord {
        /// The op or setting.
        what: &'static str,
        /// The list.
        #[label("this is looked up as the name of a program")]
        place: Place,
    },
    /// A program and its first arguments in one word, and other arguments behind it.
    #[error("the program of {what}, `{program}`, has spaces in its name, and no shell takes it apart")]
    #[diagnostic(
        code("cpk::exec::one-word-shell"),
        help("write each argument as a string of its own; a program with such a name is told by its path")
    )]
    ProgramWithSpaces {
        /// The op or setting.
        what: &'static str,
        /// The first word.
        program: String,
        /// The list.
        #[label("its first word is looked up as the name of a program")]
        place: Place,
    },
    /// A sign that means something to shells only.
    #[error("{what} gives `{sign}` to its program as an argument: no shell is there to read it")]
    #[diagnostic(
        code("cpk::exec::shell-sign"),
        severity(Warning),
        help("hand the line to a shell: `run` in a stage, `[\"/bin/sh\", \"-c\", \"…\"]` elsewhere")
    )]
    ShellSign {
        /// The op or setting.
        what: &'static str,
        /// The argument.
        sign: String,
        /// The list.
        #[label("`{sign}` is in here")]
        place: Place,
    },
    /// No shell.
    #[error("the shell names no program")]
    #[diagnostic(
        code(cpk::shell::empty),
        help("write it with its option for a script, for instance `shell [\"/bin/bash\", \"-c\"]`")
    )]
    EmptyShell {
        /// The list.
        #[label("nothing could take a script")]
        place: Place,
    },
    /// A user that is none.
    #[error("`{user}` is not a user: {rule}")]
    #[diagnostic(code(cpk::user::bad), help("write for instance `app`, `app:app` or `1000:1000`"))]
    User {
        /// The text.
        user: String,
        /// The rule it breaks.
        rule: &'static str,
        /// Where it is said.
        #[label("not a user")]
        place: Place,
    },
    /// A byte that ends every C string.
    #[error("{what} has a NUL character in it")]
    #[diagnostic(code(cpk::text::nul), help("take it away: the kernel would cut the text off there"))]
    Nul {
        /// The kind of text.
        what: &'static str,
        /// The text.
        #[label("a NUL is in here")]
        place: Place,
    },
}

/// Checks the ops of a stage, whose templates are expanded where they can be.
pub(super) fn check(stage: &Stage, findings: &mut Vec<Finding>) {
    for_each_op(&stage.ops, &mut |op| {
        match &op.kind {
            OpKind::Run { script, .. } => {
                let place = script.span.place();
                if script.trim().is_empty() {
                    findings.push(CommandFinding::EmptyScript { place }.into());
                }
                nul("the script", [script.as_str()], place, findings);
            }
            OpKind::Exec { argv, .. } => check_argv("`exec`", argv, findings),
            OpKind::Shell(shell) => {
                let place = shell.span.place();
                if shell.first().is_none_or(String::is_empty) {
                    findings.push(CommandFinding::EmptyShell { place }.into());
                } else {
                    one_word("the shell", shell, place, findings);
                }
                nul("the shell", shell.iter().map(String::as_str), place, findings);
            }
            OpKind::User(user) => check_user(user, findings),
            OpKind::Env(change) => match &change.edit {
                EnvEdit::Set(value) | EnvEdit::Prepend(value) | EnvEdit::Append(value) => {
                    nul("the value", [value.as_written()], value.span.place(), findings);
                }
                EnvEdit::Unset => {}
            },
            OpKind::Copy(_)
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Workdir(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => {}
        }
        if let Some(execution) = op.execution() {
            if let Some(user) = &execution.user {
                check_user(user, findings);
            }
            for setting in &execution.env {
                nul("the value", [setting.value.as_written()], setting.value.span.place(), findings);
            }
        }
    });
}

/// Checks the commands and the user of the export.
pub(super) fn check_export(plan: &Plan, findings: &mut Vec<Finding>) {
    let Some(export) = &plan.export else { return };
    if let Setting::Set(entrypoint) = &export.entrypoint {
        check_argv("the entry point", entrypoint, findings);
    }
    if let Setting::Set(cmd) = &export.cmd {
        nul("the command", cmd.iter().map(String::as_str), cmd.span.place(), findings);
    }
    if let Setting::Set(healthcheck) = &export.healthcheck
        && let HealthcheckTest::Exec(argv) = &healthcheck.test
    {
        let place = healthcheck.span.place();
        one_word("the health check", argv, place, findings);
        shell_sign("the health check", argv, place, findings);
    }
    if let Setting::Set(user) = &export.user
        // A variable there is another finding.
        && !user.contains("${")
        && let Err(InvalidOwner { rule, .. }) = user.parse::<Owner>()
    {
        let place = user.span.place();
        findings.push(CommandFinding::User { user: user.value.clone(), rule, place }.into());
    }
}

fn check_argv(what: &'static str, argv: &Spanned<Vec<String>>, findings: &mut Vec<Finding>) {
    let place = argv.span.place();
    match argv.as_slice() {
        [] => findings.push(CommandFinding::NoProgram { what, place }.into()),
        [program, ..] if program.is_empty() => {
            findings.push(CommandFinding::NoProgram { what, place }.into())
        }
        [_, ..] => {
            one_word(what, argv, place, findings);
            shell_sign(what, argv, place, findings);
        }
    }
    nul("an argument", argv.iter().map(String::as_str), place, findings);
}

/// Reports a command line that stands in one word.
fn one_word(what: &'static str, argv: &[String], place: Place, findings: &mut Vec<Finding>) {
    match argv {
        [line] if line.contains(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'')) => {
            findings.push(CommandFinding::OneWord { what, place }.into());
        }
        // Who writes a path out means that file, whatever its name is.
        [program, _, ..] if program.contains(char::is_whitespace) && !program.contains('/') => {
            let program = program.clone();
            findings.push(CommandFinding::ProgramWithSpaces { what, program, place }.into());
        }
        [..] => {}
    }
}

/// What stands between commands or behind them in a shell's line, and is no argument of any program
/// that one would meet.
const SHELL_SIGNS: [&str; 7] = ["&&", "||", "|", ">", ">>", "2>&1", "&"];

fn shell_sign(what: &'static str, argv: &[String], place: Place, findings: &mut Vec<Finding>) {
    let sign = argv.iter().skip(1).find(|argument| SHELL_SIGNS.contains(&argument.as_str()));
    if let Some(sign) = sign {
        findings.push(CommandFinding::ShellSign { what, sign: sign.clone(), place }.into());
    }
}

fn check_user(user: &Spanned<Template>, findings: &mut Vec<Finding>) {
    if let Some(text) = user.as_literal()
        && let Err(InvalidOwner { rule, .. }) = text.parse::<Owner>()
    {
        let place = user.span.place();
        findings.push(CommandFinding::User { user: text.into_owned(), rule, place }.into());
    }
}

fn nul<'t>(
    what: &'static str,
    texts: impl IntoIterator<Item = &'t str>,
    place: Place,
    findings: &mut Vec<Finding>,
) {
    if texts.into_iter().any(|text| text.contains('\0')) {
        findings.push(CommandFinding::Nul { what, place }.into());
    }
}
