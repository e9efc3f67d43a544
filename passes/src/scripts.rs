//! What is asked of scripts, to find out what is worth doing: which commands they run, as `cogpack_ir::shell` reads them.
//! Nothing that has to be right for a plan's meaning to be kept rests on it. What does, [`ownership`], looks at the
//! letters themselves: it takes one form of script and no other.

use std::collections::BTreeSet;

use cogpack_ir::plan::{Op, OpKind};
use cogpack_ir::shell::commands_run_by;

use crate::pieces::Item;

/// The names of the commands that an item runs.
fn calls(item: &Item) -> BTreeSet<String> {
    commands_run_by(&item.op, &item.shell).into_iter().map(|command| command.name).collect()
}

/// The package manager of a system that a script calls.
pub(crate) fn package_manager(item: &Item) -> Option<&'static str> {
    const KNOWN: [(&str, &[&str]); 5] = [
        ("apt", &["apt-get", "apt", "aptitude", "dpkg"]),
        ("apk", &["apk"]),
        ("dnf", &["dnf", "microdnf", "yum"]),
        ("zypper", &["zypper"]),
        ("pacman", &["pacman"]),
    ];
    let calls = calls(item);
    let manager = KNOWN.iter().find(|(_, names)| names.iter().any(|name| calls.contains(*name)));
    manager.map(|(name, _)| *name)
}

/// Whether a script does nothing but remove.
pub(crate) fn only_removes(item: &Item) -> bool {
    calls(item).iter().eq(["rm"])
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

    fn item(script: &str, shell: &str) -> Item {
        Item { op: run(script), by: None, shell: [shell.to_owned(), "-c".to_owned()].into() }
    }

    #[test]
    fn package_managers_are_known_by_the_commands_of_a_script() {
        for (script, expected) in [
            ("apt-get update && apt-get install -y a \\\n b", Some("apt")),
            ("A=1 sudo /usr/bin/dpkg -i x", Some("apt")),
            ("if true; then apk add x; fi", Some("apk")),
            ("sh -ec 'dnf install -y x'", Some("dnf")),
            ("cat apt-get | tee log", None),
            ("echo 'first; apt-get install x'", None),
            ("# apt-get update\ntrue", None),
            ("", None),
        ] {
            assert_eq!(package_manager(&item(script, "/bin/bash")), expected, "{script}");
            assert_eq!(package_manager(&item(script, "python3")), None, "{script}");
        }
    }

    #[test]
    fn a_script_that_only_removes_runs_nothing_else() {
        for (script, expected) in [
            ("rm -rf /root/.cache; rm /a", true),
            ("rm -rf '/a; true'", true),
            ("rm /a && true", false),
            ("if [ -e /a ]; then rm /a; fi", false),
            ("", false),
        ] {
            assert_eq!(only_removes(&item(script, "sh")), expected, "{script}");
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
