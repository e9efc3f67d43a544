//! What mends a finding: changes of the text, or why nothing does without a person.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::ask::Question;
use crate::text::Text;

/// One change of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// What is replaced; empty where something is put in.
    pub range: (usize, usize),
    /// What stands there afterwards.
    pub with: String,
}

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// These changes together.
    Edits {
        /// What they do, in a few words: `mounts a cache at /root/.cache/pip`.
        what: String,
        /// Whether the image stays the same.
        safety: Safety,
        /// In the order of the text.
        edits: Vec<Edit>,
    },
    /// What the answer to a question makes of it, which only a server has.
    Ask(Question),
    /// Nothing that could be done without asking a person, and why.
    None(Cow<'static, str>),
}

/// Whether a repair may be made without a look at what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Safety {
    /// The image stays the same, but for what the finding is about.
    Safe,
    /// It changes what the image is or does, or may; and what a person should look at then.
    Unsafe(String),
}

/// Why a plan in JSON is left alone.
pub(crate) const NOT_IN_JSON: &str = "only the text form is mended, since JSON is for programs to write";

impl Repair {
    /// A safe one.
    pub fn new(what: String, mut edits: Vec<Edit>) -> Self {
        edits.sort();
        Self::Edits { what, safety: Safety::Safe, edits }
    }

    /// An unsafe one; `look` is what a person should look at.
    pub fn with_a_look(what: String, look: String, mut edits: Vec<Edit>) -> Self {
        edits.sort();
        Self::Edits { what, safety: Safety::Unsafe(look), edits }
    }

    /// None, and why.
    pub fn none(why: impl Into<Cow<'static, str>>) -> Self {
        Self::None(why.into())
    }

    /// Whether it can be made: a safe one always, an unsafe one where these are asked for.
    pub fn is_made(&self, with_unsafe: bool) -> bool {
        match self {
            Self::Edits { safety: Safety::Safe, .. } => true,
            Self::Edits { safety: Safety::Unsafe(_), .. } => with_unsafe,
            // Until it is answered there is nothing to be made.
            Self::Ask(_) | Self::None(_) => false,
        }
    }
}

impl Edit {
    pub(crate) fn replace(range: Range<usize>, with: String) -> Self {
        Self { range: (range.start, range.end), with }
    }

    pub(crate) fn insert(at: usize, with: String) -> Self {
        Self { range: (at, at), with }
    }
}

/// The text after as many of these repairs as do not get in each other's way, the first ones first, unsafe
/// ones where they are asked for; and which of them were made. What two of them put into one place in the
/// same words is put there once.
pub fn apply(text: &str, repairs: &[&Repair], with_unsafe: bool) -> (String, Vec<bool>) {
    // None of them is in another's way, so their ends are in the order of their starts.
    let mut taken: BTreeSet<&Edit> = BTreeSet::new();
    let mut made = Vec::new();
    for repair in repairs {
        let edits = match repair {
            Repair::Edits { edits, .. } if repair.is_made(with_unsafe) => edits,
            Repair::Edits { .. } | Repair::Ask(_) | Repair::None(_) => {
                made.push(false);
                continue;
            }
        };
        let in_the_way = |edit: &&Edit| {
            let behind = Edit { range: (edit.range.1 + 1, 0), with: String::new() };
            let before = taken.range::<&Edit, _>(..&behind).rev();
            before.take_while(|other| other.range.1 >= edit.range.0).any(|other| {
                let overlap = edit.range.0 < other.range.1 && other.range.0 < edit.range.1;
                other != edit && (overlap || edit.range.0 == other.range.0)
            })
        };
        let fits = !edits.iter().any(|edit| in_the_way(&edit));
        if fits {
            taken.extend(edits);
        }
        made.push(fits);
    }
    let mut changed = String::with_capacity(text.len());
    let mut at = 0;
    for edit in taken {
        changed.push_str(&text[at..edit.range.0]);
        changed.push_str(&edit.with);
        at = edit.range.1;
    }
    changed.push_str(&text[at..]);
    (changed, made)
}

/// Puts a declaration behind the line of `cpk 1`, where no comment stands that belongs to another one.
pub(crate) fn declaration(text: Text<'_>, words: &str) -> Option<Edit> {
    let mut at = text.0.len() - text.0.trim_start_matches('\u{feff}').len();
    loop {
        let rest = &text.0[at..];
        at += rest.len() - rest.trim_start().len();
        if !text.0[at..].starts_with('#') {
            break;
        }
        at = text.line_end(at);
    }
    let rest = text.0[at..].strip_prefix("cpk")?;
    let version = rest.trim_start().strip_prefix('1')?;
    let header = text.0.len() - version.len();
    Some(match text.ends_its_line(header) {
        true => Edit::insert(text.line_end(header), format!("\n{words}\n")),
        false => Edit::insert(header, format!("\n\n{words}\n\n")),
    })
}

/// Puts a line into the block of a statement that begins at `start` and whose words end at `end`, and makes
/// the block where there is none.
pub(crate) fn line_in_block(text: Text<'_>, start: usize, end: usize, words: &str) -> Edit {
    let indentation = text.indentation(start);
    match text.block_after(end) {
        Some(open) if text.ends_its_line(open + 1) => {
            Edit::insert(text.line_end(open), format!("{}  {words}\n", text.indentation(open)))
        }
        Some(open) => Edit::insert(open + 1, format!(" {words} ")),
        None => Edit::insert(end, format!(" {{\n{indentation}  {words}\n{indentation}}}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repair(edits: &[(usize, usize, &str)]) -> Repair {
        let edit = |(start, end, with): &(usize, usize, &str)| Edit {
            range: (*start, *end),
            with: (*with).to_owned(),
        };
        Repair::new("mends".to_owned(), edits.iter().map(edit).collect())
    }

    #[test]
    fn what_gets_in_the_way_of_another_waits() {
        let first = repair(&[(0, 0, "x "), (4, 6, "Y")]);
        let same_place = repair(&[(0, 0, "z ")]);
        let shared = repair(&[(0, 0, "x "), (9, 9, "!")]);
        let within = repair(&[(5, 5, "?")]);
        let covers = repair(&[(3, 8, "")]);
        let behind = repair(&[(6, 7, "-")]);
        let none = Repair::none("why");
        let all = [&first, &same_place, &shared, &within, &covers, &none, &behind];
        let (changed, made) = apply("0123456789", &all, false);
        assert_eq!(changed, "x 0123Y-78!9");
        assert_eq!(made, [true, false, true, false, false, false, true]);
    }

    #[test]
    fn unsafe_repairs_are_made_where_they_are_asked_for() {
        let safe = repair(&[(0, 1, "a")]);
        let edits = vec![Edit { range: (1, 2), with: "b".to_owned() }];
        let unsafe_one = Repair::with_a_look("mends".to_owned(), "who reads it".to_owned(), edits);
        let all = [&safe, &unsafe_one];
        assert_eq!(apply("012", &all, false), ("a12".to_owned(), vec![true, false]));
        assert_eq!(apply("012", &all, true), ("ab2".to_owned(), vec![true, true]));
    }
}
