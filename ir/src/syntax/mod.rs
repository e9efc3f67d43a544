//! The text form of plans: reading, printing and formatting `.cpk`.
//!
//! A text is looked at three times: [`scan`] cuts it into declarations, pest applies
//! `grammar/cpk.pest` to each of them, `lower` makes values of the matches. Declarations know
//! nothing of each other until [`assemble`] puts them into one plan.

mod assemble;
mod comments;
mod expected;
mod findings;
mod format;
mod grammar;
mod hints;
mod kinds;
mod lower;
mod print;
mod read;
mod report;
mod scan;
mod strings;
mod words;

#[cfg(test)]
mod tests;

pub use assemble::{Parsed, parse};
pub use comments::Comments;
pub use findings::SyntaxFinding;
pub use format::format;
pub use print::print;
pub use strings::is_hidden;
