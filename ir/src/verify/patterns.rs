//! Patterns of `include` and `exclude`.
//!
//! They have `*`, `?` and `**` and nothing else. Character classes, alternatives and escapes
//! differ between BuildKit's matcher, shells and glob libraries, so that a pattern with one
//! would mean one thing here and another there.

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::PathRule;

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PatternFinding {
    /// It has nothing in it.
    #[error("the pattern is empty")]
    #[diagnostic(code(cpk::pattern::empty), help("write `**` for everything, or take the rule away"))]
    Empty {
        /// The pattern.
        #[label("nothing matches this")]
        place: Place,
    },
    /// It is none.
    #[error("`{pattern}` is not a pattern: {reason}")]
    #[diagnostic(code(cpk::pattern::invalid), help("{way_out}"))]
    Invalid {
        /// The pattern.
        pattern: String,
        /// The rule it breaks.
        reason: &'static str,
        /// What to write.
        way_out: &'static str,
        /// The pattern.
        #[label("this pattern")]
        place: Place,
    },
}

/// Checks the patterns of some rules.
pub(super) fn check(rules: &[PathRule], findings: &mut Vec<Finding>) {
    for rule in rules {
        let pattern = rule.pattern.value.as_str();
        let place = rule.pattern.span.place();
        if pattern.is_empty() {
            findings.push(PatternFinding::Empty { place }.into());
        } else if let Err((reason, way_out)) = judge(pattern) {
            let pattern = pattern.to_owned();
            findings.push(PatternFinding::Invalid { pattern, reason, way_out, place }.into());
        }
    }
}

/// The rule that a pattern breaks, and what to write instead.
fn judge(pattern: &str) -> Result<(), (&'static str, &'static str)> {
    if pattern.contains('\\') {
        return Err(("a backslash separates nothing and escapes nothing", "write `/` between directories"));
    }
    if pattern.starts_with('/') {
        return Err(("patterns are relative to the root of what is taken", "take the first `/` away"));
    }
    if pattern.starts_with('!') {
        return Err(("a `!` does not turn a rule around", "write `include` instead of `exclude \"!…\"`"));
    }
    if pattern.contains(['[', ']', '{', '}']) {
        return Err((
            "only `*`, `?` and `**` are special, and `[`, `]`, `{`, `}` are left out because matchers differ on them",
            "write `?` where one of them stands in a file's name, or several rules",
        ));
    }
    if pattern.chars().any(char::is_control) {
        return Err(("it has a control character in it", "write `?` where one stands in a file's name"));
    }
    for part in pattern.trim_end_matches('/').split('/') {
        match part {
            "" => return Err(("it has an empty part between two `/`", "take one `/` away")),
            "." | ".." => {
                return Err((
                    "`.` and `..` are no names of files",
                    "write the path from the root of what is taken, without them",
                ));
            }
            "**" => {}
            part if part.contains("**") => {
                return Err(("`**` stands alone between two `/`", "write `**/*.pyc`, or a single `*`"));
            }
            _ => {}
        }
    }
    Ok(())
}
