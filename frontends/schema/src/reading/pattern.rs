//! Whether a text is a regular expression at all.
//!
//! What only Python understands, because it looks around or back, is one. What nobody understands is
//! told: a bracket that is not closed, a repetition of nothing.

use regex::Regex;

/// What is wrong with an expression, and what to do.
pub(super) type Problem = (&'static str, &'static str);

const LITERAL: &str = "write a `\\` before a character that stands for itself, as in `regex=r\"\\(\"`";

/// What keeps a text from being a regular expression.
pub(super) fn problem(pattern: &str) -> Option<Problem> {
    if Regex::new(pattern).is_ok() {
        return None;
    }
    let mut open = 0_usize;
    let mut can_repeat = false;
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                if letters.next().is_none() {
                    return Some(("it ends in a `\\`", "write it twice, or take it away"));
                }
                can_repeat = true;
            }
            '[' => {
                letters.next_if_eq(&'^');
                // A bracket that comes first is one of the letters.
                letters.next_if_eq(&']');
                loop {
                    match letters.next() {
                        None => return Some(("a `[` is not closed", LITERAL)),
                        Some('\\') => {
                            letters.next();
                        }
                        Some(']') => break,
                        Some(_) => {}
                    }
                }
                can_repeat = true;
            }
            '(' => {
                open += 1;
                // What follows `(?` says what kind of group it is.
                letters.next_if_eq(&'?');
                can_repeat = false;
            }
            ')' => match open.checked_sub(1) {
                Some(left) => {
                    open = left;
                    can_repeat = true;
                }
                None => return Some(("a `)` closes nothing", LITERAL)),
            },
            '|' | '^' => can_repeat = false,
            '*' | '+' | '?' if !can_repeat => {
                return Some(("it repeats nothing", LITERAL));
            }
            // `*?` and `*+` say how a repetition is tried.
            '*' | '+' | '?' => {
                if letters.next_if(|next| matches!(next, '?' | '+')).is_none() {
                    can_repeat = false;
                }
            }
            _ => can_repeat = true,
        }
    }
    (open > 0).then_some(("a `(` is not closed", LITERAL))
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn what_nobody_understands_is_told_and_what_python_alone_does_is_not() {
        for pattern in [
            "^[a-z]+$",
            r"\d{2,3}(?:a|b)*?",
            // These look around or back.
            "(?=a)b",
            r"(a)\1+",
            "(?<!x)[]^a]+",
            "(?P<name>x)(?P=name)?",
            r"(?=\()[\]]",
            "a++(?=b)",
        ] {
            assert_eq!(problem(pattern), None, "{pattern}");
        }
        for (pattern, told) in [
            ("(", "a `(` is not closed"),
            ("(?=(a)", "a `(` is not closed"),
            ("a)", "a `)` closes nothing"),
            ("[a-z", "a `[` is not closed"),
            ("[]", "a `[` is not closed"),
            ("*a", "it repeats nothing"),
            ("a|+", "it repeats nothing"),
            ("a\\", "it ends in a `\\`"),
        ] {
            assert_eq!(problem(pattern).map(|(told, _)| told), Some(told), "{pattern}");
        }
    }
}
