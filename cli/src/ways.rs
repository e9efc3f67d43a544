//! Ways from one directory to another, as a text of ours may name them.

use std::path::{Component, Path, PathBuf};

/// What stands in a command for a directory to which no way can be written.
pub const ELSEWHERE: &str = "CONTEXT";

/// A path without links in the part of it that exists.
pub fn settled(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut there = path.to_owned();
    loop {
        if let Ok(real) = there.canonicalize() {
            return rest.iter().rev().fold(real, |path, name| path.join(name));
        }
        match (there.file_name().map(ToOwned::to_owned), there.parent()) {
            (Some(name), Some(above)) => {
                rest.push(name);
                there = above.to_owned();
            }
            (None, _) | (_, None) => return path.to_owned(),
        }
    }
}

/// The relative way from one directory to another, empty where they are one; `None` where it
/// cannot be written into a text, or has nothing in common but the root: then it would say where
/// on this machine things are.
pub fn way(from: &Path, to: &Path) -> Option<String> {
    let from: Vec<Component<'_>> = from.components().collect();
    let to: Vec<Component<'_>> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    if shared <= 1 && from != to {
        return None;
    }
    let mut parts = vec!["..".to_owned(); from.len() - shared];
    for part in &to[shared..] {
        let part = part.as_os_str().to_str()?;
        let is_plain = part.chars().all(|it| it.is_ascii_alphanumeric() || "._+@-".contains(it));
        if !is_plain || part.starts_with('-') {
            return None;
        }
        parts.push(part.to_owned());
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_relative_and_plain() {
        let way = |from: &str, to: &str| way(Path::new(from), Path::new(to));
        assert_eq!(way("/a", "/a/b/c"), Some("b/c".to_owned()));
        assert_eq!(way("/a", "/a"), Some(String::new()));
        assert_eq!(way("/a/x", "/a/b"), Some("../b".to_owned()));
        assert_eq!(way("/a", "/a/b c"), None);
        assert_eq!(way("/a", "/b"), None);
    }
}
