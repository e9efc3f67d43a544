//! The programs of an image that emitted Dockerfiles call, and scripts.

use std::collections::BTreeMap;

use cogpack_backends_contract::tree::{Attributes, Ids, Node, components};
use cogpack_ir::plan::Mode;

use super::super::Unreadable;
use super::super::copying::{Files, problem};
use super::super::lines::Heredoc;

/// A user and group by number.
pub(super) fn ids(text: &str) -> Result<Ids, Unreadable> {
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    Ok(Ids { user: problem(user.parse())?, group: problem(group.parse())? })
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
pub(super) fn change(argv: &[String], is_root: bool, files: &mut Files) -> Result<bool, Unreadable> {
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let (["rm", "-r" | "-rf", "--", path]
    | ["chown" | "chmod", _, path]
    | ["chown" | "chmod", _, "--", path]
    | ["test", "!", "-L", path]) = argv[..]
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
        ["test", ..] => {
            if matches!(files.get(&parts), Some(Node::Symlink { .. })) {
                return Unreadable::new(format!("{argv:?}: it is a link"));
            }
        }
        [program, value, ..] => {
            let Some(directory) = files.directory_mut(&parts) else {
                return Unreadable::new(format!("{argv:?}: no such directory"));
            };
            match program {
                "chown" => directory.attributes.ids = ids(value)?,
                _ => directory.attributes.mode = problem(value.parse())?,
            }
        }
        _ => {}
    }
    Ok(true)
}
