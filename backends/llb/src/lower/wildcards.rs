//! Names as patterns that match only them, and sources that may carry the same name.

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::glob::{Glob, has_wildcard};
use cogpack_ir::plan::{Spanned, Template};

use super::{gap, paths};

/// A path of a source as BuildKit's copy takes it: its beginning without wildcards beside it.
pub(crate) struct Pattern {
    /// The whole.
    pub(crate) path: String,
    /// The directories before the first wildcard; empty where there is none.
    pub(crate) fixed: String,
}

/// A path with wildcards.
pub(crate) fn pattern(glob: &Glob) -> Pattern {
    let mut pattern = Pattern { path: String::new(), fixed: String::new() };
    let mut is_fixed = true;
    for part in glob.parts() {
        // BuildKit takes escapes only in a part that has a wildcard.
        let part = part.as_name().map_or_else(|| part.to_string(), |name| as_pattern(&name));
        is_fixed &= !has_wildcard(&part);
        pattern.path.push('/');
        pattern.path.push_str(&part);
        if is_fixed {
            pattern.fixed.push('/');
            pattern.fixed.push_str(&part);
        }
    }
    pattern
}

/// A path whose last part is a wildcard that matches only it.
pub(super) fn forgiving(above: &str, name: &str) -> String {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    format!("{}/{}{}", escaped(above), as_class(first), as_pattern(rest))
}

/// A directory as a pattern that matches only it, without a `/` at its end.
pub(super) fn escaped(directory: &str) -> String {
    let parts = directory.split('/').filter(|part| !part.is_empty());
    parts.flat_map(|part| ["/".to_owned(), as_pattern(part)]).collect()
}

/// A character as a set of that one: a wildcard that matches only it.
fn as_class(character: &str) -> String {
    match character {
        "\\" | "]" | "^" | "-" | "[" => format!("[\\{character}]"),
        _ => format!("[{character}]"),
    }
}

/// A text as a pattern that matches only it.
fn as_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    let mut room = [0; 4];
    for character in text.chars() {
        match character {
            '*' | '?' | '[' | '\\' => pattern.push_str(&as_class(character.encode_utf8(&mut room))),
            _ => pattern.push(character),
        }
    }
    pattern
}

/// Refuses sources of which two may carry one name from different directories: the one that is
/// copied last would win, where all other builders call it an error.
pub(crate) fn refuse_collisions(sources: &[Spanned<Template>]) -> Result<(), Unsupported> {
    let mut seen: Vec<(String, String)> = Vec::with_capacity(sources.len());
    for named in sources {
        let path = paths::path(named)?;
        let (above, name) = paths::split(&path).unwrap_or(("/", ""));
        let many_directories = has_wildcard(above);
        let collides = many_directories
            || seen.iter().any(|(other_above, other)| other_above != above && may_coincide(other, name));
        if collides {
            return Err(gap(
                "cpk::unsupported::collision",
                format!("`{}`, which may carry the same name as another source", named.as_written()),
                named.span,
                "copy from each directory by a `copy` of its own",
            ));
        }
        seen.push((above.to_owned(), name.to_owned()));
    }
    Ok(())
}

/// Whether two names, with wildcards or not, may stand for one. They cannot where their fixed
/// beginnings or ends differ.
fn may_coincide(one: &str, other: &str) -> bool {
    if !has_wildcard(one) && !has_wildcard(other) {
        return one == other;
    }
    let is_wild = ['*', '?', '[', '\\'];
    let beginning = |name: &str| name.split(is_wild).next().unwrap_or_default().to_owned();
    // What follows a `[` or `\` may be part of it, so the fixed end starts after the last `*` or
    // `?` only where neither stands in the name.
    let end = |name: &str| match name.contains(['[', '\\']) {
        true => String::new(),
        false => name.rsplit(is_wild).next().unwrap_or_default().to_owned(),
    };
    let (first, second) = (beginning(one), beginning(other));
    let (last, second_last) = (end(one), end(other));
    (first.starts_with(&second) || second.starts_with(&first))
        && (last.ends_with(&second_last) || second_last.ends_with(&last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collide(sources: &[&str]) -> bool {
        let sources: Vec<Spanned<Template>> =
            sources.iter().map(|source| Spanned::nowhere(Template::literal(source))).collect();
        refuse_collisions(&sources).is_err()
    }

    #[test]
    fn only_sources_that_may_carry_one_name_collide() {
        for apart in [
            &["a", "b"][..],
            &["*.py", "main.*"],
            &["x/*.py", "y/*.toml"],
            &["x/a*", "y/b*"],
            &["x/a", "y/b"],
            &["a.py", "*.py"],
        ] {
            assert!(!collide(apart), "{apart:?}");
        }
        for together in
            [&["x/a", "y/a"][..], &["x/*", "y/a"], &["x/*.py", "y/a*"], &["*/a"], &["x/[ab]", "y/b"]]
        {
            assert!(collide(together), "{together:?}");
        }
    }

    #[test]
    fn names_become_patterns_that_match_only_them() {
        for name in ["venv", "a*b", "[x]", "\\", "^", "-a", "]", "é"] {
            let path = forgiving("/", name);
            let pattern = path.trim_start_matches('/');
            let glob = Glob::new(pattern).unwrap_or_else(|error| panic!("{error}"));
            assert!(glob.matches_name(name.as_bytes()), "{pattern}");
            assert!(!glob.matches_name(b"other"), "{pattern}");
            assert!(has_wildcard(pattern));
        }
    }
}
