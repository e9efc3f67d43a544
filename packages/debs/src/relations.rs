//! What packages say of each other: `python3 (>= 3.11), libc6 | libc6.1`.

use std::cmp::Ordering;

use crate::version::{Version, compare};

/// Another package, and which versions of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The package.
    pub package: String,
    /// Which versions; nothing for all.
    pub version: Option<(Comparison, Version)>,
}

/// How versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<<`
    Before,
    /// `<=`
    UpTo,
    /// `=`
    Exactly,
    /// `>=`
    From,
    /// `>>`
    After,
}

impl Relation {
    /// Whether it means this version too.
    pub fn allows(&self, version: &Version) -> bool {
        let Some((comparison, wanted)) = &self.version else { return true };
        let order = compare(version, wanted);
        match comparison {
            Comparison::Before => order == Ordering::Less,
            Comparison::UpTo => order != Ordering::Greater,
            Comparison::Exactly => order == Ordering::Equal,
            Comparison::From => order != Ordering::Less,
            Comparison::After => order == Ordering::Greater,
        }
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.package)?;
        let Some((comparison, version)) = &self.version else { return Ok(()) };
        let sign = match comparison {
            Comparison::Before => "<<",
            Comparison::UpTo => "<=",
            Comparison::Exactly => "=",
            Comparison::From => ">=",
            Comparison::After => ">>",
        };
        write!(formatter, " ({sign} {version})")
    }
}

/// The groups of a field: all of them are meant, and of each group any one.
pub fn groups(field: &str) -> Vec<Vec<Relation>> {
    let groups = field.split(',').map(|group| group.split('|').filter_map(relation).collect::<Vec<_>>());
    groups.filter(|group| !group.is_empty()).collect()
}

fn relation(text: &str) -> Option<Relation> {
    let text = text.trim();
    let end = text.find([' ', '(', '[', '<']).unwrap_or(text.len());
    let name = text[..end].trim();
    if name.is_empty() {
        return None;
    }
    let version = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).and_then(|(inside, _)| {
        let inside = inside.trim();
        let signs = [
            ("<<", Comparison::Before),
            ("<=", Comparison::UpTo),
            (">=", Comparison::From),
            (">>", Comparison::After),
            ("=", Comparison::Exactly),
        ];
        signs.iter().find_map(|(sign, comparison)| {
            Some((*comparison, Version::new(inside.strip_prefix(sign)?.trim())))
        })
    });
    // `python3:any` is met by a `python3` of any machine, and one set is of one machine.
    let package = name.split_once(':').map_or(name, |(name, _)| name).to_owned();
    Some(Relation { package, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read() {
        let found = groups("libc6 (>= 2.36), a:any | b (<< 1), , debconf (= 1) [amd64]");
        let shown: Vec<Vec<String>> =
            found.iter().map(|group| group.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(shown, [vec!["libc6 (>= 2.36)"], vec!["a", "b (<< 1)"], vec!["debconf (= 1)"]]);
        assert!(found[0][0].allows(&Version::new("2.36-9")));
        assert!(!found[0][0].allows(&Version::new("2.35")));
        assert!(!found[1][1].allows(&Version::new("1")));
        assert!(found[2][0].allows(&Version::new("1-0")));
    }
}
