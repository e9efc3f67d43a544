//! Names of package files: `NAME_VERSION_ARCHITECTURE.deb`.

use std::fmt;
use std::str::FromStr;

use cogpack_content::Platform;

/// The file name of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DebName {
    /// The package.
    pub package: String,
    /// The version without its epoch, as archives leave it out.
    pub version: String,
    /// `amd64`, or `all` for every machine.
    pub architecture: String,
}

/// Text that is no file name of a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not named `NAME_VERSION_ARCHITECTURE.deb`")]
pub struct InvalidName;

impl FromStr for DebName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parts: Vec<&str> = text.strip_suffix(".deb").ok_or(InvalidName)?.split('_').collect();
        let [package, version, architecture] = parts[..] else { return Err(InvalidName) };
        let is_plain = |part: &str| {
            let is_of_it = |letter: char| letter.is_ascii_alphanumeric() || ".+-~".contains(letter);
            part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.chars().all(is_of_it)
        };
        // apt keeps files under names that have the epoch.
        let version = version.split_once("%3a").map_or(version, |(_, rest)| rest);
        if ![package, version, architecture].into_iter().all(is_plain) {
            return Err(InvalidName);
        }
        Ok(Self {
            package: package.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
        })
    }
}

impl fmt::Display for DebName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}_{}.deb", self.package, self.version, self.architecture)
    }
}

/// What Debian calls the machines of a platform; nothing for those that we do not know enough of.
pub fn architecture_of(platform: &Platform) -> Option<&'static str> {
    match (platform.os(), platform.architecture()) {
        ("linux", "amd64") => Some("amd64"),
        ("linux", "arm64") => Some("arm64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_three_things() {
        let name: DebName = "libstdc++6_12.2.0-14+deb12u1_amd64.deb".parse().expect("is one");
        assert_eq!((&*name.package, &*name.version), ("libstdc++6", "12.2.0-14+deb12u1"));
        assert_eq!(name.to_string(), "libstdc++6_12.2.0-14+deb12u1_amd64.deb");
        assert_eq!("git_1%3a2.39-1_amd64.deb".parse::<DebName>().expect("is one").version, "2.39-1");
        for text in
            ["", "a_1.deb", "a_1_all", "a_1_all_b.deb", "../a_1_all.deb", "_1_all.deb", "a_1/2_all.deb"]
        {
            assert_eq!(text.parse::<DebName>(), Err(InvalidName), "{text}");
        }
    }
}
