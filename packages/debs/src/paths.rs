//! Paths of packages, and `/usr` merged: what packages bring in `/bin`, `/sbin` and `/lib…` lands
//! below `/usr`, and the root has links in their place.

/// The directories that are links into `/usr`. The first three are everywhere, the others where a
/// package brings something in them.
pub const MERGED: &[&str] = &["bin", "lib", "sbin", "lib32", "lib64", "libo32", "libx32"];

/// How many of them are everywhere.
pub const ALWAYS: usize = 3;

/// A path of a package that could lead outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path inside of the root")]
pub struct InvalidPath(String);

/// A path as packages have it, `./usr/bin/x`, as `usr/bin/x`; nothing for the root.
pub fn path_of(bytes: &[u8]) -> Result<Option<Vec<u8>>, InvalidPath> {
    let parts: Vec<&[u8]> =
        bytes.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    if parts.contains(&&b".."[..]) || bytes.contains(&0) {
        return Err(InvalidPath(String::from_utf8_lossy(bytes).into_owned()));
    }
    Ok((!parts.is_empty()).then(|| parts.join(&b'/')))
}

/// The path after merging `/usr`.
pub fn merged(path: Vec<u8>) -> Vec<u8> {
    let first = path.split(|byte| *byte == b'/').next().unwrap_or_default();
    let is_merged = MERGED.iter().any(|name| name.as_bytes() == first);
    if is_merged { [b"usr/", &path[..]].concat() } else { path }
}

/// The directory that a path is in; nothing for what is in the root.
pub fn above(path: &[u8]) -> Option<&[u8]> {
    path.iter().rposition(|byte| *byte == b'/').map(|at| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usr_is_merged() {
        for (path, place) in [
            ("./bin/sh", "usr/bin/sh"),
            ("./lib64/ld.so", "usr/lib64/ld.so"),
            ("./lib", "usr/lib"),
            ("usr//lib/./x", "usr/lib/x"),
            ("./libexec/x", "libexec/x"),
            ("/etc/x", "etc/x"),
        ] {
            let found = path_of(path.as_bytes()).expect("is inside").map(merged);
            assert_eq!(found.as_deref(), Some(place.as_bytes()), "{path}");
        }
        assert_eq!(path_of(b"./"), Ok(None));
        assert!(path_of(b"./a/../../b").is_err());
        assert_eq!(above(b"a/b/c"), Some(&b"a/b"[..]));
    }
}
