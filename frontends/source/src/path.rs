//! The path of a file in a project.

use std::fmt;
use std::sync::Arc;

/// A path below the project's directory: parts divided by `/`, none of them empty, `.` or `..`.
/// The directory itself is the empty path, shown as `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePath(Arc<str>);

/// Why a text is no path of a file in the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInProject {
    /// It starts with `/`.
    #[error("it is absolute, and only files of the project can be named")]
    Absolute,
    /// It has more `..` than directories before it.
    #[error("it leads out of the project's directory")]
    Outside,
    /// It has a zero byte or a line end.
    #[error("it has a character that no file of a project has in its name")]
    Character,
}

impl SourcePath {
    /// The project's directory.
    pub fn root() -> Self {
        Self("".into())
    }

    /// A path relative to the project's directory, `.` and `..` in it done away with.
    pub fn new(text: &str) -> Result<Self, NotInProject> {
        Self::root().join(text)
    }

    /// What `text` means in a file of the directory `self`, `.` and `..` in it done away with.
    pub fn join(&self, text: &str) -> Result<Self, NotInProject> {
        if text.starts_with('/') {
            return Err(NotInProject::Absolute);
        }
        if text.contains(['\0', '\n', '\r']) {
            return Err(NotInProject::Character);
        }
        let mut parts: Vec<&str> = self.0.split('/').filter(|part| !part.is_empty()).collect();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(NotInProject::Outside)?;
                }
                name => parts.push(name),
            }
        }
        Ok(Self(parts.join("/").into()))
    }

    /// The directory that holds it; the project's directory holds itself.
    pub fn directory(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some((directory, _)) => Self(directory.into()),
            None => Self::root(),
        }
    }

    /// The last part; empty for the project's directory.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// The path without its leading `directory`; `None` where it is not below that.
    pub fn below(&self, directory: &Self) -> Option<&str> {
        if directory.0.is_empty() {
            return Some(&self.0);
        }
        self.0.strip_prefix(&*directory.0)?.strip_prefix('/')
    }

    /// The text, empty for the project's directory.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl fmt::Debug for SourcePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_done_away_with() {
        let path = |text| SourcePath::new(text).map(|path| path.to_string());
        assert_eq!(path("a/./b//c.py"), Ok("a/b/c.py".to_owned()));
        assert_eq!(path("a/../b"), Ok("b".to_owned()));
        assert_eq!(path("."), Ok(".".to_owned()));
        assert_eq!(path("a/../.."), Err(NotInProject::Outside));
        assert_eq!(path("/etc/passwd"), Err(NotInProject::Absolute));
        assert_eq!(path("a\0b"), Err(NotInProject::Character));
    }

    #[test]
    fn a_path_knows_its_directory_and_its_name() {
        let path = SourcePath::new("src/model/run.py").unwrap();
        assert_eq!((path.directory().as_str(), path.name()), ("src/model", "run.py"));
        assert_eq!(path.directory().join("../x.txt").unwrap().as_str(), "src/x.txt");
        assert_eq!(path.below(&SourcePath::new("src").unwrap()), Some("model/run.py"));
        assert_eq!(path.below(&SourcePath::new("sr").unwrap()), None);
        assert_eq!(SourcePath::root().directory(), SourcePath::root());
    }
}
