//! The `cogpackc` command line.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 findings (in
//! `diff`-like commands: differences), 2 the command could not run.

mod arguments;
mod bases;
mod commands;
mod console;
mod contexts;
mod eject;
mod emit;
mod env_vars;
mod failure;
mod front;
mod limits;
mod line_diff;
mod oci_image;
mod outlet;
mod packages;
mod plan_file;
mod progress;
mod registries;
mod report;
mod source_text;
mod unwatched;

use std::ffi::OsString;

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
    let words: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match arguments::Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => return report::usage(&error, report::Format::asked_for_in(&words), console),
    };
    let format = arguments.format();
    match commands::run(arguments, console) {
        Ok(code) => code,
        Err(failure) => {
            report::failure(&failure, format, console);
            COULD_NOT_RUN
        }
    }
}

/// The command line as clap knows it, for completions and for documentation.
pub fn command() -> clap::Command {
    <arguments::Arguments as clap::CommandFactory>::command()
}
