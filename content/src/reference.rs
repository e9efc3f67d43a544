//! The name of an image in a registry, as people write it.
//!
//! The grammar is the one of the distribution specification's reference
//! (`[registry/]repository[:tag][@digest]`); the defaults (`docker.io`, `library/`,
//! `latest`) are Docker's, because that is what every tool a plan meets assumes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Digest;

/// An image reference. Keeps the text as it was written, so that plans print as they were read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference(Arc<str>);

/// A text that is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct InvalidReference {
    /// The refused text.
    pub text: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

impl ImageReference {
    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The registry with Docker's default, for instance `docker.io`.
    pub fn registry(&self) -> &str {
        match self.name().split_once('/') {
            Some((first, _)) if is_registry(first) => first,
            Some(_) | None => "docker.io",
        }
    }

    /// The repository with Docker's default, for instance `library/debian`.
    pub fn repository(&self) -> String {
        let name = self.name();
        let path = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => rest,
            Some(_) | None => name,
        };
        if self.registry() == "docker.io" && !path.contains('/') {
            return format!("library/{path}");
        }
        path.to_owned()
    }

    /// The tag as it was written; `None` where there is none.
    pub fn tag(&self) -> Option<&str> {
        split(&self.0).1
    }

    /// The digest as it was written; `None` where there is none.
    pub fn digest(&self) -> Option<Digest> {
        split(&self.0).2.and_then(|digest| digest.parse().ok())
    }

    /// The full form that daemons compare: registry, repository, and the tag (`latest` by
    /// default), followed by `digest` or else by the digest that was written.
    pub fn normalised(&self, digest: Option<&Digest>) -> String {
        let mut text = format!("{}/{}", self.registry(), self.repository());
        let digest = digest.copied().or_else(|| self.digest());
        match (self.tag(), &digest) {
            (Some(tag), _) => text.push_str(&format!(":{tag}")),
            (None, None) => text.push_str(":latest"),
            (None, Some(_)) => {}
        }
        if let Some(digest) = digest {
            text.push_str(&format!("@{digest}"));
        }
        text
    }

    fn name(&self) -> &str {
        split(&self.0).0
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for ImageReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for ImageReference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        check(text).map_err(|reason| InvalidReference { text: text.to_owned(), reason })?;
        Ok(Self(text.into()))
    }
}

/// Name, tag and digest of a reference.
fn split(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    match rest.rsplit_once(':') {
        // A colon before the last slash belongs to the registry's port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        Some(_) | None => (rest, None, digest),
    }
}

fn is_registry(component: &str) -> bool {
    component == "localhost" || component.contains(['.', ':'])
}

fn check(text: &str) -> Result<(), &'static str> {
    if text.contains("://") {
        return Err("an image is named without a scheme, from its registry or repository on");
    }
    let (name, tag, digest) = split(text);
    if name.is_empty() {
        return Err("it has no repository");
    }
    if name.len() > 255 {
        return Err("a repository has at most 255 characters");
    }
    if let Some(digest) = digest
        && digest.parse::<Digest>().is_err()
    {
        return Err("after `@` stands `sha256:` and 64 lower-case hexadecimal digits");
    }
    if let Some(tag) = tag {
        let mut bytes = tag.bytes();
        let first_is_word = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let rest_is_word = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if !first_is_word || !rest_is_word || tag.len() > 128 {
            return Err("a tag has letters, digits, `_`, `.` and `-`, at most 128 of them");
        }
    }
    let mut components = name.split('/').peekable();
    if let Some(first) = components.peek()
        && is_registry(first)
        && name.contains('/')
    {
        check_registry(first)?;
        components.next();
    }
    components.try_for_each(check_component)
}

fn check_registry(registry: &str) -> Result<(), &'static str> {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (registry, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err("a registry's port is a number up to 65535");
    }
    let of_an_address = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    let well_formed = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => !address.is_empty() && address.bytes().all(of_an_address),
        None => {
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        }
    };
    if well_formed { Ok(()) } else { Err("a registry is a host name or address, with an optional port") }
}

fn check_component(component: &str) -> Result<(), &'static str> {
    let bytes = component.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_are_words = bytes.first().is_some_and(is_word) && bytes.last().is_some_and(is_word);
    if !ends_are_words || !bytes.iter().all(|byte| is_word(byte) || b"._-".contains(byte)) {
        return Err("a repository has lower-case letters and digits, joined by `.`, `_`, `-` and `/`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str) -> String {
        match text.parse::<ImageReference>() {
            Ok(reference) => reference.normalised(None),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn defaults_are_dockers() {
        assert_eq!(normalised("debian"), "docker.io/library/debian:latest");
        assert_eq!(normalised("me/model:1"), "docker.io/me/model:1");
        assert_eq!(normalised("r8.im/me/model"), "r8.im/me/model:latest");
        assert_eq!(normalised("localhost/a"), "localhost/a:latest");
        assert_eq!(normalised("127.0.0.1:5000/base/python:3.11"), "127.0.0.1:5000/base/python:3.11");
    }

    #[test]
    fn a_digest_stands_behind_the_tag() {
        let digest = Digest::of(b"");
        let reference: ImageReference = "debian:bookworm".parse().expect("is a reference");
        assert_eq!(
            reference.normalised(Some(&digest)),
            format!("docker.io/library/debian:bookworm@{digest}")
        );
        assert_eq!(normalised(&format!("debian@{digest}")), format!("docker.io/library/debian@{digest}"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            ":tag",
            "docker://debian",
            "https://example.org/a",
            "Debian",
            "a//b",
            "a:b c",
            "a@sha256:00",
            "host:port/a",
            "-a",
            "a-/b",
            "[::1]x:1/a",
        ] {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
    }
}
