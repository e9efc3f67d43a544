//! What `include` and `exclude` rules take of a tree, and the same rules in the words of
//! BuildKit and of ignore files.

use std::collections::BTreeMap;

use cogpack_ir::plan::path_rules::takes_by_default;
use cogpack_ir::plan::{PathRule, RuleKind};

use crate::glob::{Glob, InvalidGlob};

/// Rules, ready to decide. The last rule that matches a path, or a directory above it, decides;
/// where none does, the first rule's kind says whether the list starts from nothing or from all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    rules: Vec<(RuleKind, Glob)>,
    by_default: bool,
    /// By path, the last of the rules that name it without wildcard: a list of ten thousand paths
    /// is not to be gone through for each of ten thousand files.
    named: BTreeMap<Vec<u8>, usize>,
    /// The places of all other rules.
    with_wildcards: Vec<usize>,
}

/// The rule of a [`Selection`] that decides over a path: none, at the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// How many rules there are up to it.
    rules: usize,
}

/// BuildKit's two lists: a path is taken when it matches an include (or there is none) and
/// the excludes, of which the last match wins and `!` takes back, leave it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatternPair {
    /// Patterns of which one must match; empty means all.
    pub includes: Vec<String>,
    /// Patterns of what is left out, in order; `!pattern` takes back.
    pub excludes: Vec<String>,
}

impl Selection {
    /// Reads the rules; reports the first that is no pattern.
    pub fn new(rules: &[PathRule]) -> Result<Self, InvalidGlob> {
        let mut selection = Self { by_default: takes_by_default(rules), ..Self::everything() };
        for (place, rule) in rules.iter().enumerate() {
            let glob = Glob::new(&rule.pattern.value)?;
            match glob.as_path() {
                Some(path) => drop(selection.named.insert(path.into_bytes(), place)),
                None => selection.with_wildcards.push(place),
            }
            selection.rules.push((rule.kind, glob));
        }
        Ok(selection)
    }

    /// Takes everything.
    pub fn everything() -> Self {
        Self { rules: Vec::new(), by_default: true, named: BTreeMap::new(), with_wildcards: Vec::new() }
    }

    /// Whether there is no rule.
    pub fn is_everything(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the path with these components, below the root of what is taken, is taken. The
    /// root itself (no components) is where taking starts and always is.
    pub fn takes<N: AsRef<[u8]>>(&self, path: &[N]) -> bool {
        let prefixes = (1..=path.len()).map(|depth| &path[..depth]);
        let decision = prefixes.fold(Decision::default(), |above, path| self.decide(above, path));
        path.is_empty() || self.is_taken(decision)
    }

    /// Which rule decides over a path, where the one that decides over the directory above it is
    /// known: whoever walks down a tree looks at every rule once for every path.
    pub fn decide<N: AsRef<[u8]>>(&self, above: Decision, path: &[N]) -> Decision {
        let named = if self.named.is_empty() {
            None
        } else {
            let path: Vec<&[u8]> = path.iter().map(AsRef::as_ref).collect();
            self.named.get(&path.join(&b'/'))
        };
        let so_far = named.map_or(above.rules, |place| above.rules.max(place + 1));
        let later = self.with_wildcards.iter().rev().take_while(|place| **place >= so_far);
        let matching = later.copied().find(|place| self.rules[*place].1.matches(path));
        Decision { rules: matching.map_or(so_far, |place| place + 1) }
    }

    /// Whether a path with this decision is taken.
    pub fn is_taken(&self, decision: Decision) -> bool {
        match decision.rules.checked_sub(1).and_then(|last| self.rules.get(last)) {
            Some((kind, _)) => *kind == RuleKind::Include,
            None => self.by_default,
        }
    }

    /// The same selection as BuildKit's two lists.
    pub fn to_pattern_pair(&self) -> PatternPair {
        let includes = match self.by_default {
            true => Vec::new(),
            false => self.of_kind(RuleKind::Include).map(Glob::to_string).collect(),
        };
        // Leading includes take back nothing, as nothing is left out before them.
        let first_exclude = self.rules.iter().position(|(kind, _)| *kind == RuleKind::Exclude);
        let excludes = match first_exclude {
            Some(first) => self.rules[first..].iter().map(exclude_pattern).collect(),
            None => Vec::new(),
        };
        PatternPair { includes, excludes }
    }

    /// The same selection as the lines of an ignore file.
    pub fn to_ignore_lines(&self) -> Vec<String> {
        let from_nothing = (!self.by_default).then(|| "**".to_owned());
        from_nothing.into_iter().chain(self.rules.iter().map(exclude_pattern)).collect()
    }

    /// Whether no rule includes. Then nothing below a directory that is left is taken, and the
    /// rules can stand behind any other ignore lines and only ever take away.
    pub fn only_excludes(&self) -> bool {
        self.of_kind(RuleKind::Include).next().is_none()
    }

    fn of_kind(&self, wanted: RuleKind) -> impl Iterator<Item = &Glob> {
        self.rules.iter().filter(move |(kind, _)| *kind == wanted).map(|(_, glob)| glob)
    }
}

fn exclude_pattern((kind, glob): &(RuleKind, Glob)) -> String {
    match kind {
        RuleKind::Exclude => glob.to_string(),
        RuleKind::Include => format!("!{glob}"),
    }
}

#[cfg(test)]
mod tests {
    use cogpack_ir::plan::Spanned;

    use super::*;

    /// Rules from `+pattern` and `-pattern`.
    fn selection(rules: &str) -> Selection {
        let rules: Vec<PathRule> = rules
            .split_whitespace()
            .map(|rule| PathRule {
                kind: if rule.starts_with('+') { RuleKind::Include } else { RuleKind::Exclude },
                pattern: Spanned::nowhere(rule[1..].to_owned()),
            })
            .collect();
        Selection::new(&rules).unwrap_or_else(|error| panic!("{error}"))
    }

    fn takes(rules: &str, path: &str) -> bool {
        selection(rules).takes(&path.split('/').collect::<Vec<_>>())
    }

    #[test]
    fn the_last_match_decides_and_the_first_rule_is_the_default() {
        for (rules, taken, left) in [
            ("", &["a", "a/b"][..], &[][..]),
            ("-*.md", &["a.py", "d/a.md"], &["a.md"]),
            ("-**/*.md", &["a.py"], &["a.md", "d/a.md"]),
            ("+*.py", &["a.py"], &["a.md", "d/a.py"]),
            ("+src -src/gen +src/gen/keep.py", &["src/a", "src/gen/keep.py"], &["src/gen/x", "other"]),
            ("-cache +cache/keep", &["a", "cache/keep", "cache/keep/x"], &["cache", "cache/x"]),
            ("+a -b", &["a", "a/b"], &["b", "c"]),
            ("+**/a -b/**", &["a", "x/a"], &["b/a", "b"]),
        ] {
            for path in taken {
                assert!(takes(rules, path), "`{rules}` takes `{path}`");
            }
            for path in left {
                assert!(!takes(rules, path), "`{rules}` leaves `{path}`");
            }
        }
    }

    #[test]
    fn rules_lower_to_builder_patterns() {
        let pair = |rules| {
            let PatternPair { includes, excludes } = selection(rules).to_pattern_pair();
            (includes.join(" "), excludes.join(" "))
        };
        let text = |includes: &str, excludes: &str| (includes.to_owned(), excludes.to_owned());
        assert_eq!(pair(""), text("", ""));
        assert_eq!(pair("-a +a/b -a/b/c"), text("", "a !a/b a/b/c"));
        assert_eq!(pair("+a +b"), text("a b", ""));
        assert_eq!(pair("+a -a/b +a/b/c +z"), text("a a/b/c z", "a/b !a/b/c !z"));
        assert_eq!(selection("-a +a/b").to_ignore_lines(), ["a", "!a/b"]);
        assert_eq!(selection("+a -a/b").to_ignore_lines(), ["**", "!a", "a/b"]);
    }

    /// What BuildKit does with its two lists, written down for the comparison below.
    fn pair_takes(pair: &PatternPair, path: &[&str]) -> bool {
        let matches = |pattern: &str| {
            let glob = Glob::new(pattern).unwrap_or_else(|error| panic!("{error}"));
            (1..=path.len()).any(|depth| glob.matches(&path[..depth]))
        };
        let included = pair.includes.is_empty() || pair.includes.iter().any(|pattern| matches(pattern));
        let mut excluded = false;
        for pattern in &pair.excludes {
            match pattern.strip_prefix('!') {
                Some(back) => excluded &= !matches(back),
                None => excluded |= matches(pattern),
            }
        }
        included && !excluded
    }

    #[test]
    fn all_short_rule_lists_mean_the_same_in_both_forms() {
        let rules = ["+a", "-a", "+a/b", "-a/b", "+**/c", "-**/c", "+*", "-*"];
        let paths = ["a", "b", "c", "a/b", "a/c", "b/c", "a/b/c", "c/a"];
        for first in rules {
            for second in rules {
                for third in rules {
                    let list = format!("{first} {second} {third}");
                    let selection = selection(&list);
                    let pair = selection.to_pattern_pair();
                    for path in paths {
                        let path: Vec<&str> = path.split('/').collect();
                        assert_eq!(pair_takes(&pair, &path), selection.takes(&path), "{list}: {path:?}");
                    }
                }
            }
        }
    }
}
