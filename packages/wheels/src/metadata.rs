//! Reads `WHEEL` and `METADATA`: lines of `Key: value` up to the first empty one.

use crate::file_name::{WheelName, normalised, same_version};

/// What is wrong with such a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataProblem {
    /// It is no text.
    #[error("it is not UTF-8")]
    NotText,
    /// It lacks a line.
    #[error("it has no line `{0}: …`")]
    Missing(&'static str),
    /// A line says something that it cannot say.
    #[error("`{key}: {value}` is not {wanted}")]
    Value {
        /// Which line.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A format that came after this program.
    #[error("the wheel is of the format {0}, and this program installs the formats 1.x")]
    Format(String),
    /// It is about something else than the name of the wheel says.
    #[error("it is about {found}, and the wheel's name says {expected}")]
    OtherPackage {
        /// What it is about.
        found: String,
        /// What it should be about.
        expected: String,
    },
}

/// Checks what a `WHEEL` says of its format. Where modules go follows from that, but here both
/// kinds go to one directory.
pub fn check_wheel(bytes: &[u8]) -> Result<(), MetadataProblem> {
    let text = std::str::from_utf8(bytes).map_err(|_| MetadataProblem::NotText)?;
    let format = line(text, "Wheel-Version").ok_or(MetadataProblem::Missing("Wheel-Version"))?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match format.split_once('.') {
        Some(("1", minor)) if is_number(minor) => {}
        Some((major, minor)) if is_number(major) && is_number(minor) => {
            return Err(MetadataProblem::Format(format.to_owned()));
        }
        Some(_) | None => {
            let (key, wanted) = ("Wheel-Version", "a version of the format, as 1.0");
            return Err(MetadataProblem::Value { key, value: format.to_owned(), wanted });
        }
    }
    let pure = line(text, "Root-Is-Purelib").ok_or(MetadataProblem::Missing("Root-Is-Purelib"))?;
    if !["true", "false"].contains(&&*pure.to_ascii_lowercase()) {
        let (key, wanted) = ("Root-Is-Purelib", "`true` or `false`");
        return Err(MetadataProblem::Value { key, value: pure.to_owned(), wanted });
    }
    Ok(())
}

/// Checks that a `METADATA` is about the package that the wheel's name says.
pub fn check_metadata(bytes: &[u8], name: &WheelName) -> Result<(), MetadataProblem> {
    // A description may be in any encoding; what stands above it is not.
    let text = String::from_utf8_lossy(bytes);
    let package = line(&text, "Name").ok_or(MetadataProblem::Missing("Name"))?;
    let version = line(&text, "Version").ok_or(MetadataProblem::Missing("Version"))?;
    if normalised(package) != name.package() || !same_version(version, &name.version) {
        return Err(MetadataProblem::OtherPackage {
            found: format!("`{package}` {version}"),
            expected: format!("`{}` {}", name.package(), name.version),
        });
    }
    Ok(())
}

/// The first line with that key, above the first empty one.
fn line<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let headers = text.lines().take_while(|line| !line.trim_end().is_empty());
    let mut found = headers.filter_map(|line| line.split_once(':'));
    found.find(|(found, _)| found.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        let wheel = |text: &str| check_wheel(text.as_bytes()).map_err(|problem| problem.to_string());
        assert_eq!(wheel("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"), Ok(()));
        assert_eq!(wheel("wheel-version: 1.9\r\nRoot-Is-Purelib: False\r\n"), Ok(()));
        for (text, why) in [
            ("", "it has no line `Wheel-Version: …`"),
            ("\nWheel-Version: 1.0\n", "it has no line `Wheel-Version: …`"),
            (
                "Wheel-Version: 2.0\nRoot-Is-Purelib: true\n",
                "the wheel is of the format 2.0, and this program installs the formats 1.x",
            ),
            ("Wheel-Version: one\n", "`Wheel-Version: one` is not a version of the format, as 1.0"),
            ("Wheel-Version: 1.0\n", "it has no line `Root-Is-Purelib: …`"),
            ("Wheel-Version: 1.0\nRoot-Is-Purelib: yes\n", "`Root-Is-Purelib: yes` is not `true` or `false`"),
        ] {
            assert_eq!(wheel(text), Err(why.to_owned()));
        }
        assert_eq!(check_wheel(b"\xff"), Err(MetadataProblem::NotText));
    }

    #[test]
    fn metadata_is_about_the_package_of_the_name() {
        let name = "Some_Thing-1.0-py3-none-any.whl".parse().expect("is the name of a wheel");
        let check = |text: &str| check_metadata(text.as_bytes(), &name);
        assert_eq!(check("Metadata-Version: 2.1\nName: some.thing\nVersion: 1.0.0\n\nName: x"), Ok(()));
        assert!(check("Name: some.thing\nVersion: 1.0.1\n").is_err());
        assert!(check("Name: other\nVersion: 1.0\n").is_err());
        assert_eq!(check("Version: 1.0\n"), Err(MetadataProblem::Missing("Name")));
        assert_eq!(check("Name: some.thing\n\nVersion: 1.0\n"), Err(MetadataProblem::Missing("Version")));
    }
}
