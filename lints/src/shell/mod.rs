//! What a script runs, as far as it can be told without a shell: its simple commands, by words.
//!
//! Nothing is found by looking for a text: a word is a word of the shell, with quotes, continued lines,
//! comments and documents read as a shell reads them, and a command's name is its first word. What only
//! running would tell, such as the value of a variable, is left as it is written and marked.

mod commands;
mod words;

use std::ops::Range;

pub use commands::{Command, commands_of, is_shell, of_argv};
pub use words::Word;

/// Where something stands in a script, in bytes.
pub type Extent = Range<usize>;
