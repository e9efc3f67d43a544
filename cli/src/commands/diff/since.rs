//! `cogpackc explain PLAN --since OLD`: which ops run again where the old plan was built, and why: from what was
//! changed, step by step, to each layer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cogpack_diff::chains::{How, Link};
use cogpack_diff::{Cause, Difference, Rerun, What};
use cogpack_ir::plan::{Context, ContextKind, InputName};
use serde::Serialize;

use super::place::Place;
use super::told::Lines;
use super::{Read, difference, refuse_one_input_twice, told, understood};
use crate::console::Console;
use crate::contexts::replaced;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::progress::text::plain;
use crate::project::options::Planning;
use crate::record::reading::{Recorded, files_now, record};
use crate::report::{self, Format, json};
use crate::{COULD_NOT_RUN, DONE};

/// Most ops that one change leads to that are told of one after the other.
const MOST_ROWS: usize = 24;

/// What is said where files are not compared one by one.
const NOT_LISTED: &str = "note: the record is of an earlier cogpackc and lists no files: they are taken to be the same \
                          as in that build; the next build lists them";

/// Explains.
pub fn run(
    plan: &Path,
    old: &Path,
    contexts: &[String],
    planning: &Planning,
    format: Format,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    refuse_one_input_twice(old, plan)?;
    let place = Place { path: plan, other: old, planning, format };
    let Some(new) = place.plan(console)? else { return Ok(COULD_NOT_RUN) };
    let recorded = record(old, &new, console)?;
    let platforms = &planning.platforms;
    let Some(new) = understood(new, platforms, format, console)? else { return Ok(COULD_NOT_RUN) };
    let (old, found) = match recorded {
        Some(recorded) => {
            recorded.refuse_others(&new.file, &new.plan)?;
            let Recorded { file, files, .. } = recorded;
            // It is compared as it was built, for whichever platforms that was.
            let Some(old) = understood(file, &[], format, console)? else { return Ok(COULD_NOT_RUN) };
            let found = match &files {
                Some(then) => {
                    let now =
                        files_now(&new.file, &new.resolved, &elsewhere(contexts, &new, console)?, then)?;
                    Difference::between(old.compared(then), new.compared(&now))
                }
                None => {
                    report::remark(NOT_LISTED, format, console);
                    difference(&old, &new)
                }
            };
            (old, found)
        }
        None => {
            if let Some(context) = contexts.first() {
                return Err(Failure::new(format!(
                    "`--build-context {context}` is for the files of a record, and `{}` is a plan",
                    old.display()
                ))
                .with_hint("two plans are compared by what they say; `--since last` compares files"));
            }
            let place = Place { path: old, other: plan, planning, format };
            let Some(old) = place.plan(console)? else { return Ok(COULD_NOT_RUN) };
            let Some(old) = understood(old, platforms, format, console)? else { return Ok(COULD_NOT_RUN) };
            let found = difference(&old, &new);
            (old, found)
        }
    };
    let text = match format {
        Format::Text => text(&old.file, &new.file, &found),
        Format::Json => as_json(&old.file, &new.file, &found),
    };
    console.data(text.as_bytes());
    Ok(DONE)
}

/// The directories that the command line gives contexts.
fn elsewhere(
    texts: &[String],
    new: &Read,
    console: &Console<'_>,
) -> Result<BTreeMap<InputName, PathBuf>, Failure> {
    let declared = |(name, context): (&InputName, &Context)| match &context.kind {
        ContextKind::Directory(directory) => {
            Some((name.clone(), new.file.directory.join(&directory.path.value)))
        }
        ContextKind::Http(_)
        | ContextKind::Git(_)
        | ContextKind::Oci(_)
        | ContextKind::Files(_)
        | ContextKind::Wheels(_)
        | ContextKind::Debs(_) => None,
    };
    let declared: BTreeMap<InputName, PathBuf> = new.plan.contexts.iter().filter_map(declared).collect();
    let given = texts.iter().map(|text| {
        let (name, path) = replaced(text, &declared)?;
        Ok((name, console.directory.join(path)))
    });
    given.collect()
}

fn text(old: &PlanFile, new: &PlanFile, found: &Difference) -> String {
    let names = format!("{} since {}", plain(&new.shown), plain(&old.shown));
    if found.runs.is_empty() {
        return format!("{names}: nothing runs again\n");
    }
    let lines = Lines::of(new);
    let mut page = format!("{names}: {}\n", told::summary(found));
    // What each op leads to, and what nothing led to, by what was changed.
    let mut leads_to: Vec<Vec<usize>> = vec![Vec::new(); found.runs.len()];
    let mut roots: Vec<(&Cause, Vec<usize>)> = Vec::new();
    let mut places: BTreeMap<&Cause, usize> = BTreeMap::new();
    for (place, run) in found.runs.iter().enumerate() {
        match &run.led_to_by {
            Some(link) => leads_to[link.run].push(place),
            None => {
                let root = *places.entry(&run.cause).or_insert(roots.len());
                match roots.get_mut(root) {
                    Some((_, runs)) => runs.push(place),
                    None => roots.push((&run.cause, vec![place])),
                }
            }
        }
    }
    for (cause, runs) in roots {
        page.push_str(&format!("\n{}{}\n", at(lines.at(cause.span)), plain(&cause.to_string())));
        let mut rows = Vec::new();
        // The latest last, so that they come out in their order.
        let mut ahead: Vec<(usize, usize)> = runs.iter().rev().map(|run| (*run, 1)).collect();
        while let Some((run, depth)) = ahead.pop() {
            rows.push(row(&found.runs[run], depth, &lines));
            ahead.extend(leads_to[run].iter().rev().map(|next| (*next, depth + 1)));
        }
        let more = rows.len().saturating_sub(MOST_ROWS);
        rows.iter().take(MOST_ROWS).for_each(|row| page.push_str(row));
        if more > 0 {
            page.push_str(&format!("  … and {more} more ops\n"));
        }
    }
    page
}

fn row(run: &Rerun, depth: usize, lines: &Lines<'_>) -> String {
    let how = match run.led_to_by.as_ref().map(|link| &link.how) {
        None => String::new(),
        Some(How::Stands) => ", on top of it".to_owned(),
        Some(How::Reads(name)) if reads_others(run) => {
            format!(", which reads {name}, unless the files are the same")
        }
        Some(How::Reads(name)) => format!(", which reads {name}"),
        Some(How::Starts(name)) => format!(", which starts from {name}"),
    };
    let part = if run.in_image { "" } else { " (not in the image)" };
    let line = lines.at(run.span).map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{}{}{line}{how}: {}{part}\n", "  ".repeat(depth), run.stage, plain(&run.op))
}

/// Whether the files that it reads decide whether an op runs.
fn reads_others(run: &Rerun) -> bool {
    run.only_if.as_ref().is_some_and(|only_if| only_if.reads_others)
}

fn at(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!("line {line}: "))
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    old: &'a str,
    new: &'a str,
    /// How many ops run where nothing was built before.
    ops: usize,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    stage: String,
    op: &'a str,
    line: Option<usize>,
    in_image: bool,
    cause: String,
    cause_line: Option<usize>,
    cause_files: Option<Vec<ChangedFile<'a>>>,
    led_to_by: Option<By>,
    only_if: Option<Condition<'a>>,
}

#[derive(Serialize)]
struct Condition<'a> {
    reads_others: bool,
    runs: &'a [usize],
}

#[derive(Serialize)]
struct ChangedFile<'a> {
    path: &'a str,
    change: &'static str,
}

#[derive(Serialize)]
struct By {
    run: usize,
    how: &'static str,
    stage: Option<String>,
}

fn as_json(old: &PlanFile, new: &PlanFile, found: &Difference) -> String {
    let by = |Link { run, how }: &Link| {
        let (how, stage) = match how {
            How::Stands => ("stands", None),
            How::Reads(name) => ("reads", Some(name.to_string())),
            How::Starts(name) => ("starts", Some(name.to_string())),
        };
        By { run: *run, how, stage }
    };
    let lines = Lines::of(new);
    let runs = found.runs.iter().map(|run| Run {
        stage: run.stage.to_string(),
        op: &run.op,
        line: lines.at(run.span),
        in_image: run.in_image,
        cause: run.cause.to_string(),
        cause_line: lines.at(run.cause.span),
        cause_files: files(&run.cause),
        led_to_by: run.led_to_by.as_ref().map(by),
        only_if: run.only_if.as_ref().map(|it| Condition { reads_others: it.reads_others, runs: &it.runs }),
    });
    let document = Document {
        version: json::VERSION,
        old: &old.shown,
        new: &new.shown,
        ops: found.ops,
        runs: runs.collect(),
    };
    json::text(&document)
}

fn files(cause: &Cause) -> Option<Vec<ChangedFile<'_>>> {
    match &cause.what {
        What::Files(change) => {
            let files = change.changes.iter();
            Some(files.map(|it| ChangedFile { path: &it.path, change: it.how.word() }).collect())
        }
        What::New
        | What::Changed
        | What::Sees(_)
        | What::Input(_)
        | What::Start
        | What::Order(_)
        | What::Layers => None,
    }
}
