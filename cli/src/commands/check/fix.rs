//! `cogpackc check --fix`: mends what leaves the image as it is, and with `--unsafe-fixes` what changes it,
//! too.
//!
//! What only a server can say is asked ([`asked`](super::asked)); where it does not answer, its finding is left.
//!
//! A plan is written once, when all is done, and only if it still keeps every rule. One in canonical form
//! stays in it; of another one nothing changes but what is mended.

use cogpack_io_project::files::write_file_atomically;
use cogpack_ir::syntax;
use cogpack_lints::{Repair, Safety, repair};
use serde::Serialize;

use super::asked::Asker;
use super::found::{Found, Severity, look};
use super::project::PlanDirectories;
use super::switches::Switches;
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{Format, json};
use crate::source_text::SourceText;

/// What was mended in a plan, for programs.
#[derive(Serialize)]
struct Mended<'a> {
    version: u32,
    file: &'a str,
    mended: Vec<Line>,
    left: Vec<Line>,
}

/// One finding that was mended, or that was not.
#[derive(Serialize)]
struct Line {
    code: String,
    /// As it was before anything was mended around it.
    line: Option<usize>,
    /// What was done, or why nothing was.
    what: String,
    /// What `--unsafe-fixes` would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsafe_fix: Option<String>,
    /// What a person should look at, of an unsafe fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    look: Option<String>,
}

/// Far more than there are: what one repair brings to light another one mends.
const MOST_ROUNDS: usize = 32;

/// Of a question that was not put to anybody.
const UNANSWERED: &str = "only a server can say it";

/// Why a finding of the rules is not mended.
pub fn why_not(code: &str) -> &'static str {
    match code {
        _ if code.starts_with("cpk::unused::") => {
            "whether it is to be used or taken away is not said in the plan"
        }
        _ => "what was meant only its author knows",
    }
}

/// The plan with all mended that can be, as it is written now.
pub fn fixed(
    plan: PlanFile,
    switches: &Switches,
    asker: &mut Asker,
    format: Format,
    console: &mut Console<'_>,
) -> Result<PlanFile, Failure> {
    let Some(path) = &plan.path else {
        return Err(Failure::new("`--fix` changes files, and standard input is none")
            .with_hint("name the plan, or leave `--fix` out"));
    };
    let directories = PlanDirectories { of: &plan.directory };
    let is_canonical = |text: &str| syntax::format(text).is_ok_and(|canonical| canonical == text);
    let was_canonical = is_canonical(&plan.text);
    let mut text = plan.text.as_str().to_owned();
    let mut mended = Vec::new();
    let with_unsafe = asker.with_unsafe();
    for _ in 0..MOST_ROUNDS {
        let mut found = look(&text, &directories, switches).found;
        // What a mended comment allows is neither mended nor asked about.
        let is_first = |found: &Found| found.is_about_a_comment() && found.repair.is_made(with_unsafe);
        let comments_first = found.iter().any(is_first);
        if !comments_first {
            asker.answer(&mut found, &text, console);
        }
        let waits = Repair::none("");
        let repairs: Vec<&Repair> = found
            .iter()
            .map(|found| if comments_first && !is_first(found) { &waits } else { &found.repair })
            .collect();
        let (changed, made) = repair::apply(&text, &repairs, with_unsafe);
        if !made.contains(&true) {
            break;
        }
        let changed = match was_canonical {
            true => syntax::format(&changed).map_err(|_| spoilt(&found, &made))?,
            false => changed,
        };
        let (errors_before, after) = (errors(&found, switches), look(&changed, &directories, switches).found);
        // Each repair takes its finding away, and no rule is broken by one. Others may show: what an image sets
        // is known when it is pinned.
        let number = |all: &[Found], code: &str| all.iter().filter(|found| found.code == code).count();
        let is_there = |found_one: &Found| number(&after, &found_one.code) >= number(&found, &found_one.code);
        let stays = found.iter().zip(&made).any(|(found, made)| *made && is_there(found));
        if stays || errors(&after, switches) > errors_before {
            return Err(spoilt(&found, &made));
        }
        let source = SourceText::new(&plan.shown, &text);
        mended.extend(
            found.iter().zip(made).filter(|(_, made)| *made).map(|(found, _)| mended_line(found, &source)),
        );
        text = changed;
    }
    if !mended.is_empty() {
        write_file_atomically(path, text.as_bytes()).map_err(|error| Failure::of(&error))?;
    }
    match format {
        Format::Json => {
            let source = SourceText::new(&plan.shown, &text);
            let mut left = look(&text, &directories, switches).found;
            asker.answer(&mut left, &text, console);
            let left = left.iter().map(|found| left_line(found, &source)).collect();
            let told = Mended { version: json::VERSION, file: &plan.shown, mended, left };
            console.data(json::text(&told).as_bytes());
        }
        Format::Text => {
            for Line { code, line, what, look, unsafe_fix: _ } in mended {
                let look = look.map_or_else(String::new, |look| format!("; look at {look}"));
                console.say(&format!("{}{}: mended {code}: {what}{look}", plan.shown, at(line)));
            }
        }
    }
    Ok(PlanFile { text: text.into(), ..plan })
}

/// How many findings are errors, those of the command line apart, which a repair may well leave.
fn errors(found: &[Found], switches: &Switches) -> usize {
    let is_one = |found: &&Found| found.severity == Severity::Error && switches.of(&found.code).is_none();
    found.iter().filter(is_one).count()
}

/// Says what is left, and why.
pub fn tell_of_rest(found: &[Found], plan: &PlanFile, console: &mut Console<'_>) {
    let source = SourceText::new(&plan.shown, &plan.text);
    for Line { code, line, what, .. } in found.iter().map(|found| left_line(found, &source)) {
        console.say(&format!("{}{}: left {code}: {what}", plan.shown, at(line)));
    }
}

fn at(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

fn mended_line(found: &Found, source: &SourceText<'_>) -> Line {
    let (what, look) = match &found.repair {
        Repair::Edits { what, safety: Safety::Safe, .. } => (what.clone(), None),
        Repair::Edits { what, safety: Safety::Unsafe(look), .. } => (what.clone(), Some(look.clone())),
        Repair::None(why) => (why.clone().into_owned(), None),
        Repair::Ask(_) => (UNANSWERED.to_owned(), None),
    };
    line(found, source, what, None, look)
}

fn left_line(found: &Found, source: &SourceText<'_>) -> Line {
    let (what, unsafe_fix, look) = match &found.repair {
        Repair::Edits { what, safety: Safety::Safe, .. } => (what.clone(), None, None),
        Repair::Edits { what, safety: Safety::Unsafe(look), .. } => {
            (unsafe_way_out(what, look), Some(what.clone()), Some(look.clone()))
        }
        Repair::None(why) => (why.clone().into_owned(), None, None),
        Repair::Ask(_) => (UNANSWERED.to_owned(), None, None),
    };
    line(found, source, what, unsafe_fix, look)
}

/// What `--unsafe-fixes` would do to a finding that is left.
pub fn unsafe_way_out(what: &str, look: &str) -> String {
    format!("`--fix --unsafe-fixes` {what}; look at {look}")
}

fn line(
    found: &Found,
    source: &SourceText<'_>,
    what: String,
    unsafe_fix: Option<String>,
    look: Option<String>,
) -> Line {
    let line = found.start().map(|start| source.place(start).line);
    Line { code: found.code.clone(), line, what, unsafe_fix, look }
}

/// A repair that breaks something is a mistake of ours; the file is as it was.
fn spoilt(found: &[Found], made: &[bool]) -> Failure {
    let codes: Vec<&str> =
        found.iter().zip(made).filter(|(_, made)| **made).map(|(found, _)| found.code.as_str()).collect();
    Failure::new(format!("mending {} would break the plan, so it is left as it is", codes.join(", ")))
        .with_hint("please report this, with the plan; `--allow` leaves a code out")
}
