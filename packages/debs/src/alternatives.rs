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
    let commands = without_loops(&joined);
    commands.into_iter().filter_map(|line| alternative(&line))
}

/// The lines of a script, with `for NAME in WORD…; do … done` written out for each word.
fn without_loops(script: &str) -> Vec<String> {
    let mut written = Vec::new();
    let mut lines = script.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let start = line.strip_prefix("for ").and_then(|rest| rest.split_once(" in "));
        let Some((name, words)) = start else {
            written.push(line.to_owned());
            continue;
        };
        let words = words.trim_end_matches("do").trim_end().trim_end_matches(';');
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "done").collect();
        for word in words.split_whitespace() {
            written.extend(body.iter().map(|line| with_value(line, name, word)));
        }
    }
    written
}

/// A line with the value of one variable in it.
fn with_value(line: &str, name: &str, value: &str) -> String {
    let mut parts = line.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let braced = part.strip_prefix('{').and_then(|rest| rest.strip_prefix(name)?.strip_prefix('}'));
        let is_longer =
            |rest: &str| rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        match braced.or_else(|| part.strip_prefix(name).filter(|rest| !is_longer(rest))) {
            Some(rest) => text.extend([value, rest]),
            None => text.extend(["$", part]),
        }
    }
    text
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
    fn loops_are_written_out() {
        let script = "if true; then\n  for prog in one two; do\n    update-alternatives --install /usr/bin/$prog \\\n      $prog /usr/bin/${prog}-im6 10 --slave /m/$prog.1 $prog.1 /m/$prog-im6.1\n    echo $program\n  done\nfi\nupdate-alternatives --install /bin/a a /bin/b 5\n";
        let found: Vec<_> = read(script).collect();
        let targets: Vec<_> = found.iter().map(|one| &*one.link.target).collect();
        assert_eq!(targets, ["/usr/bin/one-im6", "/usr/bin/two-im6", "/bin/b"]);
        assert_eq!(found[1].followers[0].target, "/m/two-im6.1");
        assert_eq!(with_value("echo $program ${prog} $prog", "prog", "x"), "echo $program x x");
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
