//! Build records: what a build was made of and what it did, kept in `.cog/` beside the plan so that
//! `explain --since` can tell why the next build runs what it runs.
//!
//! Reading order: [`document`] and [`listing`] (what a record holds), `home` (where it is), [`contexts`] (the
//! files that ops take), [`summary`] (that none of them has changed), `recording` (how one comes about),
//! [`reading`] (how one is read again).

pub mod contexts;
mod document;
pub mod home;
mod listing;
pub mod reading;
mod recording;
mod summary;

pub use recording::{Recording, Told};
