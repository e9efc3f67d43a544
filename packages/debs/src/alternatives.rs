//! Links that stand for one of several programs: `/usr/bin/awk` leads to `/etc/alternatives/awk`,
//! and that to the program with the highest priority.

use std::collections::BTreeMap;

use crate::paths::merged;
use crate::root::{Root, shown};

/// A program that can stand behind a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// Where the link is, what it is called, and what it leads to.
    pub link: Link,
    /// Of several, the one with the highest is taken.
    pub priority: i64,
    /// Links that follow the first one, as those of manual pages do.
    pub followers: Vec<Link>,
}

/// A link by way of `/etc/alternatives`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `/usr/bin/awk`
    pub place: String,
    /// `awk`
    pub name: String,
    /// `/usr/bin/mawk`
    pub target: String,
}

/// The alternatives that a script makes with `update-alternatives --install`. Those whose names are
/// not written out are left out; the table of scripts says of such a script what else it does.
pub fn read(script: &str) -> impl Iterator<Item = Alternative> {
    let joined = script.replace("\\\n", " ");
    let commands: Vec<String> = joined.lines().map(str::to_owned).collect();
    commands.into_iter().filter_map(|line| alternative(&line))
}

fn alternative(line: &str) -> Option<Alternative> {
    let (_, arguments) = line.split_once("update-alternatives ")?;
    let mut words = arguments.split_whitespace();
    words.find(|word| *word == "--install")?;
    let link = link(&mut words)?;
    let priority = words.next()?.parse().ok()?;
    let mut followers = Vec::new();
    while let Some(word) = words.next() {
        if word != "--slave" {
            break;
        }
        followers.push(self::link(&mut words)?);
    }
    Some(Alternative { link, priority, followers })
}

fn link<'w>(words: &mut impl Iterator<Item = &'w str>) -> Option<Link> {
    let mut plain = || words.next().filter(|word| !word.contains(['$', '`', '"', '\''])).map(str::to_owned);
    Some(Link { place: plain()?, name: plain()?, target: plain()? })
}

/// Makes the links of all alternatives whose programs are there.
pub fn make(root: &mut Root, alternatives: &[Alternative]) {
    let mut best: BTreeMap<&str, &Alternative> = BTreeMap::new();
    for one in alternatives.iter().filter(|one| root.leads(&one.link.target)) {
        let there = best.entry(&one.link.name).or_insert(one);
        if one.priority > there.priority {
            *there = one;
        }
    }
    for one in best.into_values() {
        // Manual pages may have been left out of a package, and links to nothing help nobody.
        let followers = one.followers.iter().filter(|link| root.leads(&link.target)).collect::<Vec<_>>();
        for link in std::iter::once(&one.link).chain(followers) {
            let place = shown(&merged(link.place.trim_start_matches('/').as_bytes().to_vec()));
            root.symlink(&place, &format!("/etc/alternatives/{}", link.name));
            root.symlink(&format!("etc/alternatives/{}", link.name), &link.target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_read_over_lines() {
        let script = "ua() {\n\tupdate-alternatives --quiet --install /usr/bin/pager pager /bin/more 50 \\\n\t\t--slave /usr/share/man/man1/pager.1.gz pager.1.gz \\\n\t\t/usr/share/man/man1/more.1.gz\n}\nupdate-alternatives --remove rename /usr/bin/prename\nupdate-alternatives --install \"$a\" b c 1\n";
        let found: Vec<_> = read(script).collect();
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].link.target, found[0].priority), ("/bin/more", 50));
        assert_eq!(found[0].followers[0].target, "/usr/share/man/man1/more.1.gz");
    }

    #[test]
    fn the_highest_priority_that_is_there_is_taken() {
        let mut root = Root::default();
        root.symlink("bin", "usr/bin");
        for program in ["usr/bin/more", "usr/bin/less"] {
            root.make(program, "");
        }
        let script = "update-alternatives --install /bin/pager pager /bin/more 50\nupdate-alternatives --install /bin/pager pager /usr/bin/less 77\nupdate-alternatives --install /bin/pager pager /usr/bin/most 99\n";
        make(&mut root, &read(script).collect::<Vec<_>>());
        assert_eq!(root.followed(b"usr/bin/pager").as_deref(), Some(&b"usr/bin/less"[..]));
    }
}
