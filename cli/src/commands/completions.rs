//! `cogpackc completions SHELL`.

use clap::builder::PossibleValuesParser;
use cogpack_ir::explain;

use crate::DONE;
use crate::console::Console;

/// Prints the completions of a shell.
pub fn run(shell: clap_complete::Shell, console: &mut Console<'_>) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut with_codes(), "cogpackc", &mut script);
    console.data(&script);
    DONE
}

/// The command line with every code that `explain` knows. The command itself takes any word, and
/// says better than a list of them which one was meant.
fn with_codes() -> clap::Command {
    let codes = || PossibleValuesParser::new(explain::all().map(|explanation| explanation.code));
    crate::command()
        .mut_subcommand("explain", |explain| explain.mut_arg("code", |code| code.value_parser(codes())))
}
