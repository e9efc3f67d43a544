//! Globs over paths inside a tree, with the one meaning that all backends can give them.
//!
//! | in a pattern | matches |
//! |---|---|
//! | `*` | any run of characters, not `/` |
//! | `?` | one character, not `/` |
//! | `[a-z]`, `[^a-z]` | one character of, or not of, a set; never `/` |
//! | `\x` | `x` itself |
//! | `**` as a whole component | any number of components; at the end of a pattern at least one |
//! | anything else | itself, braces included |
//!
//! `/` at the start or end and components that are `.` have no effect. Refused, because builders
//! disagree on them: `[!…]`, `**` as a part of a component, and `..`.

use std::fmt;

/// A pattern over paths whose components are `/`-separated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    components: Vec<Component>,
}

/// A text that is no pattern, or one that builders read differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern: {reason}")]
pub struct InvalidGlob {
    /// The refused text.
    pub pattern: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Component {
    /// `**`
    AnyDepth,
    /// Something that matches within one name.
    Name(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `*`
    AnyRun,
    /// `?`
    AnyOne,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, InvalidGlob> {
        let refuse = |reason| InvalidGlob { pattern: pattern.to_owned(), reason };
        let mut components = Vec::new();
        for part in split(pattern) {
            let component = match part.as_str() {
                "" | "." => continue,
                ".." => return Err(refuse("it must not leave the tree by `..`")),
                "**" => Component::AnyDepth,
                _ => Component::Name(tokens(&part).map_err(refuse)?),
            };
            // Two of them in a row say what one says.
            if component != Component::AnyDepth || components.last() != Some(&Component::AnyDepth) {
                components.push(component);
            }
        }
        if components.is_empty() {
            return Err(refuse("it is empty"));
        }
        Ok(Self { components })
    }

    /// Whether the path with these components matches as a whole.
    pub fn matches<N: AsRef<[u8]>>(&self, path: &[N]) -> bool {
        let path: Vec<Vec<u32>> = path.iter().map(|name| characters(name.as_ref())).collect();
        // `reached[i]`: whether the pattern so far matches the first `i` components.
        let mut reached = vec![false; path.len() + 1];
        reached[0] = true;
        for (place, component) in self.components.iter().enumerate() {
            let mut next = vec![false; path.len() + 1];
            match component {
                Component::Name(tokens) => {
                    for (depth, name) in path.iter().enumerate() {
                        next[depth + 1] = reached[depth] && matches_name(tokens, name);
                    }
                }
                Component::AnyDepth => {
                    let at_the_end = place + 1 == self.components.len();
                    let mut any = false;
                    for depth in 0..=path.len() {
                        next[depth] = any || (reached[depth] && !at_the_end);
                        any |= reached[depth];
                    }
                }
            }
            reached = next;
        }
        reached[path.len()]
    }

    /// Whether one name of a directory matches, for a pattern of one component.
    pub fn matches_name(&self, name: &[u8]) -> bool {
        self.matches(&[name])
    }

    /// The pattern's components as patterns of their own; `**` is one of them.
    pub fn parts(&self) -> Vec<Self> {
        self.components.iter().map(|component| Self { components: vec![component.clone()] }).collect()
    }

    /// The only path that the pattern matches, where no wildcard is in it.
    pub fn as_path(&self) -> Option<String> {
        let names: Option<Vec<String>> = self.parts().iter().map(Self::as_name).collect();
        names.map(|names| names.join("/"))
    }

    /// The name that a pattern of one component stands for, where no wildcard is in it.
    pub fn as_name(&self) -> Option<String> {
        let [Component::Name(tokens)] = self.components.as_slice() else { return None };
        tokens.iter().map(|token| if let Token::Literal(it) = token { Some(*it) } else { None }).collect()
    }
}

/// Exactly the same pattern for BuildKit's matcher and for ignore files: what either gives a
/// meaning of its own (a leading `!` or `#`, spaces at the ends, what old matchers hand to a
/// regular expression unescaped) is escaped.
impl fmt::Display for Glob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, component) in self.components.iter().enumerate() {
            if place > 0 {
                out.write_str("/")?;
            }
            match component {
                Component::AnyDepth => out.write_str("**")?,
                Component::Name(tokens) => tokens.iter().try_for_each(|token| token.fmt(out))?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class_member = |out: &mut fmt::Formatter<'_>, it: char| match it {
            '\\' | ']' | '[' | '^' | '-' => write!(out, "\\{it}"),
            _ => write!(out, "{it}"),
        };
        match self {
            // A class: what stands at the end of a line is trimmed, escaped or not, and matchers take no
            // escape of what is not ASCII.
            Self::Literal(it) if it.is_whitespace() || *it == '\u{feff}' => write!(out, "[{it}]"),
            Self::Literal(it) if r"\*?[]{}()|+^!#".contains(*it) => write!(out, "\\{it}"),
            Self::Literal(it) => write!(out, "{it}"),
            Self::AnyRun => out.write_str("*"),
            Self::AnyOne => out.write_str("?"),
            Self::Class { negated, ranges } => {
                out.write_str(if *negated { "[^" } else { "[" })?;
                for (first, last) in ranges {
                    class_member(out, *first)?;
                    if first != last {
                        out.write_str("-")?;
                        class_member(out, *last)?;
                    }
                }
                out.write_str("]")
            }
        }
    }
}

/// Whether `text` has a character that a pattern gives a meaning.
pub fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

/// A path as a pattern that matches it alone.
pub fn literal_pattern(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for it in path.chars() {
        if matches!(it, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(it);
    }
    pattern
}

/// The parts between slashes; `\/` is a slash all the same, as no name holds one.
fn split(pattern: &str) -> Vec<String> {
    pattern.replace("\\/", "/").split('/').map(str::to_owned).collect()
}

fn tokens(part: &str) -> Result<Vec<Token>, &'static str> {
    if part.contains("**") {
        return Err("`**` must stand alone between slashes");
    }
    let mut tokens = Vec::new();
    let mut rest = part.chars();
    while let Some(it) = rest.next() {
        tokens.push(match it {
            '*' => Token::AnyRun,
            '?' => Token::AnyOne,
            '\\' => Token::Literal(rest.next().ok_or("a `\\` must stand before a character")?),
            '[' => class(&mut rest)?,
            _ => Token::Literal(it),
        });
    }
    Ok(tokens)
}

/// What follows a `[`, up to and with its `]`.
fn class(rest: &mut std::str::Chars<'_>) -> Result<Token, &'static str> {
    const OPEN: &str = "a `[` must have its `]`";
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    if rest.as_str().starts_with('!') {
        return Err("`[!…]` has two readings; write `[^…]`, or `!` at another place of the set");
    }
    let mut ranges = Vec::new();
    loop {
        let member = |rest: &mut std::str::Chars<'_>, it: char| match it {
            '\\' => rest.next().ok_or(OPEN),
            _ => Ok(it),
        };
        let first = match rest.next().ok_or(OPEN)? {
            ']' if ranges.is_empty() => return Err("a set must have a member"),
            ']' => return Ok(class_of(negated, ranges)),
            it => member(rest, it)?,
        };
        let mut last = first;
        if rest.as_str().starts_with('-') && !rest.as_str().starts_with("-]") {
            rest.next();
            let it = rest.next().ok_or(OPEN)?;
            last = member(rest, it)?;
        }
        if last < first {
            return Err("a range must go upwards");
        }
        ranges.push((first, last));
    }
}

/// A set of one character is that character, so that equal patterns are equal values.
fn class_of(negated: bool, ranges: Vec<(char, char)>) -> Token {
    match ranges[..] {
        [(first, last)] if first == last && !negated => Token::Literal(first),
        _ => Token::Class { negated, ranges },
    }
}

/// The characters of a name. A byte that is no part of one counts as a character of its own,
/// above all others, so that `?` and `*` match it and no literal does.
fn characters(name: &[u8]) -> Vec<u32> {
    let mut characters = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        characters.extend(chunk.valid().chars().map(u32::from));
        characters.extend(chunk.invalid().iter().map(|byte| 0x11_0000 + u32::from(*byte)));
    }
    characters
}

/// Greedy matching with one point to go back to: the last `*`, which takes one character more
/// each time. Linear in both for each `*`.
fn matches_name(tokens: &[Token], name: &[u32]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut last_run: Option<(usize, usize)> = None;
    while at < name.len() {
        match tokens.get(token) {
            Some(Token::AnyRun) => {
                last_run = Some((token + 1, at));
                token += 1;
            }
            Some(one) if matches_one(one, name[at]) => {
                token += 1;
                at += 1;
            }
            Some(_) | None => match &mut last_run {
                Some((after, taken)) => {
                    *taken += 1;
                    (token, at) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    tokens[token..].iter().all(|rest| *rest == Token::AnyRun)
}

fn matches_one(token: &Token, character: u32) -> bool {
    match token {
        Token::Literal(it) => u32::from(*it) == character,
        Token::AnyOne => true,
        Token::AnyRun => false,
        Token::Class { negated, ranges } => {
            let within =
                |(first, last): &(char, char)| (u32::from(*first)..=u32::from(*last)).contains(&character);
            ranges.iter().any(within) != *negated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        Glob::new(pattern).unwrap_or_else(|error| panic!("{error}")).matches(&path)
    }

    #[test]
    fn patterns_match_what_the_table_says() {
        for (pattern, taken, left) in [
            ("*.py", &["a.py", ".py"][..], &["a.pyc", "d/a.py"][..]),
            ("**/*.py", &["a.py", "d/a.py", "d/e/a.py"], &["a.pyc"]),
            ("d/**", &["d/a", "d/a/b"], &["d", "e/a"]),
            ("**", &["a", "a/b"], &[]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/x", "b"]),
            ("a/**/**/b", &["a/b"], &["a"]),
            ("a?c", &["abc", "aéc"], &["ac", "a/c"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[^a-c]x", &["dx"], &["ax"]),
            (r"[\]\-]", &["]", "-"], &["\\"]),
            ("[a-]", &["a", "-"], &["b"]),
            (r"\*", &["*"], &["a"]),
            ("{a,b}", &["{a,b}"], &["a", "b"]),
            ("/d/./f/", &["d/f"], &["f"]),
            ("*a*b*", &["ab", "xaxbx", "aab"], &["ba", "a"]),
            ("a", &["a"], &["a/b", "A"]),
        ] {
            for path in taken {
                assert!(matches(pattern, path), "`{pattern}` takes `{path}`");
            }
            for path in left {
                assert!(!matches(pattern, path), "`{pattern}` leaves `{path}`");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_characters_match_wildcards_only() {
        let name: &[&[u8]] = &[b"a\xff"];
        assert!(Glob::new("a?").is_ok_and(|glob| glob.matches(name)));
        assert!(Glob::new("a\u{ff}").is_ok_and(|glob| !glob.matches(name)));
    }

    #[test]
    fn what_builders_read_differently_is_refused() {
        for pattern in
            ["", "/", ".", "..", "a/../b", "a**", "**a/b", "[", "[]", "[!a]", "[b-a]", "a\\", "[a\\"]
        {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn the_printed_form_is_escaped_and_means_the_same() {
        for (pattern, printed) in [
            ("/src/**/*.py/", "src/**/*.py"),
            ("!a#b", r"\!a\#b"),
            ("a b ", "a[ ]b[ ]"),
            ("c++(1){x}|^$", r"c\+\+\(1\)\{x\}\|\^$"),
            ("[a-c^]", r"[a-c\^]"),
            ("[^x]", "[^x]"),
        ] {
            let glob = Glob::new(pattern).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(glob.to_string(), printed);
            assert_eq!(Glob::new(printed), Ok(glob));
        }
    }
}
