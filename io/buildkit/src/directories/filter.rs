//! Which part of a directory is sent: what its ignore file leaves, of that what the daemon asks
//! for. What is ours the walk knows.

use cogpack_io_project::ignore_file::IgnoreFile;
use cogpack_io_project::pattern_list::{Matched, PatternList};

use super::failure::DirectoryFailure;
use super::request::Wanted;

/// Decides over paths, directory by directory.
#[derive(Debug, Clone)]
pub struct Filter {
    ignored: IgnoreFile,
    /// `None` takes all.
    included: Option<PatternList>,
    excluded: PatternList,
}

/// What the patterns have said of a directory, which what is below it inherits.
#[derive(Debug, Clone)]
pub struct Above {
    ignored: Matched,
    included: Option<Matched>,
    excluded: Matched,
}

/// What becomes of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is sent for its own sake.
    pub is_taken: bool,
    /// Whether something below it may be, if it is a directory.
    pub is_entered: bool,
}

impl Filter {
    /// What `wanted` asks for; `follow` are patterns for what its followed paths lead to, and
    /// `None` where they lead to the root, and so to all.
    pub fn new(
        ignored: IgnoreFile,
        wanted: &Wanted,
        follow: Option<Vec<String>>,
    ) -> Result<Self, DirectoryFailure> {
        let read = |patterns: &[String]| {
            PatternList::of_rules(patterns).map_err(|(pattern, reason)| DirectoryFailure::Pattern {
                directory: wanted.name.clone(),
                pattern,
                reason,
            })
        };
        let included = match follow {
            Some(follow) => read(&[wanted.includes.as_slice(), follow.as_slice()].concat())?,
            None => PatternList::default(),
        };
        let included = (!included.is_empty()).then_some(included);
        Ok(Self { ignored, included, excluded: read(&wanted.excludes)? })
    }

    /// What holds at the root.
    pub fn at_root(&self) -> Above {
        Above {
            ignored: self.ignored.at_root(),
            included: self.included.as_ref().map(PatternList::at_root),
            excluded: self.excluded.at_root(),
        }
    }

    /// What becomes of `path`, and what its directory would hand down.
    pub fn decide(&self, path: &[u8], above: &Above) -> (Decision, Above) {
        let ignored = self.ignored.at(path, &above.ignored);
        let excluded = self.excluded.at(path, &above.excluded);
        let (is_ignored, is_excluded) = (self.ignored.leaves_out(&ignored), self.excluded.takes(&excluded));
        let (mut is_included, mut may_include_below, mut included) = (true, true, None);
        if let (Some(list), Some(above)) = (&self.included, &above.included) {
            let matched = list.at(path, above);
            is_included = list.takes(&matched);
            may_include_below = is_included || list.may_take_below(path, &matched);
            included = Some(matched);
        }
        let decision = Decision {
            is_taken: !is_ignored && !is_excluded && is_included,
            is_entered: may_include_below
                && (!is_ignored || self.ignored.may_take_back_below(path, &ignored))
                && (!is_excluded || self.excluded.may_take_back_below(path, &excluded)),
        };
        (decision, Above { ignored, included, excluded })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(ignored: &str, includes: &[&str], excludes: &[&str]) -> Filter {
        let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        let wanted = Wanted { includes: owned(includes), excludes: owned(excludes), ..Wanted::default() };
        let ignored = IgnoreFile::parse(ignored).expect("is an ignore file");
        Filter::new(ignored, &wanted, Some(Vec::new())).expect("are patterns")
    }

    /// Whether the path is sent, deciding directory by directory as the walk does.
    fn takes(filter: &Filter, path: &str) -> bool {
        let mut above = filter.at_root();
        let mut decision = Decision { is_taken: true, is_entered: true };
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            if !decision.is_entered {
                return false;
            }
            (decision, above) = filter.decide(&path.as_bytes()[..end], &above);
        }
        decision.is_taken
    }

    #[test]
    fn all_three_lists_must_agree() {
        let filter = filter("*.log\n!keep.log\n", &["src", "keep.log"], &["src/gen", "!src/gen/a"]);
        for (path, taken) in [
            ("src", true),
            ("src/x", true),
            ("src/x.log", true),
            ("keep.log", true),
            ("other.log", false),
            ("other", false),
            ("src/gen", false),
            ("src/gen/b", false),
            ("src/gen/a", true),
        ] {
            assert_eq!(takes(&filter, path), taken, "{path}");
        }
    }

    #[test]
    fn patterns_that_are_none_are_named() {
        let wanted = Wanted { excludes: vec!["[".to_owned()], ..Wanted::default() };
        let refused = Filter::new(IgnoreFile::default(), &wanted, Some(Vec::new()));
        assert!(matches!(refused, Err(DirectoryFailure::Pattern { pattern, .. }) if pattern == "["));
    }
}
