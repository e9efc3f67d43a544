//! What a `run` or `exec` runs.

use std::borrow::Cow;

use cogpack_ir::plan::{Execution, OpKind};
use cogpack_ir::resolve::Step;

/// A script as the shell is handed it. One of more than one line ends in a line break, as a file
/// of a script does: some targets can hand over nothing else, and what the last line says then
/// does not depend on how the plan's text was indented.
pub fn script(text: &str) -> Cow<'_, str> {
    match text.contains('\n') && !text.ends_with('\n') {
        true => Cow::Owned(format!("{text}\n")),
        false => Cow::Borrowed(text),
    }
}

/// The program with its arguments that an op runs, and how; `None` for ops that run nothing.
pub fn execution<'a>(step: &Step<'a>) -> Option<(Vec<Cow<'a, str>>, &'a Execution)> {
    match &step.op.kind {
        OpKind::Run { script: text, execution } => {
            let shell = step.state.shell.iter().map(|word| Cow::Borrowed(word.as_str()));
            Some((shell.chain([script(text)]).collect(), execution))
        }
        OpKind::Exec { argv, execution } => {
            Some((argv.iter().map(|word| Cow::Borrowed(word.as_str())).collect(), execution))
        }
        OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_of_several_lines_ends_in_a_line_break() {
        for (text, handed) in [
            ("", ""),
            ("a", "a"),
            ("a \\", "a \\"),
            ("a\n", "a\n"),
            ("a\nb", "a\nb\n"),
            ("cat <<E\nb\nE", "cat <<E\nb\nE\n"),
            ("a\nb\n\n", "a\nb\n\n"),
        ] {
            assert_eq!(script(text), handed, "{text:?}");
        }
    }
}
