//! What a script runs, as far as it can be told without a shell: its simple commands, by words.
//!
//! Nothing is found by looking for a text: a word is a word of the shell, with quotes, continued lines,
//! comments and documents read as a shell reads them, and a command's name is its first word. What only
//! running would tell, such as the value of a variable, is left as it is written and marked.

mod commands;
mod standing;
mod words;

use std::ops::Range;

use crate::plan::{Op, OpKind};

pub use commands::{Command, commands_of, is_shell, of_argv};
pub use standing::{Standing, standing};
pub use words::{Joint, Word};

/// Where something stands in a script, in bytes.
pub type Extent = Range<usize>;

/// The commands that an op runs. A script that is not for a shell like `/bin/sh` is not read.
pub fn commands_run_by(op: &Op, shell: &[String]) -> Vec<Command> {
    match &op.kind {
        OpKind::Run { script, .. } if shell.first().is_some_and(|it| is_shell(it)) => commands_of(script),
        OpKind::Exec { argv, .. } => of_argv(argv),
        OpKind::Run { .. }
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
        | OpKind::By(_) => Vec::new(),
    }
}
