//! The one program that made-up worlds know: `chown -R OWNER PATH`, which passes take for what it is.
//!
//! It gives all that stands at a path to somebody, links themselves and not what they lead to, as coreutils and
//! busybox do where neither `-H` nor `-L` is said; and Linux takes the setuid and setgid bits of the files (man 2
//! chown). A user without a group keeps the group.

use cogpack_backends_contract::tree::Ids;
use cogpack_ir::plan::Mode;

use crate::filesystem::{Failure, Filesystem, Node, Path};
use crate::program::Seen;

/// What it leaves, unless it fails; `None` for other programs, and where it is not allowed to do its work.
pub fn changed(seen: &Seen) -> Option<Result<Filesystem, Failure>> {
    let [_, flag, script] = &seen.arguments[..] else { return None };
    let words: Vec<&str> = script.split_whitespace().collect();
    let ["chown", "-R", owner, path] = words[..] else { return None };
    let is_root = seen.user.as_deref().is_none_or(|user| matches!(user, "" | "root" | "0" | "0:0"));
    if flag != "-c" || !is_root || !seen.mounts.is_empty() {
        return None;
    }
    Some(give(owner, path, &seen.root))
}

fn give(owner: &str, path: &str, before: &Filesystem) -> Result<Filesystem, Failure> {
    let (user, group) = owner.split_once(':').map_or((owner, None), |(user, group)| (user, Some(group)));
    let mut left = before.clone();
    let unknown = |name: &str| Failure(format!("chown knows no `{name}`"));
    let user = number(user, "passwd", &left).ok_or_else(|| unknown(user))?;
    let group = group.map(|group| number(group, "group", &left).ok_or_else(|| unknown(group))).transpose()?;
    // What is named is not followed if it is a link, as what is found below it.
    let top = left.resolve(path.as_bytes(), false)?;
    if left.get(&top).is_none() {
        return Err(Failure(format!("chown finds no `{path}`")));
    }
    let all: Vec<(Path, Node)> = left
        .iter()
        .filter(|(path, _)| path.starts_with(&top))
        .map(|(path, node)| (path.clone(), node.clone()))
        .collect();
    for (path, node) in all {
        let given = |ids: Ids| Ids { user, group: group.unwrap_or(ids.group) };
        let node = match node {
            Node::Directory(mode, ids) => Node::Directory(mode, given(ids)),
            Node::File(mode, ids, bytes) => {
                let mode = Mode::new(mode.bits() & !0o6000).unwrap_or(mode);
                Node::File(mode, given(ids), bytes)
            }
            Node::Symlink(ids, target) => Node::Symlink(given(ids), target),
        };
        left.put(&path, node);
    }
    Ok(left)
}

/// The number of an account, by the first line that has its name.
fn number(name: &str, file: &str, of: &Filesystem) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let path = of.resolve(format!("/etc/{file}").as_bytes(), true).ok()?;
    let Some(Node::File(_, _, bytes)) = of.get(&path) else { return None };
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split(':').nth(2)?.parse().ok()
}
