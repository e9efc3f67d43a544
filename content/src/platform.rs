//! What an image runs on: operating system, processor architecture and its variant.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A platform, written `os/architecture` or `os/architecture/variant`, in Go's words
/// (`linux/amd64`, `linux/arm64`, `linux/arm/v7`) as the OCI image index uses them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: Arc<str>,
    architecture: Arc<str>,
    variant: Option<Arc<str>>,
}

/// A text that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a platform: {rule}")]
pub struct InvalidPlatform {
    /// The refused text.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl Platform {
    /// `linux/amd64`: what a plan that names no platform is built for.
    pub fn linux_amd64() -> Self {
        Self { os: "linux".into(), architecture: "amd64".into(), variant: None }
    }

    /// The operating system, for instance `linux`.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The processor architecture, for instance `amd64`.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant of the architecture, for instance `v7`.
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(out, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let rule = if !(2..=3).contains(&parts.len()) || parts.iter().any(|part| part.is_empty()) {
            Some("it must read `os/architecture` or `os/architecture/variant`")
        } else if !parts.iter().all(|part| part.bytes().all(is_word)) {
            Some("its parts have small letters, digits and `_`")
        } else {
            None
        };
        if let Some(rule) = rule {
            return Err(InvalidPlatform { text: text.to_owned(), rule });
        }
        Ok(Self {
            os: parts[0].into(),
            architecture: parts[1].into(),
            variant: parts.get(2).map(|&variant| variant.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in ["linux/amd64", "linux/arm/v7", "linux/riscv64"] {
            assert_eq!(text.parse::<Platform>().map(|platform| platform.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "linux", "linux/", "/amd64", "Linux/amd64", "a/b/c/d", "linux/amd 64"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
