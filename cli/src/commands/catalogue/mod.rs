//! `cogpackc catalogue list|add`: the base images that are known, and adding one.

mod add;
pub mod arguments;
pub mod image;
mod list;

use arguments::{Arguments, Task};

use crate::console::Console;
use crate::failure::Failure;

/// Does what was asked for, and gives the exit code.
pub fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    match &arguments.task {
        Task::List { catalogues } => list::run(catalogues, arguments.format, console),
        Task::Add(add) => add::run(add, arguments.format, console),
    }
}
