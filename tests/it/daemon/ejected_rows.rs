//! The rows of the copy suite as ejected Dockerfiles: where a dialect or its builder differs from
//! the contract. A difference that goes away fails the suite as well.

use super::copies::{From, Onto};
use super::copy_rows::{self, Expected, Row};

/// All rows, in all four ways.
pub fn rows() -> Vec<(Row, From, Onto)> {
    copy_rows::rows(true).into_iter().map(|(row, from, onto, _)| (row, from, onto)).collect()
}

/// What a row gives with a tool.
pub fn expected(_tool: &str, _row: &Row, _from: From, _onto: Onto) -> Expected {
    Expected::Contract
}
