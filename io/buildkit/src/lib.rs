//! A client of BuildKit: how to reach a daemon, serve it what it asks for, and solve graphs on it.
//!
//! A build is one call of `solve`. The daemon then asks back, over a *session* in which this
//! side is the server: for directories, credentials, secrets, agents and blobs. Each of these is
//! a service in a file of its own, and none of them knows how the bytes travel.

pub mod abilities;
pub mod address;
pub mod comparing;
pub mod connection;
pub mod dial;
pub mod failure;
pub mod looking;
pub mod session;
pub mod solve;
pub mod update;

pub mod auth;
pub mod blobs;
pub mod directories;
pub mod exports;
pub mod secrets;
pub mod ssh;

mod attached;
mod details;
mod gateway;
mod news;
mod outgoing;
mod random_id;
mod upgrade;

#[cfg(test)]
mod in_memory;
