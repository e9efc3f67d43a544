//! "Did you mean": the name in scope that is nearest to one that is not.

use std::fmt::Display;

use crate::finding::Finding;

/// After this many findings no more searches are made: each looks at thousands of names, and
/// nobody reads as many hints.
const MOST_FINDINGS: usize = 200;

/// Beyond this many names the search is left out: it would cost more than it helps.
const MOST_NAMES: usize = 4096;

/// The candidate nearest to `word`, where one is near enough to be a slip of it: about one
/// letter in three may be wrong, missing, too many, or swapped with its neighbour. A single
/// letter is a slip of nothing, since it is as near to any other.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().collect();
    let allowed = (word.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for (count, candidate) in candidates.into_iter().enumerate() {
        if count >= MOST_NAMES {
            return None;
        }
        let letters: Vec<char> = candidate.chars().collect();
        if letters.len().min(word.len()) < 2 || letters.len().abs_diff(word.len()) > allowed {
            continue;
        }
        let distance = distance(&word, &letters);
        if distance <= allowed && best.is_none_or(|best| (distance, candidate) < best) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// [`nearest`], as long as there are few findings.
pub fn nearest_while_few<'a>(
    findings: &[Finding],
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if findings.len() < MOST_FINDINGS { nearest(word, candidates) } else { None }
}

/// A help that asks whether `suggestion` was meant, or else says `otherwise`.
pub fn did_you_mean(suggestion: Option<impl Display>, otherwise: &str) -> String {
    match suggestion {
        Some(name) => format!("did you mean `{name}`?"),
        None => otherwise.to_owned(),
    }
}

/// How many letters to change, add, leave out or swap with their neighbour (optimal string
/// alignment).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for row in 1..=from.len() {
        let mut current = vec![row; to.len() + 1];
        for column in 1..=to.len() {
            let change = usize::from(from[row - 1] != to[column - 1]);
            let mut cost = (last[column] + 1).min(current[column - 1] + 1).min(last[column - 1] + change);
            let swapped =
                row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
            if swapped {
                cost = cost.min(before_last[column - 2] + 1);
            }
            current[column] = cost;
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;
    use crate::finding;
    use crate::syntax::parse;
    use crate::verify::verify;

    const NAMES: [&str; 4] = ["build-base", "venv", "app", "runtime-base"];

    #[test]
    fn slips_are_understood() {
        assert_eq!(nearest("vnev", NAMES), Some("venv"));
        assert_eq!(nearest("buildbase", NAMES), Some("build-base"));
        assert_eq!(nearest("ap", NAMES), Some("app"));
        assert_eq!(nearest("runtime_bse", NAMES), Some("runtime-base"));
    }

    #[test]
    fn other_words_are_not() {
        assert_eq!(nearest("wheel", NAMES), None);
        assert_eq!(nearest("x", NAMES), None);
        assert_eq!(nearest("a", ["b", "ab"]), None);
        assert_eq!(nearest("ab", ["b"]), None);
        assert_eq!(nearest("venv", []), None);
    }

    #[test]
    fn of_two_equally_near_names_the_first_by_alphabet_is_meant() {
        assert_eq!(nearest("venx", ["venz", "veny"]), Some("veny"));
    }

    #[test]
    fn a_plan_of_nothing_but_slips_gets_some_hints_and_as_many_findings_as_are_read() {
        let slips: String = (0..1000).map(|number| format!("stage %s{number} from %ap\n")).collect();
        let text = format!("cpk 1\nstage %app from scratch\n{slips}export from %app {{}}\n");
        let findings = verify(parse(&text).plan).expect_err("names are missing");
        let hints = findings.iter().filter_map(Diagnostic::help).map(|help| help.to_string());
        let meant = hints.filter(|hint| hint == "did you mean `%app`?").count();
        let unknown = findings.iter().filter(|finding| finding.is_error()).count();
        assert_eq!((unknown, meant), (finding::MOST + 1, MOST_FINDINGS));
    }
}
