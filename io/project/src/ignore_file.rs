//! The `.dockerignore` file in a directory's root: which paths are no part of the context.
//!
//! Docker's rules: one pattern a line, `#` at a line's start makes a comment, `!` takes back,
//! the last pattern that matches a path or a directory above it decides. A leading `/` means
//! nothing, because every pattern is relative to the root.

use std::io;
use std::path::{Path, PathBuf};

use crate::pattern_list::{InvalidPattern, Matched, PatternList};

/// The file's name.
pub const NAME: &str = ".dockerignore";
/// No real one comes near; a mistaken one must not fill memory.
const LARGEST: u64 = 1 << 20;

/// Why an ignore file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IgnoreError {
    /// It could not be read.
    #[error("read the ignore file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is larger than any real one.
    #[error("the ignore file `{}` has more than a mebibyte", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not UTF-8.
    #[error("the ignore file `{}` is not UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A line is no pattern.
    #[error("line {line} of the ignore file `{}` is no pattern: `{pattern}`", path.display())]
    Pattern {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: InvalidPattern,
    },
}

/// The patterns of an ignore file; none where there is no file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnoreFile {
    patterns: PatternList,
}

impl IgnoreFile {
    /// Reads the ignore file of a directory, if it has one.
    pub fn of_directory(directory: &Path) -> Result<Self, IgnoreError> {
        let path = directory.join(NAME);
        let bytes = match crate::files::read_limited(&path, LARGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(IgnoreError::TooLarge { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(IgnoreError::Read { path, source }),
        };
        let Ok(text) = String::from_utf8(bytes) else { return Err(IgnoreError::NotText { path }) };
        Self::parse(&text).map_err(|(line, pattern, source)| IgnoreError::Pattern {
            path,
            line,
            pattern,
            source,
        })
    }

    /// Reads the text of an ignore file; on failure the line, the pattern and what is wrong.
    pub fn parse(text: &str) -> Result<Self, (usize, String, InvalidPattern)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = PatternList::default();
        for (index, line) in text.lines().enumerate() {
            let written = line.trim();
            if line.starts_with('#') || written.is_empty() {
                continue;
            }
            let pushed = match written.strip_prefix('!') {
                Some(pattern) => patterns.push(true, pattern.trim()),
                None => patterns.push(false, written),
            };
            pushed.map_err(|source| (index + 1, written.to_owned(), source))?;
        }
        Ok(Self { patterns })
    }

    /// What holds at the root.
    pub fn at_root(&self) -> Matched {
        self.patterns.at_root()
    }

    /// What holds at `path`, whose directory is known to have matched `parent`.
    pub fn at(&self, path: &[u8], parent: &Matched) -> Matched {
        self.patterns.at(path, parent)
    }

    /// Whether what has matched so is left out.
    pub fn leaves_out(&self, matched: &Matched) -> bool {
        self.patterns.takes(matched)
    }

    /// Whether something below a directory that is left out may be taken back.
    pub fn may_take_back_below(&self, directory: &[u8], matched: &Matched) -> bool {
        self.patterns.may_take_back_below(directory, matched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::InvalidGlob;

    /// Whether the file leaves `path` out, deciding directory by directory as the walk does.
    fn leaves_out(text: &str, path: &str) -> bool {
        let file = IgnoreFile::parse(text).expect("is an ignore file");
        let mut matched = file.at_root();
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            matched = file.at(&path.as_bytes()[..end], &matched);
        }
        file.leaves_out(&matched)
    }

    #[test]
    fn the_last_pattern_that_matches_a_path_or_its_parents_decides() {
        let text = "# comment\n\n  *.md  \n!README.md\n/build/\n!build/keep\nsrc/**/*.o\n";
        for (path, left) in [
            ("a.md", true),
            ("README.md", false),
            ("docs/a.md", false),
            ("build", true),
            ("build/x/y", true),
            ("build/keep", false),
            ("build/keep/z", false),
            ("src/a.o", true),
            ("src/d/a.o", true),
            ("# comment", false),
        ] {
            assert_eq!(leaves_out(text, path), left, "{path}");
        }
        assert!(leaves_out("!a\na", "a"), "a later pattern wins");
    }

    #[test]
    fn patterns_are_cleaned_as_docker_cleans_them() {
        for (pattern, path) in
            [("./a//b/", "a/b"), ("a/../b", "b"), ("/../a", "a"), ("! a\na", "a"), ("\u{feff}a", "a")]
        {
            assert!(leaves_out(pattern, path), "{pattern}");
        }
        assert!(!leaves_out("../a", "a"));
        assert!(!leaves_out(".", "a"));
        assert!(leaves_out(" #a", "#a"), "a comment starts at the line's first byte");
    }

    #[test]
    fn a_directory_is_entered_only_if_something_may_come_back() {
        let file = IgnoreFile::parse("a\nb\n!b/c\n**/d\n!e*").expect("is an ignore file");
        let below = |directory: &str| {
            let matched = file.at(directory.as_bytes(), &file.at_root());
            file.may_take_back_below(directory.as_bytes(), &matched)
        };
        assert!(!below("a"));
        assert!(below("b"));
        assert!(!below("x/d"));
        let everywhere = IgnoreFile::parse("a\n!**/keep").expect("is an ignore file");
        assert!(everywhere.may_take_back_below(b"a", &everywhere.at(b"a", &everywhere.at_root())));
    }

    #[test]
    fn broken_lines_are_named() {
        assert_eq!(IgnoreFile::parse("a\n!"), Err((2, "!".to_owned(), InvalidPattern::Empty)));
        assert!(matches!(IgnoreFile::parse("[a"), Err((1, _, InvalidPattern::Glob(InvalidGlob::Class)))));
    }
}
