//! What the name of a wheel says: package, version, and which Pythons and platforms it is for.

use std::fmt;
use std::str::FromStr;

/// A wheel's file name, taken apart as PEP 427 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    text: String,
    /// The package as it is written here: `-` is written `_`.
    pub distribution: String,
    /// Its version.
    pub version: String,
    /// What tells apart two builds of one version.
    pub build: Option<String>,
    /// What it is for.
    pub tags: Tags,
}

/// What a wheel is for. It fits where one tag of each kind does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// Pythons, for instance `cp311` or `py3`.
    pub python: Vec<String>,
    /// Binary interfaces, for instance `cp311`, `abi3` or `none`.
    pub abi: Vec<String>,
    /// Platforms, for instance `manylinux_2_17_x86_64` or `any`.
    pub platform: Vec<String>,
}

/// A name that is not a wheel's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the name of a wheel: it must read `NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl`")]
pub struct InvalidName {
    /// The refused name.
    pub text: String,
}

impl FromStr for WheelName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName { text: text.to_owned() };
        let stem = text.strip_suffix(".whl").ok_or_else(invalid)?;
        let parts: Vec<&str> = stem.split('-').collect();
        let is_plain = |part: &&str| {
            let is_known =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'!');
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_known)
        };
        if !parts.iter().all(is_plain) {
            return Err(invalid());
        }
        let (distribution, version, build, python, abi, platform) = match parts[..] {
            [distribution, version, python, abi, platform] => {
                (distribution, version, None, python, abi, platform)
            }
            [distribution, version, build, python, abi, platform]
                if build.starts_with(|first: char| first.is_ascii_digit()) =>
            {
                (distribution, version, Some(build.to_owned()), python, abi, platform)
            }
            _ => return Err(invalid()),
        };
        let list = |tags: &str| tags.split('.').map(str::to_owned).collect();
        Ok(Self {
            text: text.to_owned(),
            distribution: distribution.to_owned(),
            version: version.to_owned(),
            build,
            tags: Tags { python: list(python), abi: list(abi), platform: list(platform) },
        })
    }
}

impl WheelName {
    /// The name as a whole.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The package under the name by which an index knows it.
    pub fn package(&self) -> String {
        normalised(&self.distribution)
    }
}

impl fmt::Display for WheelName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// A package's name as PEP 503 compares it: lower case, and one `-` for each run of `-`, `_` and `.`.
pub fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if !matches!(letter, '-' | '_' | '.') {
            normal.push(letter.to_ascii_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}

/// Whether two texts are the same version, however each is written.
pub fn same_version(one: &str, other: &str) -> bool {
    match (one.parse::<pep440_rs::Version>(), other.parse::<pep440_rs::Version>()) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let name: WheelName =
            "Some_Thing-1.0-1b-py2.py3-none-any.whl".parse().expect("is the name of a wheel");
        assert_eq!(
            (&*name.package(), &*name.version, name.build.as_deref()),
            ("some-thing", "1.0", Some("1b"))
        );
        assert_eq!(name.tags.python, ["py2", "py3"]);
        assert_eq!(name.to_string(), "Some_Thing-1.0-1b-py2.py3-none-any.whl");
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "a.whl",
            "a-1-py3-none-any.zip",
            "a-1-py3-none-any",
            "a-1--none-any.whl",
            "a-1-b-py3-none-any.whl",
            "../a-1-py3-none-any.whl",
            "..-1-py3-none-any.whl",
            "a-1-2-3-py3-none-any.whl",
            "a-1 -py3-none-any.whl",
        ] {
            assert!(text.parse::<WheelName>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_and_versions_are_compared_as_an_index_does() {
        assert_eq!(normalised("Foo__bar.-baz"), "foo-bar-baz");
        assert!(same_version("1.0", "1.0.0"));
        assert!(same_version("1.0-rc1", "1.0rc1"));
        assert!(!same_version("1.0", "1.0.1"));
        assert!(same_version("odd one", "odd one"));
    }
}
