//! Which shell a script is handed to, and the variables that hold for one script alone.
//!
//! `RUN` hands its text to the shell that the image's config names. `SHELL` names another one there,
//! in all that starts from the stage too, and nothing takes that back. So it is said where the
//! exported image says a shell itself, or does not come from the stage.

use std::collections::BTreeSet;

use cogpack_backends_contract::image_config::settings;
use cogpack_ir::plan::Input;
use cogpack_ir::resolve::Resolved;

use crate::lowering::Lowering;

/// Where `SHELL` may stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shells {
    /// Whether the exported image names a shell, so that it can be said again in the end.
    is_exported: bool,
    /// What the exported image starts from, all the way up.
    under_export: BTreeSet<Input>,
}

impl Shells {
    pub(crate) fn of(plan: &Resolved) -> Self {
        let mut under_export = BTreeSet::new();
        let mut waiting = vec![plan.export().from.value.clone()];
        while let Some(input) = waiting.pop() {
            if !under_export.insert(input.clone()) {
                continue;
            }
            match &input {
                Input::Stage(name) => {
                    let from = &plan.stage(plan.id(name)).from;
                    waiting.extend(from.iter().map(|from| from.value.clone()));
                }
                Input::Phase(phase) => {
                    let merge = plan.merge(phase);
                    let branches = merge.branches.iter().map(|id| plan.stage(*id).name.value.clone());
                    waiting.extend(branches.map(Input::Stage));
                    waiting.push(merge.base.clone());
                }
                Input::Scratch | Input::Image(_) | Input::Context(_) => {}
            }
        }
        Self { is_exported: settings(plan).shell.is_some(), under_export }
    }
}

impl Lowering<'_> {
    /// Whether `SHELL` may stand in what is made of an input.
    pub(crate) fn may_name_shells(&self, of: &Input) -> bool {
        self.shells.is_exported || !self.shells.under_export.contains(of)
    }
}

/// Words that a shell gives a meaning of its own, as names of variables: what is exported there is not
/// what a program's environment would say.
const OF_SHELLS: [&str; 12] = [
    "IFS",
    "OPTIND",
    "OPTARG",
    "OPTERR",
    "PPID",
    "LINENO",
    "UID",
    "EUID",
    "GROUPS",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
];

/// A script with the variables that hold for it alone said in it; `None` where its shell may be none
/// that knows `export`, or gives one of their names a meaning.
pub(crate) fn with_variables(
    shell: &[String],
    variables: &[(String, String)],
    script: &str,
) -> Option<String> {
    if variables.is_empty() {
        return Some(script.to_owned());
    }
    if !knows_export(shell) || !variables.iter().all(|(name, _)| can_be_exported(name)) {
        return None;
    }
    let assignments: Vec<String> =
        variables.iter().map(|(name, value)| format!("{name}={}", shell_word(value))).collect();
    let separator = if script.contains('\n') { "\n" } else { "; " };
    Some(format!("export {}{separator}{script}", assignments.join(" ")))
}

/// Whether a shell is one of those that agree on `export`, and begins with nothing but the script.
fn knows_export(shell: &[String]) -> bool {
    let [program, options @ ..] = shell else { return false };
    let name = program.rsplit('/').next().unwrap_or_default();
    let is_plain = |option: &String| {
        option == "pipefail"
            || option
                .strip_prefix('-')
                .is_some_and(|letters| letters.chars().all(|letter| "ceuxo".contains(letter)))
    };
    matches!(name, "sh" | "bash" | "dash" | "ash")
        && options.iter().all(is_plain)
        && options.last().is_some_and(|last| last.starts_with('-') && last.contains('c'))
}

fn can_be_exported(name: &str) -> bool {
    let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(is_name)
        // What the loader and the shell read when they start is said before them.
        && !["LD_", "BASH", "ENV", "PS", "PWD", "OLDPWD"].iter().any(|start| name.starts_with(start))
        && !OF_SHELLS.contains(&name)
}

/// A text as a shell reads it back.
pub(crate) fn shell_word(text: &str) -> String {
    let is_bare = |it: char| it.is_ascii_alphanumeric() || "._+@/:,%-".contains(it);
    if !text.is_empty() && text.chars().all(is_bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn variables_of_a_script_are_exported_in_it_where_its_shell_takes_them_as_they_are() {
        let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let sh = words(&["/bin/sh", "-c"]);
        let said = |shell: &[String], name, value, script| with_variables(shell, &one(name, value), script);
        assert_eq!(said(&sh, "A", "b", "make"), Some("export A=b; make".to_owned()));
        assert_eq!(said(&sh, "A", "it's", "a\nb\n"), Some("export A='it'\\''s'\na\nb\n".to_owned()));
        assert_eq!(said(&sh, "A", "", "a"), Some("export A=''; a".to_owned()));
        let strict = words(&["/bin/bash", "-euo", "pipefail", "-c"]);
        assert!(said(&strict, "A", "b", "make").is_some());
        for name in ["IFS", "LD_PRELOAD", "BASH_ENV", "a-b", "1A", ""] {
            assert_eq!(said(&sh, name, "b", "make"), None, "{name}");
        }
        for shell in [&["/usr/bin/python3", "-c"][..], &["/bin/bash", "-lc"], &["/bin/sh"], &[]] {
            assert_eq!(said(&words(shell), "A", "b", "make"), None, "{shell:?}");
        }
        assert_eq!(with_variables(&words(&["/bin/cat"]), &[], "x"), Some("x".to_owned()));
    }
}
