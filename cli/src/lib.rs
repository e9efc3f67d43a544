//! The `cogpackc` command line.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 findings (in
//! `diff`-like commands: differences), 2 the command could not run, 101 a mistake of ours.

mod arguments;
mod bases;
mod catalogues;
mod commands;
mod console;
mod contexts;
mod definition;
mod eject;
mod emit;
mod env_vars;
mod failure;
mod find_links;
mod front;
mod idle_options;
mod indexes;
mod installed;
mod limits;
mod line_diff;
mod lost;
mod misnamed;
mod mistake;
mod no_network;
mod note;
mod oci_image;
mod outlet;
mod packages;
mod plan_file;
mod progress;
mod project;
mod record;
mod registries;
mod report;
mod repositories;
mod saved;
mod source_text;
mod unwatched;
mod ways;

use std::ffi::OsString;
use std::path::Path;

use clap::Parser;

pub use console::Console;
pub use env_vars::Environment;
pub use outlet::Outlet;

/// Done.
pub const DONE: u8 = 0;
/// The plan has findings, or the comparison has differences.
pub const FINDINGS: u8 = 1;
/// The command could not run.
pub const COULD_NOT_RUN: u8 = 2;

/// Runs one command line (the program's name first) and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> u8 {
    let words: Vec<OsString> = levels_written_out(arguments.into_iter());
    let arguments = match arguments::Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let format = report::Format::asked_for_in(&words);
            let misnamed = misnamed::command(&words, &console.directory)
                .or_else(|| misnamed::second_build(&words, &error))
                .filter(|_| error.use_stderr());
            let Some(failure) = misnamed else { return report::usage(&error, format, console) };
            report::failure(&failure, format, console);
            return COULD_NOT_RUN;
        }
    };
    let format = arguments.format();
    match lost::told(|| commands::run(arguments, console)) {
        Ok(code) => code,
        Err(failure) => {
            let failure = match names(&words, &console.directory) {
                true => failure,
                false => failure.seen_from(&console.directory),
            };
            report::failure(&failure, format, console);
            COULD_NOT_RUN
        }
    }
}

/// The words with `-O0`, `-O1` and `-O2` as `--optimise`: to clap they are `-O`, where output goes, with a path.
fn levels_written_out(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut are_options = true;
    let words = words.map(|word| {
        are_options &= word != "--";
        match word.to_str() {
            Some("-O0" | "-O1" | "-O2") if are_options => {
                OsString::from(format!("--optimise={}", word.to_string_lossy().replace("-O", "")))
            }
            Some(_) | None => word,
        }
    });
    words.collect()
}

/// Whether a command line writes paths out from the root on, as far as `directory` goes.
fn names(words: &[OsString], directory: &Path) -> bool {
    let directory = directory.to_string_lossy();
    words.iter().any(|word| word.to_string_lossy().contains(&*directory))
}

/// What to say to standard error of a panic, which is always a mistake of ours.
pub fn mistake(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let words: Vec<OsString> = std::env::args_os().collect();
    report::failure_text(&mistake::of(panic), report::Format::asked_for_in(&words))
}

/// The command line as clap knows it, for completions and for documentation.
pub fn command() -> clap::Command {
    <arguments::Arguments as clap::CommandFactory>::command()
}
