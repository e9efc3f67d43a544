//! What a daemon asks for, in the metadata of its call.

use std::borrow::Cow;

use tonic::metadata::MetadataMap;

use super::failure::DirectoryFailure;

/// A directory, and which part of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The directory's name.
    pub name: String,
    /// Patterns of which one must match; empty means all.
    pub includes: Vec<String>,
    /// Patterns of what is left out, in order; `!pattern` takes back.
    pub excludes: Vec<String>,
    /// Paths, or patterns of them, that are wanted with all that links on the way lead to.
    pub follow: Vec<String>,
}

const NAME: &str = "dir-name";
const INCLUDES: &str = "include-patterns";
const EXCLUDES: &str = "exclude-patterns";
const FOLLOW: &str = "followpaths";

impl Wanted {
    /// Reads the metadata of a call.
    pub fn of(metadata: &MetadataMap) -> Result<Self, DirectoryFailure> {
        let mut names = values(metadata, NAME)?;
        let refuse = |reason| DirectoryFailure::Request { key: NAME, reason };
        let name = names.pop().ok_or_else(|| refuse("is missing"))?;
        if !names.is_empty() {
            return Err(refuse("is there twice"));
        }
        Ok(Self {
            name,
            includes: values(metadata, INCLUDES)?,
            excludes: values(metadata, EXCLUDES)?,
            follow: values(metadata, FOLLOW)?,
        })
    }
}

/// All values of one key. Newer daemons escape all of them where one is not ASCII, and say so
/// under a key beside it; older ones send them as they are.
fn values(metadata: &MetadataMap, key: &'static str) -> Result<Vec<String>, DirectoryFailure> {
    let refuse = |reason| DirectoryFailure::Request { key, reason };
    let encoded = metadata.get(format!("{key}-encoded")).is_some_and(|value| value.as_bytes() == b"1");
    let decode = |value: &[u8]| {
        let bytes = match encoded {
            true => unescape(value).ok_or_else(|| refuse("has a `%` that is no escape"))?,
            false => Cow::Borrowed(value),
        };
        String::from_utf8(bytes.into_owned()).map_err(|_| refuse("is not UTF-8"))
    };
    metadata.get_all(key).iter().map(|value| decode(value.as_bytes())).collect()
}

/// Takes back what is escaped as in the query of an address; `None` for an escape that is none.
fn unescape(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => *byte,
        });
    }
    Some(Cow::Owned(bytes))
}

#[cfg(test)]
mod tests {
    use tonic::metadata::AsciiMetadataValue;

    use super::*;

    fn metadata(values: &[(&'static str, &[u8])]) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        for (key, value) in values {
            metadata.append(*key, AsciiMetadataValue::try_from(*value).expect("is a header"));
        }
        metadata
    }

    #[test]
    fn lists_are_repeated_keys() {
        let wanted = Wanted::of(&metadata(&[
            ("dir-name", b"source"),
            ("include-patterns", b"src"),
            ("include-patterns", b"a+b %41"),
            ("exclude-patterns", b"!src/x"),
            ("followpaths", b"link"),
        ]));
        let expected = Wanted {
            name: "source".to_owned(),
            includes: vec!["src".to_owned(), "a+b %41".to_owned()],
            excludes: vec!["!src/x".to_owned()],
            follow: vec!["link".to_owned()],
        };
        assert_eq!(wanted.expect("is a request"), expected);
    }

    #[test]
    fn escaped_lists_are_marked_and_others_are_taken_as_they_are() {
        let wanted = Wanted::of(&metadata(&[
            ("dir-name", b"source"),
            ("include-patterns-encoded", b"1"),
            ("include-patterns", b"caf%C3%A9%2Fa+b%2bc"),
            ("include-patterns", b"plain"),
            ("exclude-patterns", "é".as_bytes()),
        ]));
        let wanted = wanted.expect("is a request");
        assert_eq!(wanted.includes, ["café/a b+c", "plain"]);
        assert_eq!(wanted.excludes, ["é"]);
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        let name: (&str, &[u8]) = ("dir-name", b"a");
        let escaped: (&str, &[u8]) = ("followpaths-encoded", b"1");
        for broken in [
            vec![],
            vec![name, name],
            vec![name, escaped, ("followpaths", b"%4")],
            vec![name, escaped, ("followpaths", b"%zz")],
            vec![name, ("exclude-patterns", b"\xff")],
        ] {
            assert!(matches!(Wanted::of(&metadata(&broken)), Err(DirectoryFailure::Request { .. })));
        }
    }
}
