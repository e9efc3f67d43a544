//! Stages that check what is copied from a stage or image, where a builder would make something
//! else of it without a word: of a link, which `COPY` follows, of a file with setuid or setgid,
//! which some builders take off, and of nothing, where what is named reads as a wildcard. The build
//! then fails where the plan means something else.
//!
//! There is one for each input, and it checks all that is copied from there.

use std::collections::BTreeSet;

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_ir::plan::{Input, Span};

use crate::copy::from_name;
use crate::features::Feature;
use crate::links::{Shown, shown};
use crate::programs::{FALSE, FIND, Made, TEST, made};
use crate::section::Section;
use crate::words::json_list;

/// A stage that checks what is in an input.
#[derive(Debug)]
pub(crate) struct Checked {
    name: String,
    /// What it starts from.
    from: String,
    /// Its place among the sections.
    section: usize,
    never_links: BTreeSet<String>,
    never_set_ids: BTreeSet<String>,
    never_missing: BTreeSet<String>,
}

/// What must not be in what is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Never {
    /// A link at its path.
    pub(crate) link: bool,
    /// Files with setuid or setgid, where the builder would take these off.
    pub(crate) set_ids: bool,
    /// Nothing at its path, where that has to be written as a wildcard.
    pub(crate) missing: bool,
}

/// Whether a path has letters with a meaning in wildcards.
pub(crate) fn is_wildcard(path: &str) -> bool {
    has_wildcard(path) || path.contains('\\')
}

/// What to copy `path` from so that what must not be there is noticed; `None` where it is refused.
pub(crate) fn checked(
    section: &mut Section<'_, '_>,
    input: &Input,
    path: &str,
    never: Never,
    span: Span,
) -> Option<String> {
    let from = from_name(section.lowering, input, span)?;
    let never_link = never.link
        && match shown(section, input, path) {
            Shown::NoLink => false,
            Shown::Hidden | Shown::Covered => true,
            Shown::Link | Shown::Untold => {
                section.lowering.refuse(
                    "cpk::unsupported::link",
                    format!("a copy of `{path}`, which may be a link: `COPY` follows it, the plan keeps it"),
                    span,
                    "write `follow`, or copy the directory that it is in",
                );
                return None;
            }
        };
    let never_set_ids = never.set_ids
        && !section.lowering.knows(Feature::StageSetIds)
        && made(section.lowering, input) == Made::ByPrograms;
    let never_missing = never.missing && is_wildcard(path);
    if never_missing && made(section.lowering, input) != Made::ByPrograms {
        section.lowering.refuse(
            "cpk::unsupported::copy",
            format!(
                "a copy of `{path}`, which is written as a wildcard, from a stage without programs: where it is \
                 missing, nothing is copied without a word"
            ),
            span,
            "copy the directory that it is in, give it another name, or say `optional`",
        );
        return None;
    }
    if !never_link && !never_set_ids && !never_missing {
        return Some(from);
    }
    let lowering = &mut *section.lowering;
    let packages = lowering.packages_of(input);
    let called: &[&str] = if never_set_ids { &[FIND, FALSE] } else { &[] };
    lowering.needs(packages.as_ref(), called, span);
    let called: &[&str] = if never_link || never_missing { &[TEST] } else { &[] };
    lowering.needs(packages.as_ref(), called, span);
    let checked = match lowering.checked.entry(input.clone()) {
        std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
        std::collections::btree_map::Entry::Vacant(new) => {
            let base = match input {
                Input::Stage(name) => name.as_str(),
                Input::Image(name) => name.as_str(),
                Input::Scratch | Input::Phase(_) | Input::Context(_) => "input",
            };
            let name = lowering.names.fresh(&format!("{base}-checked"));
            let section = lowering.sections.len();
            lowering.sections.push(String::new());
            let (never_links, never_set_ids, never_missing) =
                (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            new.insert(Checked { name, from, section, never_links, never_set_ids, never_missing })
        }
    };
    if never_link {
        checked.never_links.insert(path.to_owned());
    }
    if never_missing {
        checked.never_missing.insert(path.to_owned());
    }
    if never_set_ids {
        checked.never_set_ids.insert(path.to_owned());
    }
    // What stands there is what was checked so far: nothing changes an input after its stage.
    lowering.sections[checked.section] = checked.text();
    Some(checked.name.clone())
}

impl Checked {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        if !self.never_links.is_empty() {
            lines.push(
                "# COPY would follow a link, the plan keeps it; `follow` in the plan takes this check away"
                    .to_owned(),
            );
        }
        if !self.never_set_ids.is_empty() {
            lines.push("# COPY would take setuid and setgid off the files that have them".to_owned());
        }
        if !self.never_missing.is_empty() {
            lines.push("# COPY would copy nothing where a name with wildcards is missing".to_owned());
        }
        lines.push(format!("FROM {} AS {}\nUSER 0", self.from, self.name));
        if !self.never_links.is_empty() {
            lines.push(format!("RUN {}", json_list(&no_links(&self.never_links))));
        }
        if !self.never_set_ids.is_empty() {
            lines.push(format!("RUN {}", json_list(&no_set_ids(&self.never_set_ids))));
        }
        if !self.never_missing.is_empty() {
            lines.push(format!("RUN {}", json_list(&all_there(&self.never_missing))));
        }
        lines.join("\n")
    }
}

/// A program that fails if one of these paths is a link.
fn no_links<'p>(paths: impl IntoIterator<Item = &'p String>) -> Vec<&'p str> {
    let mut argv = vec![TEST];
    for path in paths {
        if argv.len() > 1 {
            argv.push("-a");
        }
        argv.extend(["!", "-L", path]);
    }
    argv
}

/// A program that fails unless all these paths are there.
fn all_there<'p>(paths: impl IntoIterator<Item = &'p String>) -> Vec<&'p str> {
    let mut argv = vec![TEST];
    for path in paths {
        if argv.len() > 1 {
            argv.push("-a");
        }
        argv.extend(["-e", path]);
    }
    argv
}

/// A program that names the files with setuid or setgid at or below these paths, and fails if
/// there are any.
fn no_set_ids(paths: &BTreeSet<String>) -> Vec<&str> {
    let found = ["-xdev", "-type", "f", "-perm", "/6000", "-print", "-exec", FALSE, "{}", "+"];
    [FIND, "-H"].into_iter().chain(paths.iter().map(String::as_str)).chain(found).collect()
}
