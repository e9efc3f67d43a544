//! Build records: what a build was made of and what it did, kept in `.cog/` beside the plan so that
//! `explain --since` can tell why the next build runs what it runs.
//!
//! Reading order: [`document`] (what a record holds), `home` (where it is), `contexts` (the files that
//! ops take), `recording` (how one comes about), [`reading`] (how one is read again).

mod contexts;
mod document;
mod home;
pub mod reading;
mod recording;

pub use recording::{Recording, Told};
