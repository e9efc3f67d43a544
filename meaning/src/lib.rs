//! What a plan means: the filesystem and the config of its image, worked out as plainly as can be.
//!
//! This is the judge of passes and of backends, so it is small, slow and made to be read: a
//! [filesystem](filesystem) is a flat list of paths, each op is a function on it, and a program is an
//! unknown function of [what it can see](program::Seen). What comes from outside, the files of contexts and
//! images and what programs leave, a [`World`] answers; [`Invented`] is one that is made up for a plan, so
//! that it can be judged without a disk, a registry or a runtime.
//!
//! An image that cannot be made means nothing: all [failures](Failure) are equal. Its layers are no part
//! of its meaning, but for the one rule by which they have an effect: an independent layer is
//! made on nothing and laid over what is there
//! ([`layers`](cogpack_backends_contract::layers)).

pub mod filesystem;

mod copy;
mod files;
mod ownership;
mod stage;
mod text;

pub mod interpret;
pub mod program;
pub mod world;

pub use filesystem::{Failure, Filesystem};
pub use interpret::{Image, interpret};
pub use world::{Invented, World};
