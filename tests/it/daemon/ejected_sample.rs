//! Which rows of the copy suite a slow tool builds: one of each that its dialect says in another way,
//! for another outcome, of other kinds of files. All of them, where a variable asks for that.

use std::collections::BTreeSet;
use std::path::Path;

/// With this variable every tool builds every row, and mounts every name at every place.
const ALL_ROWS: &str = "COGPACK_TEST_ALL_COPIES";

/// Whether a tool builds all rows. A row with BuildKit is an instruction in a build of many; with the
/// others it costs a container or a build.
pub fn builds_all(is_slow: bool) -> bool {
    !is_slow || std::env::var_os(ALL_ROWS).is_some()
}

/// The instructions of an eject without what names stand in them, so that two rows which are said in
/// the same way have the same outline.
pub fn outline(eject: &Path) -> String {
    let text = std::fs::read_to_string(eject.join("Dockerfile")).expect("the eject has a Dockerfile");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut seen = BTreeSet::new();
    let outlines = lines.map(|line| {
        let line = unnamed(line);
        line.split(' ').map(without_value).collect::<Vec<_>>().join(" ")
    });
    outlines.filter(|line| seen.insert(line.clone())).collect::<Vec<_>>().join("\n")
}

/// The kinds of files of a sketch, and which of them have modes and owners of their own.
pub fn kinds(sketch: &str) -> String {
    let kind = |entry: &str| {
        let (entry, owner) = entry.split_once('@').map_or((entry, ""), |(entry, _)| (entry, " owner"));
        let (entry, mode) = match entry.rsplit_once(':') {
            Some((entry, mode)) if mode.len() == 4 && mode.starts_with('0') => (entry, " mode"),
            Some((entry, mode)) if mode.len() == 4 => (entry, " bits"),
            Some(_) | None => (entry, ""),
        };
        let (path, kind) = match entry.split_once("->") {
            Some((path, target)) if target.starts_with('/') => (path, "link from the root"),
            Some((path, target)) if target.starts_with("..") => (path, "link up"),
            Some((path, _)) => (path, "link"),
            None if entry.contains("=>") => (entry, "hard link"),
            None if entry.ends_with('/') => (entry.trim_end_matches('/'), "directory"),
            None => (entry.split_once('=').map_or(entry, |(path, _)| path), "file"),
        };
        let is_odd = |it: char| !it.is_ascii_alphanumeric() && it != '/' && it != '.';
        let odd: String = path.chars().filter(|it| is_odd(*it)).collect();
        let below = if path.contains('/') { "below " } else { "" };
        format!("{below}{odd}{kind}{mode}{owner}")
    };
    let kinds: BTreeSet<String> = sketch.split_whitespace().map(kind).collect();
    kinds.into_iter().collect::<Vec<_>>().join(" ")
}

/// A problem without the paths that it names.
pub fn unquoted(problem: &str) -> String {
    problem.split('`').step_by(2).collect()
}

/// A line with each path of plain names as short as it can be; instructions, flags and the arguments
/// of programs stay.
fn unnamed(line: &str) -> String {
    let is_name = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
    let word = |word: &str| -> String {
        let is_program = ["/bin/", "/usr/bin/"].iter().any(|place| word.contains(&format!("\"{place}")));
        if word.starts_with("--") || !word.contains('/') || is_program {
            return word.to_owned();
        }
        let mut shape = String::new();
        for it in word.chars() {
            match it {
                _ if is_name(it) && shape.ends_with('x') => {}
                _ if is_name(it) => shape.push('x'),
                _ => shape.push(it),
            }
        }
        while shape.contains("/x/x/") {
            shape = shape.replace("/x/x/", "/x/");
        }
        shape
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A flag without its value, and a name of a stage without its number.
fn without_value(word: &str) -> String {
    match word.split_once('=') {
        Some((flag, _)) if flag.starts_with("--") => flag.to_owned(),
        Some(_) | None => word.trim_end_matches(|it: char| it.is_ascii_digit() || it == '-').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_hold_what_is_said_and_not_of_what() {
        let line = |line: &str| unnamed(line).split(' ').map(without_value).collect::<Vec<_>>().join(" ");
        let same = "COPY --from --chown /x/x /x/";
        assert_eq!(line("COPY --from=sources --chown=0:0 /var/rows/12/a /var/rows/12/b/"), same);
        assert_eq!(line("COPY --from=before-checked --chown=5:6 /rows/7/a.py /srv/d/"), same);
        assert_ne!(line("COPY --from=sources --chown=0:0 /var/rows/12/[a] /var/rows/12/b/"), same);
        assert_eq!(
            line(r#"RUN ["/usr/bin/test", "!", "-L", "/a/b/c"]"#),
            r#"RUN ["/usr/bin/test", "!", "-L", "/x/x"]"#
        );
        assert_eq!(kinds("a/x=1 b/c=2 l->/d/a d=3:0700@1:2"), kinds("q/r=9 l->/x/y e=4:0711@5:6"));
        assert_ne!(kinds("a/x=1"), kinds("a/x->y"));
        assert_eq!(unquoted("`a` is not `b`"), unquoted("`c` is not `d/e`"));
    }
}
