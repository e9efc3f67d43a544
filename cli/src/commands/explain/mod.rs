//! `cogpackc explain CODE`: why a rule exists, an example that breaks it and one that keeps it.

pub mod arguments;

use std::fmt::Write as _;
use std::path::Path;

use arguments::Explain;
use cogpack_ir::explain::{self, Explanation, Form};
use serde::Serialize;

use crate::DONE;
use crate::commands::diff::since;
use crate::console::Console;
use crate::failure::Failure;
use crate::report::Format;

#[derive(Serialize)]
struct JsonExplanation {
    code: &'static str,
    title: &'static str,
    text: &'static str,
    form: &'static str,
    breaks: &'static str,
    keeps: &'static str,
}

/// Explains one code, lists all, or tells what a build of a plan runs again.
pub fn run(arguments: &Explain, console: &mut Console<'_>) -> Result<u8, Failure> {
    let Explain { code, since, contexts, planning, format } = arguments;
    if let (Some(plan), Some(old)) = (code, since) {
        return since::run(Path::new(plan), old, contexts, planning, *format, console);
    }
    if let Some(option) = planning.first_given() {
        return Err(Failure::new(format!("`{option}` is for projects, and codes are explained"))
            .with_hint("name a project and what it is compared with: `cogpackc explain DIR --since OLD`"));
    }
    told_of(code.as_deref(), *format, console)
}

fn told_of(code: Option<&str>, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let explanations: Vec<&'static Explanation> = match code {
        None => explain::all().collect(),
        Some(code) => vec![explain::explain(code).ok_or_else(|| unknown(code))?],
    };
    let text = match (format, code) {
        (Format::Json, _) => as_json(&explanations),
        (Format::Text, None) => listed(&explanations),
        (Format::Text, Some(_)) => explanations.iter().map(|explanation| told(explanation)).collect(),
    };
    console.data(text.as_bytes());
    Ok(DONE)
}

fn unknown(code: &str) -> Failure {
    // The first word is the part that is easily left out.
    let without_first = |code| match str::split_once(code, "::") {
        Some((first, rest)) if FIRST_WORDS.contains(&first) => rest,
        Some(_) | None => code,
    };
    let codes = || explain::all().map(|explanation| explanation.code);
    let near = cogpack_ir::suggest::nearest(without_first(code), codes().map(without_first));
    let near = near.and_then(|near| codes().find(|code| without_first(code) == near));
    let failure = Failure::new(format!("there is no finding with the code `{code}`"));
    if let Some(near) = near {
        return failure.with_hint(format!("did you mean `{near}`?"));
    }
    let mut some = words(code);
    let first = some.first().filter(|first| FIRST_WORDS.contains(&first.as_str())).cloned();
    if first.is_some() {
        some.remove(0);
    }
    let is_of = |known: &&str| first.as_ref().is_none_or(|first| known.starts_with(first.as_str()));
    let holding = |some: &[String]| -> Vec<String> {
        let found = codes().filter(is_of).filter(|known| !some.is_empty() && holds(&words(known), some));
        found.map(|known| format!("`{known}`")).collect()
    };
    let mut found = holding(&some);
    if found.is_empty() && some.len() == 1 {
        let all: Vec<String> = codes().filter(is_of).flat_map(words).collect();
        let meant = cogpack_ir::suggest::nearest(&some[0], all.iter().map(String::as_str));
        found = meant.map_or_else(Vec::new, |meant| holding(&[meant.to_owned()]));
    }
    match &found[..] {
        [] => failure.with_hint("`cogpackc explain` lists all codes"),
        [one] => failure.with_hint(format!("did you mean {one}?")),
        [first @ .., last] if first.len() < MOST_SUGGESTIONS => {
            failure.with_hint(format!("did you mean {} or {last}?", first.join(", ")))
        }
        [..] => {
            failure.with_hint(format!("{} codes have that word: `cogpackc explain` lists all", found.len()))
        }
    }
}

/// What all codes begin with: those about plans, and those about projects.
const FIRST_WORDS: [&str; 2] = ["cpk", "project"];

/// More codes than these are better read in the list of all.
const MOST_SUGGESTIONS: usize = 12;

/// The words of a code, or of a part of one.
fn words(code: &str) -> Vec<String> {
    let words = code.split([':', '-', ' ']).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Whether these words follow each other, as those of `stage::cycle` do in `cpk::stage::cycle`.
fn holds(all: &[String], some: &[String]) -> bool {
    all.windows(some.len()).any(|window| window == some)
}

fn listed(explanations: &[&'static Explanation]) -> String {
    let width = explanations.iter().map(|explanation| explanation.code.len()).max().unwrap_or(0);
    let mut text = String::new();
    for explanation in explanations {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{:width$}  {}", explanation.code, explanation.title);
    }
    text
}

fn told(explanation: &Explanation) -> String {
    let Explanation { code, title, text, form, breaks, keeps } = explanation;
    let mut told = format!("{code}: {title}\n\n{}\n", text.trim());
    let headings = match form {
        Form::Plan => ["This breaks the rule", "This keeps it"],
        Form::Script => ["In an empty directory, this breaks the rule", "And this keeps it"],
        Form::Project => ["A project that breaks the rule", "And one that keeps it"],
    };
    // Mistakes of ours have no example.
    let examples = headings.into_iter().zip([breaks, keeps]);
    for (heading, example) in examples.filter(|(_, example)| !example.is_empty()) {
        // A String takes whatever is written to it.
        let _ = writeln!(told, "\n{heading}:\n");
        for line in example.lines() {
            let _ = if line.is_empty() { writeln!(told) } else { writeln!(told, "    {line}") };
        }
    }
    told
}

fn as_json(explanations: &[&'static Explanation]) -> String {
    let list: Vec<JsonExplanation> = explanations
        .iter()
        .map(|explanation| JsonExplanation {
            code: explanation.code,
            title: explanation.title,
            text: explanation.text,
            form: match explanation.form {
                Form::Plan => "plan",
                Form::Script => "script",
                Form::Project => "project",
            },
            breaks: explanation.breaks,
            keeps: explanation.keeps,
        })
        .collect();
    // Plain texts are all that it holds, so JSON can say it.
    let mut text = serde_json::to_string_pretty(&list).unwrap_or_default();
    text.push('\n');
    text
}
