//! What an op is called in progress, failures and histories: what it does, in the plan's words.
//!
//! Whoever builds calls it the same. Nothing is in a title that is not in the plan.

use std::fmt::Write as _;

use cogpack_ir::plan::{Copy, CopyForm, OpKind, Spanned, Template};
use cogpack_ir::syntax::is_hidden;

/// Most characters of a script or path that a name shows.
const LONGEST: usize = 72;

/// What an op does, fit for a terminal.
pub fn title(op: &OpKind) -> String {
    let (mut name, mut shown) = (String::new(), String::new());
    describe(&mut name, op);
    push_shown(&mut shown, &name);
    shown
}

/// Adds what `op` does to `name`; nothing for an op that changes settings alone.
pub fn describe(name: &mut String, op: &OpKind) {
    match op {
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

/// Adds `name`, and each character that would move a cursor or hide others as its number: daemons
/// and clients write names to terminals and logs as they are, and scripts and paths are in them.
pub fn push_shown(text: &mut String, name: &str) {
    // Most are plain, so not looked at by character.
    if name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        text.push_str(name);
        return;
    }
    for character in name.chars() {
        if is_hidden(character) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{{{:x}}}", u32::from(character));
        } else {
            text.push(character);
        }
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
    fn nothing_in_a_name_reaches_a_terminal_unseen() {
        let mut text = String::new();
        push_shown(&mut text, "%a: run \u{1b}[31mred\u{7}\u{9b}m é… \u{202e}\u{200b}\u{7f}");
        assert_eq!(text, r"%a: run \u{1b}[31mred\u{7}\u{9b}m é… \u{202e}\u{200b}\u{7f}");
    }

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
