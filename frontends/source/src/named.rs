//! Something that a file of Python defines, as configurations name it: `run.py:Runner`.
//!
//! Deliberately not here: from which directory the file's path goes, and whether there is such a file.

/// The two parts of such a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'t> {
    /// The path, as it is written.
    pub path: &'t str,
    /// The class or the function.
    pub name: &'t str,
}

/// Why a text names nothing; it goes on after the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNamed {
    /// Only a file.
    #[error("lacks `:` and a name")]
    NoName,
    /// No file of Python with something behind it.
    #[error("has no `.py:`")]
    NoFile,
    /// More than one.
    #[error("has `.py:` more than once")]
    Several,
    /// The path of another system.
    #[error("divides its path by `\\`, where `/` stands")]
    Backslash,
    /// Nothing is left of the file but its ending.
    #[error("has no file's name before `.py:`")]
    NoStem,
    /// What stands there instead of a name.
    #[error("has `{0}` behind `.py:`, which is no name of Python")]
    NoNameOfPython(String),
}

impl<'t> Named<'t> {
    /// Reads `run.py:Runner`.
    pub fn read(text: &'t str) -> Result<Self, NotNamed> {
        let (stem, name) = match text.split(".py:").collect::<Vec<_>>()[..] {
            [stem, name] => (stem, name),
            [_] if text.ends_with(".py") => return Err(NotNamed::NoName),
            [_] => return Err(NotNamed::NoFile),
            _ => return Err(NotNamed::Several),
        };
        if stem.contains('\\') {
            return Err(NotNamed::Backslash);
        }
        if stem.is_empty() || stem.ends_with('/') {
            return Err(NotNamed::NoStem);
        }
        let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
        let is_name = !name.is_empty() && name.chars().all(is_letter) && !name.starts_with(char::is_numeric);
        match is_name {
            true => Ok(Self { path: &text[..stem.len() + ".py".len()], name }),
            false => Err(NotNamed::NoNameOfPython(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_behind_its_file_is_read() {
        assert_eq!(Named::read("src/run.py:Runner"), Ok(Named { path: "src/run.py", name: "Runner" }));
        assert_eq!(Named::read("größe.py:_größe2"), Ok(Named { path: "größe.py", name: "_größe2" }));
        let told = |text| Named::read(text).unwrap_err().to_string();
        assert_eq!(told("run.py"), "lacks `:` and a name");
        assert_eq!(told("run:Runner"), "has no `.py:`");
        assert_eq!(told("a.py:b.py:c"), "has `.py:` more than once");
        assert_eq!(told("src\\run.py:Runner"), "divides its path by `\\`, where `/` stands");
        assert_eq!(told("src/.py:Runner"), "has no file's name before `.py:`");
        assert_eq!(told("run.py:2nd"), "has `2nd` behind `.py:`, which is no name of Python");
        assert_eq!(told("run.py:"), "has `` behind `.py:`, which is no name of Python");
    }
}
