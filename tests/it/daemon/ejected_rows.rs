//! The rows of the copy suite as ejected Dockerfiles: which there are, and where a builder may
//! make something else than the contract says.

use super::copies::{From, Onto};
use super::copy_rows::{self, Row};

/// All rows, in all four ways.
pub fn rows() -> Vec<(Row, From, Onto)> {
    copy_rows::rows(true).into_iter().map(|(row, from, onto, _)| (row, from, onto)).collect()
}

/// Builders cannot look before they copy, nor have they an op that fails: what the contract calls
/// an error is an image with them. A row that makes something else than the contract says and is
/// none of these fails the suite.
pub const OTHERWISE: &[(Row, &str)] = &[
    (("a=1", "", r#"copy contents "a" from I to "/d""#), "a file has no contents, and is copied itself"),
    (("a=1", "b/x=2", r#"copy "a" from I to "/b""#), "a file lands in the directory that is in its way"),
];
