//! One command a file, each thin: parse, call, print.

pub mod build;
pub mod catalogue;
pub mod check;
mod compile;
mod completions;
pub mod diff;
pub mod explain;
mod fmt;
mod graph;
pub mod lock;
pub mod opt;
pub mod plan;
pub mod predict;
mod resolve;
pub mod store;

use crate::arguments::{Arguments, Command, Compile};
use crate::console::Console;
use crate::failure::Failure;

/// Runs the command that was asked for and gives its exit code.
pub fn run(arguments: Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    match (arguments.command, arguments.compile) {
        (Some(Command::Build(arguments)), _) => build::run(&arguments, console),
        (Some(Command::Predict(arguments)), _) => predict::run(&arguments, console),
        (Some(Command::Check(arguments)), _) => check::run(&arguments, console),
        (Some(Command::Fmt { plans, check, diff, format }), _) => {
            fmt::run(&plans, fmt::Mode::of(check, diff), format, console)
        }
        (Some(Command::Resolve { plan, layouts, format }), _) => {
            resolve::run(&plan, &layouts, format, console)
        }
        (Some(Command::Graph { plan, kind, path, format }), _) => {
            graph::run(&plan, kind, path.as_deref(), format, console)
        }
        (Some(Command::Explain(arguments)), _) => explain::run(&arguments, console),
        (Some(Command::Diff(arguments)), _) => diff::run(&arguments, console),
        (Some(Command::Catalogue(arguments)), _) => catalogue::run(&arguments, console),
        (Some(Command::Opt(arguments)), _) => opt::run(&arguments, console),
        (Some(Command::Lock(arguments)), _) => lock::run(&arguments, console),
        (Some(Command::Plan(arguments)), _) => plan::run(&arguments, console),
        (Some(Command::Store(arguments)), _) => store::run(&arguments, console),
        (Some(Command::Completions { shell }), _) => Ok(completions::run(shell, console)),
        (None, Some(compile)) => compile::run(&Compile { project: arguments.project, ..compile }, console),
        (None, None) => Err(Failure::new("there is nothing to do")
            .with_hint("`cogpackc plan.cpk -o llb` compiles; `cogpackc --help` lists the rest")),
    }
}
