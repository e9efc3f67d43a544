//! From text to a plan that backends take.
//!
//! Reading order: [`pipeline`] (the steps, in order), [`world`] (facts from outside, as values).
//!
//! Deliberately not here: reading files and asking registries (`io/`), and emitting (`backends/`).

pub mod composer;
pub mod pipeline;
pub mod stacks;
pub mod world;

pub use pipeline::{compile, parse};
pub use world::World;
