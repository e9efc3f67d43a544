//! The rows of the copy suite as ejected Dockerfiles: which there are, and where a builder may
//! make something else than the contract says.

use super::copies::{From, Onto};
use super::copy_rows::{self, Row};

/// All rows, in all four ways.
pub fn rows() -> Vec<(Row, From, Onto)> {
    copy_rows::rows(true).into_iter().map(|(row, from, onto, _)| (row, from, onto)).collect()
}

/// Builders cannot look before they copy, nor have they an op that fails: what the contract calls
/// an error is an image with them. Here are the tools, the row and what happens. A row that makes
/// something else than the contract says and is none of these fails the suite.
pub const OTHERWISE: &[(&[&str], Row, &str)] = &[
    (ALL, ("a=1", "", r#"copy contents "a" from I to "/d""#), "a file is its own contents"),
    (ALL, ("a=1", "b/x=2", r#"copy "a" from I to "/b""#), "a file lands in a directory in its way"),
    (OVERLAY, ("a/s/x=1", "b/s=2", r#"copy "a" from I to "/b""#), "a directory replaces a file in its way"),
    (OVERLAY, ("a/x=1", "b/x/", r#"copy "a" from I to "/b""#), "a file replaces a directory in its way"),
    (BUILDAH, ("a=1", "b->c c=2", r#"copy "a" from I to "/b""#), "a link in the way is replaced"),
    (BUILDAH, ("a=1", "b->c", r#"copy "a" from I to "/b""#), "a link to nothing is taken for a directory"),
    (
        BUILDAH,
        ("a=1", "d/a->b", r#"copy "a" from I into "/d""#),
        "a link to nothing is taken for a directory",
    ),
];

const ALL: &[&str] = &["buildkit-older", "buildkit-newer", "classic", "buildah"];
/// These lay one tree over the other.
const OVERLAY: &[&str] = &["classic", "buildah"];
const BUILDAH: &[&str] = &["buildah"];
