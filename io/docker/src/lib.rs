//! What the `docker` command is told by its configuration, and the Engine behind it.
//!
//! A user who has logged in, or has chosen an Engine, has done so with that command; a build goes by
//! the same files. They are read here and never written. The environment is not read here: its
//! values come in as [`settings::Settings`].

pub mod settings;

pub mod config_file;
pub mod contexts;
pub mod credential_helper;
pub mod logins;
pub mod registry_host;

pub mod engine;
mod transport;
