//! The little that is read of scripts: what they call, to find out what is worth doing. Nothing that has to
//! be right for a plan's meaning to be kept rests on it, but for [`ownership`].

use cogpack_ir::plan::{Op, OpKind};

/// The commands of a script's lines, as far as they can be told by their first words.
pub(crate) fn calls(op: &Op) -> Vec<String> {
    let texts: Vec<&str> = match &op.kind {
        OpKind::Run { script, .. } => vec![script.as_str()],
        OpKind::Exec { argv, .. } => return argv.first().map(|it| base(it)).into_iter().collect(),
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
        | OpKind::By(_) => Vec::new(),
    };
    let joined = texts.concat().replace("\\\n", " ");
    let commands = joined.split(['\n', ';', '&', '|', '(', ')']);
    let is_setting = |word: &&str| word.contains('=') || matches!(*word, "sudo" | "exec" | "then" | "do");
    commands
        .filter_map(|command| command.split_whitespace().find(|word| !is_setting(word)))
        .map(base)
        .collect()
}

/// What a program is called without its directory.
fn base(word: &str) -> String {
    word.rsplit('/').next().unwrap_or(word).to_owned()
}

/// The package manager of a system that a script calls.
pub(crate) fn package_manager(op: &Op) -> Option<&'static str> {
    const KNOWN: [(&str, &[&str]); 5] = [
        ("apt", &["apt-get", "apt", "aptitude", "dpkg"]),
        ("apk", &["apk"]),
        ("dnf", &["dnf", "microdnf", "yum"]),
        ("zypper", &["zypper"]),
        ("pacman", &["pacman"]),
    ];
    let calls = calls(op);
    let manager = KNOWN.iter().find(|(_, names)| calls.iter().any(|call| names.contains(&call.as_str())));
    manager.map(|(name, _)| *name)
}

/// Whether a script does nothing but remove.
pub(crate) fn only_removes(op: &Op) -> bool {
    let calls = calls(op);
    !calls.is_empty() && calls.iter().all(|call| call == "rm")
}

/// A script that is exactly `chown -R OWNER PATH` in words that a shell leaves as they are: the owner and the
/// path.
pub(crate) fn ownership(op: &Op) -> Option<(&str, &str)> {
    let OpKind::Run { script, .. } = &op.kind else { return None };
    let words: Vec<&str> = script.value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    let ["chown", "-R" | "--recursive", owner, path] = words[..] else { return None };
    let is_plain =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte));
    (is_plain(owner) && is_plain(path) && path.starts_with('/')).then_some((owner, path))
}

#[cfg(test)]
mod tests {
    use cogpack_ir::plan::{Execution, Span, Spanned};

    use super::*;

    fn run(script: &str) -> Op {
        let script = Spanned::nowhere(script.to_owned());
        Op { kind: OpKind::Run { script, execution: Box::new(Execution::default()) }, span: Span::NOWHERE }
    }

    #[test]
    fn commands_are_the_first_words() {
        for (script, expected) in [
            ("apt-get update && apt-get install -y a \\\n b", "apt-get apt-get"),
            ("A=1 /usr/bin/pip install x; rm -rf /root/.cache", "pip rm"),
            ("cat apt-get | sh", "cat sh"),
            ("", ""),
        ] {
            assert_eq!(calls(&run(script)).join(" "), expected, "{script}");
        }
    }

    #[test]
    fn only_plain_words_give_an_owner() {
        for (script, expected) in [
            ("chown -R app:app /src", Some(("app:app", "/src"))),
            ("chown  --recursive 5 /src/", Some(("5", "/src/"))),
            ("chown -R app:app /src && true", None),
            ("chown -R app:app src", None),
            ("chown -R app:app /s*", None),
            ("chown app:app /src", None),
            ("chown -R app:app /src /b", None),
            ("chown -R app:app\n/src", None),
        ] {
            assert_eq!(ownership(&run(script)), expected, "{script}");
        }
    }
}
