//! Copies with rules on daemons whose copies know none: what the rules leave of a directory of the
//! client's is not even sent.
//!
//! The rules of a copy are relative to the copied directory and those of a context to its root,
//! so they are said again with the path of the directory before them. That is the same only if no
//! link leads there; without an answer of the client's only rules that begin with `**/` are, as
//! they say the same everywhere. A directory that is sent only for what is below it is copied like
//! any other, so nothing may be there that it would meet.

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::glob::has_wildcard;
use cogpack_backends_contract::paths::{PatternPair, Selection};
use cogpack_ir::plan::{ContextKind, Copy as PlanCopy, Input};

use crate::known::Kind;
use crate::lower::sources::bad_pattern;
use crate::lower::{Lowering, label, paths};
use crate::wire::Op;
use crate::wire::op::VertexId;

impl<'a> Lowering<'a> {
    /// What a copy takes of a directory of the client's, already without what it leaves. `None`
    /// where that cannot be said. `is_free`: whether nothing is where it lands.
    pub(super) fn filtered(
        &mut self,
        copy: &'a PlanCopy,
        rules: &Selection,
        is_free: bool,
    ) -> Result<Option<VertexId>, Unsupported> {
        let Input::Context(name) = &copy.from.value else { return Ok(None) };
        let context = self.plan.plan().contexts.get(name);
        let Some((context, ContextKind::Directory(directory))) = context.map(|it| (it, &it.kind)) else {
            return Ok(None);
        };
        let [source] = copy.form.sources() else { return Ok(None) };
        let path = paths::path(source)?;
        let bad = |error| bad_pattern(&error, copy.from.span);
        let own = Selection::new(&directory.rules).map_err(bad)?.to_pattern_pair();
        let Some(patterns) = self.said_from_the_root(name, &path, rules, is_free) else { return Ok(None) };
        let Some(both) = both(own, patterns) else { return Ok(None) };
        // The daemon keeps a copy of each, so that neither makes the other be sent again.
        let hint = format!("{} without {}", name.as_str(), both.excludes.join(" "));
        let followed = (path != "/").then(|| vec![&path[1..]]);
        let source = self.local(name, hint.into(), both, followed);
        self.needs.directories.insert(name.clone());
        let label = label(format!("context {name}: dir {}", directory.path.value), context.span);
        self.add(&Op::Source(source), label, copy.from.span).map(Some)
    }

    /// The rules of a copy of `path`, as ignore lines of the whole context.
    fn said_from_the_root(
        &self,
        context: &cogpack_ir::plan::InputName,
        path: &str,
        rules: &Selection,
        is_free: bool,
    ) -> Option<Vec<String>> {
        let lines = rules.to_ignore_lines();
        let kind = if path == "/" { Some(Kind::Directory) } else { self.settings.known.kind(context, path) };
        match kind {
            // Rules are for what is below a directory.
            Some(Kind::File) => Some(Vec::new()),
            Some(Kind::Directory) if rules.only_excludes() || is_free => {
                let is_plain = !path.contains(['*', '?', '[', ']', '\\', '!']);
                let prefix = path.trim_start_matches('/');
                is_plain.then(|| lines.iter().map(|line| below(prefix, line)).collect())
            }
            Some(Kind::Directory) => None,
            None => {
                let is_everywhere = lines.iter().all(|line| line.starts_with("**/"));
                let parts: Vec<&str> = path.split('/').skip(1).collect();
                let is_the_same =
                    rules.only_excludes() && is_everywhere && !has_wildcard(path) && rules.takes(&parts);
                is_the_same.then_some(lines)
            }
        }
    }
}

/// One ignore line, for a directory alone.
fn below(directory: &str, line: &str) -> String {
    let (back, pattern) = match line.strip_prefix('!') {
        Some(pattern) => ("!", pattern),
        None => ("", line),
    };
    // The directory itself is always taken.
    let pattern = if pattern == "**" { "*" } else { pattern };
    match directory {
        "" => format!("{back}{pattern}"),
        _ => format!("{back}{directory}/{pattern}"),
    }
}

/// What is left by a context's own patterns and by further ignore lines. Lines that take back
/// would take back what the others leave, so they come first; both kinds cannot.
fn both(own: PatternPair, lines: Vec<String>) -> Option<PatternPair> {
    let take_back = |lines: &[String]| lines.iter().any(|line| line.starts_with('!'));
    let PatternPair { includes, excludes } = own;
    let excludes = match (take_back(&excludes), take_back(&lines)) {
        (true, true) => return None,
        (_, false) => [excludes, lines].concat(),
        (false, true) => [lines, excludes].concat(),
    };
    Some(PatternPair { includes, excludes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_for_one_directory() {
        for (directory, line, expected) in [
            ("", "**/*.pyc", "**/*.pyc"),
            ("a/b", "s", "a/b/s"),
            ("a", "!s/y", "!a/s/y"),
            ("a", "**", "a/*"),
            ("", "**", "*"),
        ] {
            assert_eq!(below(directory, line), expected);
        }
    }

    #[test]
    fn what_one_list_leaves_the_other_does_not_take_back() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let pair = |excludes| PatternPair { includes: Vec::new(), excludes: texts(excludes) };
        assert_eq!(both(pair(&["x", "!x/y"]), texts(&["z"])), Some(pair(&["x", "!x/y", "z"])));
        assert_eq!(both(pair(&["x"]), texts(&["*", "!z"])), Some(pair(&["*", "!z", "x"])));
        assert_eq!(both(pair(&["x", "!x/y"]), texts(&["*", "!z"])), None);
    }
}
