//! A reader of Dockerfiles, to judge what our emitter writes: what would a builder understand?
//!
//! Written from the published rules (the Dockerfile reference, and what BuildKit, the classic
//! builder and buildah are documented to do), and on purpose without a line of the emitter. It
//! reads all that the emitter may write, and says so where it cannot read something, rather than
//! to guess. Real builders judge a sample of it (`tests/it/daemon/ejects.rs` builds
//! `tests/cases/backends/hostile.cpk`).
//!
//! [`lines`] joins lines to instructions, [`flags`] and [`operands`] take them apart, [`words`]
//! reads quotes, escapes and variables, [`build`] does what the instructions say, in a context of
//! which [`ignore`] leaves out what an ignore file names.

pub mod rules;

pub mod given;
pub mod ignore;

pub mod lines;

pub mod flags;
pub mod mounts;
pub mod operands;
pub mod words;

pub mod build;
pub mod copying;

#[cfg(test)]
mod tests;

/// Why a Dockerfile, or a part of it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl Unreadable {
    /// That this is so.
    pub fn new<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self(why.into()))
    }
}
