//! Chooses packages out of an archive: those that are asked for, and all that they need.
//!
//! Of each package the latest version is taken, and of alternatives the first one that is there, so
//! the answer follows from the archive alone. What is met already by something chosen brings
//! nothing more. There is no going back: where the latest versions do not fit each other, that is
//! the answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::index::Candidate;
use crate::relations::Relation;
use crate::version::compare;

/// Why no set of packages is what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsolvable {
    /// Nobody has what is asked for.
    #[error("no archive has a package `{0}`")]
    Unknown(String),
    /// Several packages are what is asked for, and none has its name.
    #[error("`{name}` is provided by several packages, of which one must be named: {providers}")]
    Several {
        /// What is asked for.
        name: String,
        /// Who provides it.
        providers: String,
    },
    /// A package that is to be left out is one that nobody has and nobody needs.
    #[error("`{0}` cannot be left out: no archive has it, and nothing that is chosen needs it")]
    NothingToLeaveOut(String),
    /// A package is asked for and is to be left out.
    #[error("`{0}` is asked for and left out")]
    AskedForAndLeftOut(String),
    /// Nobody has what a package needs.
    #[error("`{package}` needs `{need}`, which no archive has")]
    Unmet {
        /// Who needs it.
        package: String,
        /// What.
        need: String,
    },
    /// A package needs a version that is not the latest.
    #[error("`{package}` needs `{need}`, and the latest is `{latest}`")]
    Version {
        /// Who needs it.
        package: String,
        /// What.
        need: String,
        /// What would be taken.
        latest: String,
    },
    /// Two packages that are both needed cannot be beside each other.
    #[error("`{package}`, needed by {needed_by}, cannot be beside `{other}`, needed by {other_needed_by}")]
    Conflict {
        /// The first.
        package: String,
        /// Who needs it.
        needed_by: String,
        /// The second.
        other: String,
        /// Who needs that.
        other_needed_by: String,
    },
}

/// An archive's packages, to choose from.
#[derive(Debug)]
pub struct Archive {
    /// The latest of each name.
    latest: BTreeMap<String, Candidate>,
    /// Who is also what, by name.
    providers: BTreeMap<String, BTreeSet<String>>,
}

impl Archive {
    /// Of these packages, in which the first of equal versions counts.
    pub fn new(candidates: impl IntoIterator<Item = Candidate>) -> Self {
        let mut latest: BTreeMap<String, Candidate> = BTreeMap::new();
        for candidate in candidates {
            match latest.get_mut(&candidate.package) {
                Some(there) if compare(&candidate.version, &there.version).is_gt() => *there = candidate,
                Some(_) => {}
                None => {
                    latest.insert(candidate.package.clone(), candidate);
                }
            }
        }
        let mut providers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for candidate in latest.values() {
            for provided in &candidate.provides {
                providers.entry(provided.package.clone()).or_default().insert(candidate.package.clone());
            }
        }
        Self { latest, providers }
    }

    /// The names of the packages that every Debian system has.
    pub fn essential(&self) -> impl Iterator<Item = &str> {
        self.latest.values().filter(|candidate| candidate.is_essential).map(|candidate| &*candidate.package)
    }

    /// The packages of these names and all that they need, by name. What is needed of the packages
    /// `without` is taken for met.
    pub fn solve(&self, names: &[String], without: &BTreeSet<String>) -> Result<Vec<&Candidate>, Unsolvable> {
        let mut solution =
            Solution { archive: self, without, chosen: BTreeMap::new(), waiting: VecDeque::new() };
        if let Some(name) = names.iter().find(|name| without.contains(*name)) {
            return Err(Unsolvable::AskedForAndLeftOut(name.clone()));
        }
        for name in names {
            solution.choose(self.named(name)?, None);
        }
        while let Some(package) = solution.waiting.pop_front() {
            for group in &package.needs {
                solution.meet(package, group)?;
            }
        }
        solution.check()?;
        if let Some(name) = without.iter().find(|name| !solution.knows(name)) {
            return Err(Unsolvable::NothingToLeaveOut(name.clone()));
        }
        Ok(solution.chosen.into_values().map(|(candidate, _)| candidate).collect())
    }

    /// The package of a name that is asked for: itself, or the only one that provides it.
    fn named(&self, name: &str) -> Result<&Candidate, Unsolvable> {
        if let Some(candidate) = self.latest.get(name) {
            return Ok(candidate);
        }
        let providers: Vec<&String> = self.providers.get(name).into_iter().flatten().collect();
        match providers[..] {
            [only] => self.latest.get(only).ok_or_else(|| Unsolvable::Unknown(name.to_owned())),
            [] => Err(Unsolvable::Unknown(name.to_owned())),
            _ => {
                let shown: Vec<String> = providers.iter().map(|it| format!("`{it}`")).collect();
                Err(Unsolvable::Several { name: name.to_owned(), providers: shown.join(", ") })
            }
        }
    }

    /// Those that could meet a relation: the package itself, then who provides it, by priority and
    /// name.
    fn that_meet<'a>(&'a self, relation: &'a Relation) -> impl Iterator<Item = &'a Candidate> {
        let itself = self.latest.get(&relation.package);
        let names = self.providers.get(&relation.package).into_iter().flatten();
        let mut others: Vec<&Candidate> = names.filter_map(|name| self.latest.get(name)).collect();
        others.sort_by_key(|candidate| candidate.rank);
        itself.into_iter().chain(others).filter(|candidate| meets(candidate, relation))
    }
}

/// Whether a package is, or provides, what a relation asks for.
fn meets(candidate: &Candidate, relation: &Relation) -> bool {
    if candidate.package == relation.package && relation.allows(&candidate.version) {
        return true;
    }
    candidate.provides.iter().filter(|provided| provided.package == relation.package).any(|provided| {
        match &provided.version {
            Some((_, version)) => relation.allows(version),
            // What has no version meets only who asks for none.
            None => relation.version.is_none(),
        }
    })
}

struct Solution<'a, 'w> {
    archive: &'a Archive,
    without: &'w BTreeSet<String>,
    /// What was chosen, and for whom; nobody for what was asked for.
    chosen: BTreeMap<&'a str, (&'a Candidate, Option<&'a str>)>,
    /// Whose needs have not been looked at.
    waiting: VecDeque<&'a Candidate>,
}

impl<'a> Solution<'a, '_> {
    fn choose(&mut self, candidate: &'a Candidate, needed_by: Option<&'a str>) {
        if !self.chosen.contains_key(&*candidate.package) {
            self.chosen.insert(&candidate.package, (candidate, needed_by));
            self.waiting.push_back(candidate);
        }
    }

    fn meet(&mut self, package: &'a Candidate, group: &'a [Relation]) -> Result<(), Unsolvable> {
        let is_met = |relation: &Relation| {
            self.without.contains(&relation.package)
                || self.chosen.values().any(|(candidate, _)| meets(candidate, relation))
        };
        if group.iter().any(is_met) {
            return Ok(());
        }
        let all = || group.iter().flat_map(|relation| self.archive.that_meet(relation));
        let fits =
            |candidate: &&Candidate| !self.chosen.values().any(|(chosen, _)| conflict(chosen, candidate));
        // One that cannot be beside what is there is still named in what is said of it.
        if let Some(found) = all().find(fits).or_else(|| all().next()) {
            self.choose(found, Some(&package.package));
            return Ok(());
        }
        let need = group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
        let latest = group.iter().find_map(|relation| self.archive.latest.get(&relation.package));
        let package = package.package.clone();
        Err(match latest {
            Some(latest) => Unsolvable::Version {
                package,
                need,
                latest: format!("{} {}", latest.package, latest.version),
            },
            None => Unsolvable::Unmet { package, need },
        })
    }

    /// Whether a name is one of the archive's, or of what is needed.
    fn knows(&self, name: &str) -> bool {
        let needs = || self.chosen.values().flat_map(|(candidate, _)| candidate.needs.iter().flatten());
        self.archive.latest.contains_key(name)
            || self.archive.providers.contains_key(name)
            || needs().any(|relation| relation.package == name)
    }

    fn check(&self) -> Result<(), Unsolvable> {
        let by = |needed_by: &Option<&str>| match needed_by {
            Some(package) => format!("`{package}`"),
            None => "whoever asks".to_owned(),
        };
        for (one, needed_by) in self.chosen.values() {
            for (other, other_needed_by) in self.chosen.values() {
                if says_conflict(one, other) {
                    return Err(Unsolvable::Conflict {
                        package: one.package.clone(),
                        needed_by: by(needed_by),
                        other: other.package.clone(),
                        other_needed_by: by(other_needed_by),
                    });
                }
            }
        }
        Ok(())
    }
}

fn conflict(one: &Candidate, other: &Candidate) -> bool {
    says_conflict(one, other) || says_conflict(other, one)
}

/// Whether one says that it cannot be beside the other. Nobody means itself.
fn says_conflict(one: &Candidate, other: &Candidate) -> bool {
    one.package != other.package && one.conflicts.iter().any(|relation| meets(other, relation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::candidates;

    fn archive(text: &str) -> Archive {
        let hash = cogpack_content::Digest::of(b"").hex();
        let whole: String = text
            .lines()
            .map(|line| {
                let mut parts = line.split("; ");
                let (name, version) = parts.next().and_then(|head| head.split_once(' ')).expect("has both");
                let rest: String = parts.map(|field| format!("{field}\n")).collect();
                format!("Package: {name}\nVersion: {version}\nArchitecture: all\nSHA256: {hash}\nFilename: x\n{rest}\n")
            })
            .collect();
        Archive::new(candidates(&whole, 0))
    }

    fn solved(text: &str, names: &[&str], without: &[&str]) -> Result<Vec<String>, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let without = without.iter().map(|name| (*name).to_owned()).collect();
        match archive(text).solve(&names, &without) {
            Ok(found) => Ok(found.iter().map(|one| format!("{} {}", one.package, one.version)).collect()),
            Err(problem) => Err(problem.to_string()),
        }
    }

    #[test]
    fn needs_are_met_by_the_latest_and_the_first() {
        let text = "app 1; Depends: lib (>= 2), editor | vim, mta\nlib 1\nlib 2~rc\nlib 2\nvim 9\nemacs 30; Provides: editor\naaa 1; Provides: mta; Priority: extra\nexim 4; Provides: mta; Priority: optional\npostfix 3; Provides: mta; Priority: optional";
        assert_eq!(
            solved(text, &["app"], &[]),
            Ok(["app 1", "emacs 30", "exim 4", "lib 2"].map(str::to_owned).to_vec())
        );
        // What is there already is not brought once more.
        assert_eq!(
            solved(text, &["app", "vim", "postfix"], &["lib"]),
            Ok(["app 1", "postfix 3", "vim 9"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn what_is_left_out_is_there_or_needed_and_not_asked_for() {
        let text = "app 1; Depends: missing, editor\nemacs 30; Provides: editor\nvim 9";
        for left_out in ["missing", "vim", "editor"] {
            assert!(solved(text, &["app"], &["missing", left_out]).is_ok(), "{left_out}");
        }
        let refused =
            |names: &[&str], without: &[&str]| solved(text, names, without).expect_err("is refused");
        assert_eq!(
            refused(&["app"], &["missing", "vmi"]),
            "`vmi` cannot be left out: no archive has it, and nothing that is chosen needs it"
        );
        assert_eq!(refused(&["app", "vim"], &["missing", "vim"]), "`vim` is asked for and left out");
    }

    #[test]
    fn a_name_that_one_package_provides_is_that_package() {
        let text = "libglib2.0-0t64 2; Provides: libglib2.0-0 (= 2)\nexim 4; Provides: mta\npostfix 3; Provides: mta";
        assert_eq!(solved(text, &["libglib2.0-0"], &[]), Ok(vec!["libglib2.0-0t64 2".to_owned()]));
        assert_eq!(
            solved(text, &["mta"], &[]),
            Err("`mta` is provided by several packages, of which one must be named: `exim`, `postfix`"
                .to_owned())
        );
    }

    #[test]
    fn circles_end() {
        let text = "a 1; Depends: b\nb 1; Pre-Depends: a (= 1)";
        assert_eq!(solved(text, &["a"], &[]), Ok(vec!["a 1".to_owned(), "b 1".to_owned()]));
    }

    #[test]
    fn what_cannot_be_is_explained() {
        for (text, why) in [
            ("b 1", "no archive has a package `a`"),
            ("a 1; Depends: b | c (>= 2)", "`a` needs `b | c (>= 2)`, which no archive has"),
            ("a 1; Depends: b (<< 2)\nb 2", "`a` needs `b (<< 2)`, and the latest is `b 2`"),
            ("a 1; Depends: v (>= 1)\nb 2; Provides: v", "`a` needs `v (>= 1)`, which no archive has"),
            (
                "a 1; Depends: b, c\nb 1\nc 1; Breaks: b (<< 2)",
                "`c`, needed by `a`, cannot be beside `b`, needed by `a`",
            ),
        ] {
            assert_eq!(solved(text, &["a"], &[]), Err(why.to_owned()), "{text}");
        }
        // Of alternatives one that fits.
        let text = "a 1; Depends: b, c | d\nb 1\nc 1; Conflicts: b\nd 1";
        assert_eq!(solved(text, &["a"], &[]).map(|found| found.len()), Ok(3));
    }
}
