//! The patterns of ignore files: `*`, `?`, `[a-z]` and `\` as in Go's `filepath.Match`, with `**`
//! for any number of directories.
//!
//! Own code, because a file's meaning must be Docker's to the letter: braces are plain text,
//! `[^a]` negates (`[!a]` does not), a class may stand for `/`, and `**` may stand inside a name.
//! Names are bytes: a character is one of UTF-8, or one byte where the bytes are not UTF-8.

use std::iter::Peekable;
use std::str::Chars;

/// A pattern, ready to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    /// A `[` without its `]`, or with something else inside than characters and ranges.
    #[error("a `[` has no `]`, or holds something else than characters and ranges")]
    Class,
    /// A backslash with nothing behind it.
    #[error("a `\\` at the end escapes nothing")]
    Escape,
}

/// A character: that of UTF-8, or past all of them a byte that is none.
type Unit = u32;

const SLASH: Unit = b'/' as Unit;
const FIRST_STRAY_BYTE: Unit = char::MAX as Unit + 1;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// This character.
    Literal(Unit),
    /// `?`: one character but `/`.
    Any,
    /// `*`: any characters but `/`.
    Star,
    /// `**/`: nothing, or the token after this one, which it always has.
    Directories,
    /// Any characters up to and with a `/`.
    UpToSlash,
    /// `**` at the end, or at the start of a pattern without other wildcards: anything.
    Anything,
    /// `[a-z]`: one character in one of the ranges, or in none of them.
    Class { negated: bool, ranges: Vec<(Unit, Unit)> },
}

impl Glob {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, InvalidGlob> {
        let mut tokens = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(character) = rest.next() {
            let token = match character {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    if rest.peek().is_none() {
                        Token::Anything
                    } else {
                        tokens.push(Token::Directories);
                        Token::UpToSlash
                    }
                }
                '*' => Token::Star,
                '?' => Token::Any,
                '[' => class(&mut rest)?,
                '\\' => Token::Literal(rest.next().ok_or(InvalidGlob::Escape)?.into()),
                literal => Token::Literal(literal.into()),
            };
            tokens.push(token);
        }
        // Docker takes `**` before plain text as "ends in", even in the middle of a name.
        if let Some(after) = pattern.strip_prefix("**")
            && !after.starts_with('/')
            && !after.is_empty()
            && tokens[2..].iter().all(|token| matches!(token, Token::Literal(_)))
        {
            tokens.splice(..2, [Token::Anything]);
        }
        Ok(Self { tokens })
    }

    /// Whether the whole of `path` matches.
    pub fn matches(&self, path: &[u8]) -> bool {
        // All ways to have come so far at once, so no pattern takes longer than the product of
        // both lengths.
        let mut reached = vec![false; self.tokens.len() + 1];
        reached[0] = true;
        self.step_over(&mut reached);
        for unit in units(path) {
            let mut next = vec![false; reached.len()];
            let mut alive = false;
            for (place, token) in self.tokens.iter().enumerate() {
                if !reached[place] {
                    continue;
                }
                let (stays, moves) = match token {
                    Token::Literal(literal) => (false, unit == *literal),
                    Token::Any => (false, unit != SLASH),
                    Token::Star => (unit != SLASH, false),
                    Token::Directories => (false, false),
                    Token::UpToSlash => (true, unit == SLASH),
                    Token::Anything => (true, false),
                    Token::Class { negated, ranges } => {
                        let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&unit));
                        (false, inside != *negated)
                    }
                };
                next[place] |= stays;
                next[place + 1] |= moves;
                alive |= stays | moves;
            }
            if !alive {
                return false;
            }
            self.step_over(&mut next);
            reached = next;
        }
        reached[self.tokens.len()]
    }

    /// Takes `/` out of every character class.
    pub fn keep_classes_within_names(&mut self) {
        for token in &mut self.tokens {
            let Token::Class { negated, ranges } = token else { continue };
            if *negated {
                ranges.push((SLASH, SLASH));
            } else {
                let around = |(low, high): &(Unit, Unit)| {
                    [(*low, (*high).min(SLASH - 1)), ((*low).max(SLASH + 1), *high)]
                };
                *ranges = ranges.iter().flat_map(around).filter(|(low, high)| low <= high).collect();
            }
        }
    }

    /// The longest start of every path that matches: the text before the first wildcard.
    pub fn literal_start(&self) -> Vec<u8> {
        let mut start = Vec::new();
        for token in &self.tokens {
            let Token::Literal(unit) = token else { break };
            match char::from_u32(*unit) {
                Some(character) => start.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                None => break,
            }
        }
        start
    }

    /// Goes on past every token that may stand for nothing.
    fn step_over(&self, reached: &mut [bool]) {
        for (place, token) in self.tokens.iter().enumerate() {
            if !reached[place] {
                continue;
            }
            match token {
                Token::Star | Token::Anything => reached[place + 1] = true,
                Token::Directories => {
                    reached[place + 1] = true;
                    reached[place + 2] = true;
                }
                Token::Literal(_) | Token::Any | Token::UpToSlash | Token::Class { .. } => {}
            }
        }
    }
}

/// What stands between `[` and `]`.
fn class(rest: &mut Peekable<Chars<'_>>) -> Result<Token, InvalidGlob> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match rest.next() {
            Some(']') if !ranges.is_empty() => return Ok(Token::Class { negated, ranges }),
            first => class_character(first, rest)?,
        };
        let mut high = low;
        if rest.next_if_eq(&'-').is_some() {
            let last = rest.next();
            high = class_character(last, rest)?;
        }
        ranges.push((low, high));
    }
}

fn class_character(first: Option<char>, rest: &mut Peekable<Chars<'_>>) -> Result<Unit, InvalidGlob> {
    match first {
        Some('\\') => rest.next().map(Unit::from).ok_or(InvalidGlob::Class),
        Some('-' | ']') | None => Err(InvalidGlob::Class),
        Some(character) => Ok(character.into()),
    }
}

/// The characters of a name, and its bytes where it has none.
fn units(path: &[u8]) -> impl Iterator<Item = Unit> + '_ {
    path.utf8_chunks().flat_map(|chunk| {
        let stray = chunk.invalid().iter().map(|byte| FIRST_STRAY_BYTE + Unit::from(*byte));
        chunk.valid().chars().map(Unit::from).chain(stray)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Glob::new(pattern).expect("is a pattern").matches(path.as_bytes())
    }

    #[test]
    fn wildcards_stay_within_a_component_and_two_stars_do_not() {
        for (pattern, yes, no) in [
            ("a", &["a"][..], &["b", "a/b", "aa", ""][..]),
            ("*.pyc", &["a.pyc", ".pyc"], &["d/a.pyc", "a.pyd"]),
            ("a?c", &["abc", "aéc"], &["a/c", "ac"]),
            ("**/*.pyc", &["a.pyc", "d/a.pyc", "d/e/a.pyc"], &["a.py"]),
            ("**/a", &["a", "d/a", "d/e/a"], &["da", "d/ea"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
            ("a/**/b", &["a/b", "a/c/b", "a/c/d/b"], &["a/cb", "b"]),
            ("a**b", &["ab", "a/b", "axx/b"], &["axb"]),
            ("**", &["a", "a/b"], &[]),
            ("**.pyc", &["a.pyc", "d/a.pyc"], &["a.py"]),
            ("**.p?c", &[".pyc", "d/.pyc"], &["a.pyc"]),
            ("{a,b}", &["{a,b}"], &["a", "b"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[^a]x", &["bx", "/x", "!x"], &["ax"]),
            ("[!a]x", &["ax", "!x"], &["bx"]),
            (r"\*", &["*"], &["a"]),
            (r"[\]\-]", &["]", "-"], &["a"]),
        ] {
            for path in yes {
                assert!(matches(pattern, path), "`{pattern}` takes `{path}`");
            }
            for path in no {
                assert!(!matches(pattern, path), "`{pattern}` leaves `{path}`");
            }
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for pattern in ["[", "[]", "[a", "[-a]", "[a-]", "[^]", "a\\"] {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn names_that_are_not_utf8_are_matched_byte_by_byte() {
        let glob = Glob::new("a?.txt").expect("is a pattern");
        assert!(glob.matches(b"a\xff.txt"));
        assert!(!glob.matches(b"a\xff\xff.txt"));
        assert!(Glob::new("*").expect("is a pattern").matches(b"\xff\xfe"));
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = "*a".repeat(200);
        assert!(!matches(&pattern, &"a".repeat(199)));
        assert!(matches(&pattern, &"a".repeat(400)));
    }
}
