//! Who reads the Dockerfile: which builder, and which version of its language.

use std::fmt;
use std::str::FromStr;

/// A family of builders that read Dockerfiles alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// BuildKit's frontend, in `docker build`, `docker buildx build` or by itself.
    BuildKit {
        /// Which version of it.
        syntax: Syntax,
    },
    /// `buildah build` and `podman build`, from buildah 1.28 on.
    Buildah,
    /// The classic builder of Docker Engine, in 20.10 and before, and what copies it.
    Legacy,
}

/// Which version of BuildKit's frontend reads a Dockerfile. All but the one that is built in are
/// images, which the builder fetches because the first line of the Dockerfile says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Syntax {
    /// The oldest that can say all that the plan wants, and not older than
    /// [`Syntax::OLDEST_FETCHED`].
    #[default]
    Smallest,
    /// What Docker Engine 20.10 has built in, and every later one: nothing is fetched.
    BuiltIn,
    /// This one.
    Version(Version),
    /// An image of one's own.
    Image {
        /// As the first line of the Dockerfile names it.
        reference: String,
        /// The version that it is.
        version: Version,
    },
}

/// A version of `docker/dockerfile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Always 1 so far.
    pub major: u32,
    /// Counts up with what can be said.
    pub minor: u32,
}

/// A text that is no [`Syntax`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of `docker/dockerfile`")]
pub struct NoSyntax(String);

impl Default for Dialect {
    fn default() -> Self {
        Self::BuildKit { syntax: Syntax::default() }
    }
}

impl Dialect {
    /// The word that `--dialect` takes for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BuildKit { .. } => "buildkit",
            Self::Buildah => "buildah",
            Self::Legacy => "legacy",
        }
    }
}

impl Syntax {
    /// What Docker Engine 20.10 has built in.
    pub const BUILT_IN: Version = Version::of(1, 2);
    /// The oldest that is asked for where the plan leaves the choice: the first with
    /// here-documents and `--link`.
    pub const OLDEST_FETCHED: Version = Version::of(1, 4);

    /// What can be used without asking for more, and the most that can be asked for.
    pub(crate) fn bounds(&self) -> (Version, Version) {
        match self {
            Self::Smallest => (Self::OLDEST_FETCHED, Version::of(u32::MAX, 0)),
            Self::BuiltIn => (Self::BUILT_IN, Self::BUILT_IN),
            Self::Version(version) | Self::Image { version, .. } => (*version, *version),
        }
    }

    /// What the first line names, for a Dockerfile that needs `version`.
    pub(crate) fn line(&self, version: Version) -> Option<String> {
        match self {
            Self::BuiltIn => None,
            Self::Smallest | Self::Version(_) => Some(format!("docker/dockerfile:{version}")),
            Self::Image { reference, .. } => Some(reference.clone()),
        }
    }
}

impl FromStr for Syntax {
    type Err = NoSyntax;

    /// `none`, `1.6`, or `registry/repository:tag@sha256:…=1.6`.
    fn from_str(text: &str) -> Result<Self, NoSyntax> {
        let wrong = || NoSyntax(text.to_owned());
        match text.rsplit_once('=') {
            None if text == "none" => Ok(Self::BuiltIn),
            None => Ok(Self::Version(text.parse().map_err(|_| wrong())?)),
            Some((reference, version)) => {
                let is_reference = !reference.is_empty()
                    && !reference.contains(|it: char| it.is_whitespace() || it.is_control());
                let version = version.parse().map_err(|_| wrong())?;
                if !is_reference {
                    return Err(wrong());
                }
                Ok(Self::Image { reference: reference.to_owned(), version })
            }
        }
    }
}

impl Version {
    /// `major.minor`
    pub const fn of(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

impl FromStr for Version {
    type Err = NoSyntax;

    fn from_str(text: &str) -> Result<Self, NoSyntax> {
        let number = |digits: &str| match digits.bytes().all(|digit| digit.is_ascii_digit()) {
            true => digits.parse::<u32>().ok(),
            false => None,
        };
        let parts = text.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
        match parts {
            Some((1, minor)) => Ok(Self::of(1, minor)),
            Some(_) | None => Err(NoSyntax(text.to_owned())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_is_a_version_none_or_an_image_that_says_its_version() {
        let read = |text: &str| text.parse::<Syntax>().ok();
        assert_eq!(read("none"), Some(Syntax::BuiltIn));
        assert_eq!(read("1.19"), Some(Syntax::Version(Version::of(1, 19))));
        assert_eq!(
            read("me/frontend:1@sha256:00=1.6"),
            Some(Syntax::Image {
                reference: "me/frontend:1@sha256:00".to_owned(),
                version: Version::of(1, 6)
            })
        );
        for text in ["", "1", "2.0", "1.x", "1.+4", "me/frontend", "=1.6", "a b=1.6"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
