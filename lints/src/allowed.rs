//! Comments that allow a finding: `# allow lint::user::root: the server drops its rights itself`.
//!
//! A comment holds for the statement that it stands above or behind, with all that is in it; above a stage or
//! a layer, for all of that. It is for readers of findings alone: to the plan it is a comment like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cogpack_ir::finding::Place;
use miette::Diagnostic;

use crate::repair::{Edit, Repair};
use crate::text::Text;

/// A comment that does not do what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum AllowFinding {
    /// No finding has the code.
    #[error("the comment allows `{code}`, which no finding has")]
    #[diagnostic(code("lint::allow::unknown"), severity(Warning), help("{way_out}"))]
    Unknown {
        /// What it says.
        code: String,
        /// The code that was meant.
        way_out: String,
        /// The comment.
        #[label("nothing is allowed by this")]
        place: Place,
    },
}

/// What the comments of a text allow.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// By line, counted from 0: the codes that are allowed at what begins there.
    codes: BTreeMap<usize, BTreeSet<String>>,
    /// The offset of each line.
    lines: Vec<usize>,
    /// What is wrong with them, each with what mends it.
    pub findings: Vec<(AllowFinding, Repair)>,
}

/// Reads the comments of a text; `known` are the codes that there are.
pub fn allowed(text: &str, known: &BTreeSet<&str>) -> Allowed {
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut allowed = Allowed { lines, ..Allowed::default() };
    let text = Text(text);
    if !text.can_be_changed() {
        return allowed;
    }
    for comment in text.comments() {
        let words = text.0[comment.clone()].trim_start_matches('#').trim_start();
        let Some(codes) = words.strip_prefix("allow ") else { continue };
        let codes: Vec<&str> = codes.split_whitespace().map_while(code_of).collect();
        for (number, code) in codes.iter().copied().enumerate() {
            if !is_known(code, known) {
                let nearest = cogpack_ir::suggest::nearest(code, families(known));
                let otherwise = "`cogpackc explain` lists the codes";
                let way_out = cogpack_ir::suggest::did_you_mean(nearest, otherwise);
                let repair = repair(text, &comment, &codes, number, nearest);
                let place = Some(comment.clone().into());
                allowed
                    .findings
                    .push((AllowFinding::Unknown { code: code.to_owned(), way_out, place }, repair));
                continue;
            }
            let line = allowed.line_for(text, comment.start);
            allowed.codes.entry(line).or_default().insert(code.to_owned());
        }
    }
    allowed
}

/// A code, or the beginning of several: `lint::apt`. What follows a `:` at its end is prose.
fn code_of(word: &str) -> Option<&str> {
    let code = word.trim_end_matches([',', ':']);
    code.contains("::").then_some(code)
}

/// All codes, and what several of them begin with.
fn families<'k>(known: &BTreeSet<&'k str>) -> BTreeSet<&'k str> {
    let beginnings = |code: &'k str| code.match_indices("::").map(move |(at, _)| &code[..at]);
    known.iter().flat_map(|code| beginnings(code).chain([*code])).filter(|code| code.contains("::")).collect()
}

/// Writes what was meant, or takes away what allows nothing: the code where others stand beside it, else the
/// comment. Two codes beside each other are never taken at once, so that the last one takes the comment along.
fn repair(
    text: Text<'_>,
    comment: &Range<usize>,
    codes: &[&str],
    number: usize,
    nearest: Option<&str>,
) -> Repair {
    // Each is a part of the text.
    let range = |code: &str| {
        let start = code.as_ptr().addr() - text.0.as_ptr().addr();
        start..start + code.len()
    };
    let code = range(codes[number]);
    match nearest {
        Some(meant) if !codes.contains(&meant) => {
            Repair::new(format!("writes `{meant}`"), vec![Edit::replace(code, meant.to_owned())])
        }
        Some(_) | None => {
            let (what, gone) = match (number.checked_sub(1), codes.get(number + 1)) {
                (_, Some(next)) => ("the code", code.start..range(next).start),
                (Some(before), None) => ("the code", range(codes[before]).end..code.end),
                (None, None) => ("the comment", text.without_line(comment.clone())),
            };
            Repair::new(format!("takes {what} away"), vec![Edit::replace(gone, String::new())])
        }
    }
}

/// Whether there is a code of this name, or one that begins with it.
pub fn is_known(code: &str, known: &BTreeSet<&str>) -> bool {
    known.iter().any(|known| covers(code, known))
}

/// Whether what somebody wrote means this code: the code itself, or the family that it is of.
pub fn covers(written: &str, code: &str) -> bool {
    code.strip_prefix(written).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl Allowed {
    fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The line of the statement that a comment stands above or behind.
    fn line_for(&self, text: Text<'_>, comment: usize) -> usize {
        if !text.0[text.line_start(comment)..comment].trim().is_empty() {
            return self.line_of(comment);
        }
        let mut at = text.line_end(comment);
        while at < text.0.len() {
            let line = text.0[at..text.line_end(at)].trim();
            if !line.is_empty() && !line.starts_with('#') {
                break;
            }
            at = text.line_end(at);
        }
        self.line_of(at)
    }

    /// Whether a finding with this code is allowed at one of these offsets.
    pub fn allows(&self, code: &str, offsets: impl IntoIterator<Item = usize>) -> bool {
        offsets.into_iter().any(|offset| {
            let codes = self.codes.get(&self.line_of(offset));
            codes.is_some_and(|codes| codes.iter().any(|written| covers(written, code)))
        })
    }
}
