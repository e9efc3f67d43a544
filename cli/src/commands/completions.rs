//! `cogpackc completions SHELL`.

use crate::DONE;
use crate::console::Console;

/// Prints the completions of a shell.
pub fn run(shell: clap_complete::Shell, console: &mut Console<'_>) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "cogpackc", &mut script);
    console.data(&script);
    DONE
}
