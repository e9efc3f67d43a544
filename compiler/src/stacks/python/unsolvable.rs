//! Requirements that no versions keep: what the resolver says of them, and which lines of the project they are.
//!
//! Which packages want what of each other, the resolver alone knows, so its words are kept. It names packages,
//! and those that the project itself asks for have a file and a line.

use std::collections::BTreeSet;

use cogpack_frontends_python::requirement::{PackageName, Requirement};
use cogpack_frontends_python::requirements::Stated;
use cogpack_frontends_source::InFile;
use miette::{Diagnostic, LabeledSpan};

use super::lock_inputs::LockInputs;
use crate::stacks::ProjectFinding;

/// Requirements that no versions keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("no versions of the packages keep all requirements: {chain}; {because}")]
#[diagnostic(code("project::lock::unsolvable"), help("{way_out}"))]
pub struct UnsolvableRequirements {
    /// Who wants what of those that the reasons name.
    chain: String,
    /// The resolver's reasons.
    because: String,
    /// What to do.
    way_out: String,
    /// The lines of the project that want them, of one file.
    #[label(collection)]
    places: Vec<LabeledSpan>,
}

/// What is told of requirements that no versions keep, by what the resolver `said`, a line each; nothing where
/// it names no package that the project asks for, or lacks one only because no index may be asked.
pub fn unsolvable(inputs: &LockInputs, said: &[String], offline: bool) -> Option<InFile<ProjectFinding>> {
    if said.iter().any(|line| line.contains("the network was disabled")) {
        return None;
    }
    let (because, hints) = parts(said);
    let named = names(&because);
    let is_named =
        |stated: &&Stated| stated.requirement.name.as_ref().is_some_and(|name| named.contains(name));
    let LockInputs { required, constraints, server, .. } = inputs;
    let wishes: Vec<&Stated> =
        required.iter().chain(constraints).chain(server.as_deref()).filter(is_named).collect();
    let file = wishes.first()?.file.clone();
    let wish = |stated: &Stated| Requirement { marker: None, ..stated.requirement.clone() };
    let chain: Vec<String> = wishes
        .iter()
        .map(|stated| format!("{}:{} wants `{}`", stated.file, stated.place.line, wish(stated)))
        .collect();
    let labels = wishes.iter().filter(|stated| stated.file == file).map(|stated| {
        let label = format!("wants `{}`", wish(stated));
        LabeledSpan::new(Some(label), stated.place.start, stated.place.length)
    });
    let absent = wishes.iter().find_map(|stated| absent(&wish(stated), &because));
    let is_of_wheels = said.iter().any(|line| line.contains("wheel") || line.contains("source distribution"));
    let way_out = match (offline, absent) {
        (true, _) => {
            "with `--offline` only what uv has in its cache counts: lock once without it, or change one of these \
             requirements"
                .to_owned()
        }
        (false, Some(way_out)) => way_out,
        (false, None) if is_of_wheels => {
            "change one of these requirements; for a package without wheels choose another version, or make one by \
             `pip wheel --no-deps -w wheels NAME` and write `./wheels/FILE.whl` in its place into `requirements.txt`"
                .to_owned()
        }
        (false, None) => "change one of these requirements".to_owned(),
    };
    let way_out = std::iter::once(way_out).chain(hints).collect::<Vec<_>>().join("; ");
    let (chain, places) = (chain.join(", "), labels.collect());
    let finding = UnsolvableRequirements { chain, because, way_out, places };
    Some(InFile::new(&file, finding.into()))
}

/// What to do where the reasons say that what is wished is not there at all: the very version, or the package.
fn absent(wish: &Requirement, because: &str) -> Option<String> {
    let name = wish.name.as_ref()?;
    let is_absent = |words: &str, word: &str| {
        let mut places = because.match_indices(words).map(|(at, _)| &because[at + words.len()..]);
        places.any(|rest| rest.split([' ', ',']).next() == Some(word))
    };
    if is_absent("there is no version of ", &wish.to_string()) {
        return Some(format!(
            "no index that uv asks has this version of `{name}`: write one that there is, as `pip index versions \
             {name}` lists them, or a range, as in `{name}>=1.0`"
        ));
    }
    let is_unknown = because.contains(&format!("{name} was not found in the package registry"));
    is_unknown.then(|| {
        format!(
            "no index that uv asks has a package `{name}`: correct its name, or name the index that has it, as in \
             `--extra-index-url ADDRESS` in `requirements.txt`"
        )
    })
}

/// Its reasons as a part of a sentence, and what it advises.
fn parts(said: &[String]) -> (String, Vec<String>) {
    let is_hint = |line: &&String| line.starts_with(HINT);
    let first = said.iter().position(|line| is_hint(&line)).unwrap_or(said.len());
    let (reasons, hints) = said.split_at(first);
    let is_heading = |line: &&String| line.contains("No solution found when resolving dependencies");
    let reasons: Vec<&str> =
        reasons.iter().filter(|line| !is_heading(line)).map(|line| without_signs(line)).collect();
    let mut reasons = reasons.join(" ");
    if let Some(first) = reasons.strip_prefix("Because ") {
        reasons = format!("because {first}");
    }
    let mut each: Vec<String> = Vec::new();
    for line in hints {
        match (line.strip_prefix(HINT), each.last_mut()) {
            (Some(begun), _) => each.push(begun.trim().to_owned()),
            (None, Some(hint)) => *hint = format!("{hint} {line}"),
            (None, None) => {}
        }
    }
    let without_stop = |text: &str| text.trim_end_matches('.').to_owned();
    (without_stop(&reasons), each.iter().map(|hint| without_stop(hint)).collect())
}

/// What advice begins with.
const HINT: &str = "hint:";

/// A line without what it is drawn with.
fn without_signs(line: &str) -> &str {
    line.trim_start_matches(|letter: char| {
        letter.is_whitespace() || matches!(letter, '×' | '╰' | '─' | '▶' | '├' | '│')
    })
}

/// The words of a text that may be names of packages.
fn names(text: &str) -> BTreeSet<PackageName> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let words = text.split(|letter| !is_of_name(letter));
    words.filter_map(|word| PackageName::new(word.trim_matches(['-', '_', '.']))).collect()
}
