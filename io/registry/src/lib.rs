//! A client of registries, by the distribution specification: manifests and blobs, each compared
//! with its digest on the way in.
//!
//! | module | what it does |
//! |---|---|
//! | [`settings`] | what this machine says of registries: mirrors, and which speak plain HTTP |
//! | [`endpoint`] | who is asked for the images of a registry |
//! | [`challenge`] | what a registry wants to see before it answers |
//! | [`registries`] | asks, shows a login where one is wanted, and asks again |
//! | [`manifests`], [`blobs`] | what there is to ask for |
//! | [`failure`] | why nothing came |
//!
//! Deliberately not here: where logins are kept (`io/docker`), what manifests mean (`io/layout`),
//! and pushing.

pub mod blobs;
pub mod challenge;
pub mod endpoint;
pub mod failure;
pub mod manifests;
pub mod registries;
pub mod settings;

#[cfg(test)]
mod tests;

pub use failure::RegistryError;
pub use registries::{Registries, Repository};
