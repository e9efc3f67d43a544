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
    if argv.first().map(String::as_str) != Some("/usr/bin/env") {
        return argv;
    }
    let mut rest = argv.into_iter().skip(1).peekable();
    while let Some((name, value)) = rest.peek().and_then(|word| word.split_once('=')) {
        env.insert(name.to_owned(), value.to_owned());
        rest.next();
    }
    rest.collect()
}

/// Takes `export NAME=value …` off the beginning of a script for `sh`, into the variables.
pub fn without_export(mut argv: Vec<String>, env: &mut BTreeMap<String, String>) -> Vec<String> {
    let is_sh = argv.first().is_some_and(|program| program.ends_with("sh"));
    let Some(script) = argv.last_mut().filter(|_| is_sh) else { return argv };
    let Some(mut rest) = script.strip_prefix("export ").map(str::to_owned) else { return argv };
    let mut variables = BTreeMap::new();
    let rest = loop {
        let Some((name, value)) = rest.split_once('=') else { return argv };
        let Some((value, end)) = shell_word(value) else { return argv };
        variables.insert(name.to_owned(), value);
        match end.strip_prefix(' ') {
            Some(more) => rest = more.to_owned(),
            None => break end.to_owned(),
        }
    };
    let Some(rest) = rest.strip_prefix("; ").or_else(|| rest.strip_prefix('\n')) else { return argv };
    *script = rest.to_owned();
    env.extend(variables);
    argv
}

/// The first word of a script, quotes taken away, and what stands behind it.
fn shell_word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text;
    loop {
        match rest.chars().next() {
            Some('\'') => {
                let (quoted, after) = rest[1..].split_once('\'')?;
                word.push_str(quoted);
                rest = after;
            }
            Some('\\') => {
                let escaped = rest[1..].chars().next()?;
                word.push(escaped);
                rest = &rest[1 + escaped.len_utf8()..];
            }
            Some(' ' | ';' | '\n') | None => return Some((word, rest)),
            Some(it) if it.is_ascii_alphanumeric() || "._+@/:,%-".contains(it) => {
                word.push(it);
                rest = &rest[1..];
            }
            Some(_) => return None,
        }
    }
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
        && script.starts_with("/bin/grep -q '^")
    {
        return look_up(script, is_root, accounts).map(|()| true);
    }
    if let ["/bin/sh", "-c", script] = argv[..]
        && let Some(paths) = script.strip_prefix("/bin/mkdir -p ")
    {
        return make_owned(paths, is_root, accounts, files).map(|()| true);
    }
    if let ["/usr/bin/install", "-d", "-m", mode, owner @ .., path] = &argv[..] {
        let owner = match owner {
            ["-o", user, "-g", group] => Some(ids(&format!("{user}:{group}"), accounts)?),
            [] => None,
            _ => return Unreadable::new(format!("{argv:?}")),
        };
        let mode = problem(mode.strip_prefix('0').unwrap_or(mode).parse());
        return make(path, Some(mode?), owner, is_root, files).map(|()| true);
    }
    if let ["/usr/bin/test", ..] | ["/usr/bin/find", "-H", ..] = argv[..] {
        return look(&argv, is_root, files).map(|()| true);
    }
    if let ["/bin/chmod", "-R", mode, path] = argv[..] {
        return chmod_all(mode, path, files).map(|()| true);
    }
    let ["/bin/rm", flags @ ("-r" | "-rf"), "--", path] = argv[..] else { return Ok(false) };
    if !is_root {
        return Unreadable::new(format!("{argv:?} as somebody else than root"));
    }
    let removed = problem(files.remove(&components(path.as_bytes())))?;
    if removed.is_none() && flags == "-r" {
        return Unreadable::new(format!("{argv:?}: it is not there"));
    }
    Ok(true)
}

/// Does what `mkdir -p PATH && chown OWNER PATH` does.
fn make_owned(script: &str, is_root: bool, accounts: &Accounts, files: &mut Files) -> Result<(), Unreadable> {
    let words = || {
        let (path, rest) = shell_word(script)?;
        let (owner, rest) = shell_word(rest.strip_prefix(" && /bin/chown ")?)?;
        let (again, rest) = shell_word(rest.strip_prefix(' ')?)?;
        (rest.is_empty() && again == path).then_some((path, owner))
    };
    let Some((path, owner)) = words() else { return Unreadable::new(format!("`{script}`")) };
    make(&path, None, Some(ids(&owner, accounts)?), is_root, files)
}

/// Makes a directory where it is missing; gives it a mode and an owner.
fn make(
    path: &str,
    mode: Option<Mode>,
    owner: Option<Ids>,
    is_root: bool,
    files: &mut Files,
) -> Result<(), Unreadable> {
    if !is_root {
        return Unreadable::new(format!("`{path}` is made by somebody else than root"));
    }
    let real = problem(files.resolve(path.as_bytes(), true))?;
    problem(files.make_directories(&real, Attributes::ON_THE_WAY))?;
    let Some(directory) = files.directory_mut(&real) else {
        return Unreadable::new(format!("`{path}` is no directory"));
    };
    directory.attributes.mode = mode.unwrap_or(directory.attributes.mode);
    directory.attributes.ids = owner.unwrap_or(directory.attributes.ids);
    Ok(())
}

/// Fails where `/bin/grep -q '^NAME:' FILE && …` does.
fn look_up(script: &str, is_root: bool, accounts: &Accounts) -> Result<(), Unreadable> {
    for look in script.split(" && ") {
        let pattern = look.strip_prefix("/bin/grep -q '^").and_then(|rest| rest.rsplit_once(":' /etc/"));
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
        ["/usr/bin/test", rest @ ..] if rest.contains(&"-d") => {
            rest.windows(2).filter(|words| words[0] == "-d").any(|words| {
                let at = files.resolve(words[1].as_bytes(), true);
                is_link(words[1]) && at.is_ok_and(|at| files.directory(&at).is_none())
            })
        }
        ["/usr/bin/test", "-e", ..] => argv[1..].iter().filter(|word| word.starts_with('/')).any(|path| {
            let at = files.resolve(path.as_bytes(), true);
            at.map_or(true, |at| files.get(&at).is_none())
        }),
        ["/usr/bin/test", rest @ ..] => {
            rest.iter().filter(|word| word.starts_with('/')).any(|path| is_link(path))
        }
        ["/usr/bin/find", "-H", rest @ ..] => {
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
    let Some(node) = files.get(&at) else {
        return Unreadable::new(format!("`{path}` is not there"));
    };
    let below: Vec<_> =
        files.walk().into_iter().filter(|(it, _)| it.starts_with(&at)).map(|(it, _)| it).collect();
    let paths = if matches!(node, Node::Directory(_)) { below } else { vec![at] };
    for path in paths {
        if let Some(directory) = files.directory_mut(&path) {
            directory.attributes.mode = mode;
        } else if let Some(Node::File { attributes, content }) = files.get(&path) {
            let attributes = Attributes { mode, ..attributes };
            problem(files.insert(&path, Node::File { attributes, content }))?;
        }
    }
    Ok(())
}
