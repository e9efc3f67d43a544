//! What a Python project says of itself, as typed values with their places.
//!
//! Each file is read for itself; [`merge`] brings together what all of them ask for.
//!
//! Deliberately not here: resolving (a lock file says which versions there are, or a tool makes
//! one), and running anything: what only a program could say is a finding.

pub mod project;

pub mod pyproject;
pub mod requirement;
pub mod requirements;

pub mod lock;
pub mod python_version;
pub mod setup;

pub mod common;
pub mod merge;

#[cfg(test)]
mod tests;
