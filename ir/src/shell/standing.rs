//! How a command stands among others of its script: what is joined to it, and what its failing means.
//!
//! Read are lists of commands as POSIX has them (2.9.3, "Lists"): commands joined by `&&` and `||`, and lists
//! behind each other. What stands in a group, a branch, a loop or a function is told as nested, and no more.

use super::Extent;
use super::words::{Joint, Token, Word, tokens};

/// How a command stands in its script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// All of it, from its first word to its last, with what stands before its name: variables, `sudo`.
    pub extent: Extent,
    /// What stands before it; `None` where it is the first.
    pub before: Option<Joint>,
    /// What stands behind it; `None` where it is the last.
    pub after: Option<Joint>,
    /// Whether something is done where a command of its list fails, by `||`.
    pub has_alternative: bool,
    /// Whether its list is the last one, whose failing is that of the script.
    pub is_in_last_list: bool,
    /// Whether it stands in a group, a branch, a loop, or behind a word such as `!`.
    pub is_nested: bool,
    /// Whether something is done with what it reads or writes by a redirection.
    pub is_redirected: bool,
}

/// Words that begin something which others end.
const OPENS: [&str; 7] = ["if", "while", "until", "for", "case", "select", "{"];

/// Words that end it.
const CLOSES: [&str; 4] = ["fi", "done", "esac", "}"];

/// Words that stand before a command and open nothing.
const BETWEEN: [&str; 6] = ["then", "elif", "else", "do", "!", "time"];

/// The command of a script that ends at an offset, unless none does.
pub fn standing(script: &str, end: usize) -> Option<Standing> {
    let all = all(script);
    let number = all.iter().position(|one| one.extent.end == end)?;
    let begins = |one: &Standing| !matches!(one.before, Some(Joint::And | Joint::Or | Joint::Pipe));
    let first = all[..=number].iter().rposition(begins).unwrap_or_default();
    let behind = all[number + 1..].iter().position(begins).map_or(all.len(), |more| number + 1 + more);
    let mut found = all[number].clone();
    found.has_alternative = all[first..behind].iter().any(|one| one.before == Some(Joint::Or));
    found.is_in_last_list = behind == all.len();
    Some(found)
}

/// All of them, without what can only be told of lists.
fn all(script: &str) -> Vec<Standing> {
    let mut reading = Reading::default();
    for token in tokens(script) {
        match token {
            Token::Word(word) => reading.words.push(word),
            Token::Target => reading.is_redirected = true,
            Token::Joint(joint) => reading.joint(joint),
        }
    }
    reading.command();
    reading.found
}

#[derive(Default)]
struct Reading {
    found: Vec<Standing>,
    words: Vec<Word>,
    is_redirected: bool,
    /// What was read behind the last command.
    before: Option<Joint>,
    /// How many brackets are open, and how many words that others end.
    brackets: usize,
    compounds: usize,
}

impl Reading {
    fn joint(&mut self, joint: Joint) {
        self.command();
        match joint {
            Joint::Open => self.brackets += 1,
            // A pattern of `case` is closed, and was not opened.
            Joint::Close => self.brackets = self.brackets.saturating_sub(1),
            Joint::Pipe | Joint::And | Joint::Or | Joint::Next | Joint::Background => {}
        }
        if let Some(last) = self.found.last_mut() {
            last.after.get_or_insert(joint);
        }
        // A line's end behind `&&` means nothing, and brackets join nothing.
        if matches!(joint, Joint::And | Joint::Or | Joint::Pipe | Joint::Background) {
            self.before = Some(joint);
        }
    }

    fn command(&mut self) {
        let words = std::mem::take(&mut self.words);
        let is_redirected = std::mem::take(&mut self.is_redirected);
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        let mut is_nested = false;
        for word in &words {
            let word = word.text.as_str();
            if OPENS.contains(&word) {
                self.compounds += 1;
            } else if CLOSES.contains(&word) {
                is_nested = true;
                self.compounds = self.compounds.saturating_sub(1);
            } else if BETWEEN.contains(&word) {
                is_nested = true;
            } else {
                break;
            }
        }
        is_nested |= self.brackets > 0 || self.compounds > 0;
        let before = self.before.take().or((!self.found.is_empty()).then_some(Joint::Next));
        self.found.push(Standing {
            extent: first.extent.start..last.extent.end,
            before,
            after: None,
            has_alternative: false,
            is_in_last_list: false,
            is_nested,
            is_redirected,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How `get` stands: what is before and behind it, and what else is told.
    fn of(script: &str) -> String {
        let end = script.find("get").map(|start| start + "get".len()).expect("it is there");
        let found = standing(script, end).expect("a command ends there");
        let joint = |joint: Option<Joint>| joint.map_or("-".to_owned(), |joint| format!("{joint:?}"));
        let mut said = format!("{} {}", joint(found.before), joint(found.after));
        for (is_so, word) in [
            (found.has_alternative, "alternative"),
            (found.is_in_last_list, "last"),
            (found.is_nested, "nested"),
            (found.is_redirected, "redirected"),
        ] {
            if is_so {
                said += &format!(" {word}");
            }
        }
        said
    }

    #[test]
    fn lists_are_told_apart() {
        for (script, expected) in [
            ("get", "- - last"),
            ("  get # a word\n", "- Next last"),
            ("a && get && b", "And And last"),
            ("a &&\n  get \\\n  && b\n", "And And last"),
            ("set -e\nget\nb", "Next Next"),
            ("a && get; b", "And Next"),
            ("a && get || b; c", "And Or alternative"),
            ("a || get && b", "Or And alternative last"),
            ("a || b\nget", "Next - last"),
            ("get | sh", "- Pipe last"),
            ("get > file && b", "- And last redirected"),
            ("get & wait", "- Background"),
            ("(cd a; get) && b", "Next Close last nested"),
            ("(a) && get", "And - last"),
            ("(a) || get; b", "Or Next alternative"),
            ("(a)\nget", "Next - last"),
            ("get\n(a)", "- Next"),
            ("if a; then get; fi", "Next Next nested"),
            ("if a; then\nget\nfi", "Next Next nested"),
            ("case a in\nb) get;; esac", "Next Next nested"),
            ("f() { a; get; }\nb", "Next Next nested"),
            ("for a in b; do c; done; get", "Next - last"),
            ("! get", "- - last nested"),
        ] {
            assert_eq!(of(script), expected, "{script:?}");
        }
    }

    #[test]
    fn all_of_a_command_is_told() {
        let script = "a; A=1 sudo get -o x y; b";
        let found = standing(script, script.find(" y").map(|at| at + 2).unwrap_or(0)).expect("is one");
        assert_eq!(&script[found.extent], "A=1 sudo get -o x y");
    }
}
