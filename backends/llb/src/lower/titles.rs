//! What a vertex is called: where it stands in the plan, and what it does in the plan's words.

use std::fmt::Write as _;

use cogpack_ir::plan::{Copy, CopyForm, Op, OpKind, Spanned, Stage, Template};

/// Most characters of a script or path that a name shows.
const LONGEST: usize = 72;

/// Bytes that most names need behind the place in the plan.
pub(super) const USUAL: usize = 80;

/// `build.app-deps %venv: `, before what the vertex does.
pub(super) fn prefix(stage: &Stage) -> String {
    match &stage.phase {
        Some(phase) => format!("{} {}: ", phase.value, stage.name.value),
        None => format!("{}: ", stage.name.value),
    }
}

/// Adds what `op` does to `name`.
pub(super) fn describe(name: &mut String, op: &Op) {
    match &op.kind {
        OpKind::Run { script, .. } => say(name, "run ", from_work(script)),
        OpKind::Exec { argv, .. } => say(name, "exec ", &argv.join(" ")),
        OpKind::Copy(copy) => describe_copy(name, copy),
        OpKind::File(file) => say(name, "file ", file.path.as_written()),
        OpKind::Mkdir(directory) => say(name, "mkdir ", directory.path.as_written()),
        OpKind::Symlink(link) => {
            say(name, "symlink ", link.target.as_written());
            say(name, " at ", link.path.as_written());
        }
        OpKind::Remove(remove) => say(name, "remove ", remove.path.as_written()),
        OpKind::Workdir(workdir) => say(name, "workdir ", workdir.as_written()),
        OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {}
    }
}

fn describe_copy(name: &mut String, copy: &Copy) {
    let from = |name: &mut String, lead: &str, source: &Spanned<Template>| {
        say(name, lead, source.as_written());
    };
    match &copy.form {
        CopyForm::To { source, .. } => from(name, "copy ", source),
        CopyForm::Contents { directory, .. } => from(name, "copy contents ", directory),
        CopyForm::Into { sources, .. } => {
            name.push_str("copy");
            sources.iter().for_each(|source| from(name, " ", source));
        }
    }
    let to = match &copy.form {
        CopyForm::To { .. } | CopyForm::Contents { .. } => " to ",
        CopyForm::Into { .. } => " into ",
    };
    // Writing to a string cannot fail.
    let _ = write!(name, " from {}", copy.from.value);
    say(name, to, copy.form.destination().as_written());
}

/// A script from where it does something: comments, and what only sets the shell's options, are
/// no name. All of it where there is nothing else.
fn from_work(script: &str) -> &str {
    let mut rest = script.trim_start();
    loop {
        let line = rest.lines().next().unwrap_or_default();
        let sets_options =
            (line.starts_with("set -") || line.starts_with("set +")) && !line.starts_with("set --");
        let end = if line.is_empty() {
            return script;
        } else if line.starts_with('#') {
            line.len()
        } else if sets_options {
            line.find([';', '&']).unwrap_or(line.len())
        } else {
            return rest;
        };
        rest = rest[end..].trim_start_matches([';', '&']).trim_start();
    }
}

/// Adds the first line of `text`, shortened.
fn say(name: &mut String, lead: &str, text: &str) {
    name.push_str(lead);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let shown = match first.char_indices().nth(LONGEST) {
        Some((end, _)) => &first[..end],
        None => first,
    };
    name.push_str(shown);
    if shown.len() < first.len() || lines.next().is_some() {
        name.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shortened_at_a_character() {
        let said = |text: &str| {
            let mut name = String::new();
            say(&mut name, "run ", text);
            name
        };
        assert_eq!(said("uv venv /venv"), "run uv venv /venv");
        assert_eq!(said("\n  one\n  two\n"), "run one…");
        assert_eq!(said(&"é".repeat(LONGEST)), format!("run {}", "é".repeat(LONGEST)));
        assert_eq!(said(&"é".repeat(LONGEST + 1)), format!("run {}…", "é".repeat(LONGEST)));
        assert_eq!(said(""), "run ");
    }

    #[test]
    fn a_script_is_called_by_what_it_does() {
        for (script, work) in [
            ("make all", "make all"),
            ("set -eux\nmake all\n", "make all\n"),
            ("\n  # Once.\n  set -o pipefail\n  set +x; make all", "make all"),
            ("set -e && make", "make"),
            ("#!/bin/bash\nset -e\n", "#!/bin/bash\nset -e\n"),
            ("set -- a b", "set -- a b"),
            ("settle -now", "settle -now"),
        ] {
            assert_eq!(from_work(script), work, "{script}");
        }
    }
}
