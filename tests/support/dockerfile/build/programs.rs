//! The programs of an image that emitted Dockerfiles call, and scripts.

use std::collections::BTreeMap;

use cogpack_backends_contract::tree::{Attributes, Ids, Node, components};
use cogpack_ir::plan::Mode;

use super::super::Unreadable;
use super::super::copying::{Files, problem};
use super::super::lines::Heredoc;

/// The numbers of users and groups by their names.
pub(super) type Accounts = BTreeMap<String, u32>;

/// A user and group, by number or name.
pub(super) fn ids(text: &str, accounts: &Accounts) -> Result<Ids, Unreadable> {
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    let number = |name: &str| match accounts.get(name) {
        Some(number) => Ok(*number),
        None => problem(name.parse()),
    };
    Ok(Ids { user: number(user)?, group: number(group)? })
}

/// A file of root.
pub(super) fn file(content: Vec<u8>, mode: Mode) -> Node<Vec<u8>> {
    Node::File { attributes: Attributes { mode, ids: Ids::ROOT }, content }
}

/// What the shell gets.
pub(super) fn script(script: &str, heredocs: &[Heredoc]) -> Result<String, Unreadable> {
    let Some(first) = heredocs.first() else { return Ok(script.to_owned()) };
    let is_alone = heredocs.len() == 1
        && script.trim_start_matches(['<', '-', '\'', '"']).trim_end_matches(['\'', '"']) == first.name;
    if is_alone && first.content.starts_with("#!") {
        return Unreadable::new("a here-document that is a program of its own");
    }
    if is_alone {
        return Ok(first.content.clone());
    }
    let below = heredocs.iter().map(|it| format!("\n{}{}", it.content, it.name));
    Ok(std::iter::once(script.to_owned()).chain(below).collect())
}

/// Takes `env NAME=value …` off, into the variables.
pub fn without_env(argv: Vec<String>, env: &mut BTreeMap<String, String>) -> Vec<String> {
    if argv.first().map(String::as_str) != Some("env") {
        return argv;
    }
    let mut rest = argv.into_iter().skip(1).peekable();
    while let Some((name, value)) = rest.peek().and_then(|word| word.split_once('=')) {
        env.insert(name.to_owned(), value.to_owned());
        rest.next();
    }
    rest.collect()
}

/// Does to the files what a known program does; whether it is one.
pub(super) fn change(
    argv: &[String],
    is_root: bool,
    accounts: &Accounts,
    files: &mut Files,
) -> Result<bool, Unreadable> {
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    if let ["/bin/sh", "-c", script] = argv[..]
        && script.starts_with("grep -q '^")
    {
        return look_up(script, is_root, accounts).map(|()| true);
    }
    if let ["test", ..] | ["find", "-H", ..] = argv[..] {
        return look(&argv, is_root, files).map(|()| true);
    }
    if let ["chmod", "-R", mode, path] = argv[..] {
        return chmod_all(mode, path, files).map(|()| true);
    }
    let (["rm", "-r" | "-rf", "--", path]
    | ["chown" | "chmod", _, path]
    | ["chown" | "chmod", _, "--", path]) = argv[..]
    else {
        return Ok(false);
    };
    if !is_root {
        return Unreadable::new(format!("{argv:?} as somebody else than root"));
    }
    let parts = components(path.as_bytes());
    match argv[..] {
        ["rm", flags, ..] => {
            let removed = problem(files.remove(&parts))?;
            if removed.is_none() && flags == "-r" {
                return Unreadable::new(format!("{argv:?}: it is not there"));
            }
        }
        [program, value, ..] => {
            let Some(directory) = files.directory_mut(&parts) else {
                return Unreadable::new(format!("{argv:?}: no such directory"));
            };
            match program {
                "chown" => directory.attributes.ids = ids(value, accounts)?,
                _ => directory.attributes.mode = problem(value.parse())?,
            }
        }
        _ => {}
    }
    Ok(true)
}

/// Fails where `grep -q '^NAME:' FILE && …` does.
fn look_up(script: &str, is_root: bool, accounts: &Accounts) -> Result<(), Unreadable> {
    for look in script.split(" && ") {
        let pattern = look.strip_prefix("grep -q '^").and_then(|rest| rest.rsplit_once(":' /etc/"));
        let name = match pattern {
            Some((name, "passwd" | "group")) => name.replace("[.]", ".").replace("[$]", "$"),
            Some(_) | None => return Unreadable::new(format!("`{look}` looks nothing up")),
        };
        if !is_root || !accounts.contains_key(&name) {
            return Unreadable::new(format!("`{look}` fails"));
        }
    }
    Ok(())
}

/// Fails where `test ! -L PATH -a …`, `test ( ! -L PATH -o -d PATH ) -a …` or `find -H PATH… -perm /6000 …` do.
fn look(argv: &[&str], is_root: bool, files: &Files) -> Result<(), Unreadable> {
    if !is_root {
        return Unreadable::new(format!("{argv:?} as somebody else than root"));
    }
    let is_link = |path: &str| matches!(files.get(&components(path.as_bytes())), Some(Node::Symlink { .. }));
    let has_set_ids = |path: &str| {
        let above = components(path.as_bytes());
        files.walk().into_iter().any(|(at, node)| {
            let is_one =
                matches!(node, Node::File { attributes, .. } if attributes.mode.bits() & 0o6000 != 0);
            at.starts_with(&above) && is_one
        })
    };
    let found = match argv {
        // Each path that `-d` has, it has for being a directory in the end.
        ["test", rest @ ..] if rest.contains(&"-d") => {
            rest.windows(2).filter(|words| words[0] == "-d").any(|words| {
                let at = files.resolve(words[1].as_bytes(), true);
                is_link(words[1]) && at.is_ok_and(|at| files.directory(&at).is_none())
            })
        }
        ["test", "-e", ..] => argv[1..].iter().filter(|word| word.starts_with('/')).any(|path| {
            let at = files.resolve(path.as_bytes(), true);
            at.map_or(true, |at| files.get(&at).is_none())
        }),
        ["test", rest @ ..] => rest.iter().filter(|word| word.starts_with('/')).any(|path| is_link(path)),
        ["find", "-H", rest @ ..] => {
            rest.iter().take_while(|word| word.starts_with('/')).any(|path| has_set_ids(path))
        }
        _ => return Unreadable::new(format!("{argv:?}")),
    };
    if found { Unreadable::new(format!("{argv:?}: it is found")) } else { Ok(()) }
}

/// Sets the mode of all at or below a path; links have none.
fn chmod_all(mode: &str, path: &str, files: &mut Files) -> Result<(), Unreadable> {
    let mode: Mode = problem(mode.trim_start_matches("00").parse())?;
    let at = problem(files.resolve(path.as_bytes(), true))?;
    let Some(node) = files.get(&at).cloned() else {
        return Unreadable::new(format!("`{path}` is not there"));
    };
    let below: Vec<_> =
        files.walk().into_iter().filter(|(it, _)| it.starts_with(&at)).map(|(it, _)| it).collect();
    let paths = if matches!(node, Node::Directory(_)) { below } else { vec![at] };
    for path in paths {
        if let Some(directory) = files.directory_mut(&path) {
            directory.attributes.mode = mode;
        } else if let Some(Node::File { attributes, content }) = files.get(&path).cloned() {
            let attributes = Attributes { mode, ..attributes };
            problem(files.insert(&path, Node::File { attributes, content }))?;
        }
    }
    Ok(())
}
