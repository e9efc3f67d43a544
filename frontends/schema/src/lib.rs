//! What a Cog model takes and gives, read from its Python without running it.
//!
//! ```text
//! run.py:Runner ─▶ python (text ─▶ names, signatures) ─▶ scope (what a name means, across files)
//!               ─▶ types, constants ─▶ reading ─▶ Schema ─▶ OpenAPI document, judged inputs
//! ```
//!
//! Compared with what cog 0.23.1 and its server (coglet 0.23.1) do, on this room's cases of strings,
//! constraints, optional inputs, unions, literals, choices, lists, files, pieces of text, iterators,
//! no output and a concurrent handler, each started with the document that is made of it:
//!
//! - The server becomes ready, and gives the document back at `/openapi.json`. Without one it does
//!   not judge inputs at all.
//! - A request that breaks the document is answered by 422, with `loc` (`body`, `input`, the name),
//!   `msg` and `type` for each input; `enum`, `anyOf`, `pattern`, bounds and `$ref`s count, each item
//!   of a list as well. An input that the model has not is taken away in silence.
//! - `nullable` does not count: `null` is refused, and an optional input that is left out is given to
//!   the model as `None`, with or without a default.
//! - `Any` is the type `object`, as cog writes it, so that a text for it is refused.
//! - A file is sent as a data address and given to the model as a path; a path that the model returns
//!   becomes a data address.
//! - Parameters after `*` and defaults that are lists work; the model's own file cannot import
//!   relatively. An enum as a type is given a plain value, so it is refused here.
//! - `x: int = Input(default=None)` must be sent, as in cog's own documents.
//!
//! What cannot be known without running is a finding with its place, and so is what fails when the
//! model starts. Nothing is guessed: a schema that is wrong is worse than none.

#![allow(clippy::collapsible_if, reason = "questions that ask files are put one after another")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "most of what Python can say says nothing of a schema: what is not named is refused"
)]

pub mod constants;
pub mod document;
pub mod finding;
pub mod input;
pub mod likeness;
pub mod model;
pub mod python;
pub mod reading;
pub mod scope;
pub mod target;
#[cfg(test)]
mod tests;
pub mod types;

pub use finding::SchemaFinding;
pub use input::{Given, InputProblem, Misfit, Signature};
pub use model::Schema;
pub use target::{Target, Use};

use cogpack_frontends_source::{InFile, Source, Unread};

/// The schema of a target, or all that keeps it from being made.
pub fn schema(
    source: &Source,
    target: &Target,
) -> Result<Result<Schema, Vec<InFile<SchemaFinding>>>, Unread> {
    let mut scope = scope::Scope::new(source);
    let schema = scope.target(target);
    let mut findings = scope.files.into_findings()?;
    findings.sort_by_key(|found| (found.file.clone(), found.finding.place()));
    match schema {
        Some(schema) if findings.is_empty() => Ok(Ok(schema)),
        _ => Ok(Err(findings)),
    }
}
