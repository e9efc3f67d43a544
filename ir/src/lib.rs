//! The Plan IR: what a plan is, its text and JSON forms, its graphs, its rules and its meaning.
//!
//! Reading order: [`plan`] (what a plan is made of), [`syntax`] (the text), [`graph`] (how its parts
//! hang together), [`verify`] (the rules), [`resolve`] (from what was written to what backends take). What
//! scripts run is read by [`shell`], for whoever gives advice on them; no rule and no meaning rests on it.
//!
//! Nothing here looks at a disk, a network, a clock or the environment.

// The laws of the fuzz targets are also judged here, and they name this crate as everybody does.
#[cfg(test)]
extern crate self as cogpack_ir;

#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;
pub mod draw;
pub mod explain;
pub mod finding;
pub mod graph;
pub mod json;
pub mod plan;
pub mod resolve;
pub mod shell;
pub mod suggest;
pub mod syntax;
pub mod verify;
