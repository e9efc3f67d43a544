//! Patterns in order, of which the last that matches a path, or a directory above it, decides.
//!
//! The lines of an ignore file are such a list, and so are the lists by which BuildKit asks for
//! a part of a directory: `!` before a pattern takes back, a leading `/` means nothing.

use crate::glob::{Glob, InvalidGlob};

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// A `!` with nothing behind it.
    #[error("a `!` alone takes nothing back")]
    Empty,
    /// Not a glob.
    #[error(transparent)]
    Glob(#[from] InvalidGlob),
}

/// Patterns, ready to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatternList {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    takes_back: bool,
    glob: Glob,
}

/// Which patterns match a directory or one above it. What is below it inherits them.
#[derive(Debug, Clone)]
pub struct Matched(Vec<bool>);

impl PatternList {
    /// Reads patterns of which no character class matches a `/`, as in a plan's own rules; on
    /// failure the pattern and what is wrong. Those that are empty are passed over.
    pub fn of_rules<P: AsRef<str>>(written: &[P]) -> Result<Self, (String, InvalidPattern)> {
        let mut list = Self::default();
        for pattern in written.iter().map(AsRef::as_ref).filter(|pattern| !pattern.is_empty()) {
            let pushed = match pattern.strip_prefix('!') {
                Some(pattern) => list.push(true, pattern),
                None => list.push(false, pattern),
            };
            pushed.map_err(|source| (pattern.to_owned(), source))?;
        }
        for pattern in &mut list.patterns {
            pattern.glob.keep_classes_within_names();
        }
        Ok(list)
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Adds one, which the list's earlier ones give way to.
    pub(crate) fn push(&mut self, takes_back: bool, pattern: &str) -> Result<(), InvalidPattern> {
        if pattern.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        let glob = Glob::new(&clean(pattern))?;
        self.patterns.push(Pattern { takes_back, glob });
        Ok(())
    }

    /// What holds at the root.
    pub fn at_root(&self) -> Matched {
        Matched(vec![false; self.patterns.len()])
    }

    /// What holds at `path`, whose directory is known to have matched `parent`.
    pub fn at(&self, path: &[u8], parent: &Matched) -> Matched {
        let matched = self.patterns.iter().zip(&parent.0);
        Matched(matched.map(|(pattern, above)| *above || pattern.glob.matches(path)).collect())
    }

    /// Whether the list takes what has matched so.
    pub fn takes(&self, matched: &Matched) -> bool {
        let last = self.patterns.iter().zip(&matched.0).rev().find(|(_, matches)| **matches);
        last.is_some_and(|(pattern, _)| !pattern.takes_back)
    }

    /// Whether the list may take something below a directory that it does not take.
    pub fn may_take_below(&self, directory: &[u8], matched: &Matched) -> bool {
        self.may_match_below(directory, matched, false)
    }

    /// Whether something below a directory that the list takes may be taken back.
    pub fn may_take_back_below(&self, directory: &[u8], matched: &Matched) -> bool {
        self.may_match_below(directory, matched, true)
    }

    fn may_match_below(&self, directory: &[u8], matched: &Matched, takes_back: bool) -> bool {
        let below = [directory, b"/"].concat();
        self.patterns.iter().zip(&matched.0).any(|(pattern, matches)| {
            let start = pattern.glob.literal_start();
            pattern.takes_back == takes_back
                && !matches
                && (start.starts_with(&below) || below.starts_with(&start))
        })
    }
}

/// A pattern without empty and `.` components, with each `..` taken up by the one before it,
/// as Go's `filepath.Clean` makes it, and without a leading `/`.
fn clean(pattern: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in pattern.split('/') {
        match component {
            "" | "." => {}
            ".." if pattern.starts_with('/') && components.is_empty() => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            name => components.push(name),
        }
    }
    components.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_entered_only_if_something_below_may_be_taken() {
        let list = PatternList::of_rules(&["src/*/a", "lib", "!lib/x", "", "tests"]).expect("are patterns");
        let below = |directory: &str| {
            let matched = list.at(directory.as_bytes(), &list.at_root());
            list.takes(&matched) || list.may_take_below(directory.as_bytes(), &matched)
        };
        for (directory, entered) in
            [("src", true), ("src/b", true), ("lib", true), ("other", false), ("tests", true), ("sr", false)]
        {
            assert_eq!(below(directory), entered, "{directory}");
        }
    }

    #[test]
    fn classes_of_rules_stay_within_a_name() {
        for (pattern, path) in [("a[^x]b", "a/b"), ("a[+-9]b", "a/b"), ("a[^x-z]b", "a/b")] {
            let rules = PatternList::of_rules(&[pattern]).expect("is a pattern");
            assert!(!rules.takes(&rules.at(path.as_bytes(), &rules.at_root())), "{pattern}");
            let within = path.replace('/', "5");
            assert!(rules.takes(&rules.at(within.as_bytes(), &rules.at_root())), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        assert_eq!(PatternList::of_rules(&["a", "!"]), Err(("!".to_owned(), InvalidPattern::Empty)));
        assert!(matches!(PatternList::of_rules(&["[a"]), Err((pattern, _)) if pattern == "[a"));
    }
}
