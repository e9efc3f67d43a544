//! The parser that pest makes of `grammar/cpk.pest`, and nothing else.

/// Applies one rule of the grammar to a text.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/cpk.pest"]
pub(super) struct Grammar;
