//! The repositories that a commit names, as its `.gitmodules` tells of them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::program::{Git, GitError};
use crate::words;

/// What `.gitmodules` says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submodule {
    /// Where it is.
    pub path: Vec<u8>,
    /// Where its repository is, perhaps from that of the whole on.
    pub url: String,
    /// Whether its directory stays empty, `update = none`.
    pub is_left_out: bool,
}

/// All of a commit. Without a `.gitmodules` there are none.
pub fn of(git: &Git, repository: &Path, commit: &str) -> Result<Vec<Submodule>, GitError> {
    let file = format!("{commit}:.gitmodules");
    let mut looking = git.command(repository);
    match git.answer(looking.args(["cat-file", "-e", &file])) {
        Err(GitError::Failed { .. }) => return Ok(Vec::new()),
        there => there?,
    };
    let mut listing = git.command(repository);
    Ok(read(&git.answer(listing.args(["config", "--list", "-z", "--no-includes", "--blob", &file]))?))
}

fn read(listed: &[u8]) -> Vec<Submodule> {
    let mut all: BTreeMap<&[u8], BTreeMap<Vec<u8>, &[u8]>> = BTreeMap::new();
    for setting in listed.split(|byte| *byte == 0) {
        let Some((key, value)) = words::split(setting, b'\n') else { continue };
        let Some(rest) = key.strip_prefix(b"submodule.") else { continue };
        let Some(dot) = rest.iter().rposition(|byte| *byte == b'.') else { continue };
        // The last of several counts.
        all.entry(&rest[..dot]).or_default().insert(rest[dot + 1..].to_vec(), value);
    }
    let submodule = |said: BTreeMap<Vec<u8>, &[u8]>| {
        Some(Submodule {
            path: said.get(&b"path"[..])?.strip_suffix(b"/").unwrap_or(said.get(&b"path"[..])?).to_vec(),
            url: String::from_utf8(said.get(&b"url"[..])?.to_vec()).ok()?,
            is_left_out: said.get(&b"update"[..]) == Some(&&b"none"[..]),
        })
    };
    all.into_values().filter_map(submodule).collect()
}

/// The address of a submodule of the repository at `of`: what begins with `./` or `../` goes from there on,
/// as git has it. `None` where it leads above everything.
pub fn address(of: &str, said: &str) -> Option<String> {
    if !said.starts_with("./") && !said.starts_with("../") {
        return Some(said.to_owned());
    }
    let (mut base, mut rest, mut between) = (of.trim_end_matches('/'), said, '/');
    // Above the host is nothing.
    let host = of.find("://").map_or(0, |at| at + 3);
    let least = host + of[host..].find('/').unwrap_or(0);
    loop {
        if let Some(below) = rest.strip_prefix("../") {
            rest = below;
            // Behind `HOST:` paths begin without a slash.
            (base, between) = match (base.rfind('/'), base.rfind(':')) {
                (Some(slash), _) => (&base[..slash], '/'),
                (None, Some(colon)) => (&base[..colon], ':'),
                (None, None) => return None,
            };
            if base.len() < least {
                return None;
            }
        } else if let Some(below) = rest.strip_prefix("./") {
            rest = below;
        } else {
            return Some(format!("{base}{between}{}", rest.trim_end_matches('/')));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_from_the_repository_on_as_git_has_it() {
        for (of, said, wanted) in [
            ("https://a.example/x/y.git", "https://b.example/z", Some("https://b.example/z")),
            ("https://a.example/x/y.git", "../z.git", Some("https://a.example/x/z.git")),
            ("https://a.example/x/y.git/", "./z", Some("https://a.example/x/y.git/z")),
            ("https://a.example/x/y", "../../z/w/", Some("https://a.example/z/w")),
            ("git@a.example:x/y", "../z", Some("git@a.example:x/z")),
            ("git@a.example:y", "../z", Some("git@a.example:z")),
            ("git@a.example:y", "../../z", None),
            ("a", "../z", None),
            ("https://a.example/x", "../z", Some("https://a.example/z")),
            ("https://a.example/x", "../../z", None),
            ("https://a.example/x", "../../../../z", None),
        ] {
            assert_eq!(address(of, said).as_deref(), wanted, "{of} {said}");
        }
    }

    #[test]
    fn a_file_of_submodules_is_read_as_git_lists_it() {
        let listed = b"submodule.a.b.path\nlib/a\0submodule.a.b.url\n../a\0submodule.c.path\nc/\0\
            submodule.c.url\nhttps://c\0submodule.c.update\nnone\0submodule.d.path\nd\0core.x\ny\0";
        assert_eq!(
            read(listed),
            [
                Submodule { path: b"lib/a".to_vec(), url: "../a".to_owned(), is_left_out: false },
                Submodule { path: b"c".to_vec(), url: "https://c".to_owned(), is_left_out: true },
            ]
        );
    }
}
