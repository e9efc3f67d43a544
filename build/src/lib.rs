//! Builders: each turns an artifact into an image, and says on the way what it does.
//!
//! Reading order: [`order`] (what a builder is asked for), [`progress`] (what it says while it
//! works), [`outcome`] and [`failure`] (what it leaves), [`builder`] (the trait), then the
//! builders.
//!
//! Deliberately not here: how progress looks (`cli/`), and how bytes travel (`io/`).

pub mod builder;
pub mod failure;
pub mod hints;
pub mod known;
pub mod names;
pub mod order;
pub mod outcome;
pub mod progress;
pub mod requirements;
pub mod side_by_side;

pub mod buildkit;
pub mod direct;

mod caching;
mod engine_layers;
mod explained;
mod exporting;
mod follow;
mod layer_names;
pub mod logins;
mod outline;
mod pushed_layers;
mod pushing;
mod receiving;
mod remembered;
pub mod serving;
